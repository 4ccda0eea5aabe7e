//! The tables in a Postgres database that any number of hosts share.
//!
//! | file | what it does |
//! |---|---|
//! | `schema.rs` | looks at the tables, and makes those that are missing |
//! | `statements.rs` | what claims and triggers, for the names of this database |
//! | `looking.rs` | what only looks, likewise |
//! | `settling.rs` | what ends a claim, likewise |
//! | `claim.rs` | claims, and rows as they come |

mod claim;
mod looking;
mod schema;
mod settling;
mod statements;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use self::statements::Statements;
use super::order::Camera;
use super::ticket::{Backend, Bell, Found, Settlement, Ticket, Wanted};
use super::{Config, QUEUE, Trigger};
use crate::queue::postgres::address::Address;
use crate::queue::postgres::connection::{Ears, Lane, Parameters};
use crate::queue::postgres::failure::Trouble;
use crate::queue::postgres::rows::{seconds, text};
use crate::queue::{Counts, Error, Lease, Result};

/// How often an active row is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Old claims are forgotten once for so many settlements.
const FORGET_EVERY: u32 = 64;

pub(super) struct PostgresTables {
    config: Config,
    address: Arc<Address>,
    ears: Arc<Ears>,
    leases: Lane,
    records: Lane,
    /// What the tables look like; looked at anew after the server refused something.
    known: Mutex<Option<Arc<Statements>>>,
    settled: AtomicU32,
}

impl PostgresTables {
    pub(super) fn new(url: &str, config: Config) -> Result<Self> {
        let address = Arc::new(Address::parse(url, QUEUE)?);
        // Other queues of the database ring the same bell.
        let ears = Arc::new(Ears::new(&bell_of(&config)));
        Ok(Self {
            leases: Lane::leases(Arc::clone(&address), schema::CLAIMS, Arc::clone(&ears)),
            records: Lane::records(Arc::clone(&address), schema::CLAIMS),
            known: Mutex::default(),
            settled: AtomicU32::new(0),
            address,
            ears,
            config,
        })
    }

    /// The statements for these tables, which are made if they are missing.
    async fn statements(&self) -> Result<Arc<Statements>> {
        if let Some(known) = self.known().clone() {
            return Ok(known);
        }
        let statements = Arc::new(schema::prepare(self).await?);
        *self.known() = Some(Arc::clone(&statements));
        Ok(statements)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Arc<Statements>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody may have altered the tables.
    fn heed<T>(&self, answer: Result<T>) -> Result<T> {
        if matches!(answer, Err(Error::Refused { .. })) {
            *self.known() = None;
        }
        answer
    }

    async fn execute(&self, lane: &Lane, sql: &str, parameters: Parameters<'_>) -> Result<bool> {
        self.heed(lane.execute(sql, parameters).await)
            .map(|rows| rows > 0)
    }

    fn unreadable(&self, error: tokio_postgres::Error) -> Error {
        Trouble::from(error).error(&self.address)
    }

    fn refused(&self, reason: String) -> Error {
        Error::Refused {
            queue: self.address.name().to_owned(),
            reason,
            source: None,
        }
    }

    /// The claim was not found as it should be: what it is now.
    async fn not_written(&self, ticket: &Ticket, settlement: &Settlement) -> Result<Lease> {
        const STATE: &str = "SELECT state FROM flatbed_packing_claims
             WHERE items = $1 AND item = $2 AND token = $3";
        const RELEASE: &str = "UPDATE flatbed_packing_claims SET state = 'released', due = now()
             WHERE items = $1 AND item = $2 AND token = $3 AND state = 'active'";
        let statements = self.statements().await?;
        let key: Parameters<'_> = &[&statements.items, &ticket.item, &ticket.token];
        let row = self.records.query_row(STATE, key).await?;
        let state: Option<String> = row
            .map(|row| row.try_get(0))
            .transpose()
            .map_err(|error| self.unreadable(error))?;
        let is_let_go = *settlement == Settlement::Cancelled;
        Ok(match state.as_deref() {
            Some("waiting" | "settled") => Lease::Held,
            Some("released") => Lease::of(is_let_go),
            Some(_) => {
                // Its users have changed the row, or deleted it.
                let released = self.execute(&self.records, RELEASE, key).await?;
                Lease::of(released && is_let_go)
            }
            None => Lease::Lost,
        })
    }

    async fn forget(&self, items: &str) {
        const FORGET: &str = "DELETE FROM flatbed_packing_claims
             WHERE items = $1 AND state IN ('settled', 'released')
               AND due < now() - interval '1 day'";
        let number = self.settled.fetch_add(1, Ordering::Relaxed);
        if !number.is_multiple_of(FORGET_EVERY) {
            return;
        }
        if let Err(error) = self.records.execute(FORGET, &[&items]).await {
            // The next one tries again.
            tracing::warn!(%error, "old claims were not forgotten");
        }
    }
}

/// What the bell says when an item waits.
fn bell_of(config: &Config) -> String {
    format!("{QUEUE} {}", config.names.table(super::names::Which::Items))
}

#[async_trait]
impl Backend for PostgresTables {
    fn place(&self) -> String {
        format!("Postgres {}", self.address.server())
    }

