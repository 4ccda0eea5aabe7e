//! The runner: permit, receive, run, settle.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | how many jobs at once, deadline, time to drain |
//! | [`workload`] | what a workload is, and what it gets |
//! | [`verdict`] | errors of a workload as outcomes |
//! | [`engine`] | threads and a runtime for the work, apart from the queue's |
//! | `receiving.rs` | one call to the queue, or several |
//! | `attempt.rs` | one delivery: the work, and all that may stop it |
//! | `watch.rs` | the lease, the cancel, the deadline, progress |
//! | `settling.rs` | writing the outcome, and telling it |
//!
//! The runner lives on the caller's runtime, workloads on another, and the engine on
//! threads of lower priority. So leases are renewed whatever the work does:
//! computes on every core, or blocks a thread it should not.
//!
//! A job that has lost a worker before may be what killed it. While one runs nothing
//! else is received, so that it cannot use up the attempts of jobs beside it: those
//! that ran when it was received are lost with it once, and no further.
//!
//! A permit is taken before a job is received, not after: a job that waits for a
//! permit would be held back from other workers.

mod attempt;
pub mod config;
pub mod engine;
mod receiving;
mod settling;
pub mod verdict;
mod watch;
pub mod workload;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::queue::{Delivery, Source};
use crate::telemetry::JobMetrics;

use self::receiving::Receiving;

pub use config::Config;
pub use engine::WorkThreads;
pub use workload::{JobContext, Workload};

/// Pauses after calls to the queue that failed: doubled from the first to the
/// longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Runs the jobs of one queue.
pub struct Runner {
    shared: Arc<Shared>,
}

struct Shared {
    source: Arc<dyn Source>,
    workload: Arc<dyn Workload>,
    config: Config,
    work: WorkThreads,
    metrics: JobMetrics,
    /// Set when running jobs are to be put back.
    draining: tokio::sync::watch::Sender<bool>,
}

impl Runner {
    /// A runner of `workload` for the jobs of `source`.
    pub fn new(
        source: Arc<dyn Source>,
        workload: Arc<dyn Workload>,
        config: Config,
        work: WorkThreads,
        metrics: JobMetrics,
    ) -> Self {
        let draining = tokio::sync::watch::Sender::new(false);
        Self {
            shared: Arc::new(Shared {
                source,
                workload,
                config,
                work,
                metrics,
                draining,
            }),
        }
    }

    /// Runs jobs until `shutdown` is ready, then drains: running jobs get
    /// [`Config::shutdown_grace`] to end by themselves, and those that do not are
    /// stopped and put back uncharged. Returns when all are settled.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { shared } = self;
        let mut attempts = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        let mut queue = Receiving::new(Arc::clone(&shared));
        let aside = tokio::spawn(settling::set_aside(Arc::clone(&shared)));
        let mut suspect = Suspect::default();
        loop {
            let received = tokio::select! {
                biased;
                () = &mut shutdown => break,
                received = async {
                    suspect.ended().await;
                    queue.next().await
                } => received,
            };
            let (permit, delivery) = received;
            let watched = delivery.is_suspect().then(|| {
                queue.let_go();
                suspect.begins()
            });
            let attempt = attempt(Arc::clone(&shared), permit, delivery);
            attempts.spawn(async move {
                attempt.await;
                drop(watched);
            });
            // Those that ended are forgotten, or the set would grow for ever.
            while attempts.try_join_next().is_some() {}
        }
        drop(queue);
        shared.drain(attempts).await;
        aside.abort();
        shared.source.close().await;
    }
}

async fn attempt(shared: Arc<Shared>, permit: OwnedSemaphorePermit, delivery: Box<dyn Delivery>) {
    attempt::run(&shared, delivery.as_ref()).await;
    drop(permit);
}

impl Shared {
    async fn drain(&self, mut attempts: JoinSet<()>) {
        let name = self.workload.name();
        let grace = self.config.shutdown_grace;
        while attempts.try_join_next().is_some() {}
        let running = attempts.len();
        if running > 0 {
            tracing::info!(workload = name, running, ?grace, "waiting for running jobs");
        }
        let ending = async { while attempts.join_next().await.is_some() {} };
        if timeout(grace, ending).await.is_err() {
            let running = attempts.len();
            tracing::info!(workload = name, running, "putting running jobs back");
            self.draining.send_replace(true);
            while attempts.join_next().await.is_some() {}
        }
    }
}

/// The job that runs and has lost a worker before, if there is one.
#[derive(Default)]
struct Suspect(Option<oneshot::Receiver<()>>);

impl Suspect {
    /// One begins; it has ended when what is returned is dropped.
    fn begins(&mut self) -> oneshot::Sender<()> {
        let (running, ended) = oneshot::channel();
        self.0 = Some(ended);
        running
    }

    /// Waits until it has ended. Cancel safe.
    async fn ended(&mut self) {
        if let Some(running) = &mut self.0 {
            let _ = running.await;
            self.0 = None;
        }
    }
}

/// The pause after as many errors in a row before this one.
fn pause(errors: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << errors.min(16))
        .min(LONGEST_PAUSE)
}
