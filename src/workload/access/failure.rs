//! Why a stage is not done with somebody, and what becomes of the job.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::client::hikcentral::{self, InvalidPersonCode};
use crate::job::Outcome;
use crate::queue;
use crate::runner::JobContext;

/// How long a job is kept that is put back because of an outage: nothing is gained by
/// having it at once again.
const OUTAGE: Duration = Duration::from_secs(5);

/// An outage is told of once in this time: each of many jobs finds it anew.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// Why a stage is not done. It names no person.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The message is none of the chain's.
    #[error("message: {0}")]
    Message(String),
    /// The KIB number cannot be a person's code.
    #[error("KIB number: {0}")]
    Code(#[from] InvalidPersonCode),
    /// `HikCentral` did not do what it was asked.
    #[error("{0}")]
    HikCentral(#[from] hikcentral::Error),
    /// It has somebody with the code, and does not find them.
    #[error("HikCentral says that it has a person with this code, and finds none by it")]
    Hidden,
    /// Not all groups are the person's.
    #[error("Assigned {assigned}/{all} privilege groups to person {person}; missing: {missing}")]
    Partly {
        /// Groups that are.
        assigned: usize,
        /// Groups that should be.
        all: usize,
        /// By `HikCentral`'s number.
        person: String,
        /// Which are not, and why.
        missing: String,
        /// Whether another attempt may do better.
        passes: bool,
    },
    /// The devices at the doors do not have the person.
    #[error("devices: {0}")]
    Devices(String),
    /// The next stage's message.
    #[error("the next message: {0}")]
    Queue(#[from] queue::Error),
}

impl Failure {
    /// Whether the same would come of anybody: nothing is to be charged to this one.
    pub fn is_about_all_jobs(&self) -> bool {
        match self {
            Self::HikCentral(error) => error.is_about_all_jobs(),
            Self::Queue(_) => true,
            _ => false,
        }
    }

    /// What becomes of the job.
    pub fn outcome(&self) -> Outcome {
        if self.is_about_all_jobs() {
            return Outcome::PutBack;
        }
        match self {
            Self::Message(_) | Self::Code(_) | Self::Partly { passes: false, .. } => {
                Outcome::reject(self)
            }
            Self::HikCentral(error) if error.is_final() => Outcome::reject(self),
            Self::HikCentral(error) => Outcome::Retry {
                after: error.retry_after(),
                reason: self.to_string(),
            },
            Self::Hidden | Self::Partly { .. } | Self::Devices(_) | Self::Queue(_) => {
                Outcome::retry(self)
            }
        }
    }
}

/// Outages, told of now and then. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Outages(Arc<Mutex<Option<Instant>>>);

impl Outages {
    /// Ends an attempt that failed: in an outage after a while, with a word in the log.
    pub(super) async fn end(
        &self,
        stage: &'static str,
        failure: &Failure,
        context: &JobContext,
    ) -> Outcome {
        if failure.is_about_all_jobs() {
            if self.is_to_be_told() {
                tracing::error!(stage, error = %failure, "nobody gets on; people wait and nobody is lost");
            }
            let pause = match failure {
                Failure::HikCentral(error) => error.retry_after().unwrap_or(OUTAGE),
                _ => OUTAGE,
            };
            tokio::select! {
                () = sleep(pause.clamp(Duration::from_millis(100), 2 * OUTAGE)) => {}
                () = context.stopped() => {}
            }
        }
        failure.outcome()
    }

    fn is_to_be_told(&self) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|at| at.elapsed() < TELL_EVERY) {
            return false;
        }
        *told = Some(Instant::now());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_everybody_costs_nobody_an_attempt() {
        let away = queue::Error::Away {
            queue: "q".to_owned(),
            reason: "gone".to_owned(),
            source: None,
        };
        assert_eq!(Failure::from(away).outcome(), Outcome::PutBack);
        let partly = |passes| Failure::Partly {
            assigned: 2,
            all: 3,
            person: "18945".to_owned(),
            missing: "8 (it is busy)".to_owned(),
            passes,
        };
        assert_eq!(
            partly(false).outcome(),
            Outcome::reject(
                "Assigned 2/3 privilege groups to person 18945; missing: 8 (it is busy)"
            )
        );
        assert!(matches!(partly(true).outcome(), Outcome::Retry { .. }));
        let message = Failure::Message("it is no JSON".to_owned());
        assert!(matches!(message.outcome(), Outcome::Reject { .. }));
    }
}
