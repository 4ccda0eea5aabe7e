//! A job: what came in, how far it is, and what came of it.
//!
//! | type | what it is |
//! |---|---|
//! | [`JobId`] | the name under which a job is known everywhere, in the store's keys too |
//! | [`Job`] | one attempt at a job, as a workload gets it |
//! | [`Progress`] | how far it is |
//! | [`Outcome`] | what came of the attempt |
//! | [`RetryPolicy`] | how often a job is tried, and how long it waits in between |

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The name under which a job is known: to its producer, to the queue, and in
/// the keys of what it puts into the store.
///
/// 1 to 128 ASCII letters, digits, `-`, `_`, `.` and `:`, the first of them a
/// letter or digit: no id can climb out of the store's folder.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$")]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

/// The text is no [`JobId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the job's id must be 1 to {} letters, digits, '-', '_', '.' or ':', beginning with a letter \
     or digit",
    JobId::LONGEST
)]
pub struct InvalidJobId;

impl JobId {
    /// The most bytes of an id.
    pub const LONGEST: usize = 128;

    /// A new id that sorts by the time it was made (`UUIDv7`).
    pub fn random() -> Self {
        Self(Uuid::now_v7().to_string())
    }

    /// The id for a name that some broker or peer gave the job: the name itself
    /// where it is an id, else always the same `UUIDv5` of it.
    pub fn of_foreign(name: &str) -> Self {
        name.parse().unwrap_or_else(|_| {
            Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string())
        })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JobId {
    type Err = InvalidJobId;

    fn from_str(text: &str) -> Result<Self, InvalidJobId> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for JobId {
    type Error = InvalidJobId;

    fn try_from(text: String) -> Result<Self, InvalidJobId> {
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if begins_well && text.len() <= Self::LONGEST && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(InvalidJobId)
        }
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One attempt at a job, as a workload gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The same at every attempt.
    pub id: JobId,
    /// What kind of job it is, as `export`. Where the source has no names it is
    /// the queue's.
    pub name: String,
    /// What the producer sent, byte for byte: JSON as a rule, but nobody has
    /// looked yet.
    pub payload: Vec<u8>,
    /// Which attempt this is, from 1 on. It was charged when the job was
    /// claimed, so attempts that ended in a crash are counted.
    pub attempt: u32,
    /// How many attempts there are in all.
    pub max_attempts: u32,
    /// When the producer added it, where the source tells.
    pub enqueued_at: Option<SystemTime>,
}

impl Job {
    /// The payload as `T`. What cannot be parsed will not get better: the
    /// workload answers with [`Outcome::Reject`].
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.payload)
    }

    /// Whether a failure of this attempt is final.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }
}

/// How far a job is; the `detailedProgress` of the exports API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// 0 to 100.
    #[schema(maximum = 100)]
    pub percent: u8,
    /// What is being done, as `transcode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_operation: Option<String>,
    /// How far it is in the output, as `00:02:15`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timemark: Option<String>,
}

impl Progress {
    /// `percent` of all, without detail.
    pub fn percent(percent: u8) -> Self {
        Self {
            percent: percent.min(100),
            ..Self::default()
        }
    }

    /// What another worker wrote as a job's progress: a number, or an object with
    /// a `percent`. Anything else is no progress.
    pub fn of_foreign(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let percent = value.as_f64().or_else(|| value.get("percent")?.as_f64())?;
        Some(Self {
            percent: whole_percent(percent),
            current_operation: text("currentOperation"),
            timemark: text("timemark"),
        })
    }
}

impl From<flatbed_media::Progress> for Progress {
    fn from(engine: flatbed_media::Progress) -> Self {
        Self {
            percent: whole_percent(engine.percent().unwrap_or_default()),
            current_operation: engine.operation.map(str::to_owned),
            timemark: Some(engine.timemark()),
        }
    }
}

/// Rounded down: 100 means done.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped first
fn whole_percent(percent: f64) -> u8 {
    percent.clamp(0.0, 100.0) as u8
}

/// What came of an attempt. Workloads return it, the runner alone settles it.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done; the job is completed with this result.
    Done(Value),
    /// Failed in a way that may pass: a peer was busy, the disk full. The job is
    /// tried again, or set aside if this was the last attempt.
    Retry {
        /// How long to wait before; `None` for what the job's own backoff or the
        /// queue's [`RetryPolicy`] says.
        after: Option<Duration>,
        /// One line for whoever looks at the job.
        reason: String,
    },
    /// Failed for good: the input is at fault. The job is set aside at once.
    Reject {
        /// One line for whoever looks at the job.
        reason: String,
    },
    /// Stopped because somebody cancelled the job. It is not tried again.
    Cancelled,
    /// Stopped because this worker ends. The job goes back to the head of its
    /// queue and the attempt is not charged.
    PutBack,
}

