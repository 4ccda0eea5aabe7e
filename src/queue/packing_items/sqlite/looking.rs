//! What only looks: cameras, what is waiting, how many rows have each status.

use std::time::Duration;

use rusqlite::{Connection, Row as Answer, named_params};

use super::super::order::{CAMERA_TEXTS, Camera};
use super::super::table::Tables;
use super::times;
use crate::queue::Counts;
use crate::queue::sqlite::rows::now;

/// All cameras, by their ids.
pub(super) fn cameras(all: &Connection, tables: &Tables) -> rusqlite::Result<Vec<Camera>> {
    let cameras = &tables.cameras;
    let sql = format!(
        "SELECT {columns} FROM {table} WHERE typeof({id}) = 'integer' ORDER BY {id}",
        columns = camera_columns(tables),
        table = cameras.sql,
        id = cameras.needed("id"),
    );
    all.prepare_cached(&sql)?.query_map([], camera)?.collect()
}

/// What [`camera`] reads.
pub(super) fn camera_columns(tables: &Tables) -> String {
    let cameras = &tables.cameras;
    let texts = CAMERA_TEXTS.map(|column| match cameras.name(column) {
        Some(name) => format!("CAST({name} AS TEXT)"),
        None => "NULL".to_owned(),
    });
    format!("{}, {}", cameras.needed("id"), texts.join(", "))
}

pub(super) fn camera(row: &Answer<'_>) -> rusqlite::Result<Camera> {
    let mut camera = Camera {
        id: row.get(0)?,
        ..Camera::default()
    };
    for (column, text) in (1..).zip(camera.texts.iter_mut()) {
        let bytes = row.get_ref(column)?.as_bytes_or_null()?;
        *text = bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    }
    Ok(camera)
}

/// How many were triggered and are not claimed yet.
pub(super) fn waiting(all: &Connection, tables: &Tables) -> rusqlite::Result<u64> {
    let items = &tables.items;
    let sql = format!(
        "SELECT count(*) FROM flatbed_packing_claims AS c JOIN {} AS i ON i.{} = c.item
         WHERE c.items = :items AND c.state = 'waiting' AND c.triggered_at IS NOT NULL
           AND i.{} = :ready",
        items.sql,
        items.needed("id"),
        items.needed("status"),
    );
    all.prepare_cached(&sql)?
        .query_row(
            named_params! {":items": items.sql, ":ready": tables.statuses.ready},
            |row| row.get::<_, i64>(0),
        )
        .map(i64::unsigned_abs)
}

pub(super) fn counts(
    all: &Connection,
    tables: &Tables,
    delay: Duration,
) -> rusqlite::Result<Counts> {
    let items = &tables.items;
    let status = items.needed("status");
    let sql = format!(
        "SELECT count(*) FILTER (WHERE i.{status} = :ready AND c.item IS NULL),
                count(*) FILTER (WHERE i.{status} = :ready AND c.item IS NOT NULL),
                count(*) FILTER (WHERE i.{status} = :processing),
                count(*) FILTER (WHERE i.{status} = :generated),
                count(*) FILTER (WHERE i.{status} = :failed)
         FROM {table} AS i LEFT JOIN flatbed_packing_claims AS c
           ON c.items = :items AND c.item = i.{id} AND c.state = 'waiting' AND c.due > {now}
         WHERE i.{status} IN (:ready, :processing, :generated, :failed)",
        table = items.sql,
        id = items.needed("id"),
        now = now!(),
    );
    let statuses = &tables.statuses;
    let counts = all.prepare_cached(&sql)?.query_row(
        named_params! {
            ":items": items.sql, ":ready": statuses.ready, ":processing": statuses.processing,
            ":generated": statuses.generated, ":failed": statuses.failed,
        },
        |row| {
            let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            Ok(Counts {
                waiting: number(0)?,
                delayed: number(1)?,
                active: number(2)?,
                completed: number(3)?,
                failed: number(4)?,
                paused: 0,
            })
        },
    )?;
    let early = early(all, tables, delay)?;
    Ok(Counts {
        waiting: counts.waiting.saturating_sub(early),
        delayed: counts.delayed + early,
        ..counts
    })
}

/// How many rows are ready, have no claim that waits, and cannot be begun yet.
fn early(all: &Connection, tables: &Tables, delay: Duration) -> rusqlite::Result<u64> {
    let items = &tables.items;
    let sql = format!(
        "SELECT i.{end} FROM {table} AS i
         WHERE i.{status} = :ready AND NOT EXISTS (
             SELECT 1 FROM flatbed_packing_claims AS c
             WHERE c.items = :items AND c.item = i.{id} AND c.state = 'waiting'
               AND c.due > {now})",
        end = items.needed("end_time"),
        table = items.sql,
        status = items.needed("status"),
        id = items.needed("id"),
        now = now!(),
    );
    let mut ready = all.prepare_cached(&sql)?;
    let mut rows =
        ready.query(named_params! {":items": items.sql, ":ready": tables.statuses.ready})?;
    let mut early = 0;
    while let Some(row) = rows.next()? {
        early += u64::from(!times::wait(row.get_ref(0)?, delay).is_zero());
    }
    Ok(early)
}
