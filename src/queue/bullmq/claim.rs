//! The claim, and what becomes of one that nobody took.

use redis::{FromRedisValue, Value};
use tokio::runtime::Handle;

use super::options::JobOptions;
use super::record::{number, text, time};
use super::{BullmqQueue, Shared, scripts};
use crate::job::{Job, JobId, Outcome};
use crate::queue::{Error, Result, SetAside, State};

/// What the claim found.
pub(super) enum Claim {
    /// A job.
    Taken(Box<Ticket>),
    /// Nothing to claim; the next is due after so many milliseconds, if there is
    /// one.
    Nothing(Option<u64>),
}

/// A claimed job, and what its claim is known by.
pub(super) struct Ticket {
    /// The id as Redis has it.
    pub(super) id: String,
    /// The lock's value.
    pub(super) token: String,
    /// The claim's number, which every later claim raises (`ats`).
    pub(super) number: String,
    /// Attempts that lost their workers (`stc`).
    pub(super) losses: u32,
    pub(super) job: Job,
    pub(super) options: JobOptions,
}

/// `HMGET name data opts timestamp atm stc ats`.
type Fields = [Option<Vec<u8>>; 7];

/// Claims the next job under `token`, again where an earlier call with this token
/// got no answer.
pub(super) async fn claim(shared: &Shared, token: String, again: bool) -> Result<Claim> {
    let options = &shared.options;
    let answer: Vec<Value> = shared
        .run(
            &scripts::CLAIM,
            &[
                token.as_bytes(),
                shared.lease().as_bytes(),
                shared.check().as_millis().to_string().as_bytes(),
                options.retry.attempts.to_string().as_bytes(),
                options.retention.failed.to_string().as_bytes(),
                if again { b"1" } else { b"0" },
            ],
        )
        .await?;
    let mut answer = answer.into_iter();
    let set_aside: Vec<(String, String)> = read(shared, answer.next())?;
    for (id, state) in set_aside {
        shared.aside.push(SetAside {
            id: JobId::of_foreign(&id),
            state: match state.as_str() {
                "cancelled" => State::Cancelled,
                _ => State::Failed,
            },
        });
    }
    let wait: i64 = read(shared, answer.next())?;
    let Some(id) = answer.next() else {
        return Ok(Claim::Nothing(u64::try_from(wait).ok()));
    };
    let id: String = read(shared, Some(id))?;
    let fields: Vec<Option<Vec<u8>>> = read(shared, answer.next())?;
    let fields = Fields::try_from(fields).unwrap_or_default();
    Ok(Claim::Taken(Box::new(ticket(id, token, fields, options))))
}

fn read<T: FromRedisValue>(shared: &Shared, value: Option<Value>) -> Result<T> {
    redis::from_redis_value(value.unwrap_or(Value::Nil))
        .map_err(|error| shared.redis.error(error.into()))
}

fn ticket(id: String, token: String, fields: Fields, options: &super::Options) -> Ticket {
    let [name, data, opts, timestamp, made, lost, claim] = fields;
    let job_options = JobOptions::parse(&opts.unwrap_or_default());
    // Attempts that ended, those that ended in a crash, and this one.
    let losses = number(lost.as_deref());
    let before = number(made.as_deref()).saturating_add(losses);
    Ticket {
        token,
        losses,
        number: text(claim).unwrap_or_default(),
        job: Job {
            id: JobId::of_foreign(&id),
            name: text(name).unwrap_or_default(),
            payload: data.unwrap_or_default(),
            attempt: before.saturating_add(1),
            max_attempts: job_options
                .attempts
                .unwrap_or(options.retry.attempts)
                .max(1),
            enqueued_at: timestamp.as_deref().and_then(time),
        },
        options: job_options,
        id,
    }
}

/// A claim on its way to whoever asked for it. If nobody takes it, because the
/// future was dropped meanwhile, the job is put back.
pub(super) struct OnItsWay {
    claim: Option<Claim>,
    queue: BullmqQueue,
}

impl OnItsWay {
    pub(super) fn new(claim: Claim, queue: BullmqQueue) -> Self {
        Self {
            claim: Some(claim),
            queue,
        }
    }

    pub(super) fn arrived(mut self) -> Claim {
        self.claim.take().unwrap_or(Claim::Nothing(None))
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let Some(Claim::Taken(ticket)) = self.claim.take() else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            return; // Its lease ends.
        };
        let queue = self.queue.clone();
        runtime.spawn(async move {
            if let Err(error) = queue.0.settle(&ticket, &Outcome::PutBack).await {
                // Not lost: its lease ends.
                tracing::warn!(job = %ticket.job.id, %error, "a job nobody took was not put back");
            }
        });
    }
}

/// What a task that was broken off stands for: the process ends.
pub(super) fn broken_off(shared: &Shared) -> Error {
    Error::Away {
        queue: shared.options.queue.clone(),
        reason: "the claim was broken off".to_owned(),
        source: None,
    }
}
