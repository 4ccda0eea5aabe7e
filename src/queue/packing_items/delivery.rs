//! A claimed row as the runner has it.

use async_trait::async_trait;
use tokio::time::sleep;

use super::ticket::{Settlement, Ticket, one_line};
use super::{PackingItems, QUEUE};
use crate::clip::Made;
use crate::job::{Job, Outcome, Progress};
use crate::queue::{Delivery, Error, Lease, Result};

pub(super) struct ItemDelivery {
    ticket: Ticket,
    items: PackingItems,
}

impl ItemDelivery {
    pub(super) fn new(ticket: Ticket, items: PackingItems) -> Self {
        Self { ticket, items }
    }

    fn settlement(&self, outcome: &Outcome) -> Result<Settlement> {
        let job = &self.ticket.job;
        Ok(match outcome {
            Outcome::Done(result) => {
                let made: Made =
                    serde_json::from_value(result.clone()).map_err(|error| Error::Refused {
                        queue: format!("{QUEUE} in {}", self.items.place()),
                        reason: format!("the result of item {} is no clip: {error}", job.id),
                        source: None,
                    })?;
                Settlement::Made(Box::new(made))
            }
            Outcome::Retry { reason, .. } if !job.is_last_attempt() => Settlement::Again {
                after: self.items.0.config.retry.wait(outcome, job),
                reason: one_line(reason),
            },
            Outcome::Retry { reason, .. } | Outcome::Reject { reason } => Settlement::Failed {
                reason: one_line(reason),
            },
            Outcome::Cancelled => Settlement::Cancelled,
            Outcome::PutBack => Settlement::PutBack,
        })
    }
}

#[async_trait]
impl Delivery for ItemDelivery {
    fn job(&self) -> &Job {
        &self.ticket.job
    }

    fn is_suspect(&self) -> bool {
        self.ticket.losses > 0
    }

    async fn extend(&self) -> Result<Lease> {
        self.items.0.backend.extend(&self.ticket).await
    }

    async fn progress(&self, _: &Progress) -> Result<Lease> {
        Ok(Lease::Held)
    }

    /// Users cancel by giving the row another status, or by deleting it.
    async fn cancel_asked(&self) {
        let backend = &self.items.0.backend;
        loop {
            sleep(backend.look()).await;
            if matches!(backend.is_taken_away(&self.ticket).await, Ok(true)) {
                return;
            }
        }
    }

    /// [`Outcome::Cancelled`] of a row that its users have changed or deleted leaves
    /// it as they want it, and lets it go; of one that is still `PROCESSING` it is
    /// `CLIP_FAILED`, since nobody works on it any more. Any other outcome of a row
    /// that they have changed is [`Lease::Lost`].
    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        let settlement = self.settlement(outcome)?;
        self.items.0.backend.settle(&self.ticket, &settlement).await
    }
}
