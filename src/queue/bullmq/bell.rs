//! Waking up when there may be something to claim.
//!
//! Whoever makes a job available, in whatever language, adds a member to the
//! queue's `marker`, and idle workers block on it. Taking it off is a claim to
//! look: a ring that nobody here waits for any more is handed back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::connection::{Redis, in_time};

/// How long one blocking call waits, in seconds.
const BLOCK: u64 = 5;

/// What the answer to it may take on top.
const GRACE: Duration = Duration::from_secs(3);

/// After an error, before the next call.
const PAUSE: Duration = Duration::from_millis(500);

/// Rings when a job may have become available.
pub(super) struct Bell {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    listeners: AtomicUsize,
    wanted: Notify,
    rung: Notify,
}

impl Bell {
    /// Must be called within a tokio runtime.
    pub(super) fn new(redis: Redis, marker: String) -> Self {
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(watch(redis, marker, Arc::clone(&shared)));
        Self { shared, task }
    }

    /// Resolves once the bell rings, for one of those who wait.
    pub(super) async fn rung(&self) {
        let _listening = Listening::new(&self.shared);
        self.shared.rung.notified().await;
    }

    /// Lets go of the connection.
    pub(super) fn close(&self) {
        self.task.abort();
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.close();
    }
}

struct Listening<'a>(&'a Shared);

impl<'a> Listening<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.listeners.fetch_add(1, Ordering::SeqCst);
        shared.wanted.notify_one();
        Self(shared)
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.listeners.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn watch(redis: Redis, marker: String, shared: Arc<Shared>) {
    let mut connection = None;
    loop {
        if shared.listeners.load(Ordering::SeqCst) == 0 {
            shared.wanted.notified().await;
            continue;
        }
        match wait(&redis, &marker, &mut connection).await {
            Ok(false) => {}
            Ok(true) if shared.listeners.load(Ordering::SeqCst) > 0 => shared.rung.notify_one(),
            Ok(true) => {
                let mut add = redis::cmd("ZADD");
                add.arg(&marker).arg(0).arg("0");
                // If it fails the others look by themselves before long.
                let _: Result<(), _> = redis.command(&add).await;
            }
            // Whoever waits claims, and gets the error.
            Err(_) => {
                connection = None;
                shared.rung.notify_waiters();
                sleep(PAUSE).await;
            }
        }
    }
}

/// Whether the marker was there within `BLOCK`.
async fn wait(
    redis: &Redis,
    marker: &str,
    connection: &mut Option<MultiplexedConnection>,
) -> redis::RedisResult<bool> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(redis.connect().await?),
    };
    let mut pop = redis::cmd("BZPOPMIN");
    pop.arg(marker).arg(BLOCK);
    let longest = Duration::from_secs(BLOCK) + GRACE;
    let answer: redis::Value = in_time(longest, pop.query_async(connection)).await?;
    Ok(answer != redis::Value::Nil)
}
