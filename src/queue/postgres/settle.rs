//! What a consumer writes about the job it has: each statement names the token of
//! its claim, and changes nothing under another.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

use super::claim::Ticket;
use super::connection::{Lane, Parameters, jobs};
use super::rows::{seconds, text};
use super::{PostgresQueue, Shared};
use crate::job::{Job, Outcome, Progress};
use crate::queue::{Delivery, Lease, Result};

/// How often an active job looks whether somebody asked to cancel it, should the
/// notification be lost.
const CANCEL_LOOK: Duration = Duration::from_secs(1);

/// Completed jobs are forgotten once for so many settlements.
const FORGET_EVERY: u32 = 64;

/// The claim, in every statement.
macro_rules! this_claim {
    () => {
        " WHERE seq = $1 AND token = $2 AND state = 'active'"
    };
}

const EXTEND: &str = concat!(
    "UPDATE flatbed_jobs SET due = now() + make_interval(secs => $3)",
    this_claim!()
);

const PROGRESS: &str = concat!(
    "UPDATE flatbed_jobs SET progress = $3::text::json",
    this_claim!()
);

const IS_CANCEL_ASKED: &str = concat!(
    "SELECT FROM flatbed_jobs",
    this_claim!(),
    " AND cancel_asked"
);

const DONE: &str = concat!(
    "UPDATE flatbed_jobs SET state = 'completed', result = $3::text::json,
        failed_reason = NULL, cancel_asked = false, finished_at = now()",
    this_claim!()
);

const REJECT: &str = concat!(
    "UPDATE flatbed_jobs SET state = 'failed', failed_reason = $3, finished_at = now()",
    this_claim!()
);

const CANCELLED: &str = concat!(
    "UPDATE flatbed_jobs SET state = 'cancelled', finished_at = now()",
    this_claim!()
);

/// Tells idle consumers of what waits again.
macro_rules! told {
    ($update:expr) => {
        concat!(
            "WITH settled AS (",
            $update,
            this_claim!(),
            " RETURNING state, queue)
             SELECT CASE state WHEN 'queued' THEN pg_notify('",
            jobs!(),
            "', queue) END FROM settled"
        )
    };
}

const RETRY: &str = told!(
    "UPDATE flatbed_jobs SET
        state = CASE WHEN cancel_asked THEN 'cancelled'
                     WHEN attempts >= max_attempts THEN 'failed'
                     ELSE 'queued' END,
        finished_at = CASE WHEN cancel_asked OR attempts >= max_attempts THEN now() END,
        failed_reason = $3, due = now() + make_interval(secs => $4)"
);

/// Due since it was added: at the head of those that wait.
const PUT_BACK: &str = told!(
    "UPDATE flatbed_jobs SET
        state = CASE WHEN cancel_asked THEN 'cancelled' ELSE 'queued' END,
        finished_at = CASE WHEN cancel_asked THEN now() END,
        attempts = attempts - 1, due = enqueued_at"
);

/// Nobody claimed since, but the job is not active.
const IS_SETTLED: &str =
    "SELECT FROM flatbed_jobs WHERE seq = $1 AND token = $2 AND state <> 'active'";

/// Two hosts may be at it: what the other one is deleting is passed over.
const FORGET: &str = "
    DELETE FROM flatbed_jobs WHERE seq IN (
        SELECT seq FROM flatbed_jobs
        WHERE queue = $1 AND state = $2 AND state IN ('completed', 'failed', 'cancelled')
        ORDER BY finished_at DESC, seq DESC OFFSET $3
        FOR UPDATE SKIP LOCKED)";

pub(super) struct PostgresDelivery {
    ticket: Ticket,
    queue: PostgresQueue,
}

impl PostgresDelivery {
    pub(super) fn new(ticket: Ticket, queue: PostgresQueue) -> Self {
        Self { ticket, queue }
    }

    async fn lease(
        &self,
        sql: &str,
        value: &(dyn tokio_postgres::types::ToSql + Sync),
    ) -> Result<Lease> {
        let Ticket { seq, token, .. } = &self.ticket;
        write(&self.queue.0.leases, sql, &[seq, token, value]).await
    }
}

#[async_trait]
impl Delivery for PostgresDelivery {
    fn job(&self) -> &Job {
        &self.ticket.job
    }

    fn is_suspect(&self) -> bool {
        self.ticket.losses > 0
    }

    async fn extend(&self) -> Result<Lease> {
        let lease = seconds(self.queue.0.options.lease);
        self.lease(EXTEND, &lease).await
    }

    async fn progress(&self, progress: &Progress) -> Result<Lease> {
        let written = serde_json::json!(progress).to_string();
        self.lease(PROGRESS, &written).await
    }

    async fn cancel_asked(&self) {
        let shared = &self.queue.0;
        let Ticket { seq, token, .. } = &self.ticket;
        loop {
            tokio::select! {
                () = shared.ears.cancels.notified() => {}
                () = sleep(CANCEL_LOOK) => {}
            }
            let asked = shared.leases.execute(IS_CANCEL_ASKED, &[seq, token]).await;
            if matches!(asked, Ok(1..)) {
                return;
            }
        }
    }

    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        self.queue.0.settle(&self.ticket, outcome).await
    }
}

impl Shared {
    pub(super) async fn settle(&self, ticket: &Ticket, outcome: &Outcome) -> Result<Lease> {
        let Ticket {
            seq, token, job, ..
        } = ticket;
        let lane = &self.records;
        let written = match outcome {
            Outcome::Done(result) => write(lane, DONE, &[seq, token, &result.to_string()]).await,
            Outcome::Retry { after, reason } => {
                let policy = || self.options.retry.delay(&job.id, job.attempt);
                let after = seconds(after.unwrap_or_else(policy));
                write(lane, RETRY, &[seq, token, &text(reason), &after]).await
            }
            Outcome::Reject { reason } => write(lane, REJECT, &[seq, token, &text(reason)]).await,
            Outcome::Cancelled => write(lane, CANCELLED, &[seq, token]).await,
            Outcome::PutBack => write(lane, PUT_BACK, &[seq, token]).await,
        }?;
        match written {
            Lease::Lost => write(lane, IS_SETTLED, &[seq, token]).await,
            Lease::Held => {
                self.forget(outcome).await;
                Ok(Lease::Held)
            }
        }
    }

    /// Forgets the oldest finished jobs of the outcome's state.
    async fn forget(&self, outcome: &Outcome) {
        let number = self.settled.fetch_add(1, Ordering::Relaxed);
        let retention = self.options.retention;
        let (state, kept) = match outcome {
            Outcome::Done(_) if number.is_multiple_of(FORGET_EVERY) => {
                ("completed", retention.completed)
            }
            Outcome::Cancelled => ("cancelled", retention.failed),
            Outcome::Retry { .. } | Outcome::Reject { .. } => ("failed", retention.failed),
            Outcome::Done(_) | Outcome::PutBack => return,
        };
        let (queue, kept) = (&self.options.queue, i64::from(kept));
        let forgotten = self.records.execute(FORGET, &[queue, &state, &kept]).await;
        if let Err(error) = forgotten {
            // The next one tries again.
            tracing::warn!(%error, "old jobs were not forgotten");
        }
    }
}

/// Whether the claim still held.
async fn write(lane: &Lane, sql: &str, parameters: Parameters<'_>) -> Result<Lease> {
    Ok(match lane.execute(sql, parameters).await? {
        0 => Lease::Lost,
        _ => Lease::Held,
    })
}
