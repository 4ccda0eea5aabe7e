//! What the tables, their columns and the statuses are called in somebody's database.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::config::Variables;

pub use super::columns::Which;

/// The names in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    items: TableName,
    cameras: TableName,
    clips: TableName,
    pub(super) statuses: Statuses,
}

impl Names {
    pub(super) fn table(&self, which: Which) -> &TableName {
        match which {
            Which::Items => &self.items,
            Which::Cameras => &self.cameras,
            Which::Clips => &self.clips,
        }
    }

    /// Reads the variables of [`Which`] and `CCTV_STATUSES`.
    pub fn read(variables: &mut Variables) -> Self {
        Self {
            items: TableName::read(Which::Items, variables),
            cameras: TableName::read(Which::Cameras, variables),
            clips: TableName::read(Which::Clips, variables),
            statuses: Statuses::read(variables),
        }
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            items: TableName::of(Which::Items),
            cameras: TableName::of(Which::Cameras),
            clips: TableName::of(Which::Clips),
            statuses: Statuses::default(),
        }
    }
}

/// A table's name and those of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableName {
    pub(super) which: Which,
    /// The schema, where one is named, and the table.
    pub(super) path: Vec<String>,
    /// Those that are called otherwise here; `None` for those that are not to be
    /// touched.
    mapped: BTreeMap<&'static str, Option<String>>,
    is_named: bool,
}

impl TableName {
    fn of(which: Which) -> Self {
        Self {
            which,
            path: vec![which.name().to_owned()],
            mapped: BTreeMap::new(),
            is_named: false,
        }
    }

    fn read(which: Which, variables: &mut Variables) -> Self {
        let mut table = Self::of(which);
        if let Some(text) = variables.text(which.variable()) {
            match path(&text) {
                Ok(path) => {
                    table.is_named = path != table.path;
                    table.path = path;
                }
                Err(why) => variables.wrong(which.variable(), &why),
            }
        }
        if let Some(text) = variables.text(which.columns_variable()) {
            match columns(which, &text) {
                Ok(mapped) => table.mapped = mapped,
                Err(why) => variables.wrong(which.columns_variable(), &why),
            }
        }
        table
    }

    /// Whether somebody described a table of their own, which Flatbed does not make.
    pub(super) fn is_theirs(&self) -> bool {
        self.is_named || !self.mapped.is_empty()
    }

    /// What a column is called here; `None` if it is not to be touched.
    pub(super) fn column(&self, column: &'static str) -> Option<&str> {
        match self.mapped.get(column) {
            Some(mapped) => mapped.as_deref(),
            None => Some(column),
        }
    }

    pub(super) fn is_mapped(&self, column: &str) -> bool {
        self.mapped.contains_key(column)
    }

    /// As SQL has it.
    pub(super) fn quoted(&self) -> String {
        let parts: Vec<String> = self.path.iter().map(|part| quoted(part)).collect();
        parts.join(".")
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join("."))
    }
}

/// A name as SQL has it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// As long as Postgres lets names be.
const LONGEST: usize = 63;

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(format!(
            "'{}': expected a name of 1 to {LONGEST} bytes, spelled as the database has it",
            text.escape_debug()
        ));
    }
    Ok(text.to_owned())
}

fn path(text: &str) -> Result<Vec<String>, String> {
    match text.split_once('.') {
        None => Ok(vec![name(text)?]),
        Some((_, table)) if table.contains('.') => {
            Err(format!("'{text}': expected table or schema.table"))
        }
        Some((schema, table)) => Ok(vec![name(schema)?, name(table)?]),
    }
}

/// `status=state,error=`: pairs of what Flatbed calls a column and what it is called
/// here.
fn columns(which: Which, text: &str) -> Result<BTreeMap<&'static str, Option<String>>, String> {
    let mut mapped = BTreeMap::new();
    for (known, here) in pairs(text)? {
        let Some(column) = which.columns().iter().find(|column| column.name == known) else {
            let all: Vec<&str> = which.columns().iter().map(|column| column.name).collect();
            return Err(format!("'{known}': there is {}", all.join(", ")));
        };
        let here = if here.is_empty() {
            None
        } else {
            Some(name(here)?)
        };
        if here.is_none() && column.is_needed {
            return Err(format!("'{known}=': this column is needed"));
        }
        mapped.insert(column.name, here);
    }
    let mut taken: Vec<&str> = which
        .columns()
        .iter()
        .filter_map(|column| match mapped.get(column.name) {
            Some(here) => here.as_deref(),
            None => Some(column.name),
        })
        .collect();
    taken.sort_unstable();
    for two in taken.windows(2) {
        if let [one, other] = two
            && one == other
        {
            return Err(format!("'{one}' would be two columns at once"));
        }
    }
    Ok(mapped)
}

