//! The claim, and what a consumer writes about the job it has.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis::{FromRedisValue, Value};

use super::{RedisList, Shared, scripts};
use crate::job::{Job, JobId, Outcome, Progress};
use crate::queue::redis::claiming::Claim;
use crate::queue::{Delivery, Lease, Result};

/// How much longer than the lease a settlement is known, so that it can be
/// repeated: the runner does so for a minute.
const REMEMBERED: Duration = Duration::from_secs(120);

/// A claimed job, and what its claim is known by.
pub(in crate::queue) struct Ticket {
    token: String,
    /// Right before Redis was asked for it: the lease ends no earlier than its length
    /// after this.
    asked: Instant,
    pub(super) job: Job,
}

/// Claims the next job under `token`, again where an earlier call with this token
/// got no answer.
pub(super) async fn claim(shared: &Shared, token: String, again: bool) -> Result<Claim<Ticket>> {
    let options = &shared.options;
    let most = options.retry.attempts.max(1);
    let asked = Instant::now();
    let answer: Vec<Value> = shared
        .run(
            &scripts::CLAIM,
            &[
                token.as_bytes(),
                shared.lease().as_bytes(),
                most.to_string().as_bytes(),
                options.dead_kept.to_string().as_bytes(),
                if again { b"1" } else { b"0" },
                options.only_task.as_deref().unwrap_or_default().as_bytes(),
            ],
        )
        .await?;
    let mut answer = answer.into_iter();
    let set_aside: Vec<String> = shared.read(answer.next())?;
    if !set_aside.is_empty() {
        shared.asides.ring();
    }
    let wait: i64 = shared.read(answer.next())?;
    let others: bool = shared.read(answer.next())?;
    let Some(id) = answer.next() else {
        let due = u64::try_from(wait).ok();
        return Ok(if others {
            Claim::OnlyOthers(due)
        } else {
            Claim::Nothing(due)
        });
    };
    let id: String = shared.read(Some(id))?;
    let job = Job {
        id: JobId::of_foreign(&id),
        name: options.list.clone(),
        payload: shared.read(answer.next())?,
        attempt: shared.read(answer.next())?,
        max_attempts: most,
        enqueued_at: None,
    };
    Ok(Claim::Taken(Box::new(Ticket { token, asked, job })))
}

pub(super) struct ListDelivery {
    ticket: Ticket,
    queue: RedisList,
}

impl ListDelivery {
    pub(super) fn new(ticket: Ticket, queue: RedisList) -> Self {
        Self { ticket, queue }
    }
}

#[async_trait]
impl Delivery for ListDelivery {
    fn job(&self) -> &Job {
        &self.ticket.job
    }

    fn asked(&self) -> Option<Instant> {
        Some(self.ticket.asked)
    }

    async fn extend(&self) -> Result<Lease> {
        let shared = &self.queue.0;
        let lease = shared.lease();
        let [id, token] = self.ticket.claim();
        let held = shared
            .run(&scripts::EXTEND, &[id, token, lease.as_bytes()])
            .await?;
        Ok(Lease::of(held))
    }

    /// Nobody could see it.
    async fn progress(&self, _: &Progress) -> Result<Lease> {
        Ok(Lease::Held)
    }

    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        self.queue.0.settle(&self.ticket, outcome).await
    }
}

impl Ticket {
    /// What every script that is fenced begins with.
    fn claim(&self) -> [&[u8]; 2] {
        [self.job.id.as_str().as_bytes(), self.token.as_bytes()]
    }
}

impl Shared {
    pub(super) async fn settle(&self, ticket: &Ticket, outcome: &Outcome) -> Result<Lease> {
        let job = &ticket.job;
        let (name, reason) = match outcome {
            Outcome::Done(_) | Outcome::Cancelled => ("gone", ""),
            Outcome::PutBack => ("put back", ""),
            Outcome::Retry { reason, .. } if !job.is_last_attempt() => ("retry", reason.as_str()),
            Outcome::Retry { reason, .. } | Outcome::Reject { reason } => ("dead", reason.as_str()),
        };
        let after = self.options.retry.wait(outcome, job);
        let remembered = self.options.lease + REMEMBERED;
        let [id, token] = ticket.claim();
        let held = self
            .run(
                &scripts::SETTLE,
                &[
                    id,
                    token,
                    name.as_bytes(),
                    reason.as_bytes(),
                    millis(after).as_bytes(),
                    self.options.dead_kept.to_string().as_bytes(),
                    millis(remembered).as_bytes(),
                ],
            )
            .await?;
        if matches!(outcome, Outcome::PutBack | Outcome::Retry { .. })
            && let Some(bell) = self.bell.get()
        {
            bell.ring();
        }
        Ok(Lease::of(held))
    }

    /// The lease, as scripts take it.
    fn lease(&self) -> String {
        millis(self.options.lease)
    }

    pub(super) fn read<T: FromRedisValue>(&self, value: Option<Value>) -> Result<T> {
        redis::from_redis_value(value.unwrap_or(Value::Nil))
            .map_err(|error| self.redis.error(error.into()))
    }
}

/// Whole milliseconds, rounded up, as scripts take them. A sorted set's scores are
/// exact for longer than anyone will wait.
fn millis(duration: Duration) -> String {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    millis.min(1 << 48).to_string()
}
