//! Receiving: through all troubles of the broker, and by several calls at once where
//! there is much to do.
//!
//! One call at a time does as many jobs a second as there are round trips in one,
//! however many may run. So each job that comes doubles the calls, as far as there
//! are permits; and when for a moment none comes, all but one are let go: idle
//! consumers cost the broker something.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::{LONGEST_PAUSE, Shared, pause};
use crate::queue::{Delivery, Error, Result};

/// Calls at once.
const MOST: usize = 8;

/// How long no job comes before all calls but one are let go.
const IDLE: Duration = Duration::from_millis(50);

/// Receives for one runner.
pub(super) struct Receiving {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
    calls: FuturesUnordered<BoxFuture<'static, Received>>,
    /// How many calls there may be.
    wanted: usize,
    /// How many failed in a row.
    errors: u32,
}

/// What a call came to; its permit was taken before.
struct Received {
    permit: OwnedSemaphorePermit,
    delivery: Result<Box<dyn Delivery>>,
}

impl Receiving {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(shared.config.concurrency.get())),
            shared,
            calls: FuturesUnordered::new(),
            wanted: 1,
            errors: 0,
        }
    }

    /// A permit, and the next delivery. Cancel safe.
    pub(super) async fn next(&mut self) -> (OwnedSemaphorePermit, Box<dyn Delivery>) {
        loop {
            let is_idle = self.calls.len() > 1;
            tokio::select! {
                permit = Arc::clone(&self.permits).acquire_owned(),
                    if self.calls.len() < self.wanted =>
                {
                    let Ok(permit) = permit else {
                        // Nobody closes it.
                        return std::future::pending().await;
                    };
                    self.call(permit);
                }
                Some(Received { permit, delivery }) = self.calls.next() => match delivery {
                    Ok(delivery) => {
                        self.recovered();
                        self.wanted = (self.wanted * 2).min(MOST);
                        return (permit, delivery);
                    }
                    Err(error) => {
                        drop(permit);
                        self.let_go();
                        sleep(self.failed(&error)).await;
                    }
                },
                () = sleep(IDLE), if is_idle => self.let_go(),
            }
        }
    }

    /// Gives back what is being received.
    pub(super) fn let_go(&mut self) {
        self.calls.clear();
        self.wanted = 1;
    }

    fn call(&mut self, permit: OwnedSemaphorePermit) {
        let source = Arc::clone(&self.shared.source);
        self.calls.push(Box::pin(async move {
            let delivery = source.receive().await;
            Received { permit, delivery }
        }));
    }

    fn recovered(&mut self) {
        if self.errors > 0 {
            let workload = self.shared.workload.name();
            tracing::info!(workload, errors = self.errors, "the queue is back");
            self.errors = 0;
        }
    }

    /// Logs the first of a row of errors; how long to wait before the next try.
    fn failed(&mut self, error: &Error) -> Duration {
        self.shared.metrics.queue_error();
        if self.errors == 0 {
            let workload = self.shared.workload.name();
            tracing::error!(workload, %error, "no jobs can be received; trying again");
        }
        let pause = pause(self.errors);
        self.errors = self.errors.saturating_add(1);
        match error {
            Error::Away { .. } => pause,
            Error::Refused { .. } => LONGEST_PAUSE,
        }
    }
}
