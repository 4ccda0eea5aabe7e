//! How rows become records: times, states, JSON.

use std::time::{Duration, SystemTime};

use rusqlite::Row;
use rusqlite::types::{FromSqlError, Type};
use serde::de::DeserializeOwned;

use crate::job::JobId;
use crate::queue::{Record, State};

/// The database's clock: milliseconds since 1970. The same throughout one
/// statement.
macro_rules! now {
    () => {
        "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)"
    };
}
pub(in crate::queue) use now;

/// The columns of [`record`], of the queue named `:queue`.
macro_rules! record_columns {
    () => {
        concat!(
            "id, name, payload, progress, result, failed_reason, attempts, max_attempts,
             enqueued_at, started_at, finished_at,
             CASE WHEN state <> 'queued' THEN state
                  WHEN due > ",
            now!(),
            " THEN 'delayed'
                  WHEN EXISTS (SELECT 1 FROM paused_queues WHERE name = :queue) THEN 'paused'
                  ELSE 'waiting' END AS state"
        )
    };
}
pub(super) use record_columns;

/// A row of `record_columns`.
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        id: JobId::of_foreign(&row.get::<_, String>("id")?),
        name: row.get("name")?,
        payload: row.get("payload")?,
        state: state(&row.get::<_, String>("state")?)?,
        progress: json(row, "progress")?,
        result: json(row, "result")?,
        failed_reason: row.get("failed_reason")?,
        attempts: row.get("attempts")?,
        max_attempts: row.get("max_attempts")?,
        enqueued_at: Some(time(row.get("enqueued_at")?)),
        started_at: row.get::<_, Option<i64>>("started_at")?.map(time),
        finished_at: row.get::<_, Option<i64>>("finished_at")?.map(time),
    })
}

fn state(name: &str) -> rusqlite::Result<State> {
    name.parse().map_err(|_| FromSqlError::InvalidType.into())
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let Some(text) = row.get::<_, Option<String>>(column)? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// Milliseconds since 1970 as a time.
pub(in crate::queue) fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// A duration as the database counts it, rounded up.
pub(in crate::queue) fn millis(duration: Duration) -> i64 {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    // Far in the future, with room to add the clock.
    i64::try_from(millis).unwrap_or(i64::MAX).min(i64::MAX / 4)
}
