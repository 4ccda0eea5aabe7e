//! Postgres: the contract, and what only a database and one that fails show.
//!
//! | file | what it does |
//! |---|---|
//! | `server.rs` | the Postgres of `scripts/services`, or one of a test's own |
//! | `database.rs` | tables, rights, TLS, and producers that speak SQL |
//! | `faults.rs` | a Postgres that is killed, frozen, or cannot be heard |

mod database;
mod faults;
pub mod server;

use std::sync::Arc;

use async_trait::async_trait;
use flatbed::queue::postgres::{Options, PostgresQueue};
use flatbed::queue::{Admin, Ledger, NewJob, Source};
use uuid::Uuid;

use self::server::Server;
use super::contract;
use super::fixture::{Fixture, Settings};

/// A queue of its own name on a server that others use too.
pub struct Postgres {
    pub server: Server,
    pub queue: String,
    settings: Settings,
    /// The one who adds and looks, for as long as the fixture lives.
    producer: PostgresQueue,
}

impl Postgres {
    fn on(server: Server, settings: Settings) -> Self {
        let queue = format!("test-{}", Uuid::now_v7());
        Self {
            producer: open(&server.url, &queue, settings),
            server,
            queue,
            settings,
        }
    }

    /// A handle of its own, as another process would have.
    fn queue(&self) -> PostgresQueue {
        open(&self.server.url, &self.queue, self.settings)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if !self.server.is_own() {
            let queue = &self.queue;
            self.server
                .sql_now(&format!("DELETE FROM flatbed_jobs WHERE queue = '{queue}'"));
        }
    }
}

fn open(url: &str, queue: &str, settings: Settings) -> PostgresQueue {
    let options = Options {
        lease: settings.lease,
        retry: settings.retry,
        ..Options::new(queue)
    };
    PostgresQueue::new(url, options).unwrap()
}

#[async_trait]
impl Fixture for Postgres {
    async fn fresh(settings: Settings) -> Self {
        let fixture = Self::on(Server::shared(), settings);
        // The tables must be there for `drop`.
        fixture.producer.counts().await.unwrap();
        fixture
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

    async fn admin(&self) -> Option<Arc<dyn Admin>> {
        Some(Arc::new(self.queue()))
    }

    async fn add(&self, job: NewJob) {
        self.producer.add(job).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept() {
    contract::run::<Postgres>().await;
}
