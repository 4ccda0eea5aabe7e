//! Jobs in Amazon SQS, or what speaks its protocol.
//!
//! | file | what it does |
//! |---|---|
//! | `client.rs` | signed requests in SQS's JSON protocol |
//! | `message.rs` | what a message says of a job, and copies of it |
//! | `receiving.rs` | long polls, for those who wait and no others |
//! | `delivery.rs` | the message in hand: kept invisible, deleted, copied |
//! | `dead_letters.rs` | where jobs are set aside, and what is there |
//! | [`config`] | the settings of analysis jobs |
//!
//! The lease is the message's visibility time-out, in whole seconds. SQS does not
//! reliably refuse a receipt handle that is out of date, so the lease's end is also
//! watched here, by the time since the request that began it: past it nothing is sent
//! any more. A message can be held for 12 hours in all.
//!
//! SQS counts receipts, and so attempts; a message that is put back is replaced by a
//! copy, which keeps the job's id and does not count the attempt.
//!
//! Nothing is sent in batches, so none fails in part.

mod client;
pub mod config;
mod dead_letters;
mod delivery;
mod message;
mod receiving;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::{OnceCell, oneshot};

use self::client::{Client, Failure};
use self::dead_letters::Shelf;
use self::delivery::SqsDelivery;
use self::receiving::Waiters;
use super::{Aside, Capabilities, Delivery, Result, SetAside, Source};
use crate::aws::Access;
use crate::job::RetryPolicy;

pub use config::Config;

/// How a queue behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The queue's address, as `https://sqs.us-east-1.amazonaws.com/123456789012/jobs`.
    pub url: String,
    /// The service's, where the queue's does not lead there.
    pub endpoint: Option<String>,
    /// Who one is there.
    pub access: Access,
    /// Where jobs are set aside; else where the queue's redrive policy says.
    pub dead_letter_url: Option<String>,
    /// How long a claim holds, in whole seconds.
    pub lease: Duration,
    /// How long SQS waits for a message, 20 s at most.
    pub wait: Duration,
    /// How often jobs are tried; not oftener than the queue's redrive policy allows.
    pub retry: RetryPolicy,
}

impl Options {
    /// The queue at `url`, and the defaults: 2 minutes, which the runner renews after a
    /// third; polls of 20 s.
    pub fn new(url: impl Into<String>, access: Access) -> Self {
        Self {
            url: url.into(),
            endpoint: None,
            access,
            dead_letter_url: None,
            lease: Duration::from_secs(120),
            wait: Duration::from_secs(20),
            retry: RetryPolicy::default(),
        }
    }
}

/// A queue in SQS. Clones share its connections.
#[derive(Clone)]
pub struct SqsQueue(Arc<Shared>);

struct Shared {
    options: Options,
    client: Client,
    waiters: Waiters,
    /// Where jobs are set aside.
    shelf: OnceCell<Shelf>,
    /// Those that lost their last worker, to be told of.
    aside: Aside,
}

impl SqsQueue {
    /// Connects when it is first used.
    pub fn new(options: Options) -> Result<Self> {
        Ok(Self(Arc::new(Shared {
            client: Client::new(&options)?,
            waiters: Waiters::default(),
            shelf: OnceCell::new(),
            aside: Aside::default(),
            options,
        })))
    }

    /// Adds a job, as any producer can.
    pub async fn send(&self, body: &str) -> Result<()> {
        let url = &self.0.options.url;
        self.0.send(url, json!({"MessageBody": body})).await
    }
}

#[async_trait]
impl Source for SqsQueue {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        let (to, received) = oneshot::channel();
        receiving::wait(&self.0, to);
        match received.await {
            Ok(ticket) => Ok(Box::new(SqsDelivery::new(ticket?, Arc::clone(&self.0)))),
            // The process ends.
            Err(_) => Err(self.0.client.away("the receiving was broken off")),
        }
    }

    async fn set_aside(&self) -> SetAside {
        self.0.aside.next().await
    }

    fn lease(&self) -> Duration {
        Duration::from_secs(self.0.lease())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::WITHOUT_RECORDS
    }
}

impl Shared {
    /// In whole seconds, as SQS counts.
    fn lease(&self) -> u64 {
        self.options
            .lease
            .as_secs()
            .clamp(1, delivery::LONGEST_HOLD)
    }

    /// Calls an action of the queue at `url`.
    async fn call_at(&self, url: &str, action: &str, body: Value) -> Result<Value, Failure> {
        self.call_waiting(url, action, body, Duration::ZERO).await
    }

    async fn call_waiting(
        &self,
        url: &str,
        action: &str,
        mut body: Value,
        waits: Duration,
    ) -> Result<Value, Failure> {
        if let Value::Object(fields) = &mut body {
            fields.insert("QueueUrl".to_owned(), json!(url));
        }
        self.client.call(action, &body, waits).await
    }
}
