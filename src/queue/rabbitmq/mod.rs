//! Jobs in RabbitMQ: a message is a job, taken when somebody asks for it, confirmed
//! wherever it goes next before it is acknowledged where it was.
//!
//! | file | what it does |
//! |---|---|
//! | `connection.rs` | a connection, made anew after it broke |
//! | `topology.rs` | the queues, used as they are or declared |
//! | [`publisher`] | sent is what the broker has confirmed |
//! | `receiving.rs` | one message for each who waits, and none besides |
//! | `delivery.rs` | the message in hand: held, copied, acknowledged |
//! | `holding.rs` | messages in hand for longer than the broker allows |
//! | `message.rs` | what a message's properties say of a job |
//! | `dead_letters.rs` | what was set aside |
//! | [`config`] | the settings of the access-control chain |
//!
//! The channel is the claim: the broker gives the message to another consumer once
//! it is closed, and whatever a late holder sends on it goes nowhere. A process that
//! stands still is found out by its heartbeat. Attempts are in a header, which the
//! broker does not change when it delivers a message again; so such a message is
//! first replaced by a copy that counts the lost attempt. A copy goes to the end of
//! its queue.
//!
//! A retry waits in a queue of its own for each length of wait, `<queue>.retry.5s`,
//! whose messages expire back into the queue; the queue itself expires an hour after
//! its last use. Lengths are rounded up, to the second below a minute, to the minute
//! below an hour.

pub mod config;
mod connection;
mod dead_letters;
mod delivery;
mod holding;
mod message;
pub mod publisher;
mod receiving;
mod topology;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lapin::Channel;
use lapin::types::ShortString;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use uuid::Uuid;

use self::connection::{Link, short};
use self::receiving::Counted;
use super::{Aside, Capabilities, Delivery, Error, Result, SetAside, Sink, Source};
use crate::job::{JobId, RetryPolicy};

pub use config::Config;
pub use publisher::Publisher;

/// The longest name of a queue; those of its retry queues are longer.
const LONGEST_NAME: usize = 200;

/// How long the end waits for messages that are being put back.
const LAST_OFFERS: Duration = Duration::from_secs(4);

/// How a queue behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The queue.
    pub queue: String,
    /// Where jobs are set aside.
    pub dead_queue: String,
    /// What kind of queues is declared, where they do not exist.
    pub queue_type: QueueType,
    /// How often an active job looks whether the message is still its own: three
    /// times in this. The claim itself lasts as long as the connection.
    pub lease: Duration,
    /// How often jobs are tried.
    pub retry: RetryPolicy,
    /// How long either side may be silent until the other gives it up, twice this.
    /// The broker may ask for less; one in the address goes before it.
    pub heartbeat: Duration,
    /// How long a message is in hand until it is taken anew. Less than the broker's
    /// `consumer_timeout`, after which it takes the message back, 30 minutes by
    /// default.
    pub longest_hold: Duration,
}

/// The kinds of durable queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueType {
    /// On one node.
    Classic,
    /// Replicated.
    Quorum,
}

impl QueueType {
    /// As RabbitMQ writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Quorum => "quorum",
        }
    }
}

impl Options {
    /// The queue `name`, and the defaults: dead letters in `<name>.dead`, classic
    /// queues, a heartbeat of 30 s, messages taken anew after 20 minutes.
    pub fn new(name: impl Into<String>) -> Self {
        let queue = name.into();
        Self {
            dead_queue: format!("{queue}.dead"),
            queue,
            queue_type: QueueType::Classic,
            lease: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            heartbeat: Duration::from_secs(30),
            longest_hold: Duration::from_secs(20 * 60),
        }
    }

    /// Refuses names that AMQP cannot carry.
    fn check(&self) -> Result<()> {
        for name in [&self.queue, &self.dead_queue] {
            if name.is_empty() || name.len() > LONGEST_NAME {
                return Err(Error::Refused {
                    queue: "queue on rabbitmq".to_owned(),
                    reason: format!("a queue's name has 1 to {LONGEST_NAME} bytes"),
                    source: None,
                });
            }
        }
        Ok(())
    }

    /// A name that was checked.
    fn name(name: &str) -> ShortString {
        short(name).unwrap_or_default()
    }
}

