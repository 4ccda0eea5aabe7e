//! How many jobs at once, deadline, time to drain.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::config::Variables;

/// How a [`Runner`](super::Runner) runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Jobs at once.
    pub concurrency: NonZeroUsize,
    /// How long one attempt may take.
    pub deadline: Duration,
    /// How long running jobs may go on after SIGTERM.
    pub shutdown_grace: Duration,
}

impl Default for Config {
    /// Two jobs, an hour, and 25 seconds: Kubernetes kills after 30.
    fn default() -> Self {
        Self {
            concurrency: NonZeroUsize::MIN.saturating_add(1),
            deadline: Duration::from_secs(3600),
            shutdown_grace: Duration::from_secs(25),
        }
    }
}

impl Config {
    /// The longest deadline, in milliseconds: a week.
    const LONGEST: u64 = 7 * 24 * 3600 * 1000;

    /// The settings of exports: `VIDEO_WORKER_CONCURRENCY`,
    /// `VIDEO_PROCESSING_TIMEOUT` (ms) and `SHUTDOWN_GRACE_SECONDS`.
    pub fn exports(variables: &mut Variables) -> Self {
        let default = Self::default();
        Self {
            concurrency: variables.number("VIDEO_WORKER_CONCURRENCY", default.concurrency, 1..=256),
            deadline: variables.millis(
                "VIDEO_PROCESSING_TIMEOUT",
                default.deadline,
                1..=Self::LONGEST,
            ),
            shutdown_grace: variables.seconds(
                "SHUTDOWN_GRACE_SECONDS",
                default.shutdown_grace,
                0..=3600,
            ),
        }
    }
}

impl Config {
    /// The settings of clips: `CCTV_CONCURRENCY` and `CCTV_TIMEOUT_SECONDS`; the
    /// grace is the process's.
    pub fn clips(variables: &mut Variables, shutdown_grace: Duration) -> Self {
        let default = Self::default();
        Self {
            concurrency: variables.number("CCTV_CONCURRENCY", default.concurrency, 1..=256),
            deadline: variables.seconds(
                "CCTV_TIMEOUT_SECONDS",
                default.deadline,
                1..=Self::LONGEST / 1000,
            ),
            shutdown_grace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invalid;

    #[test]
    fn the_document_s_variables_and_units() {
        let mut variables = Variables::of([
            ("VIDEO_WORKER_CONCURRENCY", "3"),
            ("VIDEO_PROCESSING_TIMEOUT", "90000"),
            ("SHUTDOWN_GRACE_SECONDS", "0"),
        ]);
        let config = Config::exports(&mut variables);
        assert_eq!(config.concurrency.get(), 3);
        assert_eq!(config.deadline, Duration::from_secs(90));
        assert_eq!(config.shutdown_grace, Duration::ZERO);
        assert_eq!(variables.finish().unwrap().len(), 3);
        assert_eq!(Config::exports(&mut Variables::of([])), Config::default());

        let mut variables = Variables::of([
            ("VIDEO_WORKER_CONCURRENCY", "0"),
            ("VIDEO_PROCESSING_TIMEOUT", "1h"),
        ]);
        Config::exports(&mut variables);
        let Invalid(errors) = variables.finish().unwrap_err();
        assert_eq!(errors.len(), 2, "{errors:?}");
    }
}
