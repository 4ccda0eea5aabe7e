//! What goes on beside the work: the lease is renewed, progress is told.
//!
//! Each is a future that ends when the job is no longer ours.

use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;
use tokio::time::{sleep, timeout};

use super::{JobContext, Shared};
use crate::job::Progress;
use crate::queue::{Delivery, Error, Lease};

/// How often progress is told at most.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// The longest pause after a renewal that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Renews the lease, tells `context` until when it holds, and ends when it is lost.
///
/// While the queue is away nobody knows, and nobody else can claim the job either:
/// the work goes on. Once the queue is back it says whether the lease still holds.
pub(super) async fn lease(shared: &Shared, delivery: &dyn Delivery, context: &JobContext) {
    let third = shared.source.lease() / 3;
    let mut failed = false;
    loop {
        let pause = if failed {
            (third / 4).min(LONGEST_PAUSE)
        } else {
            third
        };
        sleep(pause).await;
        let asked = Instant::now();
        match timeout(third, delivery.extend()).await {
            Ok(Ok(Lease::Held)) => {
                if failed {
                    tracing::info!("the lease is renewed again");
                }
                failed = false;
                context.hold(asked.checked_add(shared.source.lease()));
            }
            Ok(Ok(Lease::Lost)) => {
                // By the clock it would hold for a while.
                context.hold(Some(asked));
                return;
            }
            Ok(Err(error)) => {
                troubled(shared, failed, Some(&error));
                failed = true;
            }
            Err(_) => {
                troubled(shared, failed, None);
                failed = true;
            }
        }
    }
}

fn troubled(shared: &Shared, known: bool, error: Option<&Error>) {
    shared.metrics.queue_error();
    if known {
        return;
    }
    if let Some(error) = error {
        tracing::warn!(%error, "the lease is not renewed; the work goes on");
    } else {
        tracing::warn!("the queue is slow to renew the lease; the work goes on");
    }
}

/// Tells the queue of progress, and ends when the lease is lost.
pub(super) async fn progress(
    shared: &Shared,
    delivery: &dyn Delivery,
    mut told: Receiver<Progress>,
) {
    while told.changed().await.is_ok() {
        let progress = told.borrow_and_update().clone();
        match delivery.progress(&progress).await {
            Ok(Lease::Held) => {}
            Ok(Lease::Lost) => return,
            // The next one may come through; the lease's renewal tells the log.
            Err(_) => shared.metrics.queue_error(),
        }
        sleep(TELL_EVERY).await;
    }
    std::future::pending::<()>().await;
}
