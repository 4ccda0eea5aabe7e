//! Jobs in Redis, in the keys of `BullMQ`: what its clients add, Flatbed does, and
//! what Flatbed adds and does, they and their dashboards see.
//!
//! | file | what it does |
//! |---|---|
//! | `scripts.rs`, `lua/` | what happens in Redis, each step as a whole |
//! | `claim.rs` | the claim |
//! | `delivery.rs` | what a consumer writes, fenced |
//! | `ledger.rs` | the producer's and the operator's side |
//! | `options.rs` | the options that producers give their jobs |
//! | `record.rs` | hashes as records |
//!
//! The layout of the keys is `BullMQ`'s, which all of its ports share; the scripts
//! are Flatbed's own (docs/ARCHITECTURE.md says why). Three things it has no
//! place for:
//!
//! - **Attempts that ended in a crash** are counted by `BullMQ` apart, as stalls
//!   (`stc`), and here among the attempts: [`Job::attempt`] is `atm + stc + 1`.
//! - **Cancelled** jobs are among the `failed` ones, with the reason `cancelled`;
//!   `flatbed:cancelled` lists them. A job that a worker of another make has hears
//!   of no cancel.
//! - **`flatbed:cancel` and `flatbed:settled`** in a job's hash hold the number of
//!   the claim (`ats`) that is to stop, or was settled.
//!
//! A producer's `removeOnFail` is heeded: `true` forgets what failed. Only a job
//! that was set aside because its workers were lost is kept all the same.
//!
//! Not done for others: flows (a parent does not hear of its child), the next run
//! of a job scheduler, rate limits. Needs Redis 6.2 or newer, and no cluster.

mod claim;
mod delivery;
mod ledger;
mod options;
mod record;
mod scripts;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use redis::FromRedisValue;
use tokio::sync::Notify;

use self::claim::Ticket;
use self::delivery::BullmqDelivery;
use super::redis::bell::{BLOCK, Bell, Pull};
use super::redis::claiming::{self, Claim, Claims, Doubtful};
use super::redis::connection::{Redis, Script};
use super::{Aside, Capabilities, Delivery, Lease, Result, Retention, SetAside, Source};
use crate::job::{Job, Outcome, RetryPolicy};

/// The longest between two looks for jobs that lost their workers.
const LONGEST_CHECK: Duration = Duration::from_secs(15);

/// How a queue behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The queue's name, as producers give it.
    pub queue: String,
    /// What all keys begin with: `bull`, unless producers say otherwise.
    pub prefix: String,
    /// How long a claim holds. A killed worker's job is taken over after one and
    /// a half of it, but not later than 15 s after its end.
    pub lease: Duration,
    /// How often jobs are tried that do not say so.
    pub retry: RetryPolicy,
    /// How many finished jobs are remembered, where a job does not say so.
    pub retention: Retention,
}

impl Options {
    /// The queue `name`, and `BullMQ`'s defaults: a lease of 30 s.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            queue: name.into(),
            prefix: "bull".to_owned(),
            lease: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            retention: Retention::default(),
        }
    }
}

/// A `BullMQ` queue. Clones share one connection.
#[derive(Clone)]
pub struct BullmqQueue(Arc<Shared>);

struct Shared {
    options: Options,
    /// What all keys of the queue begin with.
    base: String,
    redis: Redis,
    bell: OnceLock<Bell>,
    /// Somebody in this process asked to cancel.
    cancels: Notify,
    aside: Aside,
    doubtful: Doubtful,
}

impl BullmqQueue {
    /// A queue on the server at `url`: `redis://[user:password@]host:6379[/database]`,
    /// `rediss://` for TLS, or `unix://`. Connects when it is first used.
    pub fn new(url: &str, options: Options) -> Result<Self> {
        Ok(Self(Arc::new(Shared {
            redis: Redis::new(url, &options.queue)?,
            base: format!("{}:{}:", options.prefix, options.queue),
            bell: OnceLock::new(),
            cancels: Notify::new(),
            aside: Aside::default(),
            doubtful: Doubtful::default(),
            options,
        })))
    }
}

impl Claims for BullmqQueue {
    type Ticket = Ticket;

    fn name(&self) -> &str {
        &self.0.options.queue
    }

    fn doubtful(&self) -> &Doubtful {
        &self.0.doubtful
    }

    /// Whoever makes a job available, in whatever language, adds a member to the
    /// queue's `marker`, and idle workers block on it.
    fn bell(&self) -> &Bell {
        let shared = &self.0;
        shared.bell.get_or_init(|| {
            let marker = shared.key("marker");
            let mut wait = redis::cmd("BZPOPMIN");
            wait.arg(&marker).arg(BLOCK);
            let mut give_back = redis::cmd("ZADD");
            give_back.arg(&marker).arg(0).arg("0");
            let pull = Pull {
                wait,
                give_back: Some(give_back),
            };
            Bell::new(shared.redis.clone(), pull)
        })
    }

    fn check(&self) -> Duration {
        self.0.check()
    }

    async fn claim(&self, token: String, again: bool) -> Result<Claim<Ticket>> {
        claim::claim(&self.0, token, again).await
    }

    async fn put_back(&self, ticket: &Ticket) -> Result<Lease> {
        self.0.settle(ticket, &Outcome::PutBack).await
    }

    fn job(ticket: &Ticket) -> &Job {
        &ticket.job
    }
}

#[async_trait]
impl Source for BullmqQueue {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        let ticket = claiming::receive(self).await?;
        Ok(Box::new(BullmqDelivery::new(*ticket, self.clone())))
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
        if let Some(bell) = self.0.bell.get() {
            bell.close();
        }
        self.0.redis.discard().await;
    }
}

impl Shared {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.base)
    }

    /// The lease in milliseconds, as scripts take it.
    fn lease(&self) -> String {
        self.options.lease.as_millis().max(1).to_string()
    }

    /// How often all consumers together look for jobs that lost their workers.
    fn check(&self) -> Duration {
        (self.options.lease / 2).clamp(Duration::from_millis(50), LONGEST_CHECK)
    }

    async fn run<T: FromRedisValue>(&self, script: &Script, arguments: &[&[u8]]) -> Result<T> {
        self.redis.run(script, &self.base, arguments).await
    }
}
