//! The options that a producer gave a job: JSON by whatever client, so each is
//! read for itself and one that makes no sense is as if it were absent.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use serde_json::{Value, json};

use crate::job::{JobId, RetryPolicy};
use crate::queue::{NewJob, Retention};

/// Eight years: scores are 4096 times the time, in a double.
const LONGEST_DELAY: Duration = Duration::from_millis(1 << 38);

/// What this adapter heeds of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct JobOptions {
    /// Attempts in all; `None` if the producer gave none, or 0.
    pub(super) attempts: Option<u32>,
    pub(super) backoff: Option<Backoff>,
    pub(super) on_complete: Option<Keep>,
    pub(super) on_fail: Option<Keep>,
}

/// How long a retry waits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Backoff {
    delay: Duration,
    is_exponential: bool,
    /// What part of the delay is up to chance, 0 to 1.
    jitter: f64,
}

/// Which finished jobs are kept, this one among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keep {
    /// So many; -1 for all.
    pub(super) count: i64,
    /// So long, in milliseconds; -1 for ever.
    pub(super) age: i64,
}

impl Keep {
    /// The last `count`.
    pub(super) fn last(count: u32) -> Self {
        Self {
            count: count.into(),
            age: -1,
        }
    }

    fn of(value: &Value) -> Option<Self> {
        let all = Self { count: -1, age: -1 };
        match value {
            Value::Bool(remove) => Some(if *remove { Self::last(0) } else { all }),
            Value::Number(_) => Some(Self {
                count: limit(value, 1.0)?,
                ..all
            }),
            Value::Object(limits) => Some(Self {
                count: limits
                    .get("count")
                    .and_then(|count| limit(count, 1.0))
                    .unwrap_or(-1),
                // In seconds, of all the times in BullMQ's options the only one.
                age: limits
                    .get("age")
                    .and_then(|age| limit(age, 1000.0))
                    .unwrap_or(-1),
            }),
            _ => None,
        }
    }
}

/// A number of `units`; -1 for no limit, which any number below 0 stands for.
#[allow(clippy::cast_possible_truncation)] // saturates
fn limit(value: &Value, units: f64) -> Option<i64> {
    let number = value.as_f64()?;
    Some(if number < 0.0 {
        -1
    } else {
        (number * units) as i64
    })
}

fn millis(value: &Value) -> Option<Duration> {
    let millis = value.as_f64().filter(|millis| *millis >= 0.0)?;
    let delay = Duration::try_from_secs_f64(millis / 1000.0).ok()?;
    Some(delay.min(LONGEST_DELAY))
}

