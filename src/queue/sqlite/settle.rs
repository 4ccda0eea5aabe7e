//! What a consumer writes about the job it has: each statement names the token
//! of its claim, and changes nothing under another.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, ToSql, named_params};

use super::claim::Ticket;
use super::rows::{millis, now};
use crate::job::Outcome;
use crate::queue::{Lease, Retention};

/// Begins the lease anew.
pub(super) fn extend(
    connection: &Connection,
    ticket: Ticket,
    lease: Duration,
) -> rusqlite::Result<Lease> {
    const EXTEND: &str = concat!(
        "UPDATE jobs SET due = ",
        now!(),
        " + :lease
         WHERE seq = :seq AND token = :token AND state = 'active'"
    );
    write(connection, EXTEND, ticket, &[(":lease", &millis(lease))])
}

/// Writes how far the job is.
pub(super) fn progress(
    connection: &Connection,
    ticket: Ticket,
    progress: &str,
) -> rusqlite::Result<Lease> {
    const PROGRESS: &str = "UPDATE jobs SET progress = :progress
         WHERE seq = :seq AND token = :token AND state = 'active'";
    write(connection, PROGRESS, ticket, &[(":progress", &progress)])
}

/// Whether somebody asked to cancel the job.
pub(super) fn cancel_asked(connection: &Connection, ticket: Ticket) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT cancel_asked FROM jobs
             WHERE seq = :seq AND token = :token AND state = 'active'",
        )?
        .query_row(
            named_params! {":seq": ticket.seq, ":token": ticket.token},
            |row| row.get(0),
        )
        .optional()
        .map(Option::unwrap_or_default)
}

const DONE: &str = concat!(
    "UPDATE jobs SET state = 'completed', result = :result, failed_reason = NULL,
        cancel_asked = 0, finished_at = ",
    now!(),
    "
     WHERE seq = :seq AND token = :token AND state = 'active'"
);

const RETRY: &str = concat!(
    "UPDATE jobs SET
        state = CASE WHEN cancel_asked THEN 'cancelled'
                     WHEN attempts >= max_attempts THEN 'failed'
                     ELSE 'queued' END,
        finished_at = CASE WHEN cancel_asked OR attempts >= max_attempts THEN ",
    now!(),
    " END,
        failed_reason = :reason, due = ",
    now!(),
    " + :after
     WHERE seq = :seq AND token = :token AND state = 'active'"
);

const REJECT: &str = concat!(
    "UPDATE jobs SET state = 'failed', failed_reason = :reason, finished_at = ",
    now!(),
    "
     WHERE seq = :seq AND token = :token AND state = 'active'"
);

const CANCELLED: &str = concat!(
    "UPDATE jobs SET state = 'cancelled', finished_at = ",
    now!(),
    "
     WHERE seq = :seq AND token = :token AND state = 'active'"
);

/// Due since it was added: at the head of those that wait.
const PUT_BACK: &str = concat!(
    "UPDATE jobs SET
        state = CASE WHEN cancel_asked THEN 'cancelled' ELSE 'queued' END,
        finished_at = CASE WHEN cancel_asked THEN ",
    now!(),
    " END,
        attempts = attempts - 1, due = enqueued_at
     WHERE seq = :seq AND token = :token AND state = 'active'"
);

/// Ends the attempt; `after` is how long a retry waits.
pub(super) fn settle(
    connection: &Connection,
    ticket: Ticket,
    outcome: &Outcome,
    after: Duration,
) -> rusqlite::Result<Lease> {
    let written = match outcome {
        Outcome::Done(result) => write(
            connection,
            DONE,
            ticket,
            &[(":result", &result.to_string())],
        ),
        Outcome::Retry { reason, .. } => {
            let values: [(&str, &dyn ToSql); 2] = [(":reason", reason), (":after", &millis(after))];
            write(connection, RETRY, ticket, &values)
        }
        Outcome::Reject { reason } => write(connection, REJECT, ticket, &[(":reason", reason)]),
        Outcome::Cancelled => write(connection, CANCELLED, ticket, &[]),
        Outcome::PutBack => write(connection, PUT_BACK, ticket, &[]),
    }?;
    if written == Lease::Lost && is_settled(connection, ticket)? {
        return Ok(Lease::Held);
    }
    Ok(written)
}

/// Whether this very claim was settled already: nobody claimed since, but the job
/// is not active.
fn is_settled(connection: &Connection, ticket: Ticket) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT token = :token AND state <> 'active' FROM jobs WHERE seq = :seq")?
        .query_row(
            named_params! {":seq": ticket.seq, ":token": ticket.token},
            |row| row.get(0),
        )
        .optional()
        .map(Option::unwrap_or_default)
}

/// Forgets the oldest finished jobs of one state.
pub(super) fn forget(
    connection: &Connection,
    queue: &str,
    outcome: &Outcome,
    retention: Retention,
) -> rusqlite::Result<()> {
    // Spelled out, or the index of the finished ones would not be used.
    let (state, kept) = match outcome {
        Outcome::Done(_) => ("completed", retention.completed),
        Outcome::Cancelled => ("cancelled", retention.failed),
        Outcome::Retry { .. } | Outcome::Reject { .. } => ("failed", retention.failed),
        Outcome::PutBack => return Ok(()),
    };
    let sql = format!(
        "DELETE FROM jobs WHERE seq IN (
            SELECT seq FROM jobs WHERE queue = :queue AND state = '{state}'
            ORDER BY finished_at DESC, seq DESC LIMIT -1 OFFSET :kept)"
    );
    connection
        .prepare_cached(&sql)?
        .execute(named_params! {":queue": queue, ":kept": kept})?;
    Ok(())
}

fn write(
    connection: &Connection,
    sql: &str,
    ticket: Ticket,
    values: &[(&str, &dyn ToSql)],
) -> rusqlite::Result<Lease> {
    let claim: [(&str, &dyn ToSql); 2] = [(":seq", &ticket.seq), (":token", &ticket.token)];
    let values = [&claim[..], values].concat();
    let changed = connection.prepare_cached(sql)?.execute(&*values)?;
    Ok(if changed == 0 {
        Lease::Lost
    } else {
        Lease::Held
    })
}
