//! The embedded default: jobs in an SQLite file.
//!
//! | file | what it does |
//! |---|---|
//! | `schema.rs` | the tables, in numbered steps |
//! | `database.rs` | one connection on its own thread, and the look at what others write |
//! | `claim.rs` | the claim, in one statement |
//! | `settle.rs` | what a consumer writes, fenced by the claim's token |
//! | `ledger.rs` | the producer's and the operator's side |
//! | `rows.rs` | rows as records, the database's clock |
//!
//! Any number of processes of one host may have the file open: claims are single
//! statements and SQLite lets one write at a time. A network share will not do,
//! its locks and shared memory cannot be trusted.

mod claim;
pub(super) mod database;
mod ledger;
pub(super) mod rows;
pub(super) mod schema;
mod settle;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::sleep;

use self::claim::{Claim, Ticket};
use self::database::Database;
pub use super::Options;
use super::handover::OnItsWay;
use super::{Aside, Capabilities, Delivery, Lease, Result, SetAside, Source};
use crate::job::{Job, Outcome, Progress};

/// How often an active job looks whether another process asked to cancel it.
const CANCEL_LOOK: Duration = Duration::from_millis(500);

/// Completed jobs are forgotten once for so many settlements.
const FORGET_EVERY: u32 = 64;

/// A queue in an SQLite file. Clones share one connection.
#[derive(Clone)]
pub struct SqliteQueue(Arc<Shared>);

struct Shared {
    options: Options,
    database: Database,
    cancels: Notify,
    aside: Aside,
    settled: AtomicU32,
}

impl SqliteQueue {
    /// Opens or creates the file, and brings its schema up to date.
    pub async fn open(path: &Path, options: Options) -> Result<Self> {
        Ok(Self(Arc::new(Shared {
            options,
            database: Database::open(path, schema::migrate).await?,
            cancels: Notify::new(),
            aside: Aside::default(),
            settled: AtomicU32::new(0),
        })))
    }

    async fn claim(&self) -> Result<Claim> {
        let database = self.0.database.clone();
        let shared = Arc::clone(&self.0);
        let claim = self
            .0
            .database
            .call(move |connection| {
                let options = &shared.options;
                let claim = claim::claim(connection, &options.queue, options.lease)?;
                Ok(OnItsWay::new(claim, |claim| {
                    claim::put_back(claim, database);
                }))
            })
            .await?;
        Ok(claim.arrived().unwrap_or(Claim::Nothing(None)))
    }
}

#[async_trait]
impl Source for SqliteQueue {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        let mut watch = self.0.database.watch();
        loop {
            watch.seen();
            match self.claim().await? {
                Claim::Taken(ticket, job) => {
                    return Ok(Box::new(SqliteDelivery {
                        ticket,
                        job,
                        queue: self.clone(),
                    }));
                }
                Claim::SetAside(job) => self.0.aside.push(job),
                Claim::Nothing(next) => tokio::select! {
                    () = watch.changed() => {}
                    () = sleep(next.unwrap_or(Duration::MAX)) => {}
                },
            }
        }
    }

    async fn set_aside(&self) -> SetAside {
        self.0.aside.next().await
    }

    fn lease(&self) -> Duration {
        self.0.options.lease
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::FULL
    }
}

struct SqliteDelivery {
    ticket: Ticket,
    job: Job,
    queue: SqliteQueue,
}

impl SqliteDelivery {
    async fn call<T: Send + 'static>(
        &self,
        statements: impl FnOnce(&rusqlite::Connection, Ticket, &Shared) -> rusqlite::Result<T>
        + Send
        + 'static,
    ) -> Result<T> {
        let ticket = self.ticket;
        let shared = Arc::clone(&self.queue.0);
        let database = &self.queue.0.database;
        database
            .call(move |connection| statements(connection, ticket, &shared))
            .await
    }
}

#[async_trait]
impl Delivery for SqliteDelivery {
    fn job(&self) -> &Job {
        &self.job
    }

    fn is_suspect(&self) -> bool {
        self.ticket.losses > 0
    }

    async fn extend(&self) -> Result<Lease> {
        self.call(|connection, ticket, shared| {
            settle::extend(connection, ticket, shared.options.lease)
        })
        .await
    }

    async fn progress(&self, progress: &Progress) -> Result<Lease> {
        let written = serde_json::json!(progress).to_string();
        self.call(move |connection, ticket, _| settle::progress(connection, ticket, &written))
            .await
    }

    async fn cancel_asked(&self) {
        loop {
            tokio::select! {
                () = self.queue.0.cancels.notified() => {}
                () = sleep(CANCEL_LOOK) => {}
            }
            let asked = self
                .call(|connection, ticket, _| settle::cancel_asked(connection, ticket))
                .await;
            if matches!(asked, Ok(true)) {
                return;
            }
        }
    }

    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        let after = self.queue.0.options.retry.wait(outcome, &self.job);
        let outcome = outcome.clone();
        self.call(move |connection, ticket, shared| {
            let lease = settle::settle(connection, ticket, &outcome, after)?;
            shared.settled(connection, &outcome);
            Ok(lease)
        })
        .await
    }
}

impl Shared {
    /// What follows from a settlement.
    fn settled(&self, connection: &rusqlite::Connection, outcome: &Outcome) {
        if matches!(outcome, Outcome::Retry { .. } | Outcome::PutBack) {
            self.database.changed();
        }
        let number = self.settled.fetch_add(1, Ordering::Relaxed);
        if matches!(outcome, Outcome::Done(_)) && !number.is_multiple_of(FORGET_EVERY) {
            return;
        }
        let options = &self.options;
        let forgotten = settle::forget(connection, &options.queue, outcome, options.retention);
        if let Err(error) = forgotten {
            // The next one tries again.
            tracing::warn!(%error, "old jobs were not forgotten");
        }
    }
}
