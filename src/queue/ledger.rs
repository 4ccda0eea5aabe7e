//! The producer's and the operator's side of a queue whose jobs keep records.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Result;
use crate::job::{JobId, Progress};

/// Adds jobs, and knows what became of each.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Adds a job. When it returns, the job outlives a crash of this process and
    /// of its machine, as far as the broker's own settings go.
    ///
    /// The id is the idempotency key: an id that is known already, in whatever
    /// state, adds nothing and says so, whatever the rest of `job` is.
    async fn add(&self, job: NewJob) -> Result<Added>;

    /// A job's record, until it is forgotten by [`Retention`].
    async fn find(&self, id: &JobId) -> Result<Option<Record>>;

    /// Cancels a job, or asks the worker that has it to stop.
    async fn cancel(&self, id: &JobId) -> Result<Cancel>;
}

/// What an operator sees and does.
#[async_trait]
pub trait Admin: Ledger {
    /// How many jobs there are in each state.
    async fn counts(&self) -> Result<Counts>;

    /// The jobs in `state`: finished ones the last first, others in the order in
    /// which they are due.
    async fn list(&self, state: State, page: Page) -> Result<Vec<Record>>;

    /// Gives a failed or cancelled job all its attempts anew, at once. `false` if
    /// it is unknown or in another state.
    async fn retry(&self, id: &JobId) -> Result<bool>;

    /// Stops or resumes the whole queue, on every host: while it is paused,
    /// nothing is claimed. What is active goes on.
    async fn set_paused(&self, paused: bool) -> Result<()>;
}

/// A job to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its id, and the idempotency key.
    pub id: JobId,
    /// What kind of job it is, as `export`.
    pub name: String,
    /// What the workload gets.
    pub payload: Vec<u8>,
    /// How long it is to wait first.
    pub delay: Duration,
    /// Attempts in all; `None` for what the queue's retry policy says.
    pub max_attempts: Option<u32>,
}

impl NewJob {
    /// A job under a new id, to be done at once.
    pub fn new(name: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            id: JobId::random(),
            name: name.into(),
            payload: payload.into(),
            delay: Duration::ZERO,
            max_attempts: None,
        }
    }

    /// The same, under this id.
    #[must_use]
    pub fn with_id(self, id: JobId) -> Self {
        Self { id, ..self }
    }
}

/// What [`Ledger::add`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// The job is new.
    New,
    /// A job with this id is known already, and nothing was changed.
    Known,
}

/// What [`Ledger::cancel`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancel {
    /// The job was not active and is now cancelled.
    Cancelled,
    /// The job is active and its worker will hear of it within 2 s. It becomes
    /// cancelled, unless it is done first.
    Asked,
    /// The job was finished, in this state.
    TooLate(State),
    /// There is no such job.
    Unknown,
}

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It can be claimed.
    Waiting,
    /// A consumer has it.
    Active,
    /// Done; it has a result.
    Completed,
    /// Set aside: out of attempts, or rejected.
    Failed,
    /// It waits for its time: a retry, or added with a delay.
    Delayed,
    /// It could be claimed, but the queue is paused.
    Paused,
    /// Somebody cancelled it.
    Cancelled,
}

/// The text is no [`State`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected waiting, active, completed, failed, delayed, paused or cancelled")]
pub struct InvalidState;

impl FromStr for State {
    type Err = InvalidState;

    fn from_str(name: &str) -> Result<Self, InvalidState> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.as_str() == name).ok_or(InvalidState)
    }
}

impl State {
    /// All of them, in a job's usual order.
    pub const ALL: [Self; 7] = [
        Self::Paused,
        Self::Delayed,
        Self::Waiting,
        Self::Active,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen to the job by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A job's record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: JobId,
    /// What kind of job it is.
    pub name: String,
    /// What the producer sent.
    pub payload: Vec<u8>,
    /// What it is doing.
    pub state: State,
    /// How far the current or last attempt is or came, if it said so.
    pub progress: Option<Progress>,
    /// What it came to, once it is completed.
    pub result: Option<Value>,
    /// Why the last attempt failed, also while a retry waits, where the broker
    /// tells that early (`BullMQ` does not).
    pub failed_reason: Option<String>,
    /// Attempts charged so far.
    pub attempts: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// When it was added.
    pub enqueued_at: Option<SystemTime>,
    /// When the current or last attempt was claimed.
    pub started_at: Option<SystemTime>,
    /// When it was finished.
    pub finished_at: Option<SystemTime>,
}

/// How many jobs there are in each state: the six of the exports API, as it
/// writes them. Cancelled jobs are not among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    /// Jobs that can be claimed.
    pub waiting: u64,
    /// Jobs that a consumer has.
    pub active: u64,
    /// Completed jobs that are still kept.
    pub completed: u64,
    /// Jobs set aside that are still kept.
    pub failed: u64,
    /// Jobs that wait for their time.
    pub delayed: u64,
    /// Jobs that could be claimed, but for the pause.
    pub paused: u64,
}

impl Counts {
    /// Each state with its number.
    pub fn by_state(&self) -> [(State, u64); 6] {
        [
            (State::Waiting, self.waiting),
            (State::Active, self.active),
            (State::Completed, self.completed),
            (State::Failed, self.failed),
            (State::Delayed, self.delayed),
            (State::Paused, self.paused),
        ]
    }
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many to pass over.
    pub offset: u32,
    /// How many at most.
    pub limit: u32,
}

impl Page {
    /// The first `limit`.
    pub fn first(limit: u32) -> Self {
        Self { offset: 0, limit }
    }
}

/// How many finished jobs are remembered, the last ones of each kind. An adapter
/// may remember a few more for a while: it tidies up now and then, not each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Completed jobs.
    pub completed: u32,
    /// Jobs set aside, and likewise cancelled ones.
    pub failed: u32,
}

impl Default for Retention {
    /// Failed jobs are kept for 500 iterations, as the exports document says, and
    /// completed ones for 1,000.
    fn default() -> Self {
        Self {
            completed: 1000,
            failed: 500,
        }
    }
}
