//! Threads and a runtime for the work, apart from those of the queue.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How much nicer engine threads are than others: about a tenth of the time of a
/// thread at 0, if both want the core.
const NICENESS: i32 = 10;

/// The runtime on which workloads run. A workload that blocks its threads blocks
/// other workloads, and never a lease. Clones share it.
#[derive(Clone)]
pub struct WorkThreads(Arc<Owned>);

struct Owned(Option<Runtime>);

impl WorkThreads {
    /// Two threads: they start and await work, the engine has its own.
    pub fn new() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("work")
            .enable_all()
            .build()?;
        Ok(Self(Arc::new(Owned(Some(runtime)))))
    }

    /// Runs a future there; `None` only while the process ends.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        self.0.0.as_ref().map(|runtime| runtime.spawn(work))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Without waiting, which async code must not.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs `work` on a new thread of low priority, which the threads that it starts
/// inherit. A panic in there comes out here.
pub async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (reply, done) = oneshot::channel();
    let work = move || {
        lower_priority();
        let result = catch_unwind(AssertUnwindSafe(work));
        let _ = reply.send(result);
    };
    let started = thread::Builder::new().name("engine".to_owned()).spawn(work);
    if let Err(error) = started {
        // As `thread::spawn` does; the runner makes a retry of it.
        resume_unwind(Box::new(format!("no thread for the engine: {error}")));
    }
    match done.await {
        Ok(Ok(value)) => value,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => resume_unwind(Box::new("the engine's thread ended")),
    }
}

/// On Linux niceness belongs to the thread. Elsewhere, and where it is refused,
/// the engine competes with the rest of the process on equal terms.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "engine threads keep their priority");
    }
}
