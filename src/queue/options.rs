//! How a queue behaves whose jobs lie in a database.

use std::time::Duration;

use super::Retention;
use crate::job::RetryPolicy;

/// How a queue behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which of the database's queues.
    pub queue: String,
    /// How long a claim holds.
    pub lease: Duration,
    /// How often jobs are tried.
    pub retry: RetryPolicy,
    /// How many finished jobs are remembered.
    pub retention: Retention,
    /// How often an idle consumer of a database on another host looks, although
    /// nothing told it of a job.
    pub look: Duration,
}

impl Options {
    /// The queue `name`, and the defaults: a lease of 30 s, which a killed
    /// worker's job waits for, and a look every 5 s.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            queue: name.into(),
            lease: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            retention: Retention::default(),
            look: Duration::from_secs(5),
        }
    }
}
