//! The table of packing items: its rows are the jobs, and their status tells users
//! what became of them.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | batches, leases, attempts |
//! | `columns.rs` | the tables and columns that Flatbed knows |
//! | [`names`] | what tables, columns and statuses are called in somebody's database |
//! | `table.rs` | the tables as they were found, and whether they will do |
//! | `ticket.rs` | a claimed row, what becomes of it, and what a database does for that |
//! | `order.rs` | a row as a job's payload |
//! | `batch.rs` | how many rows that nobody has triggered are taken, and when |
//! | `delivery.rs` | a claimed row as the runner has it |
//! | `postgres/`, `sqlite/` | the tables in either of them |
//!
//! The tables are the users'. What Flatbed alone needs to know of a row (its lease,
//! token, attempts, when it is due, whether it was triggered) is in a table of its
//! own, `flatbed_packing_claims`: rows that users insert need no column of it, and a
//! row that is `PROCESSING` without a claim in it belongs to somebody else.
//!
//! A row of that table is
//!
//! | state | its item |
//! |---|---|
//! | `waiting` | is ready, and was triggered, is tried again, or was put back |
//! | `active` | is being processed, or was when its worker was lost |
//! | `settled` | has failed, or has its clip; forgotten after a day |
//! | `released` | was changed by its users while it was processed |
//!
//! A claim locks the item first and then this row, and so does a settlement: they
//! cannot wait for each other in a circle.

mod batch;
mod columns;
pub mod config;
mod delivery;
pub mod names;
mod order;
mod postgres;
mod sqlite;
mod table;
mod ticket;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::time::sleep;
use uuid::Uuid;

use self::batch::{Batches, Room};
pub use self::config::Config;
use self::delivery::ItemDelivery;
pub use self::names::Names;
use self::postgres::PostgresTables;
use self::sqlite::SqliteTables;
use self::ticket::{Backend, Claim, Found, Settlement, Wanted};
use super::handover::OnItsWay;
use super::{Aside, Capabilities, Counts, Delivery, Error, Result, SetAside, Source};
use crate::clip::Camera;

/// How often an idle consumer looks although nothing rang: users who insert rows
/// ring no bell in Postgres.
const IDLE_LOOK: Duration = Duration::from_secs(5);

/// What the queue is called in messages.
const QUEUE: &str = "packing_items";

/// The packing items of one database. Clones share its connections.
#[derive(Clone)]
pub struct PackingItems(Arc<Shared>);

struct Shared {
    config: Config,
    backend: Box<dyn Backend>,
    batches: Batches,
    aside: Aside,
    /// The tokens of claims whose answers were lost.
    doubtful: Mutex<VecDeque<Uuid>>,
}

/// What became of an item that somebody wants now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// It is the next, whether batches are on or off. The same for one that was
    /// triggered and is not yet claimed.
    Accepted,
    /// There is no such row, or it is not `READY_FOR_BATCH`.
    NotReady,
}

impl PackingItems {
    /// Those of the database at `url`, as [`PostgresQueue`](super::postgres::PostgresQueue)
    /// has it. Connects when it is first used, and then makes the tables that are
    /// missing.
    pub fn postgres(url: &str, config: Config) -> Result<Self> {
        let tables = PostgresTables::new(url, config.clone())?;
        Ok(Self::new(Box::new(tables), config))
    }

    /// Those of the database in `file`. Opens or creates it, and makes the tables that
    /// are missing.
    pub async fn sqlite(file: &Path, config: Config) -> Result<Self> {
        let tables = SqliteTables::open(file, config.clone()).await?;
        Ok(Self::new(Box::new(tables), config))
    }

    fn new(backend: Box<dyn Backend>, config: Config) -> Self {
        Self(Arc::new(Shared {
            backend,
            batches: Batches::new(config.batch_size, config.batch_interval),
            aside: Aside::default(),
            doubtful: Mutex::default(),
            config,
        }))
    }

    /// For people: which database, without user and password.
    pub fn place(&self) -> String {
        self.0.backend.place()
    }

    /// Has an item done before those that wait for their batch, on whichever host; a
    /// retry that waits, at once.
    pub async fn trigger(&self, id: i64) -> Result<Trigger> {
        self.0.backend.trigger(id).await
    }

    /// How many items were triggered and not claimed yet.
    pub async fn waiting(&self) -> Result<u64> {
        self.0.backend.waiting().await
    }

