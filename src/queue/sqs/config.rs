//! The settings of analysis jobs, where their queue is in SQS.

use std::num::NonZeroUsize;

use super::Options;
use crate::aws::Access;
use crate::config::Variables;
use crate::job::RetryPolicy;

/// Where the queue is, and how it is worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The queue.
    pub options: Options,
    /// `SQS_MAX_MESSAGES`: messages in hand at once. Each is asked for when there is
    /// room for it.
    pub at_once: NonZeroUsize,
}

impl Config {
    /// `AWS_SQS_QUEUE_URL`, `AWS_REGION` and AWS's other variables, `SQS_MAX_MESSAGES`
    /// (1), `SQS_WAIT_TIME` (20 s), `WORKER_MAX_ATTEMPTS` (3), `SQS_VISIBILITY_SECONDS`
    /// (120), `AWS_SQS_DEAD_LETTER_URL`, `AWS_ENDPOINT_URL_SQS`. `None` without a queue.
    pub fn analysis(variables: &mut Variables) -> Option<Self> {
        let url = variables.text("AWS_SQS_QUEUE_URL")?;
        let default = Options::new(url, Access::read(variables));
        Some(Self {
            options: Options {
                endpoint: variables.text("AWS_ENDPOINT_URL_SQS"),
                dead_letter_url: variables.text("AWS_SQS_DEAD_LETTER_URL"),
                lease: variables.seconds("SQS_VISIBILITY_SECONDS", default.lease, 1..=43200),
                wait: variables.seconds("SQS_WAIT_TIME", default.wait, 0..=20),
                retry: RetryPolicy {
                    attempts: variables.number("WORKER_MAX_ATTEMPTS", 3, 1..=100),
                    ..default.retry
                },
                ..default
            },
            at_once: variables.number("SQS_MAX_MESSAGES", NonZeroUsize::MIN, 1..=10),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_document_s_variables() {
        assert_eq!(Config::analysis(&mut Variables::of([])), None);
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs";
        let mut variables = Variables::of([
            ("AWS_SQS_QUEUE_URL", url),
            ("AWS_REGION", "eu-west-1"),
            ("SQS_MAX_MESSAGES", "4"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ]);
        let config = Config::analysis(&mut variables).unwrap();
        assert_eq!(config.options.url, url);
        assert_eq!(config.options.access.region, "eu-west-1");
        assert_eq!(config.options.wait, Duration::from_secs(20));
        assert_eq!(config.options.retry.attempts, 3);
        assert_eq!(config.at_once.get(), 4);
        let told = format!("{config:?} {:?}", variables.finish().unwrap());
        assert!(!told.contains("hunter2"), "{told}");

        let mut variables = Variables::of([("AWS_SQS_QUEUE_URL", url), ("SQS_WAIT_TIME", "30")]);
        Config::analysis(&mut variables);
        assert!(variables.finish().is_err());
    }
}
