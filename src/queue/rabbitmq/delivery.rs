//! The message in hand.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use lapin::message::Delivery as Message;
use lapin::options::BasicAckOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel};
use tokio::sync::Mutex;

use super::connection::ends_the_channel;
use super::message::Letter;
use super::{Options, Shared, holding, topology};
use crate::job::{Job, Outcome, Progress};
use crate::queue::{Delivery, Error, Lease, Result};

/// A message and the channel on which it came, which is the claim.
pub(super) struct Held {
    channel: Channel,
    message: Message,
    since: Instant,
}

impl Held {
    pub(super) fn new(channel: Channel, message: Message) -> Self {
        Self {
            channel,
            message,
            since: Instant::now(),
        }
    }

    pub(super) fn message(&self) -> &Message {
        &self.message
    }

    fn is_ours(&self) -> bool {
        self.channel.status().connected()
    }

    /// Acknowledges it, and makes sure that the broker has heard.
    pub(super) async fn acknowledge(self, shared: &Shared) -> Result<Lease> {
        if !self.is_ours() {
            return Ok(Lease::Lost);
        }
        let link = &shared.consuming;
        let acknowledged = link.answer(self.message.acker.ack(BasicAckOptions::default()));
        if !self.still(acknowledged.await)? {
            return Ok(Lease::Lost);
        }
        match self.ask(shared).await? {
            Lease::Held => shared.give_back(self.channel),
            Lease::Lost => return Ok(Lease::Lost),
        }
        Ok(Lease::Held)
    }

    /// Asks the broker whether the channel is still open.
    async fn ask(&self, shared: &Shared) -> Result<Lease> {
        let asked = shared.consuming.probe(&self.channel).await;
        self.still(asked.map(|()| true)).map(Lease::of)
    }

    /// An error with which the channel ended says that the claim is lost; behind
    /// another nobody knows.
    fn still(&self, answer: Result<bool>) -> Result<bool> {
        match answer {
            Err(error) if !self.is_ours() || ends_the_channel(&error) => Ok(false),
            answer => answer,
        }
    }
}

/// How far the settlement is.
pub(super) enum Stage {
    /// Not begun.
    Working(Box<Held>),
    /// The broker has it.
    Settled,
    /// Somebody else has the message.
    Lost,
}

pub(super) struct RabbitDelivery {
    job: Job,
    shared: Arc<Shared>,
    stage: Arc<Mutex<Stage>>,
}

impl RabbitDelivery {
    /// `lost` attempts are charged that the message does not know of.
    pub(super) fn new(held: Held, lost: u32, shared: Arc<Shared>) -> Self {
        let most = shared.options.retry.attempts.max(1);
        let mut job = Letter::of(held.message()).job(&shared.options.queue, most);
        job.attempt = job.attempt.saturating_add(lost);
        Self {
            job,
            stage: Arc::new(Mutex::new(Stage::Working(Box::new(held)))),
            shared,
        }
    }
}

impl RabbitDelivery {
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

#[async_trait]
impl Delivery for RabbitDelivery {
    fn job(&self) -> &Job {
        &self.job
    }

    /// Looks whether the claim still holds, and takes the message anew before the
    /// broker loses patience.
    async fn extend(&self) -> Result<Lease> {
        let stage = self.stage.lock().await;
        let Stage::Working(held) = &*stage else {
            return Ok(Lease::Lost);
        };
        if !held.is_ours() {
            return Ok(Lease::Lost);
        }
        if held.since.elapsed() < self.shared.options.longest_hold {
            return held.ask(&self.shared).await;
        }
        drop(stage);
        // In a task of its own: half of it done would be two messages.
        let (shared, stage) = (Arc::clone(&self.shared), Arc::clone(&self.stage));
        let anew = tokio::spawn(async move { take_anew(&shared, &stage).await });
        match anew.await {
            Ok(lease) => lease,
            Err(_) => Err(self.shared.consuming.away("the process ends")),
        }
    }

