//! The one value handed to every call: cancel, progress, limits, threads.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::time::Timestamp;
use crate::{Error, Limits, Result};

/// Asks a running call to stop. Clones share one state; once set it stays set.
///
/// The call ends with [`Error::Cancelled`] at the next packet, and at once when
/// it waits for a live stream. Nothing of its output is left.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<CancelState>);

#[derive(Debug)]
struct CancelState {
    set: AtomicBool,
    // Dropping the sender wakes every receiver, now and later.
    wake: Mutex<Option<Sender<()>>>,
    woken: Receiver<()>,
}

impl Default for Cancel {
    fn default() -> Self {
        let (wake, woken) = bounded(0);
        Self(Arc::new(CancelState {
            set: AtomicBool::new(false),
            wake: Mutex::new(Some(wake)),
            woken,
        }))
    }
}

impl Cancel {
    /// A token that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::Release);
        self.0
            .wake
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// Whether it was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::Acquire)
    }

    /// A channel that disconnects when [`cancel`](Self::cancel) is called, to be
    /// waited for beside another one.
    pub(crate) fn woken(&self) -> &Receiver<()> {
        &self.0.woken
    }
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How much of the output's duration is written.
    pub done: Timestamp,
    /// The output's duration, where it is known beforehand.
    pub total: Option<Timestamp>,
}

type ProgressFn = dyn Fn(Progress) + Send + Sync;

/// How a call may run, and whom it tells. Cheap to clone.
#[derive(Clone, Default)]
pub struct Context {
    cancel: Cancel,
    limits: Limits,
    threads: Option<NonZeroUsize>,
    progress: Option<Arc<ProgressFn>>,
}

impl Context {
    /// No cancel, default limits, all cores, no progress.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops when `cancel` is set.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Keeps to `limits`.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Uses at most `threads` threads for one decoder or encoder.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Calls `report` now and then, from the thread that runs the call.
    #[must_use]
    pub fn with_progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(report));
        self
    }

    /// The token that stops the call.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The threads that one decoder or encoder may use.
    pub fn threads(&self) -> usize {
        self.threads
            .or_else(|| std::thread::available_parallelism().ok())
            .map_or(1, NonZeroUsize::get)
    }

    /// The same, with no more than `most` threads.
    pub(crate) fn at_most_threads(&self, most: NonZeroUsize) -> Self {
        let threads = NonZeroUsize::new(self.threads()).map_or(most, |threads| threads.min(most));
        self.clone().with_threads(threads)
    }

    /// [`Error::Cancelled`] once the token is set.
    pub(crate) fn check(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    pub(crate) fn report(&self, progress: Progress) {
        if let Some(report) = &self.progress {
            report(progress);
        }
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("cancel", &self.cancel)
            .field("limits", &self.limits)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
