//! Jobs whose workers were lost in their last attempts: told of until somebody has
//! dealt with it, whichever process notices and however it ends.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::{LONGEST_CHECK, Shared, scripts};
use crate::job::JobId;
use crate::queue::{Result, SetAside, State};

/// How long a job that somebody is told of is not told of again: should that process
/// end meanwhile, another takes over.
const BUSY: Duration = Duration::from_secs(300);

/// What this process knows of them.
#[derive(Default)]
pub(super) struct Asides {
    /// The one that was told of last: the next call says that it was dealt with.
    last: Mutex<Option<String>>,
    /// A claim has set one aside.
    came: Notify,
}

impl Asides {
    pub(super) fn ring(&self) {
        self.came.notify_one();
    }
}

impl Shared {
    pub(super) async fn set_aside(&self) -> SetAside {
        loop {
            // An error is the receiver's to tell: it meets the same.
            if let Ok(Some(job)) = self.next_aside().await {
                return job;
            }
            tokio::select! {
                () = self.asides.came.notified() => {}
                () = sleep(LONGEST_CHECK) => {}
            }
        }
    }

    async fn next_aside(&self) -> Result<Option<SetAside>> {
        let last = || {
            self.asides
                .last
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let dealt_with = last().clone().unwrap_or_default();
        let busy = BUSY.as_millis().to_string();
        let arguments = [dealt_with.as_bytes(), busy.as_bytes()];
        let answer: Vec<Vec<u8>> = self.run(&scripts::ASIDE, &arguments).await?;
        let mut answer = answer.into_iter();
        let id = answer.next().and_then(|id| String::from_utf8(id).ok());
        last().clone_from(&id);
        Ok(id.map(|id| SetAside {
            payload: answer.next(),
            reason: answer.next().and_then(|text| String::from_utf8(text).ok()),
            ..SetAside::new(JobId::of_foreign(&id), State::Failed)
        }))
    }
}
