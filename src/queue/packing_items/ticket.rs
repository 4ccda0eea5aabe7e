//! A claimed row, what becomes of it, and what a database has to do for that.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::Trigger;
use super::order::{self, Camera, Row};
use crate::clip::Made;
use crate::job::{Job, JobId};
use crate::queue::{Counts, Lease, Result, SetAside, State};

/// A claimed row.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) item: i64,
    pub(super) token: Uuid,
    /// Attempts that lost their workers.
    pub(super) losses: u32,
    pub(super) job: Job,
}

/// What a claim found.
#[derive(Debug)]
pub(super) enum Claim {
    Taken(Box<Ticket>),
    /// A row whose worker was lost in its last attempt; it has failed now.
    SetAside(SetAside),
    /// Nothing; the next row is due after this time, if there is one.
    Nothing(Option<Duration>),
}

/// A claimed row as its database tells it.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    pub(super) is_active: bool,
    pub(super) attempts: u32,
    pub(super) losses: u32,
    pub(super) triggered_at: Option<std::time::SystemTime>,
    pub(super) row: Row,
}

impl Claimed {
    pub(super) fn into_claim(self, token: Uuid, most: u32) -> Claim {
        let id = JobId::of_foreign(&self.row.id.to_string());
        if !self.is_active {
            let state = State::Failed;
            return Claim::SetAside(SetAside::new(id, state));
        }
        Claim::Taken(Box::new(Ticket {
            item: self.row.id,
            token,
            losses: self.losses,
            job: Job {
                id,
                name: "clip".to_owned(),
                payload: order::payload(&self.row),
                attempt: self.attempts,
                max_attempts: most,
                enqueued_at: self.triggered_at,
            },
        }))
    }
}

/// What becomes of a claimed row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Settlement {
    /// `CLIP_GENERATED`, and a row of the clips.
    Made(Box<Made>),
    /// `READY_FOR_BATCH`, but not before this time.
    Again { after: Duration, reason: String },
    /// `CLIP_FAILED`.
    Failed { reason: String },
    /// `CLIP_FAILED`, if nobody has changed the row.
    Cancelled,
    /// `READY_FOR_BATCH`, and the attempt is given back.
    PutBack,
}

/// What is said of a row that somebody cancelled who did not change its status.
pub(super) const CANCELLED: &str = "cancelled";

/// What a claim may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The claim's, new or of one whose answer was lost.
    pub(super) token: Uuid,
    /// Whether it was tried before.
    pub(super) is_again: bool,
    /// Whether the row may be one that nobody has triggered and that was never
    /// claimed.
    pub(super) fresh: bool,
}

/// What a claim came to, and whether it took a row that nobody had triggered.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) claim: Claim,
    pub(super) was_fresh: bool,
}

/// The tables in one kind of database. Each call is one transaction, or none.
#[async_trait]
pub(super) trait Backend: Send + Sync {
    /// For people: which database, without secrets.
    fn place(&self) -> String;

    /// Hears of what others write.
    fn bell(&self) -> Bell;

    /// Is connected, so that the bell rings.
    async fn listen(&self) -> Result<()>;

    /// Claims a row. Runs to its end.
    async fn claim(&self, wanted: Wanted) -> Result<Found>;

    /// Begins the lease anew.
    async fn extend(&self, ticket: &Ticket) -> Result<Lease>;

    /// Whether the row is claimed by this ticket, and yet it is gone or somebody has
    /// changed its status.
    async fn is_taken_away(&self, ticket: &Ticket) -> Result<bool>;

    /// How often to look for that.
    fn look(&self) -> Duration;

    /// Writes it, if the claim still holds and nobody has changed the row.
    async fn settle(&self, ticket: &Ticket, settlement: &Settlement) -> Result<Lease>;

    async fn trigger(&self, id: i64) -> Result<Trigger>;

    /// Triggered and not claimed yet.
    async fn waiting(&self) -> Result<u64>;

    async fn counts(&self) -> Result<Counts>;

    /// All cameras, by their ids.
    async fn cameras(&self) -> Result<Vec<Camera>>;

    /// Makes what is missing; the names of what it made.
    async fn migrate(&self) -> Result<Vec<String>>;

    /// What is missing, of the tables that would be made.
    async fn missing(&self) -> Result<Vec<String>>;

    async fn close(&self);
}

/// Rings when there may be something to claim.
pub(super) enum Bell {
    Postgres(tokio::sync::watch::Receiver<u64>),
    Sqlite(crate::queue::sqlite::database::Watch),
}

impl Bell {
    /// What rang until now is known.
    pub(super) fn seen(&mut self) {
        match self {
            Self::Postgres(rung) => rung.mark_unchanged(),
            Self::Sqlite(watch) => watch.seen(),
        }
    }

    /// Waits until it rings after the last `seen`.
    pub(super) async fn changed(&mut self) {
        match self {
            Self::Postgres(rung) => {
                if rung.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            Self::Sqlite(watch) => watch.changed().await,
        }
    }
}

/// A reason as the tables have it: one line, and not too long for one.
pub(super) fn one_line(reason: &str) -> String {
    const LONGEST: usize = 500;
    let words = reason.split(|c: char| c.is_control() || c.is_whitespace());
    let line = words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(LONGEST) {
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}

/// What is said of a row whose worker was lost in its last attempt.
pub(super) const LOST: &str = "its worker was lost in attempt ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_one_short_line() {
        assert_eq!(one_line(" a\n\tb\0c "), "a b c");
        let long = one_line(&"ä ".repeat(1000));
        assert_eq!(long.chars().count(), 501);
    }
}
