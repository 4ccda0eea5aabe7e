//! What a workload is, and what it gets.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use flatbed_media::{Cancel, Context};
use tokio::sync::watch;

use super::engine;
use crate::job::{Job, JobId, Outcome, Progress};
use crate::telemetry::{JobMetrics, Stage};

/// What is done with the jobs of a queue.
///
/// A workload knows no queue: it gets a job and says what came of it. Two runs of
/// the same job must leave the same behind, one after the other and, where a
/// lease was lost, at the same time.
#[async_trait]
pub trait Workload: Send + Sync + 'static {
    /// Its name, as `export`; a label of its metrics.
    fn name(&self) -> &'static str;

    /// Does the job.
    ///
    /// It is to end soon once [`JobContext::stopped`] is ready; if it does not
    /// within 10 s, its future is dropped. A panic is a failure that is tried
    /// again. Errors become outcomes by [`verdict`](super::verdict).
    async fn run(&self, job: Job, context: JobContext) -> Outcome;

    /// Tells whoever waits for it that a job has failed for good, where somebody is to
    /// be told. `reason` is the outcome's.
    ///
    /// Called before the job is set aside, while it is held, and again after a crash in
    /// between; of a job that has lost its worker in its last attempt once it was set
    /// aside. It takes as long as it takes: it is dropped where the lease is lost, and
    /// where the process ends, which puts the job back.
    async fn failed(&self, _job: &JobId, _payload: &[u8], _reason: &str, _context: &JobContext) {}

    /// Tells the same whoever waits for a job that somebody has cancelled: while it is
    /// held, or once it was found to have lost its worker after that. Of one that
    /// nobody has in hand the queue alone knows.
    async fn cancelled(&self, _job: &JobId, _payload: &[u8], _context: &JobContext) {}

    /// Removes what attempts at a job have left behind. Called once it is settled
    /// that there will be no further one: it was cancelled, or failed for good, also
    /// by losing its workers. Not called by a process that ends meanwhile, so what is left must harm nobody.
    async fn clean_up(&self, _job: &JobId) {}
}

/// What a workload gets with a job. Clones share it.
#[derive(Clone)]
pub struct JobContext {
    cancel: Cancel,
    stopped: watch::Sender<bool>,
    progress: watch::Sender<Progress>,
    /// Until when the lease holds, by this host's clock.
    held: watch::Sender<Option<Instant>>,
    metrics: JobMetrics,
}

impl JobContext {
    /// A context that nobody stops or looks at but the caller, as for tests.
    pub fn new(metrics: JobMetrics) -> Self {
        Self {
            cancel: Cancel::new(),
            stopped: watch::Sender::new(false),
            progress: watch::Sender::new(Progress::default()),
            held: watch::Sender::new(None),
            metrics,
        }
    }

    /// The same lease, and nothing that stops: for what is said of the work that ended.
    pub(super) fn for_telling(&self) -> Self {
        Self {
            held: self.held.clone(),
            ..Self::new(self.metrics.clone())
        }
    }

    /// The lease holds until then.
    pub(super) fn hold(&self, until: Option<Instant>) {
        self.held.send_replace(until);
    }

    /// Ready while the lease is known to hold by the clock of this host: at once as a
    /// rule, and after the next renewal where the process was stopped or the queue is
    /// away. Never, where it is lost; the work is stopped then.
    ///
    /// To be awaited right before something is said to others that must not come from
    /// one who has lost the job.
    pub async fn lease_held(&self) {
        // The sender lives in `self`.
        let holds = |until: &Option<Instant>| until.is_none_or(|until| Instant::now() < until);
        let _ = self.held.subscribe().wait_for(holds).await;
    }

    /// Ready once the work is to stop, for whatever reason.
    pub async fn stopped(&self) {
        // The sender lives in `self`.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// Set once the work is to stop; for the engine.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Stops the work.
    pub fn stop(&self) {
        self.cancel.cancel();
        self.stopped.send_replace(true);
    }

    /// Tells how far the job is. Cheap, and from any thread; the queue gets the
    /// last one twice a second.
    pub fn progress(&self, progress: Progress) {
        self.progress.send_if_modified(|last| {
            let changed = *last != progress;
            *last = progress;
            changed
        });
    }

    /// What was told last.
    pub fn watch_progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Where stages, bytes and frames are counted.
    pub fn metrics(&self) -> &JobMetrics {
        &self.metrics
    }

    /// Does `stage`, and counts how long it took.
    pub async fn stage<T>(&self, stage: Stage, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        let took: Duration = begun.elapsed();
        self.metrics.stage(stage, took);
        done
    }

    /// Calls the engine on a thread of its own, of lower priority. Its context
    /// is stopped with the job and tells the job's progress.
    ///
    /// A panic in there comes out here. Dropped, it asks the engine to stop and
    /// does not wait.
    pub async fn engine<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Context) -> T + Send + 'static,
    ) -> T {
        let told = self.clone();
        let context = Context::new()
            .with_cancel(self.cancel.clone())
            .with_progress(move |progress| told.progress(progress.into()));
        let busy = self.metrics.engine_thread();
        let unfinished = StopOnDrop(Some(self));
        let done = engine::on_thread(move || {
            let _busy = busy;
            work(&context)
        })
        .await;
        unfinished.finished();
        done
    }
}

/// Stops the engine of a future that is dropped in the middle.
struct StopOnDrop<'a>(Option<&'a JobContext>);

impl StopOnDrop<'_> {
    fn finished(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(context) = self.0 {
            context.cancel.cancel();
        }
    }
}
