//! The tables as they were found: which columns there are, and whether they will do.

use std::collections::BTreeMap;

use super::columns::{Column, Holds, Which};
use super::names::{STATUSES, Statuses, TableName, quoted};

/// A column that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct There {
    pub(super) name: String,
    pub(super) class: Class,
    /// Its type as a message has it.
    pub(super) type_name: String,
    /// Its type as a cast has it that cuts nothing off.
    pub(super) cast: String,
    /// Its type as a cast has it that cuts off what does not fit.
    pub(super) narrow: String,
}

/// What kind of type a column has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Class {
    Integer,
    Number,
    Text,
    /// These labels.
    Enum(Vec<String>),
    /// Times that know their zone.
    Zoned,
    /// Times that do not: taken to be UTC.
    Naive,
    Bytes,
    Other,
    /// The database does not say: anything may be in it.
    Anything,
}

/// A table that will do.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Its name as SQL has it.
    pub(super) sql: String,
    columns: BTreeMap<&'static str, There>,
}

/// The three of them.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    pub(super) items: Table,
    pub(super) cameras: Table,
    pub(super) clips: Table,
    pub(super) statuses: Statuses,
}

impl Table {
    /// Judges the columns that were found. The error names table, column and
    /// variable.
    pub(super) fn of(
        name: &TableName,
        there: &[There],
        statuses: &Statuses,
    ) -> Result<Self, String> {
        let mut columns = BTreeMap::new();
        for column in name.which.columns() {
            let Some(here) = name.column(column.name) else {
                continue;
            };
            let Some(found) = there.iter().find(|there| there.name == here) else {
                if column.is_needed || name.is_mapped(column.name) {
                    return Err(missing(name, column, here, there));
                }
                continue;
            };
            check(name, column, found, statuses)?;
            columns.insert(column.name, found.clone());
        }
        if name.which == Which::Clips
            && !columns.contains_key("object_key")
            && !columns.contains_key("url")
        {
            return Err(format!(
                "table {name} has neither a column object_key nor url, and one of them is \
                 needed to find a clip; name it by {}, as object_key=NAME",
                name.which.columns_variable()
            ));
        }
        Ok(Self {
            sql: name.quoted(),
            columns,
        })
    }

    pub(super) fn find(&self, column: &str) -> Option<&There> {
        self.columns.get(column)
    }

    /// A column's name as SQL has it, if there is such a column.
    pub(super) fn name(&self, column: &str) -> Option<String> {
        self.find(column).map(|there| quoted(&there.name))
    }

    /// That of one that is needed.
    pub(super) fn needed(&self, column: &str) -> String {
        // `of` has looked for it.
        self.name(column).unwrap_or_else(|| quoted(column))
    }
}

fn missing(name: &TableName, column: &Column, here: &str, there: &[There]) -> String {
    let variable = name.which.columns_variable();
    let what = column.name;
    let all: Vec<&str> = there.iter().map(|there| there.name.as_str()).collect();
    let all = all.join(", ");
    if name.is_mapped(what) {
        format!(
            "table {name} has no column {here}, which {variable} names for {what} (it has {all})"
        )
    } else {
        format!(
            "table {name} has no column {what} (it has {all}); if another one is meant, name it \
             by {variable}, as {what}=NAME"
        )
    }
}

fn check(
    name: &TableName,
    column: &Column,
    found: &There,
    statuses: &Statuses,
) -> Result<(), String> {
    use Class::{Anything, Enum, Integer, Naive, Number, Text, Zoned};
    let (does, expected) = match column.holds {
        Holds::Any => return Ok(()),
        Holds::Id => (matches!(found.class, Integer), "a whole number"),
        Holds::Number => (matches!(found.class, Integer | Number), "a number"),
        Holds::Time => (
            matches!(found.class, Zoned | Naive),
            "timestamptz, or timestamp in UTC",
        ),
        Holds::Text => (matches!(found.class, Text), "text"),
        Holds::Status => (matches!(found.class, Text | Enum(_)), "text or an enum"),
    };
    let (here, variable) = (&found.name, name.which.columns_variable());
    if !does && found.class != Anything {
        let way_out = if column.is_needed {
            format!("name another by {variable}, as {}=NAME", column.name)
        } else {
            format!("{variable}={}= leaves it alone", column.name)
        };
        return Err(format!(
            "column {here} of table {name} is {}, expected {expected}; {way_out}",
            found.type_name
        ));
    }
    if let Enum(labels) = &found.class {
        for status in statuses.all() {
            if !labels.iter().any(|label| label == status) {
                return Err(format!(
                    "column {here} of table {name} is the enum {}, which has no {status} (it has \
                     {}); add it by ALTER TYPE, or name another by {STATUSES}",
                    found.type_name,
                    labels.join(", ")
                ));
            }
        }
    }
    Ok(())
}

/// What is said of a table that is not there and not for Flatbed to make.
pub(super) fn no_table(name: &TableName) -> String {
    let which = name.which;
    format!(
        "there is no table {name} (see {} and {}; only tables under their own names are made)",
        which.variable(),
        which.columns_variable()
    )
}