impl JobOptions {
    pub(super) fn parse(text: &[u8]) -> Self {
        let Ok(options) = serde_json::from_slice::<Value>(text) else {
            return Self::default();
        };
        let get = |name: &str| options.get(name);
        Self {
            attempts: get("attempts").and_then(attempts),
            backoff: get("backoff").and_then(Backoff::of),
            on_complete: get("removeOnComplete").and_then(Keep::of),
            on_fail: get("removeOnFail").and_then(Keep::of),
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn attempts(value: &Value) -> Option<u32> {
    Some(value.as_f64()? as u32).filter(|attempts| *attempts > 0)
}

impl Backoff {
    fn of(value: &Value) -> Option<Self> {
        if value.is_number() {
            return Some(Self {
                delay: millis(value)?,
                is_exponential: false,
                jitter: 0.0,
            });
        }
        // Types besides these two are functions of the producer's worker.
        let is_exponential = match value.get("type")?.as_str()? {
            "fixed" => false,
            "exponential" => true,
            _ => return None,
        };
        let jitter = value.get("jitter").and_then(Value::as_f64);
        Some(Self {
            delay: value.get("delay").and_then(millis)?,
            is_exponential,
            jitter: jitter.unwrap_or_default().clamp(0.0, 1.0),
        })
    }

    /// How long `id` waits after its attempt number `attempt` failed. What looks
    /// like the queue's own policy is that, with its jitter and longest delay.
    pub(super) fn delay(&self, policy: &RetryPolicy, id: &JobId, attempt: u32) -> Duration {
        if self.is_exponential && self.delay == policy.first_delay && self.jitter == 0.0 {
            return policy.delay(id, attempt);
        }
        let doublings = if self.is_exponential {
            attempt.saturating_sub(1).min(31)
        } else {
            0
        };
        let longest = self.delay.saturating_mul(1 << doublings);
        // BullMQ's jitter shortens.
        let random = RandomState::new().build_hasher().finish() % 1000;
        let chance = f64::from(u32::try_from(random).unwrap_or_default()) / 1000.0;
        longest.mul_f64(1.0 - self.jitter * chance)
    }
}

/// The options of a job that Flatbed adds, so that workers in other languages
/// treat it alike.
pub(super) fn written(job: &NewJob, policy: &RetryPolicy, retention: Retention) -> String {
    let mut options = json!({
        "jobId": job.id.as_str(),
        "attempts": job.max_attempts.unwrap_or(policy.attempts).max(1),
        "backoff": {"type": "exponential", "delay": whole_millis(policy.first_delay)},
        "removeOnComplete": {"count": retention.completed},
        "removeOnFail": {"count": retention.failed},
    });
    if !job.delay.is_zero() {
        options["delay"] = whole_millis(job.delay).into();
    }
    options.to_string()
}

/// Rounded up, and not further away than a delayed job's score can say.
pub(super) fn whole_millis(duration: Duration) -> u64 {
    let millis = duration.min(LONGEST_DELAY).as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_producers_write() {
        let options = JobOptions::parse(
            br#"{"attempts":3,"backoff":{"type":"exponential","delay":5000},
                 "removeOnComplete":true,"removeOnFail":{"count":500,"age":1.5}}"#,
        );
        assert_eq!(options.attempts, Some(3));
        assert_eq!(options.on_complete, Some(Keep::last(0)));
        assert_eq!(
            options.on_fail,
            Some(Keep {
                count: 500,
                age: 1500
            })
        );
        assert_eq!(
            options.backoff,
            Some(Backoff {
                delay: Duration::from_secs(5),
                is_exponential: true,
                jitter: 0.0
            })
        );
    }

    #[test]
    fn one_option_that_makes_no_sense_spoils_no_other() {
        let options = JobOptions::parse(
            br#"{"attempts":2,"delay":10.5,"removeOnFail":-1,"removeOnComplete":"yes",
                 "backoff":{"type":"mine","delay":"soon"}}"#,
        );
        let expected = JobOptions {
            attempts: Some(2),
            on_fail: Some(Keep { count: -1, age: -1 }),
            ..JobOptions::default()
        };
        assert_eq!(options, expected);
        for text in [&b"{"[..], b"", b"[]", b"null", b"3", b"\xff"] {
            assert_eq!(JobOptions::parse(text), JobOptions::default());
        }
        for text in [
            r#"{"attempts":0}"#,
            r#"{"attempts":-4}"#,
            r#"{"backoff":-1}"#,
            r#"{"backoff":1e300}"#,
        ] {
            assert_eq!(JobOptions::parse(text.as_bytes()), JobOptions::default());
        }
    }

    #[test]
    fn the_producers_backoff() {
        let policy = RetryPolicy::default();
        let id = JobId::random();
        let after = |text: &str, attempt| {
            let backoff = JobOptions::parse(text.as_bytes()).backoff.unwrap();
            backoff.delay(&policy, &id, attempt).as_secs_f64()
        };
        for attempt in 1..4 {
            assert!((after(r#"{"backoff":1500}"#, attempt) - 1.5).abs() < 1e-6);
        }
        let doubling = r#"{"backoff":{"type":"exponential","delay":1000}}"#;
        assert!((after(doubling, 3) - 4.0).abs() < 1e-6);
        let jitter = r#"{"backoff":{"type":"fixed","delay":1000,"jitter":0.5}}"#;
        assert!((0.5..=1.0).contains(&after(jitter, 1)));
        let ours = r#"{"backoff":{"type":"exponential","delay":5000}}"#;
        assert!((after(ours, 2) - policy.delay(&id, 2).as_secs_f64()).abs() < 1e-6);
    }
}
