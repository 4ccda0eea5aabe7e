//! Why a step failed, and what becomes of the job.

use std::time::Duration;

use flatbed_media::Error as Engine;

use crate::archive;
use crate::client::models;
use crate::fetch;
use crate::job::Outcome;
use crate::store;

/// What somebody must mend first is tried again so much later.
const MENDING: Duration = Duration::from_secs(30 * 60);

/// A peer that is away or busy, beyond its client's own patience.
const AWAY: Duration = Duration::from_secs(120);

/// Why a step failed. What it prints begins with a word that tells what it was about.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The message is no order.
    #[error("order: {0}")]
    Order(String),
    /// There is no way to the video, or none that may be gone.
    #[error("source: {0}")]
    Source(String),
    /// It could not be downloaded.
    #[error("source: {0}")]
    Download(#[from] fetch::Error),
    /// The store that the video is in, or that results go to.
    #[error("store: {0}")]
    Store(#[from] store::Error),
    /// Where results are kept.
    #[error("archive: {0}")]
    Archive(#[from] archive::Error),
    /// The engine.
    #[error("video: {0}")]
    Engine(Engine),
    /// A model.
    #[error("model: {0}")]
    Model(#[from] models::Error),
    /// Files of this host.
    #[error("temporary files: {0}")]
    Disk(#[from] std::io::Error),
    /// The job was stopped.
    #[error("stopped")]
    Stopped,
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
    /// Whether it will be no better next time: the video or the order is at fault.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Order(_) | Self::Source(_) => true,
            Self::Download(error) => matches!(
                error,
                fetch::Error::Refused { .. }
                    | fetch::Error::Forbidden { .. }
                    | fetch::Error::TooLarge { .. }
            ),
            Self::Store(error) => matches!(error, store::Error::Absent { .. }),
            Self::Engine(error) => matches!(
                error,
                Engine::Malformed { .. } | Engine::Unsupported { .. } | Engine::Limit { .. }
            ),
            _ => false,
        }
    }

    /// Whether whatever else would be asked of the models now would fail likewise.
    pub fn is_about_all_calls(&self) -> bool {
        match self {
            Self::Model(error) => error.is_about_all_jobs(),
            Self::Archive(error) => {
                error.is_away() || matches!(error, archive::Error::Superseded(_))
            }
            Self::Stopped => true,
            _ => false,
        }
    }

    /// What becomes of the job.
    pub fn outcome(&self) -> Outcome {
        if self.is_final() {
            return Outcome::reject(self);
        }
        let after = match self {
            Self::Stopped => return Outcome::Cancelled,
            Self::Model(error) if error.passes() && !error.is_about_all_jobs() => None,
            Self::Model(error) if error.passes() => Some(error.retry_after().unwrap_or(AWAY)),
            Self::Archive(error) if error.is_away() => Some(AWAY),
            Self::Store(store::Error::Away { .. }) => Some(AWAY),
            Self::Model(_)
            | Self::Store(store::Error::Refused { .. } | store::Error::Full { .. }) => {
                Some(MENDING)
            }
            _ => None,
        };
        Outcome::Retry {
            after,
            reason: self.to_string(),
        }
    }
}