impl Outcome {
    /// An [`Outcome::Retry`] after the policy's delay.
    pub fn retry(reason: impl fmt::Display) -> Self {
        Self::Retry {
            after: None,
            reason: reason.to_string(),
        }
    }

    /// An [`Outcome::Reject`].
    pub fn reject(reason: impl fmt::Display) -> Self {
        Self::Reject {
            reason: reason.to_string(),
        }
    }
}

/// How often a job is tried, and how long it waits in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// The wait after the first attempt; doubled after each further one.
    pub first_delay: Duration,
    /// No wait is longer, jitter aside.
    pub longest_delay: Duration,
}

impl Default for RetryPolicy {
    /// As the exports document says: 3 attempts, 5 seconds, doubling.
    fn default() -> Self {
        Self {
            attempts: 3,
            first_delay: Duration::from_secs(5),
            longest_delay: Duration::from_secs(3600),
        }
    }
}

impl RetryPolicy {
    /// How long `job` waits if this came of its attempt: as the outcome says, else
    /// as the policy does; not at all if it is not to be retried.
    pub fn wait(&self, outcome: &Outcome, job: &Job) -> Duration {
        match outcome {
            Outcome::Retry { after, .. } => {
                after.unwrap_or_else(|| self.delay(&job.id, job.attempt))
            }
            _ => Duration::ZERO,
        }
    }

    /// How long `id` waits after its attempt number `attempt` failed: the doubled
    /// delay and up to a fifth more, so that jobs that failed together do not
    /// come back together. The same job and attempt give the same delay.
    pub fn delay(&self, id: &JobId, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let delay = self
            .first_delay
            .saturating_mul(1 << doublings)
            .min(self.longest_delay);
        let mut hasher = DefaultHasher::new();
        (id, attempt).hash(&mut hasher);
        let thousandths = u32::try_from(hasher.finish() % 200).unwrap_or_default();
        delay.saturating_add(delay.saturating_mul(thousandths) / 1000)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_cannot_climb() {
        for text in ["1", "0193-ab_c.d", "repeat:9f:1700000000000"] {
            assert_eq!(text.parse::<JobId>().unwrap().as_str(), text);
        }
        let long = "a".repeat(JobId::LONGEST + 1);
        for text in ["", "..", ".a", "a/b", "a b", "ä", "-a", "a\n", &long] {
            assert_eq!(text.parse::<JobId>(), Err(InvalidJobId), "{text:?}");
            let derived = JobId::of_foreign(text);
            assert_eq!(derived.as_str().parse(), Ok(derived.clone()));
            assert_eq!(derived, JobId::of_foreign(text));
        }
        assert_eq!(JobId::of_foreign("17").as_str(), "17");
        assert_ne!(JobId::of_foreign("a b"), JobId::of_foreign("a c"));
        assert_ne!(JobId::random(), JobId::random());
    }

    #[test]
    fn progress_is_written_as_the_api_has_it() {
        let progress = Progress {
            percent: 45,
            current_operation: Some("transcode".to_owned()),
            timemark: Some("00:02:15".to_owned()),
        };
        let written =
            json!({"percent": 45, "currentOperation": "transcode", "timemark": "00:02:15"});
        assert_eq!(serde_json::to_value(&progress).unwrap(), written);
        assert_eq!(Progress::of_foreign(&written), Some(progress));
        assert_eq!(
            Progress::of_foreign(&json!(45.9)),
            Some(Progress::percent(45))
        );
        assert_eq!(Progress::of_foreign(&json!(-3)), Some(Progress::percent(0)));
        assert_eq!(
            Progress::of_foreign(&json!({"percent": 1e9})),
            Some(Progress::percent(100))
        );
        assert_eq!(Progress::of_foreign(&json!("soon")), None);
    }

    #[test]
    fn delays_double_with_a_little_jitter() {
        let policy = RetryPolicy::default();
        let id = JobId::random();
        for (attempt, seconds) in [(1, 5), (2, 10), (3, 20), (20, 3600), (u32::MAX, 3600)] {
            let least = Duration::from_secs(seconds);
            let delay = policy.delay(&id, attempt);
            assert!(
                delay >= least && delay <= least * 6 / 5,
                "{attempt}: {delay:?}"
            );
            assert_eq!(delay, policy.delay(&id, attempt));
        }
    }
}
