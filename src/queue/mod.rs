//! Where jobs come from and where they are kept: the contract of all adapters.
//!
//! | file | what it does |
//! |---|---|
//! | [`ledger`] | the producer's and the operator's side: add, find, cancel, list |
//! | [`capabilities`] | what an adapter's broker can do, where not all of them can |
//! | `aside.rs` | jobs that ended at a claim |
//! | `handover.rs` | claims that nobody takes are put back |
//! | [`options`] | what the queues in databases have in common |
//! | [`dead_letters`] | the operator's side of brokers that keep no records |
//! | [`sqlite`] | the embedded default: a file |
//! | [`postgres`] | a database that hosts share |
//! | [`bullmq`] | Redis, shared with `BullMQ`'s clients |
//! | [`redis_list`] | a plain Redis list |
//! | [`rabbitmq`] | `RabbitMQ`: classic and quorum queues |
//! | [`sqs`] | Amazon SQS |
//! | [`packing_items`] | a table of the users': its rows are the jobs, by their status |
//! | [`webhook`] | another door to those that keep records: jobs that are pushed |
//!
//! A [`Source`] hands out [`Delivery`]s, and the runner settles each one. Those
//! adapters that own their jobs' records (SQLite, Postgres, `BullMQ`) are also a
//! [`Ledger`] and an [`Admin`]. A [`Sink`] takes the next job of work that goes from
//! queue to queue.
//!
//! # What every adapter guarantees
//!
//! Each sentence has a test in the contract suite (`tests/queue/contract`),
//! which every adapter passes against its real server. Where a broker cannot do
//! a thing, the adapter says so in its [`Capabilities`], and only those are
//! excused.
//!
//! 1. **At least once.** A job that was added is delivered until one attempt at it
//!    is settled. It may be delivered more than once: after a crash, a lost lease, or
//!    a settlement whose answer was lost. Workloads are idempotent.
//! 2. **A lease.** A delivery is claimed for [`Source::lease`]; until it ends no
//!    other consumer gets the job. [`Delivery::extend`] begins it anew. Time is
//!    the broker's or database's, never this host's clock against another's.
//! 3. **A fencing token.** Once a lease has been lost and the job claimed again,
//!    whatever the late holder still sends (`extend`, `progress`, `settle`) changes
//!    nothing and answers [`Lease::Lost`]. The token is the adapter's own affair: a
//!    number that each claim raises, a lock's secret, a channel's delivery tag.
//! 4. **Charged at claim.** [`Job::attempt`](crate::job::Job::attempt) counts the
//!    claim itself, before any work, so that a job that kills its worker runs out of
//!    attempts.
//! 5. **Set aside.** A job whose last attempt failed, crashed or was rejected is
//!    not delivered again, and it is not thrown away: it is kept with its reason and
//!    can be listed (a `failed` state, a dead-letter queue or list). One that a claim
//!    finds so is told by [`Source::set_aside`].
//! 6. **Retried with a delay.** [`Outcome::Retry`] brings the job back not before
//!    `after`; with `None` after the job's own backoff, where the producer gave one,
//!    else after [`RetryPolicy::delay`](crate::job::RetryPolicy::delay). A waiting
//!    retry does not occupy a consumer.
//! 7. **Put back.** [`Outcome::PutBack`] makes the job available at once and gives
//!    the attempt back. A broker that counts receipts itself (SQS) puts back charged:
//!    `uncharged_put_back` is false, and the adapter allows for it in the number of
//!    attempts that it lets the broker count.
//! 8. **Cancel.** Where the adapter can cancel, a waiting job becomes `cancelled`
//!    at once, and an active one's [`Delivery::cancel_asked`] resolves within 2 s on
//!    whichever host it runs. An attempt that is done before it hears of the cancel
//!    is done: its result stands.
//! 9. **A lost connection is an error, not the end.** Methods return
//!    [`Error::Away`] without hanging (10 s at most), and the same `Source` works
//!    again once the broker does.
//! 10. **Nothing is held back.** An adapter prefetches no more deliveries than were
//!     asked for: a job in an idle consumer's pocket is a job nobody does.
//!
//! # Writing an adapter
//!
//! - **Pull** (SQLite, Postgres, lists, SQS): claim in `receive`.
//! - **Push** (a broker's consumer, or a worker library that calls a closure): the
//!   callback offers the delivery on a rendezvous channel, which `receive` takes from,
//!   and then waits until it is settled. A callback that nobody received from when
//!   the `Source` is dropped puts its job back.
//! - Futures are dropped: the runner waits for several things at once. See each
//!   method for what must then hold.
//! - Log nothing but what the caller cannot see (a reconnect): the runner logs every
//!   error it gets, and every job that is set aside, once.

mod aside;
pub mod bullmq;
pub mod capabilities;
pub mod dead_letters;
mod handover;
pub mod ledger;
pub mod options;
pub mod packing_items;
pub mod postgres;
pub mod rabbitmq;
mod redis;
pub mod redis_list;
pub mod sqlite;
pub mod sqs;
pub mod webhook;

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::job::{Job, JobId, Outcome, Progress};

pub use aside::{Aside, SetAside};
pub use capabilities::Capabilities;
pub use dead_letters::{DeadLetter, DeadLetters};
pub use ledger::{Added, Admin, Cancel, Counts, Ledger, NewJob, Page, Record, Retention, State};
pub use options::Options;