    fn bell(&self) -> Bell {
        Bell::Postgres(self.ears.rung())
    }

    async fn listen(&self) -> Result<()> {
        self.leases.open().await
    }

    async fn claim(&self, wanted: Wanted) -> Result<Found> {
        let statements = self.statements().await?;
        self.heed(claim::claim(self, &statements, wanted).await)
    }

    async fn extend(&self, ticket: &Ticket) -> Result<Lease> {
        const EXTEND: &str = "UPDATE flatbed_packing_claims
             SET due = now() + make_interval(secs => $4)
             WHERE items = $1 AND item = $2 AND token = $3 AND state = 'active'";
        let statements = self.statements().await?;
        let lease = seconds(self.config.lease);
        let claim: Parameters<'_> = &[&statements.items, &ticket.item, &ticket.token, &lease];
        self.execute(&self.leases, EXTEND, claim)
            .await
            .map(Lease::of)
    }

    async fn is_taken_away(&self, ticket: &Ticket) -> Result<bool> {
        let statements = self.statements().await?;
        let claim: Parameters<'_> = &[&statements.items, &ticket.item, &ticket.token];
        self.execute(&self.leases, &statements.taken_away, claim)
            .await
    }

    fn look(&self) -> Duration {
        LOOK
    }

    async fn settle(&self, ticket: &Ticket, settlement: &Settlement) -> Result<Lease> {
        let statements = self.statements().await?;
        let Ticket { item, token, .. } = ticket;
        let items = &statements.items;
        let bell = bell_of(&self.config);
        let lane = &self.records;
        let written = match settlement {
            Settlement::Made(made) => {
                let (start, end) = (
                    made.start_time.as_microsecond(),
                    made.end_time.as_microsecond(),
                );
                let coverage = f64::from(made.coverage);
                let (bucket, key, url) =
                    (text(&made.bucket), text(&made.object_key), text(&made.url));
                let values: Parameters<'_> = &[
                    items,
                    item,
                    token,
                    &bucket,
                    &key,
                    &url,
                    &start,
                    &end,
                    &made.duration_ms,
                    &made.size_bytes,
                    &coverage,
                ];
                self.execute(lane, &statements.made, values).await?
            }
            Settlement::Again { after, reason } => {
                let after = seconds(*after);
                let values: Parameters<'_> = &[items, item, token, reason, &after, &bell];
                self.execute(lane, &statements.again, values).await?
            }
            Settlement::Failed { reason } => {
                let values: Parameters<'_> = &[items, item, token, reason];
                self.execute(lane, &statements.failed, values).await?
            }
            Settlement::Cancelled => {
                let values: Parameters<'_> = &[items, item, token, &super::ticket::CANCELLED];
                self.execute(lane, &statements.failed, values).await?
            }
            Settlement::PutBack => {
                let values: Parameters<'_> = &[items, item, token, &bell];
                self.execute(lane, &statements.put_back, values).await?
            }
        };
        if !written {
            return self.not_written(ticket, settlement).await;
        }
        self.forget(items).await;
        Ok(Lease::Held)
    }

    async fn trigger(&self, id: i64) -> Result<Trigger> {
        let statements = self.statements().await?;
        let (bell, delay) = (bell_of(&self.config), seconds(self.config.delay));
        let values: Parameters<'_> = &[&statements.items, &id, &bell, &delay];
        let triggered = self
            .execute(&self.records, &statements.trigger, values)
            .await?;
        Ok(if triggered {
            Trigger::Accepted
        } else {
            Trigger::NotReady
        })
    }

    async fn waiting(&self) -> Result<u64> {
        let statements = self.statements().await?;
        let waiting = self
            .records
            .query_row(&statements.waiting, &[&statements.items])
            .await;
        let number = self
            .heed(waiting)?
            .map(|row| row.try_get::<_, i64>(0))
            .transpose()
            .map_err(|error| self.unreadable(error))?;
        Ok(number.unwrap_or_default().unsigned_abs())
    }

    async fn counts(&self) -> Result<Counts> {
        let statements = self.statements().await?;
        let counted = self
            .records
            .query_row(
                &statements.counts,
                &[&statements.items, &seconds(self.config.delay)],
            )
            .await;
        let row = self.heed(counted)?;
        let counts = row.as_ref().map(claim::counts).transpose();
        let counts = counts.map_err(|error| self.unreadable(error))?;
        Ok(counts.unwrap_or_default())
    }

    async fn cameras(&self) -> Result<Vec<Camera>> {
        let statements = self.statements().await?;
        let rows = self.heed(self.records.query(&statements.cameras, &[]).await)?;
        let cameras = rows.iter().filter_map(|row| claim::camera(row).transpose());
        let cameras: Result<_, tokio_postgres::Error> = cameras.collect();
        cameras.map_err(|error| self.unreadable(error))
    }

    async fn migrate(&self) -> Result<Vec<String>> {
        schema::migrate(self).await
    }

    async fn missing(&self) -> Result<Vec<String>> {
        schema::missing(self).await
    }

    async fn close(&self) {
        self.leases.close().await;
        self.records.close().await;
    }
}
