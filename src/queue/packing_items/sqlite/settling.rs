//! What ends a claim: everything names its token, and changes nothing under another,
//! nor where users have changed the row.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, ToSql, Transaction, named_params, params_from_iter};
use uuid::Uuid;

use super::super::names::quoted;
use super::super::table::Tables;
use super::super::ticket::{CANCELLED, Settlement};
use super::times;
use crate::clip::Made;
use crate::queue::Lease;
use crate::queue::sqlite::rows::{millis, now};

/// Begins the lease anew.
pub(super) fn extend(
    all: &Transaction<'_>,
    tables: &Tables,
    item: i64,
    token: Uuid,
    lease: Duration,
) -> rusqlite::Result<Lease> {
    const EXTEND: &str = concat!(
        "UPDATE flatbed_packing_claims SET due = ",
        now!(),
        " + :lease
         WHERE items = :items AND item = :item AND token = :token AND state = 'active'"
    );
    let extended = all.prepare_cached(EXTEND)?.execute(named_params! {
        ":items": tables.items.sql, ":item": item, ":token": token.to_string(),
        ":lease": millis(lease),
    })?;
    Ok(Lease::of(extended > 0))
}

/// Whether the claim holds, and yet the row is gone or somebody has changed its
/// status.
pub(super) fn is_taken_away(
    all: &Connection,
    tables: &Tables,
    item: i64,
    token: Uuid,
) -> rusqlite::Result<bool> {
    let (state, _) = claim(all, tables, item, token)?;
    Ok(state.as_deref() == Some("active") && !is_processing(all, tables, item)?)
}

/// Ends the claim.
pub(super) fn settle(
    all: &Transaction<'_>,
    tables: &Tables,
    item: i64,
    token: Uuid,
    settlement: &Settlement,
) -> rusqlite::Result<Lease> {
    let is_let_go = *settlement == Settlement::Cancelled;
    let (state, attempts) = claim(all, tables, item, token)?;
    match state.as_deref() {
        Some("active") => {}
        // A second time.
        Some("waiting" | "settled") => return Ok(Lease::Held),
        Some(_) => return Ok(Lease::of(is_let_go)),
        None => return Ok(Lease::Lost),
    }
    if !is_processing(all, tables, item)? {
        // Its users have changed the row, or deleted it.
        end(
            all,
            tables,
            item,
            "released",
            Duration::ZERO,
            attempts,
            None,
        )?;
        return Ok(Lease::of(is_let_go));
    }
    let statuses = &tables.statuses;
    let (state, after, left, reason, to) = match settlement {
        Settlement::Made(made) => {
            write_clip(all, tables, item, made)?;
            let to = Change::to(&statuses.generated).error(None);
            ("settled", Duration::ZERO, attempts, None, to)
        }
        Settlement::Again { after, reason } => {
            let to = Change::to(&statuses.ready).error(Some(reason.clone()));
            ("waiting", *after, attempts, Some(reason.as_str()), to)
        }
        Settlement::Failed { reason } => {
            let to = Change::to(&statuses.failed).error(Some(reason.clone()));
            (
                "settled",
                Duration::ZERO,
                attempts,
                Some(reason.as_str()),
                to,
            )
        }
        Settlement::Cancelled => {
            let to = Change::to(&statuses.failed).error(Some(CANCELLED.to_owned()));
            ("settled", Duration::ZERO, attempts, Some(CANCELLED), to)
        }
        Settlement::PutBack => {
            let left = attempts.saturating_sub(1);
            let to = Change::to(&statuses.ready).attempts(left);
            ("waiting", Duration::ZERO, left, None, to)
        }
    };
    end(all, tables, item, state, after, left, reason)?;
    change(all, tables, item, &to)?;
    Ok(Lease::Held)
}

/// Forgets claims that ended a day ago.
pub(super) fn forget(all: &Transaction<'_>, tables: &Tables) -> rusqlite::Result<()> {
    const FORGET: &str = concat!(
        "DELETE FROM flatbed_packing_claims
         WHERE items = :items AND state IN ('settled', 'released') AND due < ",
        now!(),
        " - 24 * 3600 * 1000"
    );
    all.prepare_cached(FORGET)?
        .execute(named_params! {":items": tables.items.sql})?;
    Ok(())
}

/// What a row is to become.
pub(super) struct Change<'a> {
    status: &'a str,
    attempts: Option<u32>,
    error: Note,
}

/// What becomes of the reason that a row has.
enum Note {
    Kept,
    Becomes(Option<String>),
}

impl<'a> Change<'a> {
    pub(super) fn to(status: &'a str) -> Self {
        Self {
            status,
            attempts: None,
            error: Note::Kept,
        }
    }

    pub(super) fn attempts(self, attempts: u32) -> Self {
        Self {
            attempts: Some(attempts),
            ..self
        }
    }

    pub(super) fn error(self, error: Option<String>) -> Self {
        Self {
            error: Note::Becomes(error),
            ..self
        }
    }
}

