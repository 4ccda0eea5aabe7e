//! BullMQ: the contract, and what only its clients and a Redis that fails show.
//!
//! | file | what it does |
//! |---|---|
//! | `node.rs`, `node.mjs` | npm's `bullmq` and bull-board, asked line by line |
//! | `interop.rs` | Node adds and Flatbed works, and the other way |
//! | `mixed.rs` | both work at one queue |
//! | `faults.rs` | a Redis that is killed, full, or silent |

mod faults;
mod interop;
mod mixed;
pub mod node;

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use flatbed::queue::bullmq::{BullmqQueue, Options};
use flatbed::queue::{Admin, Error, Ledger, NewJob, Source};
use uuid::Uuid;

use super::contract;
use super::fixture::{Fixture, Settings, address_of};
use super::service::Server;

/// A queue of its own name on a server that others use too.
pub struct Bullmq {
    pub server: Server,
    pub queue: String,
    settings: Settings,
}

impl Bullmq {
    pub fn on(server: Server, settings: Settings) -> Self {
        Self {
            server,
            queue: format!("test-{}", Uuid::now_v7()),
            settings,
        }
    }

    /// A handle of its own, as another process would have.
    pub fn queue(&self) -> BullmqQueue {
        open(&self.server.url, &self.queue, self.settings)
    }
}

impl Drop for Bullmq {
    fn drop(&mut self) {
        self.server.forget(&format!("bull:{}:*", self.queue));
    }
}

fn open(url: &str, queue: &str, settings: Settings) -> BullmqQueue {
    let options = Options {
        lease: settings.lease,
        retry: settings.retry,
        ..Options::new(queue)
    };
    BullmqQueue::new(url, options).unwrap()
}

#[async_trait]
impl Fixture for Bullmq {
    const REMOTE: bool = true;

    async fn fresh(settings: Settings) -> Self {
        Self::on(Server::shared("redis"), settings)
    }

    async fn attach(name: &str, settings: Settings) -> Arc<dyn Source> {
        let (url, queue) = name.split_once(' ').unwrap();
        Arc::new(open(url, queue, settings))
    }

    fn name(&self) -> String {
        format!("{} {}", self.server.url, self.queue)
    }

    async fn source(&self) -> Arc<dyn Source> {
        Arc::new(self.queue())
    }

    fn server(&self) -> Option<SocketAddr> {
        Some(address_of(&self.server.url))
    }

    async fn source_at(&self, address: SocketAddr) -> Arc<dyn Source> {
        let url = format!("redis://{address}");
        Arc::new(open(&url, &self.queue, self.settings))
    }

    async fn admin(&self) -> Option<Arc<dyn Admin>> {
        Some(Arc::new(self.queue()))
    }

    async fn add(&self, job: NewJob) {
        self.queue().add(job).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept() {
    contract::run::<Bullmq>().await;
}

#[tokio::test]
async fn what_is_no_address_is_refused_without_its_password() {
    for url in [
        "redis//x:hunter2@y",
        "http://x:hunter2@y",
        "redis://:hunter2@y:port",
    ] {
        let error = BullmqQueue::new(url, Options::new("any")).err().unwrap();
        let line = format!("{error} {error:?}");
        assert!(matches!(error, Error::Refused { .. }), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

/// An id may not be one of the queue's own keys, or a part of another job.
#[tokio::test]
async fn an_id_that_is_a_key_of_the_queue_is_refused() {
    let fixture = Bullmq::fresh(Settings::default()).await;
    let queue = fixture.queue();
    for id in [
        "wait",
        "meta",
        "flatbed:cancelled",
        "metrics:completed",
        "17:lock",
        "a:b:logs",
    ] {
        let job = NewJob::new("export", "{}").with_id(id.parse().unwrap());
        let error = queue.add(job).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{id}: {error}");
    }
    let job = NewJob::new("export", "{}").with_id("repeat-17:1".parse().unwrap());
    queue.add(job).await.unwrap();
}