    /// How many items have each status; those that wait for another attempt are
    /// delayed. Counts rows of the items' table, which takes a while if there are
    /// many and `status` has no index.
    pub async fn counts(&self) -> Result<Counts> {
        self.0.backend.counts().await
    }

    /// All cameras by their ids, or what is wrong with a row. Makes the tables that are
    /// missing.
    pub async fn cameras(&self) -> Result<Vec<std::result::Result<Camera, String>>> {
        let cameras = self.0.backend.cameras().await?;
        Ok(cameras.iter().map(order::Camera::read).collect())
    }

    /// Makes the tables that are missing; which they were.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        self.0.backend.migrate().await
    }

    /// Which tables the first use would make. Fails if those that are there will not
    /// do.
    pub async fn missing(&self) -> Result<Vec<String>> {
        self.0.backend.missing().await
    }

    /// In a task of its own: a claim that was made is never forgotten.
    async fn claim(&self) -> Result<(Claim, Option<Duration>)> {
        let items = self.clone();
        let claiming = tokio::spawn(async move {
            let shared = &items.0;
            let (place, next_batch) = match shared.config.auto.then(|| shared.batches.room()) {
                Some(Room::Yes(place)) => (Some(place), None),
                Some(Room::After(left)) => (None, Some(left)),
                None => (None, None),
            };
            let doubtful = shared.doubtful().pop_front();
            let wanted = Wanted {
                token: doubtful.unwrap_or_else(Uuid::now_v7),
                is_again: doubtful.is_some(),
                fresh: place.is_some(),
            };
            match shared.backend.claim(wanted).await {
                Ok(Found { claim, was_fresh }) => {
                    if let Some(place) = place.filter(|_| was_fresh) {
                        place.used();
                    }
                    let back = items.clone();
                    let claim = OnItsWay::new(claim, |claim| put_back(claim, back));
                    Ok((claim, next_batch))
                }
                Err(error) => {
                    shared.doubtful().push_back(wanted.token);
                    Err(error)
                }
            }
        });
        match claiming.await {
            Ok(claimed) => {
                let (claim, next_batch) = claimed?;
                Ok((claim.arrived().unwrap_or(Claim::Nothing(None)), next_batch))
            }
            // Only at the end of the process.
            Err(_) => Err(Error::Away {
                queue: format!("{QUEUE} in {}", self.place()),
                reason: "the claim was broken off".to_owned(),
                source: None,
            }),
        }
    }
}

#[async_trait]
impl Source for PackingItems {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        let shared = &self.0;
        let mut bell = shared.backend.bell();
        // Whoever wants batches often wants them soon.
        let idle_look = IDLE_LOOK.min(shared.config.batch_interval);
        loop {
            bell.seen();
            // Before the claim, or what comes in between would not be heard of.
            shared.backend.listen().await?;
            let (claim, next_batch) = self.claim().await?;
            match claim {
                Claim::Taken(ticket) => {
                    return Ok(Box::new(ItemDelivery::new(*ticket, self.clone())));
                }
                Claim::SetAside(job) => shared.aside.push(job),
                Claim::Nothing(due) => {
                    let wait = due.into_iter().chain(next_batch).min();
                    tokio::select! {
                        () = bell.changed() => {}
                        () = sleep(wait.unwrap_or(idle_look).min(idle_look)) => {}
                    }
                }
            }
        }
    }

    async fn set_aside(&self) -> SetAside {
        self.0.aside.next().await
    }

    fn lease(&self) -> Duration {
        self.0.config.lease
    }

    /// Progress is seen nowhere; who wants to cancel changes the row's status.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            cancel: true,
            ..Capabilities::WITHOUT_RECORDS
        }
    }

    async fn close(&self) {
        self.0.backend.close().await;
    }
}

impl Shared {
    fn doubtful(&self) -> MutexGuard<'_, VecDeque<Uuid>> {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of a claim that nobody took.
fn put_back(claim: Claim, items: PackingItems) {
    let Claim::Taken(ticket) = claim else {
        return;
    };
    let Ok(runtime) = Handle::try_current() else {
        return; // Its lease ends.
    };
    runtime.spawn(async move {
        let settled = items.0.backend.settle(&ticket, &Settlement::PutBack);
        if let Err(error) = settled.await {
            // Not lost: its lease ends.
            tracing::warn!(item = ticket.item, %error, "an item nobody took was not put back");
        }
    });
}
