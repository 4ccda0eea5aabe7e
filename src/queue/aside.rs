//! Jobs that ended at a claim: nobody settled them, and yet they are not
//! delivered again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::State;
use crate::job::JobId;

/// A job whose worker was lost and that a claim has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its id.
    pub id: JobId,
    /// [`State::Failed`] where it was its last attempt, [`State::Cancelled`] where
    /// somebody had asked for that.
    pub state: State,
    /// What the producer sent, where the adapter tells.
    pub payload: Option<Vec<u8>>,
    /// Why it failed, where the adapter tells.
    pub reason: Option<String>,
}

impl SetAside {
    /// The job `id`, of which nothing else is told.
    pub fn new(id: JobId, state: State) -> Self {
        Self {
            id,
            state,
            payload: None,
            reason: None,
        }
    }
}

/// Where an adapter leaves them for [`Source::set_aside`](super::Source::set_aside).
#[derive(Debug, Default)]
pub struct Aside {
    jobs: Mutex<VecDeque<SetAside>>,
    came: Notify,
}

/// If nobody asks, the oldest are forgotten: they are about numbers and about
/// tidying up.
const MOST: usize = 1000;

impl Aside {
    /// Leaves one.
    pub fn push(&self, job: SetAside) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() == MOST {
            jobs.pop_front();
        }
        jobs.push_back(job);
        drop(jobs);
        self.came.notify_one();
    }

    /// Waits for the next. Cancel safe; for one caller at a time.
    pub async fn next(&self) -> SetAside {
        loop {
            let first = self
                .jobs
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            match first {
                Some(job) => return job,
                None => self.came.notified().await,
            }
        }
    }
}
