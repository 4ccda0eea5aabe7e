//! How the table of packing items is worked on: batches, leases, attempts.

use std::time::Duration;

use super::Names;
use crate::config::Variables;
use crate::job::RetryPolicy;

/// How the table is worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What tables, columns and statuses are called.
    pub names: Names,
    /// `BATCH_INTERVAL_SECONDS`: how long a batch lasts, from its first item on.
    pub batch_interval: Duration,
    /// `BATCH_SIZE`: how many items that nobody has triggered this process takes in
    /// a batch.
    pub batch_size: u32,
    /// `AUTO_BATCH_ENABLED`: whether it takes items that nobody has triggered.
    pub auto: bool,
    /// `CLIP_DELAY_SECONDS`: how long after its end an item is claimed at the soonest:
    /// recorders write some seconds late.
    pub delay: Duration,
    /// Items of one recorder, its host and port, at a time, over all workers: it would
    /// refuse more, as being busy.
    pub per_recorder: u32,
    /// `CCTV_LEASE_SECONDS`: how long a killed worker's item waits.
    pub lease: Duration,
    /// `CCTV_MAX_ATTEMPTS`, and the waits between them.
    pub retry: RetryPolicy,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            names: Names::default(),
            batch_interval: Duration::from_secs(60),
            batch_size: 10,
            auto: true,
            delay: Duration::from_secs(10),
            per_recorder: u32::MAX,
            lease: Duration::from_secs(30),
            retry: RetryPolicy::default(),
        }
    }
}

impl Config {
    /// Reads it, but for how many items a recorder can do at a time.
    pub fn read(variables: &mut Variables) -> Self {
        let default = Self::default();
        Self {
            names: Names::read(variables),
            batch_interval: variables.seconds(
                "BATCH_INTERVAL_SECONDS",
                default.batch_interval,
                1..=24 * 3600,
            ),
            batch_size: variables.number("BATCH_SIZE", default.batch_size, 1..=1_000_000),
            auto: variables.switch("AUTO_BATCH_ENABLED", default.auto),
            delay: variables.seconds("CLIP_DELAY_SECONDS", default.delay, 0..=7 * 24 * 3600),
            per_recorder: default.per_recorder,
            lease: variables.seconds("CCTV_LEASE_SECONDS", default.lease, 1..=3600),
            retry: RetryPolicy {
                attempts: variables.number("CCTV_MAX_ATTEMPTS", default.retry.attempts, 1..=1000),
                ..default.retry
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_from_the_documents_variables() {
        let mut variables = Variables::of([
            ("BATCH_INTERVAL_SECONDS", "5"),
            ("BATCH_SIZE", "3"),
            ("AUTO_BATCH_ENABLED", "False"),
            ("CCTV_MAX_ATTEMPTS", "4"),
        ]);
        let config = Config::read(&mut variables);
        assert!(variables.finish().is_ok());
        assert_eq!(config.batch_interval, Duration::from_secs(5));
        assert_eq!((config.batch_size, config.auto), (3, false));
        assert_eq!(config.retry.attempts, 4);
        assert_eq!(Config::read(&mut Variables::default()), Config::default());

        let mut variables = Variables::of([("AUTO_BATCH_ENABLED", "maybe"), ("BATCH_SIZE", "0")]);
        Config::read(&mut variables);
        assert_eq!(variables.finish().unwrap_err().0.len(), 2);
    }
}
