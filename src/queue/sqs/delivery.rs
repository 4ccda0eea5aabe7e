//! The message in hand: kept invisible to others, deleted or copied at its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::Mutex;

use super::Shared;
use super::client::Failure;
use super::message::Message;
use crate::job::{Job, Outcome, Progress};
use crate::queue::{Delivery, Lease, Result, SetAside, State};

/// A message is held for 12 hours at most, whatever one asks.
pub(super) const LONGEST_HOLD: u64 = 12 * 3600;

/// By how many seconds we stay below it.
const MARGIN: u64 = 60;

/// By which SQS says that the message is not in hand any more.
const GONE: [&str; 5] = [
    "ReceiptHandleIsInvalid",
    "InvalidParameterValue",
    "InvalidParameterValueException",
    "MessageNotInflight",
    "AWS.SimpleQueueService.MessageNotInflight",
];

/// A message in hand.
pub(super) struct Ticket {
    message: Message,
    pub(super) job: Job,
    /// Before SQS handed it out.
    received: Instant,
    /// Nobody else has it before.
    lease_end: Instant,
    stage: Stage,
}

/// How far the settlement is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Working,
    /// Its copy is where it goes next.
    Copied,
    Settled,
}

impl Ticket {
    /// Of a call that was begun at `begun`.
    pub(super) fn new(message: Message, shared: &Shared, most: u32, begun: Instant) -> Self {
        let queue = shared.options.url.rsplit('/').next().unwrap_or_default();
        Self {
            job: message.job(queue, most),
            message,
            received: begun,
            lease_end: begun + Duration::from_secs(shared.lease()),
            stage: Stage::Working,
        }
    }

    /// Whether its lease has begun: where SQS let the call wait, much of it may
    /// be over as far as one can tell here.
    pub(super) async fn is_kept(&mut self, shared: &Shared) -> Result<bool> {
        if self.received.elapsed() < Duration::from_secs(shared.lease()) / 4 {
            return Ok(true);
        }
        // The wait is over, so that the message came just now.
        self.received = Instant::now();
        Ok(shared.hide(self, shared.lease()).await? == Lease::Held)
    }

    /// Whether its last attempt was lost. What somebody moved here from the
    /// dead-letter queue, its attempts counted, has one more.
    pub(super) fn is_worn_out(&self) -> bool {
        self.job.attempt > self.job.max_attempts && self.message.receipts() > 1
    }

    fn is_ours(&self) -> bool {
        Instant::now() < self.lease_end
    }
}

pub(super) struct SqsDelivery {
    job: Job,
    ticket: Mutex<Ticket>,
    shared: Arc<Shared>,
}

impl SqsDelivery {
    pub(super) fn new(ticket: Ticket, shared: Arc<Shared>) -> Self {
        Self {
            job: ticket.job.clone(),
            ticket: ticket.into(),
            shared,
        }
    }
}

#[async_trait]
impl Delivery for SqsDelivery {
    fn job(&self) -> &Job {
        &self.job
    }

    async fn extend(&self) -> Result<Lease> {
        let mut ticket = self.ticket.lock().await;
        if ticket.stage != Stage::Working || !ticket.is_ours() {
            return Ok(Lease::Lost);
        }
        let lease = self.shared.lease();
        self.shared.hide(&mut ticket, lease).await
    }

    /// Nobody could see it.
    async fn progress(&self, _: &Progress) -> Result<Lease> {
        Ok(Lease::Held)
    }

    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        let mut ticket = self.ticket.lock().await;
        self.shared.settle(&mut ticket, outcome).await
    }
}

impl Shared {
    pub(super) async fn settle(&self, ticket: &mut Ticket, outcome: &Outcome) -> Result<Lease> {
        if ticket.stage == Stage::Settled {
            return Ok(Lease::Held);
        }
        if !ticket.is_ours() {
            return Ok(Lease::Lost);
        }
        if ticket.stage == Stage::Working {
            let job = &ticket.job;
            let message = &ticket.message;
            match outcome {
                Outcome::Done(_) | Outcome::Cancelled => {}
                Outcome::Retry { .. } if !job.is_last_attempt() => {
                    let wait = self.options.retry.wait(outcome, job);
                    let seconds = wait.as_nanos().div_ceil(1_000_000_000);
                    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
                    let hidden = self.hide(ticket, seconds).await?;
                    if hidden == Lease::Held {
                        ticket.stage = Stage::Settled;
                    }
                    return Ok(hidden);
                }
                Outcome::Retry { reason, .. } | Outcome::Reject { reason } => {
                    self.set_aside(message, job.attempt, reason).await?;
                }
                Outcome::PutBack => {
                    let copy = message.copied(job.attempt.saturating_sub(1), message.reason());
                    self.send(&self.options.url, copy).await?;
                }
            }
            ticket.stage = Stage::Copied;
        }
        let receipt = json!({"ReceiptHandle": ticket.message.receipt()});
        match self
            .call_at(&self.options.url, "DeleteMessage", receipt)
            .await
        {
            Ok(_) => {
                ticket.stage = Stage::Settled;
                Ok(Lease::Held)
            }
            Err(failure) => self.gone(failure),
        }
    }

    /// Sets a message aside that was received once too often.
    pub(super) async fn set_aside_lost(&self, ticket: &mut Ticket) -> Result<()> {
        let (job, message) = (&ticket.job, &ticket.message);
        let most = job.max_attempts;
        let before = message
            .reason()
            .map(|reason| format!("; before that: {reason}"));
        let before = before.unwrap_or_default();
        let reason = format!("its worker was lost in attempt {most} of {most}{before}");
        self.set_aside(message, most, &reason).await?;
        tracing::warn!(job = %job.id, "a job whose worker was lost in its last attempt is set aside");
        self.aside.push(SetAside {
            payload: Some(job.payload.clone()),
            reason: Some(reason),
            ..SetAside::new(job.id.clone(), State::Failed)
        });
        ticket.stage = Stage::Copied;
        // If it is lost, it is set aside again.
        self.settle(ticket, &Outcome::Cancelled).await.map(drop)
    }

    /// Sends a copy.
    pub(super) async fn send(&self, url: &str, copy: serde_json::Value) -> Result<()> {
        let sent = self.call_at(url, "SendMessage", copy).await;
        sent.map(drop).map_err(|failure| self.client.error(failure))
    }

    /// Lets a message in hand become visible after so many seconds from now, or as
    /// many as are left of the 12 hours.
    async fn hide(&self, ticket: &mut Ticket, seconds: u64) -> Result<Lease> {
        let begun = Instant::now();
        let held = ticket.received.elapsed().as_secs();
        let left = LONGEST_HOLD.saturating_sub(held + MARGIN);
        if left == 0 {
            return Ok(Lease::Lost);
        }
        let seconds = seconds.min(left);
        let call = json!({
            "ReceiptHandle": ticket.message.receipt(),
            "VisibilityTimeout": seconds,
        });
        match self
            .call_at(&self.options.url, "ChangeMessageVisibility", call)
            .await
        {
            Ok(_) => {
                ticket.lease_end = begun + Duration::from_secs(seconds);
                Ok(Lease::Held)
            }
            Err(failure) => self.gone(failure),
        }
    }

    /// Somebody else has the message, or it is deleted; anything else is an error.
    fn gone(&self, failure: Failure) -> Result<Lease> {
        match failure {
            Failure::Said { code, .. } if GONE.contains(&code.as_str()) => Ok(Lease::Lost),
            failure => Err(self.client.error(failure)),
        }
    }
}
