//! The backend that orders images and waits to hear of them.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | where it is, and how it knows us |
//! | [`model`] | an image job as the backend has it, and what is said of it |
//! | `exchange.rs` | one request and its answer |
//! | `alone.rs` | whether the backend is away for all jobs, or fails at one alone |
//! | `error.rs` | why a call failed |
//!
//! `GET /api/image-jobs/:id`, and `PATCH /api/image-jobs/:id/status`.
//!
//! - All calls can be repeated, and are, with growing pauses, while the backend is away
//!   or busy.
//! - The token goes to the backend alone: no redirect is followed.
//! - Answers are bounded in size and time, and errors name no secret.

mod alone;
pub mod config;
mod error;
mod exchange;
pub mod model;

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::client::pauses::Pauses;

use alone::{Alone, Call};
pub use config::Config;
pub use error::{Error, Result};
pub use model::{ImageJob, ImageJobId, Status, Update};

/// Pauses between tries: doubled from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// No pause that the backend asks for is longer.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// What a job is called that no backend has: an `ObjectID` of zeros.
const NOBODY: &str = "000000000000000000000000";

/// The backend. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Backend {
    client: Client,
    config: Arc<Config>,
    alone: Arc<Alone>,
}

impl Backend {
    /// A client; nothing is asked yet.
    pub fn new(config: Config) -> Result<Self> {
        // The first provider that is installed stays; all are ring here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(config.timeout)
            .timeout(config.timeout)
            .user_agent(concat!("flatbed/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::of_client("HTTP client", &error))?;
        Ok(Self {
            client,
            config: Arc::new(config),
            alone: Arc::default(),
        })
    }

    /// The address, for people.
    pub fn address(&self) -> &str {
        self.config.url.as_str()
    }

    /// The job, as the backend has it now.
    pub async fn job(&self, id: &ImageJobId) -> Result<ImageJob> {
        let path = format!("api/image-jobs/{id}");
        let mut patience = self.patience();
        loop {
            match self.ask(&path).await {
                Ok(job) => {
                    self.alone.done(id, Call::Job);
                    return Ok(job);
                }
                Err(error) => patience
                    .wait(error)
                    .await
                    .map_err(|error| self.blame(error, id, Call::Job))?,
            }
        }
    }

    async fn ask(&self, path: &str) -> Result<ImageJob> {
        let answer = self.exchange(Method::GET, path, None).await?;
        let request = format!("GET /{path}");
        let mut answer: Value = serde_json::from_slice(&answer)
            .map_err(|error| Error::foreign(&request, &error.to_string()))?;
        match answer.get_mut("data").map(Value::take) {
            // Some say so of what is not there.
            Some(Value::Null) => Err(Error::Absent { request }),
            Some(job) => serde_json::from_value(job).map_err(|error| Error::Failing {
                request,
                reason: format!("the image job cannot be read: {error}"),
            }),
            None => Err(Error::Failing {
                request,
                reason: "its answer has no data".to_owned(),
            }),
        }
    }

    /// Says how the job is. `may_say` is awaited before each try: nothing is said of a
    /// job that others may have by then.
    pub async fn update<F: Future<Output = ()>>(
        &self,
        id: &ImageJobId,
        update: &Update<'_>,
        may_say: impl Fn() -> F,
    ) -> Result<()> {
        let path = format!("api/image-jobs/{id}/status");
        let mut patience = self.patience();
        loop {
            may_say().await;
            match self.exchange(Method::PATCH, &path, Some(update)).await {
                Ok(_) => {
                    self.alone.done(id, update.into());
                    return Ok(());
                }
                Err(error) => patience
                    .wait(error)
                    .await
                    .map_err(|error| self.blame(error, id, update.into()))?,
            }
        }
    }

    /// What a call that was given up failed by: an answer that others do not get is the
    /// job's own affair.
    fn blame(&self, error: Error, id: &ImageJobId, call: Call) -> Error {
        if error.is_of_a_proxy() && self.alone.given_up(id, call) {
            error.of_one_job()
        } else {
            error
        }
    }

    /// Whether the backend answers, and knows us: one request.
    pub async fn check(&self) -> Result<()> {
        let path = format!("api/image-jobs/{NOBODY}");
        match self.exchange(Method::GET, &path, None).await {
            Ok(_) | Err(Error::Absent { .. } | Error::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn patience(&self) -> Patience {
        Patience {
            until: Instant::now() + self.config.patience,
            pauses: Pauses::new(FIRST_PAUSE, LONGEST_PAUSE),
            told: false,
        }
    }
}

/// How long a call is repeated, and after which pauses.
struct Patience {
    until: Instant,
    pauses: Pauses,
    told: bool,
}

impl Patience {
    /// Waits for the next try, unless nothing better will come of it.
    async fn wait(&mut self, error: Error) -> Result<()> {
        if !error.passes() {
            return Err(error);
        }
        let asked = error.retry_after().map(|asked| asked.min(LONGEST_ASKED));
        let wait = self.pauses.next(asked);
        if Instant::now() + wait > self.until {
            return Err(error);
        }
        if !self.told {
            tracing::warn!(%error, "the backend is asked again");
            self.told = true;
        }
        sleep(wait).await;
        Ok(())
    }
}
