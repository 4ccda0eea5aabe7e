//! The claim.

use redis::{FromRedisValue, Value};

use super::options::JobOptions;
use super::record::{number, text, time};
use super::{Shared, scripts};
use crate::job::{Job, JobId};
use crate::queue::redis::claiming::Claim;
use crate::queue::{Result, SetAside, State};

/// A claimed job, and what its claim is known by.
pub(in crate::queue) struct Ticket {
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
pub(super) async fn claim(shared: &Shared, token: String, again: bool) -> Result<Claim<Ticket>> {
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
        shared.aside.push(SetAside::new(
            JobId::of_foreign(&id),
            match state.as_str() {
                "cancelled" => State::Cancelled,
                _ => State::Failed,
            },
        ));
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
