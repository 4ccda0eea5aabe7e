//! SIGTERM and Ctrl-C: the first drains, a later one ends the process at once.

use std::io;
use std::process;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Signals this close to the first are the same request: `timeout` and process
/// managers send them to the process and to its group.
const SAME_REQUEST: Duration = Duration::from_secs(1);

const ENDED_AT_ONCE: i32 = 130;

/// How far the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Draining,
    Drained,
}

/// The end of the process. Clones share it.
#[derive(Clone)]
pub struct Shutdown(watch::Sender<Phase>);

impl Shutdown {
    /// Begins to heed signals.
    pub fn on_signals() -> io::Result<Self> {
        let shutdown = Self(watch::Sender::new(Phase::Serving));
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(heed(shutdown.clone(), terminate, interrupt));
        Ok(shutdown)
    }

    /// Ready once the process is to end.
    pub async fn asked(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Ready once all jobs are settled.
    pub async fn drained(&self) {
        self.reached(Phase::Drained).await;
    }

    /// All jobs are settled.
    pub fn all_drained(&self) {
        self.0.send_replace(Phase::Drained);
    }

    async fn reached(&self, phase: Phase) {
        // The sender lives in `self`.
        let _ = self.0.subscribe().wait_for(|now| *now >= phase).await;
    }
}

async fn heed(shutdown: Shutdown, mut terminate: Signal, mut interrupt: Signal) {
    let mut first: Option<Instant> = None;
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let asked = *first.get_or_insert_with(Instant::now);
        if asked.elapsed() >= SAME_REQUEST {
            tracing::warn!("stopping at once; running jobs come back when their leases end");
            process::exit(ENDED_AT_ONCE);
        }
        shutdown.0.send_if_modified(|phase| {
            let begins = *phase == Phase::Serving;
            if begins {
                *phase = Phase::Draining;
            }
            begins
        });
    }
}
