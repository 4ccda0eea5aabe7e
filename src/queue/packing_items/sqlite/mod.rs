//! The tables in an SQLite file that the processes of one host share.
//!
//! | file | what it does |
//! |---|---|
//! | `schema.rs` | looks at the tables, and makes those that are missing |
//! | `claim.rs` | claims and triggers |
//! | `looking.rs` | what only looks |
//! | `settling.rs` | what ends a claim |
//! | `times.rs` | times as users may have written them |
//!
//! What writes is a transaction that takes the file's write lock when it begins; what
//! only looks takes none, so that idle workers keep nobody from writing.

mod claim;
mod looking;
mod schema;
mod settling;
mod times;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::order::Camera;
use super::table::Tables;
use super::ticket::{Backend, Bell, Found, Settlement, Ticket, Wanted};
use super::{Config, QUEUE, Trigger};
use crate::queue::sqlite::database::Database;
use crate::queue::{Counts, Error, Lease, Result};

/// How often an active row is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Old claims are forgotten once for so many settlements.
const FORGET_EVERY: u32 = 64;

pub(super) struct SqliteTables {
    config: Arc<Config>,
    path: PathBuf,
    database: Database,
    /// What the tables look like; looked at anew after a call failed.
    known: Mutex<Option<Arc<Tables>>>,
    settled: AtomicU32,
}

impl SqliteTables {
    pub(super) async fn open(path: &Path, config: Config) -> Result<Self> {
        let tables = Self {
            config: Arc::new(config),
            path: path.to_owned(),
            database: Database::open(path, schema::claims).await?,
            known: Mutex::default(),
            settled: AtomicU32::new(0),
        };
        tables.tables().await?;
        Ok(tables)
    }

    async fn tables(&self) -> Result<Arc<Tables>> {
        let known = self.known().clone();
        if let Some(known) = known {
            return Ok(known);
        }
        for made in self.make().await? {
            tracing::info!(table = made, "made a table");
        }
        let config = Arc::clone(&self.config);
        let judged = self
            .database
            .call(move |connection| schema::judge(connection, &config.names))
            .await?;
        let tables = Arc::new(judged.map_err(|why| self.refused(why))?);
        *self.known() = Some(Arc::clone(&tables));
        Ok(tables)
    }

    async fn make(&self) -> Result<Vec<String>> {
        let config = Arc::clone(&self.config);
        let made = self
            .database
            .call(move |connection| {
                in_transaction(connection, |all| schema::make(all, &config.names))
            })
            .await?;
        made.map_err(|why| self.refused(why))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Arc<Tables>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, reason: String) -> Error {
        Error::Refused {
            queue: format!("{QUEUE} in {}", self.path.display()),
            reason,
            source: None,
        }
    }

    /// Runs `statements` in a transaction.
    async fn write<T: Send + 'static>(
        &self,
        statements: impl FnOnce(&Transaction<'_>, &Tables, &Config) -> rusqlite::Result<T>
        + Send
        + 'static,
    ) -> Result<T> {
        self.call(|connection, tables, config| {
            in_transaction(connection, |all| statements(all, tables, config))
        })
        .await
    }

    /// Runs `statements`, each a transaction of its own.
    async fn call<T: Send + 'static>(
        &self,
        statements: impl FnOnce(&mut Connection, &Tables, &Config) -> rusqlite::Result<T>
        + Send
        + 'static,
    ) -> Result<T> {
        let tables = self.tables().await?;
        let config = Arc::clone(&self.config);
        let answer = self
            .database
            .call(move |connection| statements(connection, &tables, &config))
            .await;
        if answer.is_err() {
            // Somebody may have altered the tables.
            *self.known() = None;
        }
        answer
    }
}

fn in_transaction<T>(
    connection: &mut Connection,
    statements: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let answer = statements(&transaction)?;
    transaction.commit()?;
    Ok(answer)
}

#[async_trait]
impl Backend for SqliteTables {
    fn place(&self) -> String {
        format!("SQLite {}", self.path.display())
    }

    fn bell(&self) -> Bell {
        Bell::Sqlite(self.database.watch())
    }

    async fn listen(&self) -> Result<()> {
        Ok(())
    }

    async fn claim(&self, wanted: Wanted) -> Result<Found> {
        self.call(move |connection, tables, config| {
            if let Some(claim) = claim::nothing(connection, tables, config, wanted)? {
                let was_fresh = false;
                return Ok(Found { claim, was_fresh });
            }
            in_transaction(connection, |all| claim::claim(all, tables, config, wanted))
        })
        .await
    }

    async fn extend(&self, ticket: &Ticket) -> Result<Lease> {
        let (item, token) = (ticket.item, ticket.token);
        self.write(move |all, tables, config| {
            settling::extend(all, tables, item, token, config.lease)
        })
        .await
    }

    async fn is_taken_away(&self, ticket: &Ticket) -> Result<bool> {
        let (item, token) = (ticket.item, ticket.token);
        self.call(move |all, tables, _| settling::is_taken_away(all, tables, item, token))
            .await
    }

    fn look(&self) -> Duration {
        LOOK
    }

    async fn settle(&self, ticket: &Ticket, settlement: &Settlement) -> Result<Lease> {
        let (item, token, settled) = (ticket.item, ticket.token, settlement.clone());
        let number = self.settled.fetch_add(1, Ordering::Relaxed);
        let lease = self
            .write(move |all, tables, _| {
                if number.is_multiple_of(FORGET_EVERY) {
                    settling::forget(all, tables)?;
                }
                settling::settle(all, tables, item, token, &settled)
            })
            .await?;
        if matches!(settlement, Settlement::Again { .. } | Settlement::PutBack) {
            self.database.changed();
        }
        Ok(lease)
    }

    async fn trigger(&self, id: i64) -> Result<Trigger> {
        let triggered = self
            .write(move |all, tables, config| claim::trigger(all, tables, id, config.delay))
            .await?;
        self.database.changed();
        Ok(if triggered {
            Trigger::Accepted
        } else {
            Trigger::NotReady
        })
    }

    async fn waiting(&self) -> Result<u64> {
        self.call(|all, tables, _| looking::waiting(all, tables))
            .await
    }

    async fn counts(&self) -> Result<Counts> {
        self.call(|all, tables, config| looking::counts(all, tables, config.delay))
            .await
    }

    async fn cameras(&self) -> Result<Vec<Camera>> {
        self.call(|all, tables, _| looking::cameras(all, tables))
            .await
    }

    /// The file was opened, so that nothing is missing.
    async fn migrate(&self) -> Result<Vec<String>> {
        let made = self.make().await?;
        self.tables().await?;
        Ok(made)
    }

    async fn missing(&self) -> Result<Vec<String>> {
        self.tables().await?;
        Ok(Vec::new())
    }

    async fn close(&self) {}
}
