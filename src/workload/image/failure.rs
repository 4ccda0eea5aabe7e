//! Why there is no image, what becomes of the job, and what the backend is told.

use std::time::Duration;

use flatbed_media::Error as Engine;
use tokio::time::sleep;

use crate::client::callback;
use crate::fetch;
use crate::job::Outcome;
use crate::runner::JobContext;
use crate::store;

/// What somebody must mend first is tried again so much later: three attempts give an
/// hour for it.
const MENDING: Duration = Duration::from_secs(30 * 60);

/// How long a job is kept that is put back because of an outage: nothing is gained by
/// having it at once again.
pub(super) const OUTAGE: Duration = Duration::from_secs(5);

/// Why an attempt made no image. What it prints begins with a word that tells which.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The message is no order of an image: there is nobody to tell.
    #[error("order: {0}")]
    Order(String),
    /// The backend did not do what it was asked.
    #[error("backend: {0}")]
    Backend(#[from] callback::Error),
    /// It had failed for good before, and the backend knows.
    #[error("ended: the backend has the image job as FAILED already")]
    Ended,
    /// Nobody knows any more that it was to be made.
    #[error("deleted: the image job was deleted while it was worked on")]
    Deleted,
    /// There is no way to the image.
    #[error("source: {0}")]
    Source(String),
    /// The image has too many bytes.
    #[error("size: it is larger than the {0} bytes allowed (IMAGE_MAX_BYTES)")]
    TooLarge(u64),
    /// Its address leads to where we do not go.
    #[error("address: {0}")]
    Forbidden(fetch::Error),
    /// It could not be downloaded.
    #[error("download: {0}")]
    Download(fetch::Error),
    /// The bucket.
    #[error("store: {0}")]
    Store(#[from] store::Error),
    /// The engine.
    #[error("image: {0}")]
    Engine(Engine),
    /// The job was stopped.
    #[error("stopped")]
    Stopped,
}

impl From<fetch::Error> for Failure {
    fn from(error: fetch::Error) -> Self {
        match error {
            fetch::Error::TooLarge { most, .. } => Self::TooLarge(most),
            fetch::Error::Forbidden { .. } => Self::Forbidden(error),
            other => Self::Download(other),
        }
    }
}

impl From<store::InvalidKey> for Failure {
    fn from(error: store::InvalidKey) -> Self {
        Self::Order(error.to_string())
    }
}

impl From<Engine> for Failure {
    fn from(error: Engine) -> Self {
        match error {
            Engine::Cancelled => Self::Stopped,
            other => Self::Engine(other),
        }
    }
}

impl Failure {
    /// Whether the same would come of any job: nothing is to be charged to this one.
    pub fn is_about_all_jobs(&self) -> bool {
        match self {
            Self::Backend(error) => error.is_about_all_jobs(),
            Self::Store(store::Error::Away { .. }) => true,
            _ => false,
        }
    }

    /// Ends the attempt: in an outage after a while, with a word in the log.
    pub async fn end(self, context: &JobContext) -> Outcome {
        if self.is_about_all_jobs() {
            tracing::error!(error = %self, "no image can be made; trying again");
            tokio::select! {
                () = sleep(OUTAGE) => {}
                () = context.stopped() => {}
            }
        }
        self.outcome()
    }

    /// What becomes of the job.
    pub fn outcome(&self) -> Outcome {
        if self.is_about_all_jobs() {
            return Outcome::PutBack;
        }
        match self {
            Self::Order(_)
            | Self::Ended
            | Self::Deleted
            | Self::Source(_)
            | Self::TooLarge(_)
            | Self::Forbidden(_)
            | Self::Backend(callback::Error::Absent { .. })
            | Self::Download(fetch::Error::Refused { .. })
            | Self::Engine(
                Engine::Malformed { .. } | Engine::Unsupported { .. } | Engine::Limit { .. },
            ) => Outcome::reject(self),
            Self::Store(store::Error::Cancelled { .. }) | Self::Stopped => Outcome::Cancelled,
            Self::Store(store::Error::Refused { .. } | store::Error::Full { .. }) => {
                Outcome::Retry {
                    after: Some(MENDING),
                    reason: self.to_string(),
                }
            }
            _ => Outcome::retry(self),
        }
    }
}

/// What the backend is told of a job that failed with this reason, in one line that
/// anybody may read: no addresses, no names of machines. `None` where it is not to be
/// told.
pub(super) fn public(reason: &str) -> Option<String> {
    let (kind, detail) = reason.split_once(": ").unwrap_or((reason, ""));
    let why = match kind {
        "order" | "ended" | "deleted" => return None,
        "backend" if detail.ends_with(callback::Error::ABSENT) => return None,
        "backend" => "its job could not be read or reported",
        "source" => "it is not where it should be",
        "size" => "it is too large",
        "address" => "its address is not allowed",
        "download" => "it could not be downloaded",
        "store" => "the result could not be stored",
        "image" => detail,
        _ if reason.starts_with("its worker was lost") => "its worker was lost",
        _ if reason.starts_with("not done after") => "it took too long",
        _ => "something went wrong",
    };
    let words: Vec<&str> = why.split_whitespace().collect();
    let why: String = words.join(" ").chars().take(300).collect();
    Some(format!("Failed to process image: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(failure: &Failure) -> Option<String> {
        public(&failure.to_string())
    }

    #[test]
    fn the_backend_hears_why_and_nothing_of_the_inside() {
        let url = "http://10.0.0.7/secret".to_owned();
        let reason = "10.0.0.7 leads to a private address".to_owned();
        let image = Failure::from(Engine::malformed("1-a.jpg", "this is no\nimage"));
        for (failure, expected) in [
            (image, "1-a.jpg: this is no image"),
            (
                Failure::from(fetch::Error::Forbidden {
                    url: url.clone(),
                    reason,
                }),
                "its address is not allowed",
            ),
            (
                Failure::from(fetch::Error::Away {
                    url: url.clone(),
                    reason: "no connection".to_owned(),
                }),
                "it could not be downloaded",
            ),
            (
                Failure::from(fetch::Error::TooLarge { url, most: 7 }),
                "it is too large",
            ),
            (
                Failure::from(store::Error::Refused {
                    object: "r2://inside/key".to_owned(),
                    reason: "AccessDenied".to_owned(),
                }),
                "the result could not be stored",
            ),
        ] {
            let expected = format!("Failed to process image: {expected}");
            assert_eq!(told(&failure), Some(expected));
        }
        for (reason, expected) in [
            (
                "its worker was lost in attempt 3 of 3",
                "its worker was lost",
            ),
            ("not done after 300s", "it took too long"),
            ("panicked: at the disco: 10.0.0.7", "something went wrong"),
        ] {
            let expected = format!("Failed to process image: {expected}");
            assert_eq!(public(reason), Some(expected));
        }
    }

    #[test]
    fn nobody_is_told_where_nobody_waits() {
        let absent = callback::Error::Absent {
            request: "GET /api/image-jobs/1".to_owned(),
        };
        for failure in [
            Failure::Order("no JSON".to_owned()),
            Failure::Ended,
            Failure::Deleted,
            Failure::from(absent),
        ] {
            assert_eq!(told(&failure), None, "{failure}");
            assert!(matches!(failure.outcome(), Outcome::Reject { .. }));
        }
    }

    #[test]
    fn an_outage_is_charged_to_no_job() {
        let request = || "GET /api/image-jobs/1".to_owned();
        let reason = || "503".to_owned();
        let away = callback::Error::Away {
            request: request(),
            reason: reason(),
            status: Some(503),
            after: None,
        };
        let misled = callback::Error::Misled {
            request: request(),
            reason: reason(),
            remedy: "CALLBACK_TOKEN",
        };
        let store = store::Error::Away {
            object: "r2://images".to_owned(),
            reason: reason(),
        };
        for failure in [away.into(), misled.into(), Failure::from(store)] {
            assert_eq!(failure.outcome(), Outcome::PutBack, "{failure}");
        }
        let failing = callback::Error::Failing {
            request: request(),
            reason: reason(),
        };
        let outcome = Failure::from(failing).outcome();
        assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    }
}
