//! What a consumer writes about the job it has, fenced by its claim.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

use super::claim::Ticket;
use super::options::{Keep, whole_millis};
use super::{BullmqQueue, Shared, scripts};
use crate::job::{Job, Outcome, Progress};
use crate::queue::{Delivery, Lease, Result};

/// How often an active job looks whether another process asked to cancel it.
const CANCEL_LOOK: Duration = Duration::from_millis(500);

pub(super) struct BullmqDelivery {
    ticket: Ticket,
    queue: BullmqQueue,
}

impl BullmqDelivery {
    pub(super) fn new(ticket: Ticket, queue: BullmqQueue) -> Self {
        Self { ticket, queue }
    }

    async fn is_cancel_asked(&self) -> Result<bool> {
        let shared = &self.queue.0;
        let mut get = redis::cmd("HGET");
        get.arg(shared.key(&self.ticket.id)).arg("flatbed:cancel");
        let claim: Option<String> = shared.redis.command(&get).await?;
        Ok(claim.as_deref() == Some(&self.ticket.number))
    }
}

#[async_trait]
impl Delivery for BullmqDelivery {
    fn job(&self) -> &Job {
        &self.ticket.job
    }

    fn is_suspect(&self) -> bool {
        self.ticket.losses > 0
    }

    async fn extend(&self) -> Result<Lease> {
        let shared = &self.queue.0;
        let lease = shared.lease();
        let [id, token, number] = self.ticket.claim();
        let held = shared
            .run(&scripts::EXTEND, &[id, token, number, lease.as_bytes()])
            .await?;
        Ok(Lease::of(held))
    }

    async fn progress(&self, progress: &Progress) -> Result<Lease> {
        let written = serde_json::json!(progress).to_string();
        let [id, token, number] = self.ticket.claim();
        let held = self
            .queue
            .0
            .run(&scripts::PROGRESS, &[id, token, number, written.as_bytes()])
            .await?;
        Ok(Lease::of(held))
    }

    async fn cancel_asked(&self) {
        loop {
            tokio::select! {
                () = self.queue.0.cancels.notified() => {}
                () = sleep(CANCEL_LOOK) => {}
            }
            if matches!(self.is_cancel_asked().await, Ok(true)) {
                return;
            }
        }
    }

    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        self.queue.0.settle(&self.ticket, outcome).await
    }
}

impl Ticket {
    /// What every script that is fenced begins with.
    fn claim(&self) -> [&[u8]; 3] {
        [
            self.id.as_bytes(),
            self.token.as_bytes(),
            self.number.as_bytes(),
        ]
    }

    /// How long a retry waits.
    fn retry_after(&self, asked: Option<Duration>, shared: &Shared) -> Duration {
        let (job, policy) = (&self.job, &shared.options.retry);
        asked.unwrap_or_else(|| match &self.options.backoff {
            Some(backoff) => backoff.delay(policy, &job.id, job.attempt),
            None => policy.delay(&job.id, job.attempt),
        })
    }
}

impl Shared {
    pub(super) async fn settle(&self, ticket: &Ticket, outcome: &Outcome) -> Result<Lease> {
        let retention = self.options.retention;
        let on_fail = ticket
            .options
            .on_fail
            .unwrap_or(Keep::last(retention.failed));
        let on_complete = ticket
            .options
            .on_complete
            .unwrap_or(Keep::last(retention.completed));
        let (name, value, keep) = match outcome {
            Outcome::Done(result) => ("done", result.to_string(), on_complete),
            Outcome::Retry { reason, .. } if !ticket.job.is_last_attempt() => {
                ("retry", reason.clone(), on_fail)
            }
            Outcome::Retry { reason, .. } | Outcome::Reject { reason } => {
                ("failed", reason.clone(), on_fail)
            }
            Outcome::Cancelled => ("cancelled", String::new(), on_fail),
            Outcome::PutBack => ("put back", String::new(), on_fail),
        };
        let after = match outcome {
            Outcome::Retry { after, .. } => whole_millis(ticket.retry_after(*after, self)),
            _ => 0,
        };
        let [id, token, number] = ticket.claim();
        let held = self
            .run(
                &scripts::SETTLE,
                &[
                    id,
                    token,
                    number,
                    name.as_bytes(),
                    value.as_bytes(),
                    after.to_string().as_bytes(),
                    keep.count.to_string().as_bytes(),
                    keep.age.to_string().as_bytes(),
                    retention.failed.to_string().as_bytes(),
                ],
            )
            .await?;
        Ok(Lease::of(held))
    }
}
