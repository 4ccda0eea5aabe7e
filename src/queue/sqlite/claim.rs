//! The claim, in one statement, and what becomes of one that nobody took.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::database::Database;
use super::rows::{now, time};
use super::settle;
use crate::job::{Job, JobId, Outcome};
use crate::queue::{SetAside, State};

/// What the claim found.
pub(super) enum Claim {
    /// A job.
    Taken(Ticket, Job),
    /// A job that is not to be delivered again, and is finished now.
    SetAside(SetAside),
    /// Nothing to claim; the next is due after this time, if there is one.
    Nothing(Option<Duration>),
}

/// What a claim is known by: the job's row, and the claim's token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    pub(super) seq: i64,
    pub(super) token: i64,
    /// Attempts that lost their workers.
    pub(super) losses: u32,
}

/// Claims the job that has been due for the longest.
///
/// An active job that is due has lost its worker. If that was its last attempt it
/// is set aside here, and if somebody asked to cancel it, it is cancelled.
pub(super) fn claim(
    connection: &mut Connection,
    queue: &str,
    lease: Duration,
) -> rusqlite::Result<Claim> {
    let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
    let taken = connection
        .prepare_cached(CLAIM)?
        .query_row(named_params! {":queue": queue, ":lease": lease}, taken)
        .optional()?;
    match taken {
        Some(claim) => Ok(claim),
        None => next_due(connection, queue).map(Claim::Nothing),
    }
}

const CLAIM: &str = concat!(
    "UPDATE jobs SET
        state = CASE WHEN cancel_asked THEN 'cancelled'
                     WHEN attempts >= max_attempts THEN 'failed'
                     ELSE 'active' END,
        failed_reason = CASE WHEN attempts >= max_attempts AND NOT cancel_asked
            THEN 'its worker was lost in attempt ' || attempts || ' of ' || max_attempts
                 || coalesce('; before that: ' || failed_reason, '')
            ELSE failed_reason END,
        started_at = CASE WHEN cancel_asked OR attempts >= max_attempts THEN started_at
                          ELSE ",
    now!(),
    " END,
        finished_at = CASE WHEN cancel_asked OR attempts >= max_attempts THEN ",
    now!(),
    " END,
        progress = CASE WHEN cancel_asked OR attempts >= max_attempts THEN progress END,
        attempts = attempts + (NOT cancel_asked AND attempts < max_attempts),
        losses = losses + (state = 'active'),
        token = token + 1,
        due = ",
    now!(),
    " + :lease
     WHERE seq = (SELECT seq FROM jobs
                  WHERE queue = :queue AND state IN ('queued', 'active') AND due <= ",
    now!(),
    "
                  ORDER BY due, seq LIMIT 1)
       AND NOT EXISTS (SELECT 1 FROM paused_queues WHERE name = :queue)
     RETURNING seq, token, state, id, name, payload, attempts, max_attempts, enqueued_at, losses"
);

fn taken(row: &Row<'_>) -> rusqlite::Result<Claim> {
    let (state, id): (String, String) = (row.get("state")?, row.get("id")?);
    if state != "active" {
        let state = match state.as_str() {
            "cancelled" => State::Cancelled,
            _ => State::Failed,
        };
        return Ok(Claim::SetAside(SetAside {
            payload: Some(row.get("payload")?),
            ..SetAside::new(JobId::of_foreign(&id), state)
        }));
    }
    let ticket = Ticket {
        seq: row.get("seq")?,
        token: row.get("token")?,
        losses: row.get("losses")?,
    };
    let job = Job {
        id: JobId::of_foreign(&id),
        name: row.get("name")?,
        payload: row.get("payload")?,
        attempt: row.get("attempts")?,
        max_attempts: row.get("max_attempts")?,
        enqueued_at: Some(time(row.get("enqueued_at")?)),
    };
    Ok(Claim::Taken(ticket, job))
}

/// How long until a job of `queue` is due; `None` if nothing is, or it is paused.
fn next_due(connection: &Connection, queue: &str) -> rusqlite::Result<Option<Duration>> {
    const NEXT: &str = concat!(
        "SELECT min(due) - ",
        now!(),
        " FROM jobs
         WHERE queue = :queue AND state IN ('queued', 'active')
           AND NOT EXISTS (SELECT 1 FROM paused_queues WHERE name = :queue)"
    );
    let wait: Option<i64> = connection
        .prepare_cached(NEXT)?
        .query_row(named_params! {":queue": queue}, |row| row.get(0))?;
    // At least 1 ms: the clock of the next claim must have passed it.
    Ok(wait.map(|wait| Duration::from_millis(u64::try_from(wait.max(1)).unwrap_or_default())))
}

/// What becomes of a claim that nobody took.
pub(super) fn put_back(claim: Claim, database: Database) {
    let Claim::Taken(ticket, job) = claim else {
        return;
    };
    database.clone().send(move |connection| {
        let settled = settle::settle(connection, ticket, &Outcome::PutBack, Duration::ZERO);
        if let Err(error) = settled {
            // Not lost: its lease ends.
            tracing::warn!(job = %job.id, %error, "a job nobody took was not put back");
        }
        database.changed();
    });
}
