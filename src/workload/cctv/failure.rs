//! Why there is no clip, and what becomes of the item then.

use std::time::Duration;

use flatbed_media::Error as Engine;

use crate::client::hikvision;
use crate::job::{Job, Outcome};
use crate::store;

/// What somebody must mend first is tried again so much later: often enough that it
/// goes on by itself once it is mended, and so seldom that three attempts give an
/// hour for it.
const MENDING: Duration = Duration::from_secs(30 * 60);

/// The first wait for a peer that is away or busy; four times as long after each
/// further attempt.
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Why an attempt made no clip.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The order itself will not do.
    #[error("{0}")]
    Order(String),
    /// It is too early.
    #[error("{reason}")]
    Later {
        /// How long to wait.
        after: Duration,
        /// For what.
        reason: String,
    },
    /// The camera's row will not do.
    #[error("{0}")]
    Camera(String),
    /// The recorder did not do what it was asked.
    #[error(transparent)]
    Recorder(#[from] hikvision::Error),
    /// Nothing was recorded.
    #[error("{0}")]
    NoFootage(String),
    /// What came of a recording is less than the recorder lists.
    #[error("{0}")]
    Short(String),
    /// The disk for temporary files.
    #[error("{0}")]
    Disk(String),
    /// The bucket.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The engine.
    #[error(transparent)]
    Engine(Engine),
    /// The job was stopped.
    #[error("stopped")]
    Stopped,
}

impl From<Engine> for Failure {
    /// What a stream on either side of the engine said is that side's.
    fn from(error: Engine) -> Self {
        if let Some(error) = store::Error::within(&error) {
            return Self::Store(error.clone());
        }
        match error {
            Engine::Cancelled => Self::Stopped,
            other => Self::Engine(other),
        }
    }
}

impl Failure {
    /// What becomes of the job.
    pub fn outcome(&self, job: &Job) -> Outcome {
        let again = |after: Duration| Outcome::Retry {
            after: Some(after),
            reason: self.to_string(),
        };
        let wait = || again(wait(job.attempt));
        match self {
            Self::Order(_)
            | Self::NoFootage(_)
            | Self::Recorder(hikvision::Error::TooMuch { .. })
            | Self::Engine(
                Engine::Malformed { .. } | Engine::Unsupported { .. } | Engine::Limit { .. },
            ) => Outcome::reject(self),
            Self::Later { after, .. } => again(*after),
            Self::Camera(_) | Self::Store(store::Error::Refused { .. }) => again(MENDING),
            Self::Recorder(hikvision::Error::Cancelled { .. })
            | Self::Store(store::Error::Cancelled { .. })
            | Self::Stopped => Outcome::Cancelled,
            Self::Recorder(error) => match error.retry_after() {
                Some(after) => again(after.max(FIRST_WAIT)),
                None if error.passes() => wait(),
                None => again(MENDING),
            },
            Self::Store(_) | Self::Engine(_) | Self::Short(_) | Self::Disk(_) => wait(),
        }
    }

    /// Whether the same recordings may be whole if they are fetched to a disk first.
    pub fn may_be_a_broken_download(&self) -> bool {
        use hikvision::Error as E;
        matches!(
            self,
            Self::Short(_)
                | Self::Recorder(E::BrokeOff { .. } | E::Empty { .. })
                | Self::Engine(Engine::Malformed { .. } | Engine::Unsupported { .. })
        )
    }

    /// A word for a metric.
    pub fn kind(&self) -> &'static str {
        use hikvision::Error as E;
        match self {
            Self::Order(_) => "order",
            Self::Later { .. } => "early",
            Self::Camera(_) => "camera",
            Self::Recorder(E::Password { .. } | E::Locked { .. } | E::Denied { .. }) => "login",
            Self::Recorder(E::Busy { .. }) => "busy",
            Self::Recorder(E::Away { .. }) => "away",
            Self::Recorder(E::BrokeOff { .. } | E::Empty { .. }) | Self::Short(_) => "broken",
            Self::Recorder(_) => "recorder",
            Self::NoFootage(_) => "no_footage",
            Self::Disk(_) => "disk",
            Self::Store(_) => "store",
            Self::Engine(_) => "engine",
            Self::Stopped => "stopped",
        }
    }
}

/// How long to wait after this many attempts.
fn wait(attempt: u32) -> Duration {
    let times = 4_u32.saturating_pow(attempt.saturating_sub(1).min(8));
    FIRST_WAIT.saturating_mul(times).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use std::io;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::job::JobId;

    fn job(attempt: u32) -> Job {
        Job {
            id: JobId::of_foreign("7"),
            name: "clip".to_owned(),
            payload: Vec::new(),
            attempt,
            max_attempts: 3,
            enqueued_at: None,
        }
    }

    fn after(failure: &Failure, attempt: u32) -> u64 {
        match failure.outcome(&job(attempt)) {
            Outcome::Retry {
                after: Some(after), ..
            } => after.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_passes_comes_back_and_what_must_be_mended_waits_long() {
        let device = || "10.0.0.9".to_owned();
        let busy = Failure::Recorder(hikvision::Error::Busy {
            device: device(),
            what: "send",
            tries: 3,
        });
        assert_eq!([1, 2, 3, 9].map(|n| after(&busy, n)), [60, 240, 960, 3600]);
        let denied = Failure::Recorder(hikvision::Error::Denied {
            device: device(),
            user: "clips".to_owned(),
            what: "search",
            answer: "no".to_owned(),
        });
        assert_eq!(after(&denied, 1), 1800);
        let password = Failure::Recorder(hikvision::Error::Password {
            device: device(),
            user: "clips".to_owned(),
            left: None,
            until: Timestamp::now() + SignedDuration::from_secs(900),
        });
        assert!((890..=900).contains(&after(&password, 1)));
        assert_eq!(after(&Failure::Camera("no token".to_owned()), 2), 1800);
        for failure in [
            Failure::Order("end before start".to_owned()),
            Failure::NoFootage("nothing".to_owned()),
            Failure::from(Engine::malformed("a", "no video")),
        ] {
            let outcome = failure.outcome(&job(1));
            assert!(matches!(outcome, Outcome::Reject { .. }), "{outcome:?}");
        }
        assert_eq!(Failure::Stopped.outcome(&job(1)), Outcome::Cancelled);
    }

    #[test]
    fn a_store_s_error_within_the_engine_s_is_the_store_s() {
        let away = store::Error::Away {
            object: "gs://clips/a".to_owned(),
            reason: "503".to_owned(),
        };
        let error = Engine::io("a", io::Error::from(away.clone()));
        let failure = Failure::from(error);
        assert!(matches!(&failure, Failure::Store(error) if *error == away));
        assert_eq!(after(&failure, 1), 60);
    }
}
