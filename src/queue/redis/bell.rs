//! Waking up when there may be something to claim: one connection of a process
//! blocks on what the queue's producers touch, whenever somebody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::Cmd;
use redis::aio::MultiplexedConnection;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::connection::{Redis, in_time};

/// How long one blocking call waits, in seconds.
pub(in crate::queue) const BLOCK: u64 = 5;

/// What the answer to it may take on top.
const GRACE: Duration = Duration::from_secs(3);

/// After an error, before the next call.
const PAUSE: Duration = Duration::from_millis(500);

/// What a bell blocks on.
pub(in crate::queue) struct Pull {
    /// Blocks for [`BLOCK`] seconds, and answers nil if nothing came.
    pub(in crate::queue) wait: Cmd,
    /// Undoes `wait`, where that took something off and nobody here waits for it
    /// any more.
    pub(in crate::queue) give_back: Option<Cmd>,
}

/// Rings when a job may have become available.
pub(in crate::queue) struct Bell {
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
    pub(in crate::queue) fn new(redis: Redis, pull: Pull) -> Self {
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(watch(redis, pull, Arc::clone(&shared)));
        Self { shared, task }
    }

    /// Resolves once the bell rings, for one of those who wait.
    pub(in crate::queue) async fn rung(&self) {
        let _listening = Listening::new(&self.shared);
        self.shared.rung.notified().await;
    }

    /// Rings it from here.
    pub(in crate::queue) fn ring(&self) {
        self.shared.rung.notify_waiters();
    }

    /// Lets go of the connection.
    pub(in crate::queue) fn close(&self) {
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

async fn watch(redis: Redis, pull: Pull, shared: Arc<Shared>) {
    let mut connection = None;
    loop {
        if shared.listeners.load(Ordering::SeqCst) == 0 {
            shared.wanted.notified().await;
            continue;
        }
        match wait(&redis, &pull.wait, &mut connection).await {
            Ok(false) => {}
            Ok(true) if shared.listeners.load(Ordering::SeqCst) > 0 => shared.rung.notify_one(),
            Ok(true) => {
                if let Some(give_back) = &pull.give_back {
                    // If it fails the others look by themselves before long.
                    let _: Result<(), _> = redis.command(give_back).await;
                }
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

/// Whether there was something within `BLOCK`.
async fn wait(
    redis: &Redis,
    pull: &Cmd,
    connection: &mut Option<MultiplexedConnection>,
) -> redis::RedisResult<bool> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(redis.connect().await?),
    };
    let longest = Duration::from_secs(BLOCK) + GRACE;
    let answer: redis::Value = in_time(longest, pull.query_async(connection)).await?;
    Ok(answer != redis::Value::Nil)
}
