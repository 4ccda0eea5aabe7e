//! Claims, and rows as they come.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Row as Answer;

use super::super::order::{CAMERA_TEXTS, Camera, Row};
use super::super::ticket::{Claim, Claimed, Found, Wanted};
use super::PostgresTables;
use super::statements::Statements;
use crate::queue::postgres::rows::{count, seconds};
use crate::queue::{Counts, Result};

/// When the next row is due that has a claim. What is due already is in another
/// consumer's hands at this moment; if it stays there, an idle look will do.
const NEXT_DUE: &str = "
    SELECT (extract(epoch FROM min(c.due) - now()) * 1000)::bigint
    FROM flatbed_packing_claims AS c
    WHERE c.items = $1 AND c.state IN ('waiting', 'active')
      AND ($2 OR c.state = 'active' OR c.triggered_at IS NOT NULL)
      AND c.due > now() - interval '1 second'";

/// What is due already is in another consumer's hands at this moment.
const SOONEST: i64 = 10;

/// Claims the next row.
pub(super) async fn claim(
    tables: &PostgresTables,
    statements: &Statements,
    wanted: Wanted,
) -> Result<Found> {
    let (lane, config) = (&tables.records, &tables.config);
    let (items, token) = (&statements.items, &wanted.token);
    let lease = seconds(config.lease);
    let at_once = i64::from(config.per_recorder);
    let attempts = i32::try_from(config.retry.attempts.max(1)).unwrap_or(i32::MAX);
    let mut row = None;
    if wanted.is_again {
        let claimed = &statements.claimed_unheard;
        row = lane.query_row(claimed, &[items, token, &lease]).await?;
    }
    if row.is_none() {
        row = lane
            .query_row(
                &statements.begun,
                &[items, token, &lease, &attempts, &config.auto, &at_once],
            )
            .await?;
    }
    let mut was_fresh = false;
    if row.is_none() && wanted.fresh {
        row = lane
            .query_row(
                &statements.fresh,
                &[items, token, &lease, &seconds(config.delay), &at_once],
            )
            .await?;
        was_fresh = row.is_some();
    }
    let claim = if let Some(row) = row {
        let claimed = claimed(&row).map_err(|error| tables.unreadable(error))?;
        claimed.into_claim(*token, count(attempts))
    } else {
        let next = lane.query_row(NEXT_DUE, &[items, &config.auto]).await?;
        let due = next
            .map(|row| row.try_get::<_, Option<i64>>(0))
            .transpose()
            .map_err(|error| tables.unreadable(error))?
            .flatten();
        let due = due.and_then(|due| u64::try_from(due.max(SOONEST)).ok());
        Claim::Nothing(due.map(Duration::from_millis))
    };
    Ok(Found { claim, was_fresh })
}

fn claimed(row: &Answer) -> Result<Claimed, tokio_postgres::Error> {
    let time = |column: &str| -> Result<_, tokio_postgres::Error> {
        let micros: Option<i64> = row.try_get(column)?;
        let time = micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
        Ok(time.map(|time| time.to_string()))
    };
    let state: &str = row.try_get("state")?;
    Ok(Claimed {
        is_active: state == "active",
        attempts: count(row.try_get("attempts")?),
        losses: count(row.try_get("losses")?),
        triggered_at: row.try_get("triggered_at")?,
        row: Row {
            id: row.try_get("id")?,
            start_time: time("start_time")?,
            end_time: time("end_time")?,
            camera: camera(row)?,
        },
    })
}

/// The camera in a row; `None` where there is none.
pub(super) fn camera(row: &Answer) -> Result<Option<Camera>, tokio_postgres::Error> {
    let Some(id) = row.try_get::<_, Option<i64>>("camera_id")? else {
        return Ok(None);
    };
    let texts: Vec<Option<String>> = row.try_get("texts")?;
    let mut camera = Camera {
        id,
        ..Camera::default()
    };
    debug_assert_eq!(texts.len(), CAMERA_TEXTS.len());
    for (place, text) in camera.texts.iter_mut().zip(texts) {
        *place = text;
    }
    Ok(Some(camera))
}

pub(super) fn counts(row: &Answer) -> Result<Counts, tokio_postgres::Error> {
    let number = |name| row.try_get::<_, i64>(name).map(i64::unsigned_abs);
    Ok(Counts {
        waiting: number("waiting")?,
        active: number("active")?,
        completed: number("completed")?,
        failed: number("failed")?,
        delayed: number("delayed")?,
        paused: 0,
    })
}
