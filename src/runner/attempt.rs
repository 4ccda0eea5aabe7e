//! One delivery: the work, and all that may stop it.

use std::any::Any;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinHandle};
use tokio::time::sleep;
use tracing::Instrument;

use super::{JobContext, Shared, settling, watch};
use crate::job::Outcome;
use crate::queue::Delivery;

/// How long work may take to end once it was asked to stop.
const ABANDON: Duration = Duration::from_secs(10);

/// Why work was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Somebody else has the job.
    Lost,
    /// Somebody cancelled it.
    Cancelled,
    /// It took too long.
    Deadline(Duration),
    /// This process ends.
    Draining,
}

/// Runs the job and settles it.
pub(super) async fn run(shared: &Shared, delivery: &dyn Delivery) {
    let job = delivery.job();
    let workload = shared.workload.name();
    let span = tracing::info_span!("job", workload, id = %job.id, attempt = job.attempt);
    let begun = Instant::now();
    async {
        shared.metrics.began();
        let context = JobContext::new(shared.metrics.clone());
        let asked = delivery.asked().unwrap_or(begun);
        context.hold(asked.checked_add(shared.source.lease()));
        let outcome = match work(shared, delivery, &context).await {
            Some(outcome) => tell(shared, delivery, outcome, &context).await,
            None => None,
        };
        match outcome {
            Some(outcome) => settling::settle(shared, delivery, &outcome, begun).await,
            None => settling::lost(shared),
        }
        shared.metrics.ended(begun.elapsed());
    }
    .instrument(span)
    .await;
}

/// What came of the work; `None` if the lease was lost.
async fn work(shared: &Shared, delivery: &dyn Delivery, context: &JobContext) -> Option<Outcome> {
    let progress = context.watch_progress();
    let Some(mut task) = begin(shared, delivery, context) else {
        return Some(Outcome::PutBack);
    };
    let mut lease = pin!(watch::lease(shared, delivery, context));
    let deadline = shared.config.deadline;
    let mut draining = shared.draining.subscribe();

    let mut stop = tokio::select! {
        biased;
        ended = &mut task => return Some(outcome(ended)),
        () = &mut lease => Stop::Lost,
        () = watch::progress(shared, delivery, progress) => Stop::Lost,
        () = delivery.cancel_asked() => Stop::Cancelled,
        () = sleep(deadline) => Stop::Deadline(deadline),
        _ = draining.wait_for(|draining| *draining) => Stop::Draining,
    };

    context.stop();
    // The lease is kept until the work has ended: it may still write.
    let mut abandoned = pin!(sleep(ABANDON));
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut task => break Some(outcome(ended)),
            () = &mut lease, if stop != Stop::Lost => stop = Stop::Lost,
            () = &mut abandoned => {
                task.abort();
                tracing::error!(?stop, "the work did not stop and is abandoned");
                break None;
            }
        }
    };
    stop.outcome(ended)
}

/// Has the workload tell whoever waits that there will be no result, if so it is:
/// while the job is still held: a process that ends meanwhile leaves it to the next.
/// What is to be settled then; `None` if the lease was lost.
async fn tell(
    shared: &Shared,
    delivery: &dyn Delivery,
    outcome: Outcome,
    context: &JobContext,
) -> Option<Outcome> {
    let job = delivery.job();
    let reason = settling::failed_for_good(job, &outcome);
    if reason.is_none() && outcome != Outcome::Cancelled {
        return Some(outcome);
    }
    let context = context.for_telling();
    let (workload, id, payload) = (&shared.workload, &job.id, &job.payload);
    let telling = async {
        match reason {
            Some(reason) => workload.failed(id, payload, reason, &context).await,
            None => workload.cancelled(id, payload, &context).await,
        }
    };
    let mut draining = shared.draining.subscribe();
    tokio::select! {
        biased;
        () = telling => Some(outcome),
        () = watch::lease(shared, delivery, &context) => None,
        _ = draining.wait_for(|draining| *draining) => Some(Outcome::PutBack),
    }
}

fn begin(
    shared: &Shared,
    delivery: &dyn Delivery,
    context: &JobContext,
) -> Option<JoinHandle<Outcome>> {
    let (workload, context) = (Arc::clone(&shared.workload), context.clone());
    let job = delivery.job().clone();
    let work = async move { workload.run(job, context).await };
    shared.work.spawn(work.in_current_span())
}

/// What the work's task came to.
fn outcome(ended: Result<Outcome, JoinError>) -> Outcome {
    match ended.map_err(JoinError::try_into_panic) {
        Ok(outcome) => outcome,
        Err(Ok(panic)) => Outcome::retry(format!("panicked: {}", message(&*panic))),
        // The runtime of the work has ended: so does the process.
        Err(Err(_)) => Outcome::PutBack,
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a word")
}

impl Stop {
    /// What becomes of work that was asked to stop and then ended so; `None` if
    /// nothing is to be settled.
    ///
    /// What was done before it heard of it is done. Beyond that what the work
    /// says is about the stop, but for a fault of the input.
    fn outcome(self, ended: Option<Outcome>) -> Option<Outcome> {
        match (self, ended) {
            (Self::Lost, _) => None,
            (_, Some(done @ Outcome::Done(_))) => Some(done),
            (Self::Cancelled, _) => Some(Outcome::Cancelled),
            (_, Some(reject @ Outcome::Reject { .. })) => Some(reject),
            (Self::Deadline(deadline), _) => {
                Some(Outcome::retry(format!("not done after {deadline:?}")))
            }
            (Self::Draining, _) => Some(Outcome::PutBack),
        }
    }
}
