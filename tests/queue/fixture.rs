//! What an adapter gives the contract suite.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use flatbed::job::RetryPolicy;
use flatbed::queue::{Admin, DeadLetters, NewJob, Page, Source, State};

/// How the queue under test is to be set up.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub lease: Duration,
    pub retry: RetryPolicy,
}

impl Default for Settings {
    /// A lease as short as the coarsest broker's clock allows.
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(2),
            retry: RetryPolicy {
                attempts: 3,
                first_delay: Duration::from_millis(200),
                longest_delay: Duration::from_secs(1),
            },
        }
    }
}

/// A job that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub payload: Vec<u8>,
    /// Where the broker keeps it.
    pub reason: Option<String>,
}

/// A fresh queue on a real server, gone when the value is dropped.
#[async_trait]
pub trait Fixture: Sized + Send + Sync + 'static {
    /// Whether the queue is on a server, that is, whether `server` says which.
    const REMOTE: bool = false;

    /// How many jobs are many for the server.
    const MANY: usize = 1000;

    /// A queue that nobody else uses.
    async fn fresh(settings: Settings) -> Self;

    /// The queue that `name` says, made by another process's fixture: how
    /// `child.rs` comes by it.
    async fn attach(name: &str, settings: Settings) -> Arc<dyn Source>;

    /// What `attach` needs to know.
    fn name(&self) -> String;

    /// A handle of its own, as another process would have.
    async fn source(&self) -> Arc<dyn Source>;

    /// Where the server is.
    fn server(&self) -> Option<SocketAddr> {
        None
    }

    /// A handle that takes the server to be at `address`.
    async fn source_at(&self, _address: SocketAddr) -> Arc<dyn Source> {
        self.source().await
    }

    /// Another such handle for the producer's and operator's side, where the
    /// adapter has it.
    async fn admin(&self) -> Option<Arc<dyn Admin>>;

    /// Adds a job as the broker's own producers do.
    async fn add(&self, job: NewJob);

    /// The jobs that were set aside.
    async fn set_aside(&self) -> Vec<SetAside> {
        let admin = self.admin().await.expect("what keeps records has it");
        let failed = admin.list(State::Failed, Page::first(100)).await;
        let failed = failed.unwrap().into_iter();
        failed
            .map(|record| SetAside {
                payload: record.payload,
                reason: record.failed_reason,
            })
            .collect()
    }
}

/// What a broker without records has set aside.
pub async fn letters(queue: &dyn DeadLetters) -> Vec<SetAside> {
    let letters = queue.dead_letters(100).await.unwrap().into_iter();
    letters
        .map(|letter| SetAside {
            payload: letter.payload,
            reason: letter.reason,
        })
        .collect()
}

/// The host and port of a URL on loopback.
pub fn address_of(url: &str) -> SocketAddr {
    let url = url::Url::parse(url).unwrap();
    let port = url.port().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}
