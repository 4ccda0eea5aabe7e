//! The settings of image jobs, whose queue is a plain list.

use std::fmt;
use std::str::FromStr;

use super::Options;
use crate::config::{Secret, Variables};
use crate::job::RetryPolicy;

/// Where the list is, and how it is worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The server's address, which may hold a password.
    pub url: Secret,
    /// The rest.
    pub options: Options,
}

impl Config {
    /// Image jobs: `REDIS_URI` (or `REDIS_URL`), `IMAGE_QUEUE_NAME` (`task_queue`),
    /// `IMAGE_LEASE_SECONDS` (30), `IMAGE_MAX_ATTEMPTS` (3) and `IMAGE_UNKNOWN_TASKS`
    /// (`return`: messages of other tasks stay in the list); `None` without an address.
    pub fn images(variables: &mut Variables) -> Option<Self> {
        let url = variables
            .secret("REDIS_URI")
            .or_else(|| variables.secret("REDIS_URL"))?;
        let default = Options::new(variables.text_or("IMAGE_QUEUE_NAME", "task_queue"));
        let unknown = variables.parse("IMAGE_UNKNOWN_TASKS", Unknown::default());
        Some(Self {
            url,
            options: Options {
                lease: variables.seconds("IMAGE_LEASE_SECONDS", default.lease, 1..=3600),
                retry: RetryPolicy {
                    attempts: variables.number("IMAGE_MAX_ATTEMPTS", 3, 1..=100),
                    ..default.retry
                },
                only_task: (unknown == Unknown::Return).then(|| IMAGE_TASK.to_owned()),
                ..default
            },
        })
    }
}

impl Config {
    /// Analyses: `REDIS_URL`, `ANALYSIS_LIST` (`video_jobs`), tried so often; `None`
    /// without an address.
    pub fn analyses(variables: &mut Variables, attempts: u32) -> Option<Self> {
        let url = variables.secret("REDIS_URL")?;
        let default = Options::new(variables.text_or("ANALYSIS_LIST", "video_jobs"));
        Some(Self {
            url,
            options: Options {
                retry: RetryPolicy {
                    attempts,
                    ..default.retry
                },
                ..default
            },
        })
    }
}

/// The `task_type` of image jobs.
pub const IMAGE_TASK: &str = "process_image";

/// What becomes of messages of other tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Unknown {
    /// They stay in the list, for other workers.
    #[default]
    Return,
    /// They are taken like all others, and the workload refuses them.
    SetAside,
}

impl FromStr for Unknown {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "return" => Ok(Self::Return),
            "set_aside" => Ok(Self::SetAside),
            _ => Err("expected return or set_aside"),
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Return => "return",
            Self::SetAside => "set_aside",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_document_s_names_and_defaults() {
        assert_eq!(Config::images(&mut Variables::of([])), None);
        let mut variables = Variables::of([("REDIS_URI", "redis://:hunter2@localhost:6379")]);
        let config = Config::images(&mut variables).unwrap();
        let expected = Options {
            only_task: Some(IMAGE_TASK.to_owned()),
            ..Options::new("task_queue")
        };
        assert_eq!(config.options, expected);
        assert_eq!(config.url.expose(), "redis://:hunter2@localhost:6379");
        let told = format!("{config:?} {:?}", variables.finish().unwrap());
        assert!(!told.contains("hunter2"), "{told}");

        let mut variables = Variables::of([
            ("REDIS_URL", "redis://localhost"),
            ("IMAGE_QUEUE_NAME", "photos"),
            ("IMAGE_LEASE_SECONDS", "60"),
            ("IMAGE_MAX_ATTEMPTS", "5"),
            ("IMAGE_UNKNOWN_TASKS", "set_aside"),
        ]);
        let options = Config::images(&mut variables).unwrap().options;
        assert_eq!(options.list, "photos");
        assert_eq!(options.only_task, None);
        assert_eq!(options.lease, Duration::from_secs(60));
        assert_eq!(options.retry.attempts, 5);
        assert!(variables.finish().is_ok());
    }
}