    /// Nobody could see it.
    async fn progress(&self, _: &Progress) -> Result<Lease> {
        Ok(Lease::Held)
    }

    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        let mut stage = self.stage.lock().await;
        match &*stage {
            Stage::Settled => return Ok(Lease::Held),
            Stage::Working(held) if held.is_ours() => {
                let letter = Letter::of(held.message());
                self.shared.copy(&letter, &self.job, outcome).await?;
            }
            Stage::Working(_) | Stage::Lost => {}
        }
        // Whatever the acknowledgement comes to, the copy is not to be made again.
        let Stage::Working(held) = mem::replace(&mut *stage, Stage::Lost) else {
            return Ok(Lease::Lost);
        };
        let acknowledged = held.acknowledge(&self.shared).await;
        if matches!(acknowledged, Ok(Lease::Held)) {
            *stage = Stage::Settled;
        }
        acknowledged
    }
}

/// Replaces the message in hand by a fresh one.
async fn take_anew(shared: &Arc<Shared>, stage: &Mutex<Stage>) -> Result<Lease> {
    let mut stage = stage.lock().await;
    let Stage::Working(held) = &*stage else {
        return Ok(Lease::Lost);
    };
    let fresh = holding::take_anew(shared, held.message()).await?;
    let Stage::Working(old) = mem::replace(&mut *stage, Stage::Lost) else {
        return Ok(Lease::Lost);
    };
    match old.acknowledge(shared).await {
        Ok(Lease::Held) => {
            *stage = Stage::Working(Box::new(fresh));
            Ok(Lease::Held)
        }
        // Whoever gets the old one does the job.
        lost => {
            let _ = fresh.acknowledge(shared).await;
            lost
        }
    }
}

impl Shared {
    /// Puts a copy where the job goes next, if it goes anywhere.
    async fn copy(&self, letter: &Letter<'_>, job: &Job, outcome: &Outcome) -> Result<()> {
        match outcome {
            Outcome::Done(_) | Outcome::Cancelled => Ok(()),
            Outcome::PutBack => {
                let charged = job.attempt.saturating_sub(1);
                let copy = letter.copied(charged, letter.reason().as_deref());
                self.send(self.queue(), letter, copy).await
            }
            Outcome::Retry { reason, .. } if !job.is_last_attempt() => {
                let wait = rounded(self.options.retry.wait(outcome, job));
                let queue = match wait {
                    0 => self.queue(),
                    wait => {
                        topology::retry_queue(self.publisher.link(), &self.options, wait).await?
                    }
                };
                let copy = letter.copied(job.attempt, Some(reason));
                self.send(queue, letter, copy).await
            }
            Outcome::Retry { reason, .. } | Outcome::Reject { reason } => {
                self.set_aside(letter, job.attempt, reason).await
            }
        }
    }

    pub(super) async fn set_aside(
        &self,
        letter: &Letter<'_>,
        attempts: u32,
        reason: &str,
    ) -> Result<()> {
        let queue = Options::name(&self.options.dead_queue);
        self.send(queue, letter, letter.dead(attempts, reason))
            .await
    }

    pub(super) async fn send(
        &self,
        queue: ShortString,
        letter: &Letter<'_>,
        properties: BasicProperties,
    ) -> Result<()> {
        let sent = self.publisher.to_queue(queue, letter.payload, properties);
        let sent = sent.await;
        if matches!(sent, Err(Error::Refused { .. })) {
            // Somebody deleted one of the queues: they are declared again.
            self.doubt_queues();
            self.declare().await?;
        }
        sent
    }
}

/// Seconds of a wait, rounded up so that there are few different ones: each has a
/// queue.
fn rounded(wait: Duration) -> u32 {
    let seconds = wait.as_nanos().div_ceil(1_000_000_000);
    let step = match seconds {
        0..=60 => 1,
        61..=3600 => 60,
        _ => 3600,
    };
    let rounded = seconds.div_ceil(step).saturating_mul(step);
    // A month: a queue's time-outs end at seven weeks.
    u32::try_from(rounded.min(30 * 24 * 3600)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_a_little() {
        for (millis, seconds) in [
            (0, 0),
            (1, 1),
            (5_000, 5),
            (5_001, 6),
            (60_000, 60),
            (61_000, 120),
            (3_600_000, 3600),
            (3_601_000, 7200),
            (u64::MAX, 30 * 24 * 3600),
        ] {
            assert_eq!(rounded(Duration::from_millis(millis)), seconds, "{millis}");
        }
    }
}
