//! How rows become records: states, times, JSON; and what Postgres cannot hold.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio_postgres::{Error, Row};

use crate::job::JobId;
use crate::queue::{Record, State};

/// The columns of [`record`], of the queue `$1`.
macro_rules! record_columns {
    () => {
        "id, name, payload, progress::text, result::text, failed_reason, attempts,
         max_attempts, enqueued_at, started_at, finished_at,
         CASE WHEN state <> 'queued' THEN state
              WHEN due > now() THEN 'delayed'
              WHEN EXISTS (SELECT FROM flatbed_paused_queues WHERE name = $1) THEN 'paused'
              ELSE 'waiting' END AS state"
    };
}
pub(super) use record_columns;

/// A row of `record_columns`.
pub(super) fn record(row: &Row) -> Result<Record, Error> {
    let state: &str = row.try_get("state")?;
    Ok(Record {
        id: JobId::of_foreign(row.try_get("id")?),
        name: row.try_get("name")?,
        payload: row.try_get("payload")?,
        // The query knows no others.
        state: state.parse().unwrap_or(State::Waiting),
        progress: json(row, "progress")?,
        result: json(row, "result")?,
        failed_reason: row.try_get("failed_reason")?,
        attempts: count(row.try_get("attempts")?),
        max_attempts: count(row.try_get("max_attempts")?),
        enqueued_at: row.try_get("enqueued_at")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}

/// What somebody else has put there and is not understood is not there.
fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>, Error> {
    let text: Option<&str> = row.try_get(column)?;
    Ok(text.and_then(|text| serde_json::from_str(text).ok()))
}

/// A counter, which the table keeps from being negative.
pub(crate) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// A duration in seconds, as intervals are made of.
pub(crate) fn seconds(duration: Duration) -> f64 {
    // A century, with room to add the clock.
    const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);
    duration.min(LONGEST).as_secs_f64()
}

/// Text that Postgres can hold: all but the character NUL.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}