/// Where deliveries come from. One value serves a whole process: `receive` may be
/// called from several tasks at once.
#[async_trait]
pub trait Source: Send + Sync {
    /// Waits until a job can be claimed, and claims it.
    ///
    /// Cancel safe: a future that is dropped before it is ready has claimed
    /// nothing, or puts the job back at once and uncharged, or (where the broker
    /// alone can) leaves it to its lease.
    async fn receive(&self) -> Result<Box<dyn Delivery>>;

    /// Waits for a job that ended at a claim of this process: its worker was lost in
    /// its last attempt. The runner counts it, and has its workload tidy up.
    ///
    /// Never resolves for an adapter whose broker sets aside by itself, which is the
    /// default. Cancel safe; called by one task at a time, each call once what the one
    /// before told of has been dealt with: an adapter may remember what was not, and
    /// tell it again, to another process too.
    async fn set_aside(&self) -> SetAside {
        std::future::pending().await
    }

    /// How long a claim holds unless it is extended. The runner extends after a
    /// third of it.
    fn lease(&self) -> Duration;

    /// What this adapter can do.
    fn capabilities(&self) -> Capabilities;

    /// Gives back what was fetched and not handed out, and lets go of the broker.
    /// Called once, at the end, when no `receive` is pending and every delivery
    /// is settled or given up. Bounded: 5 s at most.
    async fn close(&self) {}
}

/// A claimed job. Dropped without a settlement it is as after a crash: the job
/// comes back when the lease ends, and the attempt stays charged.
#[async_trait]
pub trait Delivery: Send + Sync {
    /// What is to be done.
    fn job(&self) -> &Job;

    /// Whether an earlier attempt at the job lost its worker: the job may be what
    /// killed it. The runner does such jobs one at a time, so that it does not take
    /// those beside it along each time. `false`, the default, where the broker does
    /// not tell.
    fn is_suspect(&self) -> bool {
        false
    }

    /// Right before the claim was asked for, by this host's clock, where the adapter
    /// tells: the lease holds for [`Source::lease`] from then on at least.
    fn asked(&self) -> Option<Instant> {
        None
    }

    /// Begins the lease anew. Where the adapter's library or broker renews by
    /// itself, it looks whether the claim still holds.
    ///
    /// Called while `progress` or `cancel_asked` are pending. May be dropped: then
    /// nobody knows whether it was renewed.
    async fn extend(&self) -> Result<Lease>;

    /// Makes progress visible. The runner calls it at most twice a second, and
    /// an error of it fails no job. An adapter without the capability answers
    /// [`Lease::Held`]. May be dropped.
    async fn progress(&self, progress: &Progress) -> Result<Lease>;

    /// Resolves once somebody asked to cancel the job, within 2 s, from whatever
    /// host; never for an adapter that cannot cancel, which is the default.
    ///
    /// Polled for as long as the job runs, so it must cost little: wait for a
    /// message, or look twice a second. It outlives errors by itself. May be
    /// dropped and called again.
    async fn cancel_asked(&self) {
        std::future::pending::<()>().await;
    }

    /// Ends the attempt. [`Lease::Held`] says that it is written: the job is
    /// what the outcome says.
    ///
    /// After an error nobody knows whether it was written; the runner calls
    /// again with the same outcome until the lease must have ended. A second call
    /// after a first one that was written answers `Held` and changes nothing, as
    /// far as the broker can tell; else `Lost`.
    ///
    /// Not dropped while it is pending, but for the end of the process.
    async fn settle(&self, outcome: &Outcome) -> Result<Lease>;
}

/// Where jobs go on to, for work that goes from queue to queue: a stage sends the next
/// one's job before it settles its own.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Sends a job by the name of `id`; its queue is made if there is none.
    ///
    /// When it returns, the broker has it, to stay. After an error, and if it was
    /// dropped, nobody knows; sent again under the same id it is the same job, which
    /// may then be delivered twice.
    async fn send(&self, id: &JobId, payload: &[u8]) -> Result<()>;
}

/// Whether a delivery is still this consumer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "work on a lost lease must stop"]
pub enum Lease {
    /// It is, and what was asked has been done.
    Held,
    /// Somebody else has the job, or it is settled, cancelled or gone: nothing was
    /// changed. The work is to stop and nothing is to be settled.
    Lost,
}

impl Lease {
    /// What a broker's "it was yours" comes to.
    pub(in crate::queue) fn of(held: bool) -> Self {
        if held { Self::Held } else { Self::Lost }
    }
}

/// Why a call to a queue failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker cannot be reached, or did not answer in time. It may come
    /// back: the runner tries again with growing pauses.
    #[error("{queue} is away: {reason}")]
    Away {
        /// Which, as `sqlite queue jobs.sqlite`; no secrets.
        queue: String,
        /// What happened, in one line; no secrets.
        reason: String,
        /// What the client library said.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The broker is there and will not: rights, a full disk, a schema that is
    /// newer than this program. Somebody has to mend it; the runner goes on trying
    /// at the longest pause.
    #[error("{queue} refuses: {reason}")]
    Refused {
        /// Which, as `sqlite queue jobs.sqlite`; no secrets.
        queue: String,
        /// What, and the remedy, in one line; no secrets.
        reason: String,
        /// What the client library said.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
}

/// What calls to a queue return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
