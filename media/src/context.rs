//! The one value handed to every call: cancel, progress, limits, threads.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
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
    /// What is being done, as `transcode`, where a call does several things.
    pub operation: Option<&'static str>,
    /// Which pass over the input it is, from 1 on, and of how many.
    pub pass: (u32, u32),
}

impl Progress {
    /// How much of the whole work is done, 0 to 100, where that can be told.
    #[allow(clippy::cast_precision_loss)] // exact up to 285 years
    pub fn percent(&self) -> Option<f64> {
        let total = self.total.filter(|total| *total > Timestamp::ZERO)?;
        let part = self.done.as_micros() as f64 / total.as_micros() as f64;
        let before = f64::from(self.pass.0.max(1) - 1);
        Some((before + part.clamp(0.0, 1.0)) * 100.0 / f64::from(self.pass.1.max(1)))
    }

    /// How far it is in the output, as `00:02:15`.
    pub fn timemark(&self) -> String {
        let seconds = self.done.as_micros().max(0) / 1_000_000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
    }
}

type ProgressFn = dyn Fn(Progress) + Send + Sync;

/// How a call may run, and whom it tells. Cheap to clone.
#[derive(Clone, Default)]
pub struct Context {
    cancel: Cancel,
    limits: Limits,
    threads: Option<NonZeroUsize>,
    temporary: Option<Arc<Path>>,
    progress: Option<Arc<ProgressFn>>,
    operation: Option<&'static str>,
    pass: Option<(u32, u32)>,
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

    /// Keeps what must be in files for a while (the statistics of two passes) in
    /// a folder that is there already; the system's own where not given.
    #[must_use]
    pub fn with_temp_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.temporary = Some(folder.as_ref().into());
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

    /// The folder for files that are needed for a while.
    pub fn temp_dir(&self) -> PathBuf {
        match &self.temporary {
            Some(folder) => folder.to_path_buf(),
            None => std::env::temp_dir(),
        }
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

    /// The same, reporting that it does `operation`, in a pass of several.
    pub(crate) fn doing(&self, operation: &'static str, pass: (u32, u32)) -> Self {
        Self {
            operation: Some(operation),
            pass: Some(pass),
            ..self.clone()
        }
    }

    /// [`Error::Cancelled`] once the token is set.
    pub(crate) fn check(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    pub(crate) fn report(&self, done: Timestamp, total: Option<Timestamp>) {
        if let Some(report) = &self.progress {
            report(Progress {
                done,
                total,
                operation: self.operation,
                pass: self.pass.unwrap_or((1, 1)),
            });
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