/// Changes a row, in those of its columns that there are.
pub(super) fn change(
    all: &Transaction<'_>,
    tables: &Tables,
    item: i64,
    change: &Change<'_>,
) -> rusqlite::Result<()> {
    let items = &tables.items;
    let mut set = vec![format!("{} = ?", items.needed("status"))];
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(change.status.to_owned())];
    if let (Some(name), Some(attempts)) = (items.name("attempts"), change.attempts) {
        set.push(format!("{name} = ?"));
        values.push(Box::new(attempts));
    }
    if let (Some(name), Note::Becomes(error)) = (items.name("error"), &change.error) {
        set.push(format!("{name} = ?"));
        values.push(Box::new(error.clone()));
    }
    if let Some(column) = items.find("updated_at") {
        set.push(format!("{} = ?", quoted(&column.name)));
        values.push(Box::new(times::written(column, Timestamp::now())));
    }
    values.push(Box::new(item));
    let sql = format!(
        "UPDATE {} SET {} WHERE {} = ?",
        items.sql,
        set.join(", "),
        items.needed("id")
    );
    all.prepare_cached(&sql)?
        .execute(params_from_iter(values))?;
    Ok(())
}

/// Writes the clip's row, or writes it anew.
fn write_clip(
    all: &Transaction<'_>,
    tables: &Tables,
    item: i64,
    made: &Made,
) -> rusqlite::Result<()> {
    let clips = &tables.clips;
    let parent = clips.needed("packing_item_id");
    let text = |text: &str| Value::Text(text.to_owned());
    let mut written: Vec<(String, Box<dyn ToSql>)> = Vec::new();
    for (name, value) in [
        ("bucket", text(&made.bucket)),
        ("object_key", text(&made.object_key)),
        ("url", text(&made.url)),
        ("duration_ms", Value::Integer(made.duration_ms)),
        ("size_bytes", Value::Integer(made.size_bytes)),
        ("coverage", Value::Real(made.coverage.into())),
    ] {
        if let Some(name) = clips.name(name) {
            written.push((name, Box::new(value)));
        }
    }
    let now = Timestamp::now();
    for (name, time) in [
        ("start_time", made.start_time),
        ("end_time", made.end_time),
        ("updated_at", now),
    ] {
        if let Some(column) = clips.find(name) {
            written.push((quoted(&column.name), Box::new(times::written(column, time))));
        }
    }
    let sets: Vec<String> = written
        .iter()
        .map(|(column, _)| format!("{column} = ?"))
        .collect();
    let sql = format!(
        "UPDATE {} SET {} WHERE {parent} = ?",
        clips.sql,
        sets.join(", ")
    );
    let key: Box<dyn ToSql> = Box::new(item);
    let values = written.iter().map(|(_, value)| value).chain([&key]);
    let changed = all
        .prepare_cached(&sql)?
        .execute(params_from_iter(values))?;
    if changed > 0 {
        return Ok(());
    }
    written.push((parent, key));
    if let Some(column) = clips.find("created_at") {
        written.push((quoted(&column.name), Box::new(times::written(column, now))));
    }
    let columns: Vec<&str> = written.iter().map(|(column, _)| column.as_str()).collect();
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        clips.sql,
        columns.join(", "),
        vec!["?"; columns.len()].join(", ")
    );
    let values = written.iter().map(|(_, value)| value);
    all.prepare_cached(&sql)?
        .execute(params_from_iter(values))?;
    Ok(())
}

/// The state of the claim under this token, and its attempts.
fn claim(
    all: &Connection,
    tables: &Tables,
    item: i64,
    token: Uuid,
) -> rusqlite::Result<(Option<String>, u32)> {
    const CLAIM: &str = "SELECT state, attempts FROM flatbed_packing_claims
         WHERE items = :items AND item = :item AND token = :token";
    let claim = all
        .prepare_cached(CLAIM)?
        .query_row(
            named_params! {
                ":items": tables.items.sql, ":item": item, ":token": token.to_string(),
            },
            |row| Ok((Some(row.get(0)?), row.get(1)?)),
        )
        .optional()?;
    Ok(claim.unwrap_or_default())
}

fn is_processing(all: &Connection, tables: &Tables, item: i64) -> rusqlite::Result<bool> {
    let items = &tables.items;
    let sql = format!(
        "SELECT 1 FROM {} WHERE {} = :item AND {} = :processing",
        items.sql,
        items.needed("id"),
        items.needed("status"),
    );
    all.prepare_cached(&sql)?
        .exists(named_params! {":item": item, ":processing": tables.statuses.processing})
}

fn end(
    all: &Transaction<'_>,
    tables: &Tables,
    item: i64,
    state: &str,
    after: Duration,
    attempts: u32,
    reason: Option<&str>,
) -> rusqlite::Result<()> {
    const END: &str = concat!(
        "UPDATE flatbed_packing_claims SET state = :state, attempts = :attempts,
            reason = coalesce(:reason, reason), due = ",
        now!(),
        " + :after
         WHERE items = :items AND item = :item"
    );
    all.prepare_cached(END)?.execute(named_params! {
        ":items": tables.items.sql, ":item": item, ":state": state, ":attempts": attempts,
        ":reason": reason, ":after": millis(after),
    })?;
    Ok(())
}