fn pairs(text: &str) -> Result<Vec<(&str, &str)>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (known, here) = pair
                .split_once('=')
                .ok_or_else(|| format!("'{pair}': expected pairs, as status=state,error="))?;
            Ok((known.trim(), here.trim()))
        })
        .collect()
}

/// The four words that a row's status may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statuses {
    pub(super) ready: String,
    pub(super) processing: String,
    pub(super) generated: String,
    pub(super) failed: String,
}

/// The variable with other words.
pub(super) const STATUSES: &str = "CCTV_STATUSES";

impl Default for Statuses {
    fn default() -> Self {
        Self {
            ready: "READY_FOR_BATCH".to_owned(),
            processing: "PROCESSING".to_owned(),
            generated: "CLIP_GENERATED".to_owned(),
            failed: "CLIP_FAILED".to_owned(),
        }
    }
}

impl Statuses {
    pub(super) fn all(&self) -> [&str; 4] {
        [&self.ready, &self.processing, &self.generated, &self.failed]
    }

    fn read(variables: &mut Variables) -> Self {
        let Some(text) = variables.text(STATUSES) else {
            return Self::default();
        };
        Self::parse(&text).unwrap_or_else(|why| {
            variables.wrong(STATUSES, &why);
            Self::default()
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut statuses = Self::default();
        for (known, here) in pairs(text)? {
            let word = match known {
                "READY_FOR_BATCH" => &mut statuses.ready,
                "PROCESSING" => &mut statuses.processing,
                "CLIP_GENERATED" => &mut statuses.generated,
                "CLIP_FAILED" => &mut statuses.failed,
                _ => {
                    let all = Self::default().all().join(", ");
                    return Err(format!("'{known}': there is {all}"));
                }
            };
            *word = name(here)?;
            // A literal with it would mean another thing with another setting of the
            // server.
            if word.contains('\\') {
                return Err(format!("'{word}': a backslash cannot be in it"));
            }
        }
        if BTreeSet::from(statuses.all()).len() < statuses.all().len() {
            return Err("two statuses have the same word".to_owned());
        }
        Ok(statuses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invalid;

    fn read(set: &[(&str, &str)]) -> Result<Names, Invalid> {
        let mut variables = Variables::of(set.iter().copied());
        let names = Names::read(&mut variables);
        variables.finish().map(|_| names)
    }

    #[test]
    fn names_are_mapped_and_quoted() {
        let names = read(&[
            ("CCTV_ITEMS_TABLE", "wms.Packed \"Items\""),
            (
                "CCTV_ITEMS_COLUMNS",
                "status=state, error=, start_time=began at",
            ),
            ("CCTV_STATUSES", "PROCESSING=it's busy"),
        ])
        .unwrap();
        let items = names.table(Which::Items);
        assert_eq!(items.quoted(), r#""wms"."Packed ""Items""""#);
        assert_eq!(items.to_string(), "wms.Packed \"Items\"");
        assert_eq!(items.column("status"), Some("state"));
        assert_eq!(items.column("start_time"), Some("began at"));
        assert_eq!(items.column("error"), None);
        assert_eq!(items.column("id"), Some("id"));
        assert!(items.is_theirs() && !names.table(Which::Clips).is_theirs());
        assert_eq!(names.statuses.processing, "it's busy");
        assert_eq!(read(&[]).unwrap(), Names::default());
        let named = read(&[("CCTV_CLIPS_TABLE", "mini_clips")]).unwrap();
        assert_eq!(named, Names::default());
    }

    #[test]
    fn what_is_wrong_names_its_variable() {
        for (variable, value, says) in [
            ("CCTV_ITEMS_TABLE", "a.b.c", "schema.table"),
            ("CCTV_CAMERAS_TABLE", "a.", "1 to 63 bytes"),
            ("CCTV_CLIPS_TABLE", "a\nb", "1 to 63 bytes"),
            (
                "CCTV_ITEMS_COLUMNS",
                "state=status",
                "there is id, camera_id",
            ),
            ("CCTV_ITEMS_COLUMNS", "status", "expected pairs"),
            ("CCTV_ITEMS_COLUMNS", "status=", "needed"),
            ("CCTV_ITEMS_COLUMNS", "status=error", "'error' would be two"),
            ("CCTV_STATUSES", "DONE=done", "there is READY_FOR_BATCH"),
            ("CCTV_STATUSES", "PROCESSING=CLIP_FAILED", "the same word"),
            ("CCTV_STATUSES", r"PROCESSING=a\", "backslash"),
        ] {
            let Invalid(errors) = read(&[(variable, value)]).unwrap_err();
            let [error] = &errors[..] else {
                panic!("{errors:?}")
            };
            assert!(
                error.starts_with(variable) && error.contains(says),
                "{error}"
            );
        }
    }
}
