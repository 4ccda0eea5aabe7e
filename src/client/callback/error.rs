//! Why a call to the backend failed, split by what helps.

use std::time::Duration;

use crate::client::said::deepest;

/// Why a call failed. Each names the request, in one line without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The backend cannot be reached or lets nobody through: it has nothing to do with
    /// the job.
    #[error("{request}: the backend is away: {reason}")]
    Away {
        /// Method and path.
        request: String,
        /// What happened.
        reason: String,
        /// The status that it answered with, if it did.
        status: Option<u16>,
        /// When it wants to be asked again, where it said.
        after: Option<Duration>,
    },
    /// Somebody must mend the settings on either side: the token, the address.
    #[error("{request}: {reason}; see to {remedy}")]
    Misled {
        /// Method and path.
        request: String,
        /// What happened.
        reason: String,
        /// The variables.
        remedy: &'static str,
    },
    /// The backend fails, or does not answer in time: perhaps at this job alone.
    #[error("{request}: the backend fails: {reason}")]
    Failing {
        /// Method and path.
        request: String,
        /// What happened.
        reason: String,
    },
    /// The backend knows no such job.
    #[error("{request}: {}", Error::ABSENT)]
    Absent {
        /// Method and path.
        request: String,
    },
    /// It does not take what we say.
    #[error("{request}: refused: {reason}")]
    Refused {
        /// Method and path.
        request: String,
        /// What it said.
        reason: String,
    },
}

/// What calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// How the text of [`Error::Absent`] ends.
    pub const ABSENT: &str = "the backend knows no such job";

    /// Whether the same call may do better later.
    pub fn passes(&self) -> bool {
        !matches!(self, Self::Absent { .. } | Self::Refused { .. })
    }

    /// Whether the same would come of any job.
    pub fn is_about_all_jobs(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Misled { .. })
    }

    /// Whether it is what a proxy says of a backend that is away, or that a request
    /// has crashed.
    pub(super) fn is_of_a_proxy(&self) -> bool {
        matches!(
            self,
            Self::Away {
                status: Some(502..=504),
                ..
            }
        )
    }

    /// The same, as it is once it is known that other jobs do not have it.
    pub(super) fn of_one_job(self) -> Self {
        match self {
            Self::Away {
                request, reason, ..
            } => Self::Failing {
                request,
                reason: format!("{reason}, and to other jobs it does not"),
            },
            other => other,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Away { after, .. } => *after,
            _ => None,
        }
    }

    /// What answered is no backend of images.
    pub(super) fn foreign(request: &str, reason: &str) -> Self {
        Self::Misled {
            request: request.to_owned(),
            reason: format!("its answer is no image job: {reason}"),
            remedy: "BACKEND_URL",
        }
    }

    /// What the HTTP client said.
    pub(super) fn of_client(request: &str, error: &reqwest::Error) -> Self {
        let deepest = deepest(error);
        let request = request.to_owned();
        if error.is_connect() {
            let reason = format!("no connection: {deepest}");
            return Self::Away {
                request,
                reason,
                status: None,
                after: None,
            };
        }
        let reason = if error.is_timeout() {
            "it did not answer in time".to_owned()
        } else {
            format!("the connection broke off: {deepest}")
        };
        Self::Failing { request, reason }
    }
}
