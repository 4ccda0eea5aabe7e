//! Jobs in a Postgres database that any number of hosts share.
//!
//! | file | what it does |
//! |---|---|
//! | `address.rs`, `tls.rs` | `DATABASE_URL`, and how far the server is trusted |
//! | `connection.rs` | connections, made anew after they broke; no call waits for ever |
//! | `failure.rs` | the server's errors as the contract has them |
//! | `schema.rs` | the tables, in numbered steps |
//! | `claim.rs` | the claim, in one statement, and what becomes of one that nobody took |
//! | `settle.rs` | what a consumer writes, fenced by the claim's token |
//! | `ledger.rs` | the producer's and the operator's side |
//! | `rows.rs` | rows as records |
//!
//! Every step is a single statement, which is its own transaction: no lock is held
//! while a job runs, nor while an answer is on its way. All times are the
//! database's. `LISTEN` wakes idle consumers and tells of cancels; both also look by
//! themselves, so that a notification that is lost costs seconds and no job.

pub(crate) mod address;
mod claim;
pub(crate) mod connection;
pub(crate) mod failure;
mod ledger;
pub(crate) mod rows;
pub(crate) mod schema;
mod settle;
mod tls;

use std::collections::VecDeque;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;
use uuid::Uuid;

use self::address::Address;
use self::claim::Claim;
use self::connection::{Ears, Lane};
use self::schema::JOBS;
pub use self::schema::Schema;
use self::settle::PostgresDelivery;
pub use super::Options;
use super::handover::OnItsWay;
use super::{Aside, Capabilities, Delivery, Error, Result, SetAside, Source};

/// How often an idle consumer looks although nothing rang.
const IDLE_LOOK: Duration = Duration::from_secs(5);

/// How long a first migration may take before `migrate` gives it up.
pub(crate) const LONGEST_MIGRATION: Duration = Duration::from_secs(600);

/// A queue in Postgres. Clones share its connections, of which there are two: one
/// for what must be on the disk when it is answered, and one for what need not.
#[derive(Clone)]
pub struct PostgresQueue(Arc<Shared>);

struct Shared {
    options: Options,
    address: Arc<Address>,
    ears: Arc<Ears>,
    /// Renewals, progress, the look for cancels, and what the server tells. A server
    /// that crashes may forget the last of them, which costs a second run at most.
    leases: Lane,
    /// All else, claims too: on the disk when it is answered, as far as the server's
    /// own settings go.
    records: Lane,
    settled: AtomicU32,
    aside: Aside,
    /// The tokens of claims whose answers were lost.
    doubtful: Mutex<VecDeque<Uuid>>,
}

impl PostgresQueue {
    /// A queue in the database at `url`:
    /// `postgres://user:password@host:5432/database?sslmode=require`. Connects when
    /// it is first used, and then makes or updates the tables.
    pub fn new(url: &str, options: Options) -> Result<Self> {
        let address = Arc::new(Address::parse(url, &options.queue)?);
        let ears = Arc::new(Ears::new(&options.queue));
        Ok(Self(Arc::new(Shared {
            leases: Lane::leases(Arc::clone(&address), JOBS, Arc::clone(&ears)),
            records: Lane::records(Arc::clone(&address), JOBS),
            address,
            ears,
            settled: AtomicU32::new(0),
            aside: Aside::default(),
            doubtful: Mutex::default(),
            options,
        })))
    }

    /// Which server and database, without user and password.
    pub fn server(&self) -> &str {
        self.0.address.server()
    }

    /// Looks how far the tables are, and changes nothing.
    pub async fn schema(&self) -> Result<Schema> {
        connection::examine(&self.0.address, JOBS).await
    }

    /// Makes or updates the tables, and says how far they were before. Takes as
    /// long as it takes, up to ten minutes.
    pub async fn migrate(&self) -> Result<Schema> {
        connection::migrate(&self.0.address, JOBS, LONGEST_MIGRATION).await
    }

    /// In a task of its own: a claim that the server has made is never forgotten.
    async fn claim(&self) -> Result<Claim> {
        let queue = self.clone();
        let claiming = tokio::spawn(async move {
            let shared = &queue.0;
            let doubtful = shared.doubtful().pop_front();
            let token = doubtful.unwrap_or_else(Uuid::now_v7);
            match claim::claim(shared, token, doubtful.is_some()).await {
                Ok(claim) => Ok(OnItsWay::new(claim, |claim| claim::put_back(claim, queue))),
                Err(error) => {
                    shared.doubtful().push_back(token);
                    Err(error)
                }
            }
        });
        match claiming.await {
            Ok(claim) => Ok(claim?.arrived().unwrap_or(Claim::Nothing(None))),
            // Only at the end of the process.
            Err(_) => Err(self.0.address.away("the claim was broken off")),
        }
    }
}

#[async_trait]
impl Source for PostgresQueue {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        let mut rung = self.0.ears.rung();
        loop {
            rung.mark_unchanged();
            // Before the claim, or what comes in between would not be heard of.
            self.0.leases.open().await?;
            match self.claim().await? {
                Claim::Taken(ticket) => {
                    return Ok(Box::new(PostgresDelivery::new(*ticket, self.clone())));
                }
                Claim::SetAside(job) => self.0.aside.push(job),
                Claim::Nothing(due) => tokio::select! {
                    // The sender lives in `self`.
                    _ = rung.changed() => {}
                    () = sleep(due.unwrap_or(IDLE_LOOK).min(IDLE_LOOK)) => {}
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

    async fn close(&self) {
        self.0.leases.close().await;
        self.0.records.close().await;
    }
}

/// Whether `url` is the address of a database; why not, without its secrets.
pub fn check(url: &str) -> Result<(), String> {
    match Address::parse(url, "") {
        Ok(_) => Ok(()),
        Err(Error::Refused { reason, .. } | Error::Away { reason, .. }) => Err(reason),
    }
}

impl Shared {
    fn doubtful(&self) -> MutexGuard<'_, VecDeque<Uuid>> {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
