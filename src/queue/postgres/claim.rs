//! The claim, in one statement, and what becomes of one that nobody took.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio_postgres::Row;
use uuid::Uuid;

use super::failure::Trouble;
use super::rows::{count, seconds};
use super::{PostgresQueue, Shared};
use crate::job::{Job, JobId, Outcome};
use crate::queue::{Result, SetAside, State};

/// What the claim found.
pub(super) enum Claim {
    /// A job.
    Taken(Box<Ticket>),
    /// A job that is not to be delivered again, and is finished now.
    SetAside(SetAside),
    /// Nothing to claim; the next is due after this time, if there is one.
    Nothing(Option<Duration>),
}

/// A claimed job, and what its claim is known by.
pub(super) struct Ticket {
    pub(super) seq: i64,
    pub(super) token: Uuid,
    pub(super) losses: u32,
    pub(super) job: Job,
}

/// Of those that are due, the one with the lowest priority number, and of these
/// the one that has been due for the longest. What another consumer is claiming at
/// this moment is passed over.
///
/// An active job that is due has lost its worker. If that was its last attempt it
/// is set aside here, and if somebody asked to cancel it, it is cancelled.
const CLAIM: &str = "
    WITH next AS MATERIALIZED (
        SELECT seq,
               CASE WHEN cancel_asked THEN 'cancelled'
                    WHEN attempts >= max_attempts THEN 'failed'
                    ELSE 'active' END AS becomes
        FROM flatbed_jobs
        WHERE queue = $1 AND state IN ('queued', 'active') AND due <= now()
          AND NOT EXISTS (SELECT FROM flatbed_paused_queues WHERE name = $1)
        ORDER BY priority, due, seq
        LIMIT 1
        FOR UPDATE OF flatbed_jobs SKIP LOCKED
    )
    UPDATE flatbed_jobs AS job SET
        state = becomes,
        token = $2,
        due = now() + make_interval(secs => $3),
        attempts = attempts + (becomes = 'active')::integer,
        losses = losses + (state = 'active')::integer,
        started_at = CASE becomes WHEN 'active' THEN now() ELSE started_at END,
        finished_at = CASE WHEN becomes <> 'active' THEN now() END,
        progress = CASE WHEN becomes <> 'active' THEN progress END,
        failed_reason = CASE becomes WHEN 'failed'
            THEN format('its worker was lost in attempt %s of %s%s', attempts, max_attempts,
                        '; before that: ' || failed_reason)
            ELSE failed_reason END
    FROM next WHERE job.seq = next.seq
    RETURNING job.seq, state, id, name, payload, attempts, max_attempts, enqueued_at,
        losses";

/// The claim of that token, once more, where its answer was lost.
const CLAIM_AGAIN: &str = "
    UPDATE flatbed_jobs SET due = now() + make_interval(secs => $3)
    WHERE queue = $1 AND token = $2 AND state = 'active'
    RETURNING seq, state, id, name, payload, attempts, max_attempts, enqueued_at,
        losses";

const NEXT_DUE: &str = "
    SELECT (extract(epoch FROM min(due) - now()) * 1000)::bigint
    FROM flatbed_jobs
    WHERE queue = $1 AND state IN ('queued', 'active')
      AND NOT EXISTS (SELECT FROM flatbed_paused_queues WHERE name = $1)";

/// What is due already is in another consumer's hands at this moment.
const SOONEST: i64 = 10;

/// Claims the next job under `token`, or finds again the one that an earlier call
/// with this token got no answer about.
pub(super) async fn claim(shared: &Shared, token: Uuid, again: bool) -> Result<Claim> {
    let queue = &shared.options.queue;
    let lease = seconds(shared.options.lease);
    let lane = &shared.records;
    let mut row = None;
    if again {
        row = lane
            .query_row(CLAIM_AGAIN, &[queue, &token, &lease])
            .await?;
    }
    if row.is_none() {
        row = lane.query_row(CLAIM, &[queue, &token, &lease]).await?;
    }
    let due = |row: Row| row.try_get::<_, Option<i64>>(0);
    let claim = match row {
        Some(row) => taken(&row, token),
        None => match lane.query_row(NEXT_DUE, &[queue]).await?.map(due) {
            Some(Ok(Some(due))) => Ok(Claim::Nothing(
                u64::try_from(due.max(SOONEST))
                    .ok()
                    .map(Duration::from_millis),
            )),
            Some(Err(error)) => Err(error),
            _ => Ok(Claim::Nothing(None)),
        },
    };
    claim.map_err(|error| Trouble::from(error).error(&shared.address))
}

fn taken(row: &Row, token: Uuid) -> Result<Claim, tokio_postgres::Error> {
    let (state, id): (String, String) = (row.try_get("state")?, row.try_get("id")?);
    if state != "active" {
        let state = match state.as_str() {
            "cancelled" => State::Cancelled,
            _ => State::Failed,
        };
        return Ok(Claim::SetAside(SetAside {
            payload: Some(row.try_get("payload")?),
            ..SetAside::new(JobId::of_foreign(&id), state)
        }));
    }
    Ok(Claim::Taken(Box::new(Ticket {
        seq: row.try_get("seq")?,
        token,
        losses: count(row.try_get("losses")?),
        job: Job {
            id: JobId::of_foreign(&id),
            name: row.try_get("name")?,
            payload: row.try_get("payload")?,
            attempt: count(row.try_get("attempts")?),
            max_attempts: count(row.try_get("max_attempts")?),
            enqueued_at: row.try_get("enqueued_at")?,
        },
    })))
}

/// What becomes of a claim that nobody took.
pub(super) fn put_back(claim: Claim, queue: PostgresQueue) {
    let Claim::Taken(ticket) = claim else {
        return;
    };
    let Ok(runtime) = Handle::try_current() else {
        return; // Its lease ends.
    };
    runtime.spawn(async move {
        if let Err(error) = queue.0.settle(&ticket, &Outcome::PutBack).await {
            // Not lost: its lease ends.
            tracing::warn!(job = %ticket.job.id, %error, "a job nobody took was not put back");
        }
    });
}
