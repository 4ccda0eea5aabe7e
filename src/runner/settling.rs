//! Writing the outcome, and telling it: the one place where a job's end is logged
//! and counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{JobContext, Shared, pause};
use crate::job::{Job, Outcome};
use crate::queue::{Delivery, Lease, SetAside, State};

/// How long beyond the lease a settlement is tried: the claim may well hold, if
/// nobody could claim meanwhile, and the work of an hour is at stake.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same while the process ends.
const PATIENCE_DRAINING: Duration = Duration::from_secs(5);

/// Writes `outcome`, however often it takes.
pub(super) async fn settle(
    shared: &Shared,
    delivery: &dyn Delivery,
    outcome: &Outcome,
    begun: Instant,
) {
    let tried = Instant::now();
    let mut errors = 0;
    loop {
        match delivery.settle(outcome).await {
            Ok(Lease::Held) => {
                tell(shared, delivery.job(), outcome, begun);
                if is_the_end(delivery.job(), outcome) {
                    shared.workload.clean_up(&delivery.job().id).await;
                }
                return;
            }
            Ok(Lease::Lost) => return lost(shared),
            Err(error) => {
                shared.metrics.queue_error();
                let patience = if *shared.draining.borrow() {
                    PATIENCE_DRAINING
                } else {
                    shared.source.lease() + PATIENCE
                };
                if tried.elapsed() > patience {
                    tracing::error!(%error, "the outcome was not written: the job will run again");
                    return;
                }
                if errors == 0 {
                    tracing::warn!(%error, "the outcome is not written; trying again");
                }
                sleep(pause(errors)).await;
                errors += 1;
            }
        }
    }
}

/// Why the job has failed for good with this outcome, if it has.
pub(super) fn failed_for_good<'a>(job: &Job, outcome: &'a Outcome) -> Option<&'a str> {
    match outcome {
        Outcome::Reject { reason } => Some(reason),
        Outcome::Retry { reason, .. } if job.is_last_attempt() => Some(reason),
        _ => None,
    }
}

/// Whether there will be no further attempt, and no result either.
fn is_the_end(job: &Job, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Reject { .. } | Outcome::Cancelled => true,
        Outcome::Retry { .. } => job.is_last_attempt(),
        Outcome::Done(_) | Outcome::PutBack => false,
    }
}

/// Tells of jobs that ended at a claim, for as long as it is let.
pub(super) async fn set_aside(shared: Arc<Shared>) {
    loop {
        let job = shared.source.set_aside().await;
        let SetAside { id, state, .. } = &job;
        shared.metrics.set_aside(*state);
        let (workload, state) = (shared.workload.name(), state.as_str());
        tracing::error!(workload, %id, state, "its worker was lost, set aside");
        if let Some(payload) = &job.payload {
            let reason = job.reason.as_deref().unwrap_or("its worker was lost");
            let context = JobContext::new(shared.metrics.clone());
            match job.state {
                State::Failed => shared.workload.failed(id, payload, reason, &context).await,
                _ => shared.workload.cancelled(id, payload, &context).await,
            }
        }
        shared.workload.clean_up(id).await;
    }
}

/// Somebody else has the job.
pub(super) fn lost(shared: &Shared) {
    shared.metrics.lease_lost();
    tracing::warn!("the lease was lost: the work was stopped, another worker has the job");
}

fn tell(shared: &Shared, job: &Job, outcome: &Outcome, begun: Instant) {
    let metrics = &shared.metrics;
    let elapsed = begun.elapsed();
    match outcome {
        Outcome::Done(_) => {
            metrics.finished("completed");
            tracing::info!(?elapsed, "completed");
        }
        Outcome::Retry { reason, .. } if !job.is_last_attempt() => {
            metrics.failed(true);
            tracing::warn!(?elapsed, reason, "failed, to be tried again");
        }
        Outcome::Retry { reason, .. } | Outcome::Reject { reason } => {
            metrics.failed(false);
            metrics.finished("failed");
            tracing::error!(?elapsed, reason, "failed, set aside");
        }
        Outcome::Cancelled => {
            metrics.finished("cancelled");
            tracing::info!(?elapsed, "cancelled");
        }
        Outcome::PutBack => {
            metrics.put_back();
            tracing::info!(?elapsed, "put back");
        }
    }
}
