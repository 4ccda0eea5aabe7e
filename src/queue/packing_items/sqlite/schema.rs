//! Looks at the tables, and makes those that are missing.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::super::Names;
use super::super::names::Which;
use super::super::table::{Class, Table, Tables, There, no_table};
use crate::queue::sqlite::schema::Newer;

/// Flatbed's own table, in numbered steps. Never edit one that was released: add
/// another.
const STEPS: &[&str] = &["
-- items: the items' table as it is named in the settings; item: its id there.
-- due: of one that waits, when it can be claimed; of an active one the end of its
-- lease; else when it was settled or released; all times in ms since 1970.
-- token: the last claim's, which every write of its consumer names.
CREATE TABLE flatbed_packing_claims (
    items        TEXT    NOT NULL,
    item         INTEGER NOT NULL,
    state        TEXT    NOT NULL
                 CHECK (state IN ('waiting', 'active', 'settled', 'released')),
    due          INTEGER NOT NULL,
    token        TEXT,
    attempts     INTEGER NOT NULL DEFAULT 0,
    losses       INTEGER NOT NULL DEFAULT 0,
    reason       TEXT,
    triggered_at INTEGER,
    PRIMARY KEY (items, item)
) STRICT;
CREATE INDEX flatbed_packing_claims_live ON flatbed_packing_claims (items, state, due);
"];

const MAKE: [(Which, &str); 3] = [
    (
        Which::Cameras,
        "CREATE TABLE cameras (
             id                 INTEGER PRIMARY KEY,
             name               TEXT,
             host               TEXT NOT NULL,
             port               INTEGER,
             scheme             TEXT DEFAULT 'http',
             username           TEXT NOT NULL,
             password_encrypted TEXT NOT NULL,
             track_id           INTEGER,
             time_mode          TEXT
         )",
    ),
    (
        Which::Items,
        "CREATE TABLE packing_items (
             id         INTEGER PRIMARY KEY,
             camera_id  INTEGER,
             start_time TEXT,
             end_time   TEXT,
             status     TEXT    NOT NULL DEFAULT 'READY_FOR_BATCH',
             attempts   INTEGER NOT NULL DEFAULT 0,
             error      TEXT,
             updated_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
         );
         CREATE INDEX packing_items_status ON packing_items (status, id)",
    ),
    (
        Which::Clips,
        "CREATE TABLE mini_clips (
             id              INTEGER PRIMARY KEY,
             packing_item_id INTEGER NOT NULL UNIQUE,
             bucket          TEXT    NOT NULL,
             object_key      TEXT    NOT NULL,
             url             TEXT    NOT NULL,
             start_time      TEXT    NOT NULL,
             end_time        TEXT    NOT NULL,
             duration_ms     INTEGER NOT NULL,
             size_bytes      INTEGER NOT NULL,
             coverage        REAL    NOT NULL,
             created_at      TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
         )",
    ),
];

/// Brings Flatbed's own table to the newest.
pub(super) fn claims(connection: &mut Connection) -> rusqlite::Result<Result<(), Newer>> {
    const ALONE: &str = "CREATE TABLE IF NOT EXISTS flatbed_packing_migrations (
         version INTEGER PRIMARY KEY) STRICT";
    const NEWEST: &str = "SELECT coalesce(max(version), 0) FROM flatbed_packing_migrations";
    let all = Transaction::new(connection, TransactionBehavior::Immediate)?;
    all.execute_batch(ALONE)?;
    let found = all.query_row(NEWEST, [], |row| row.get::<_, u32>(0))? as usize;
    let Some(steps) = STEPS.get(found..) else {
        let known = STEPS.len();
        return Ok(Err(Newer { found, known }));
    };
    for (number, step) in (1_u32..).zip(STEPS).skip(found).take(steps.len()) {
        all.execute_batch(step)?;
        let applied = "INSERT INTO flatbed_packing_migrations (version) VALUES (?)";
        all.execute(applied, [number])?;
    }
    all.commit()?;
    Ok(Ok(()))
}

fn look(connection: &Connection, names: &Names, which: Which) -> rusqlite::Result<Vec<There>> {
    let (schema, table) = match &names.table(which).path[..] {
        [schema, table] => (Some(schema), table),
        [table, ..] => (None, table),
        [] => return Ok(Vec::new()),
    };
    let sql = match schema {
        Some(_) => "SELECT name, type FROM pragma_table_info(?1, ?2)",
        None => "SELECT name, type FROM pragma_table_info(?1) WHERE ?2 IS NULL",
    };
    let mut statement = connection.prepare(sql)?;
    let columns = statement.query_map((table, schema), |row| {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(There {
            name,
            class: Class::Anything,
            type_name: declared.clone(),
            cast: declared.clone(),
            narrow: declared,
        })
    })?;
    columns.collect()
}

/// Makes what is missing; what it made, or why it is not for Flatbed to make.
pub(super) fn make(
    all: &Transaction<'_>,
    names: &Names,
) -> rusqlite::Result<Result<Vec<String>, String>> {
    let mut made = Vec::new();
    for (which, sql) in MAKE {
        let name = names.table(which);
        if !look(all, names, which)?.is_empty() {
            continue;
        }
        if name.is_theirs() {
            return Ok(Err(no_table(name)));
        }
        all.execute_batch(sql)?;
        made.push(name.to_string());
    }
    Ok(Ok(made))
}

/// The tables, if they will do.
pub(super) fn judge(
    connection: &Connection,
    names: &Names,
) -> rusqlite::Result<Result<Tables, String>> {
    let judge = |which| -> rusqlite::Result<Result<Table, String>> {
        let there = look(connection, names, which)?;
        Ok(Table::of(names.table(which), &there, &names.statuses))
    };
    let (items, cameras) = (judge(Which::Items)?, judge(Which::Cameras)?);
    let clips = judge(Which::Clips)?;
    let all = || -> Result<Tables, String> {
        Ok(Tables {
            items: items?,
            cameras: cameras?,
            clips: clips?,
            statuses: names.statuses.clone(),
        })
    };
    Ok(all())
}
