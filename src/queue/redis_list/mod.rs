//! Jobs in a plain Redis list: a producer in any language does `LPUSH`, and no job
//! is lost however its worker ends.
//!
//! | file | what it does |
//! |---|---|
//! | `scripts.rs`, `lua/` | what happens in Redis, each step as a whole |
//! | `delivery.rs` | the claim, and what a consumer writes, fenced |
//! | `aside.rs` | jobs whose workers were lost in their last attempts, until somebody was told |
//! | `dead_letters.rs` | what was set aside, and how many jobs there are |
//! | [`config`] | the settings of image jobs |
//!
//! A message is opaque bytes. Its first claim takes it off the list and gives it
//! an id, so that two equal messages are two jobs, and whatever follows goes by
//! that id:
//!
//! | key | what it is |
//! |---|---|
//! | `<list>` | what producers pushed, byte for byte; the right end is next |
//! | `<list>:job:<id>` | a job that was claimed: `payload`, `attempts`, `token`, `reason`, `dead` |
//! | `<list>:active` | ids by the end of their leases (ms since 1970) |
//! | `<list>:delayed` | ids by when their retry is due |
//! | `<list>:ready` | ids that were begun before and can be claimed: they go before the list |
//! | `<list>:dead` | ids that were set aside, the last at the left |
//! | `<list>:untold` | those of them that lost their workers in their last attempts, by when they are told of next |
//! | `<list>:settled:<token>` | for a while, that the claim was settled |
//!
//! Where [`Options::only_task`] is set, messages of other tasks are never taken: they
//! stay in the list, for whoever knows them, and only their places among the others
//! change.
//!
//! Older workers may go on popping from the list beside this one; what Flatbed has
//! claimed once comes back to Flatbed alone. Needs Redis 6.2 or newer, and no cluster.

mod aside;
pub mod config;
mod dead_letters;
mod delivery;
mod scripts;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use redis::FromRedisValue;

use self::aside::Asides;
use self::delivery::{ListDelivery, Ticket};
use super::redis::bell::{BLOCK, Bell, Pull};
use super::redis::claiming::{self, Claim, Claims, Doubtful};
use super::redis::connection::{Redis, Script};
use super::{Capabilities, Delivery, Lease, Result, SetAside, Source};
use crate::job::{Job, Outcome, RetryPolicy};

pub use config::Config;

/// The longest between two looks for jobs that lost their workers.
const LONGEST_CHECK: Duration = Duration::from_secs(15);

/// How a queue behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The list that producers push to.
    pub list: String,
    /// How long a claim holds. A killed worker's job is taken over by the next idle
    /// one after it.
    pub lease: Duration,
    /// How often jobs are tried.
    pub retry: RetryPolicy,
    /// How many jobs that were set aside are kept, the last ones.
    pub dead_kept: u32,
    /// Takes only messages that are JSON objects with this `task_type`; `None` takes
    /// all.
    pub only_task: Option<String>,
}

impl Options {
    /// The list `name`, and the defaults: a lease of 30 s, 10,000 dead jobs kept.
    pub fn new(list: impl Into<String>) -> Self {
        Self {
            list: list.into(),
            lease: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            dead_kept: 10_000,
            only_task: None,
        }
    }
}

/// A queue in a Redis list. Clones share one connection.
#[derive(Clone)]
pub struct RedisList(Arc<Shared>);

struct Shared {
    options: Options,
    redis: Redis,
    bell: OnceLock<Bell>,
    doubtful: Doubtful,
    asides: Asides,
}

impl RedisList {
    /// A queue on the server at `url`: `redis://[user:password@]host:6379[/database]`,
    /// `rediss://` for TLS, or `unix://`. Connects when it is first used.
    pub fn new(url: &str, options: Options) -> Result<Self> {
        Ok(Self(Arc::new(Shared {
            redis: Redis::new(url, &options.list)?,
            bell: OnceLock::new(),
            doubtful: Doubtful::default(),
            asides: Asides::default(),
            options,
        })))
    }

    /// Adds a job, as any producer can.
    pub async fn push(&self, payload: &[u8]) -> Result<()> {
        let mut push = redis::cmd("LPUSH");
        push.arg(&self.0.options.list).arg(payload);
        self.0.redis.command(&push).await
    }
}

impl Claims for RedisList {
    type Ticket = Ticket;

    fn name(&self) -> &str {
        &self.0.options.list
    }

    fn doubtful(&self) -> &Doubtful {
        &self.0.doubtful
    }

    /// Blocks until the list has a message, and moves that to where it was: a call
    /// whose client is gone has taken nothing.
    fn bell(&self) -> &Bell {
        let shared = &self.0;
        shared.bell.get_or_init(|| {
            let list = &shared.options.list;
            let mut wait = redis::cmd("BLMOVE");
            wait.arg(list)
                .arg(list)
                .arg("RIGHT")
                .arg("RIGHT")
                .arg(BLOCK);
            let pull = Pull {
                wait,
                give_back: None,
            };
            Bell::new(shared.redis.clone(), pull)
        })
    }

    fn check(&self) -> Duration {
        let lease = self.0.options.lease;
        (lease / 2).clamp(Duration::from_millis(50), LONGEST_CHECK)
    }

    async fn claim(&self, token: String, again: bool) -> Result<Claim<Ticket>> {
        delivery::claim(&self.0, token, again).await
    }

    async fn put_back(&self, ticket: &Ticket) -> Result<Lease> {
        self.0.settle(ticket, &Outcome::PutBack).await
    }

    fn job(ticket: &Ticket) -> &Job {
        &ticket.job
    }
}

#[async_trait]
impl Source for RedisList {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        let ticket = claiming::receive(self).await?;
        Ok(Box::new(ListDelivery::new(*ticket, self.clone())))
    }

    async fn set_aside(&self) -> SetAside {
        self.0.set_aside().await
    }

    fn lease(&self) -> Duration {
        self.0.options.lease
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::WITHOUT_RECORDS
    }

    async fn close(&self) {
        if let Some(bell) = self.0.bell.get() {
            bell.close();
        }
        self.0.redis.discard().await;
    }
}

impl Shared {
    async fn run<T: FromRedisValue>(&self, script: &Script, arguments: &[&[u8]]) -> Result<T> {
        self.redis.run(script, &self.options.list, arguments).await
    }
}