/// A queue in RabbitMQ. Clones share its connections: one to receive on, and one to
/// publish on.
#[derive(Clone)]
pub struct RabbitMq(Arc<Shared>);

struct Shared {
    options: Options,
    consuming: Link,
    publisher: Publisher,
    /// Whether the queues are known to exist.
    declared: AtomicBool,
    /// Channels without a consumer and without a message in hand.
    idle: Mutex<Vec<Channel>>,
    /// Names this process's holding queue.
    key: String,
    /// Jobs that lost their last worker, to be told of.
    aside: Aside,
    /// How many messages are being received, or put back as nobody took them.
    receiving: watch::Sender<usize>,
}

impl RabbitMq {
    /// A queue of the broker at `url`, as `amqp://user:password@host:5672/%2f`, or
    /// `amqps://` for TLS. Connects when it is first used.
    pub fn new(url: &str, options: Options) -> Result<Self> {
        let publisher = Publisher::new(url, &options)?;
        let consuming = Link::new(url, &options.queue, "consuming", options.heartbeat)?;
        Ok(Self(Arc::new(Shared {
            options,
            consuming,
            publisher,
            declared: AtomicBool::new(false),
            idle: Mutex::default(),
            key: Uuid::now_v7().to_string(),
            aside: Aside::default(),
            receiving: watch::Sender::new(0),
        })))
    }

    /// By which more can be published, as the next stage's message before this one is
    /// acknowledged.
    pub fn publisher(&self) -> &Publisher {
        &self.0.publisher
    }
}

#[async_trait]
impl Source for RabbitMq {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        let (to, offered) = oneshot::channel();
        // In a task of its own: a message that came is never forgotten.
        let shared = Arc::clone(&self.0);
        let counted = Counted::new(&shared);
        tokio::spawn(receiving::offer(shared, to, counted));
        let taken = match offered.await {
            Ok(taken) => taken?.arrived(),
            Err(_) => None,
        };
        match taken {
            Some(delivery) => Ok(Box::new(delivery)),
            // The process ends.
            None => Err(self.0.consuming.away("the receiving was broken off")),
        }
    }

    async fn set_aside(&self) -> SetAside {
        self.0.aside.next().await
    }

    fn lease(&self) -> Duration {
        self.0.options.lease
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            expiring_lease: false,
            ..Capabilities::WITHOUT_RECORDS
        }
    }

    async fn close(&self) {
        let shared = &self.0;
        // A message that came to somebody who had gone is being put back: with its
        // channel gone it would be one whose worker was lost.
        let none = |receiving: &usize| *receiving == 0;
        let mut receiving = shared.receiving.subscribe();
        let _ = timeout(LAST_OFFERS, receiving.wait_for(none)).await;
        shared.idle().clear();
        shared.consuming.discard().await;
        shared.publisher.close().await;
    }
}

#[async_trait]
impl Sink for RabbitMq {
    async fn send(&self, id: &JobId, payload: &[u8]) -> Result<()> {
        let shared = &self.0;
        shared.declare().await?;
        let publisher = &shared.publisher;
        let send = || publisher.to_queue(shared.queue(), payload, message::fresh(id));
        match send().await {
            Err(Error::Refused { .. }) => {
                // Somebody deleted it.
                shared.doubt_queues();
                shared.declare().await?;
                send().await
            }
            sent => sent,
        }
    }
}

impl Shared {
    /// A channel without a consumer, that prefetches one message for each it will
    /// have.
    async fn channel(&self) -> Result<Channel> {
        self.declare().await?;
        while let Some(channel) = self.take_idle() {
            if channel.status().connected() {
                return Ok(channel);
            }
        }
        let channel = self.consuming.channel().await?;
        self.consuming.probe(&channel).await?;
        Ok(channel)
    }

    async fn declare(&self) -> Result<()> {
        if !self.declared.load(Ordering::Acquire) {
            topology::declare(&self.consuming, &self.options).await?;
            self.declared.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Looks for the queues again when they are next needed.
    fn doubt_queues(&self) {
        self.declared.store(false, Ordering::Release);
    }

    fn take_idle(&self) -> Option<Channel> {
        self.idle().pop()
    }

    fn give_back(&self, channel: Channel) {
        self.idle().push(channel);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> ShortString {
        Options::name(&self.options.queue)
    }
}
