//! The producer's and the operator's side.

use async_trait::async_trait;

use super::options::{self, whole_millis};
use super::record::Found;
use super::{BullmqQueue, Shared, scripts};
use crate::job::JobId;
use crate::queue::{
    Added, Admin, Cancel, Counts, Error, Ledger, NewJob, Page, Record, Result, State,
};

/// Keys of the queue that a job's key must not be.
const QUEUE_KEYS: [&str; 20] = [
    "active",
    "completed",
    "de",
    "delayed",
    "events",
    "failed",
    "flatbed",
    "id",
    "limiter",
    "marker",
    "meta",
    "metrics",
    "paused",
    "pc",
    "prioritized",
    "repeat",
    "stalled",
    "stalled-check",
    "wait",
    "waiting-children",
];

/// What follows another job's key in the keys of its parts.
const JOB_KEYS: [&str; 6] = [
    "dependencies",
    "failed",
    "lock",
    "logs",
    "processed",
    "unsuccessful",
];

impl Shared {
    /// Refuses an id whose key would be one of the queue's or of another job's
    /// parts.
    fn check_id(&self, id: &JobId) -> Result<()> {
        let id = id.as_str();
        let first = id.split(':').next().unwrap_or_default();
        let part = id.rsplit_once(':').map_or("", |(_, part)| part);
        if QUEUE_KEYS.contains(&first) || JOB_KEYS.contains(&part) {
            return Err(Error::Refused {
                queue: format!("queue {}", self.options.queue),
                reason: format!("{id} is a name that BullMQ uses itself; choose another job id"),
                source: None,
            });
        }
        Ok(())
    }
}

#[async_trait]
impl Ledger for BullmqQueue {
    async fn add(&self, job: NewJob) -> Result<Added> {
        let shared = &self.0;
        shared.check_id(&job.id)?;
        let options = options::written(&job, &shared.options.retry, shared.options.retention);
        let is_new = shared
            .run(
                &scripts::ADD,
                &[
                    job.id.as_str().as_bytes(),
                    job.name.as_bytes(),
                    &job.payload,
                    options.as_bytes(),
                    whole_millis(job.delay).to_string().as_bytes(),
                ],
            )
            .await?;
        Ok(if is_new { Added::New } else { Added::Known })
    }

    async fn find(&self, id: &JobId) -> Result<Option<Record>> {
        let shared = &self.0;
        let found: Option<Found> = shared
            .run(&scripts::FIND, &[id.as_str().as_bytes()])
            .await?;
        Ok(found.map(|found| found.record(&shared.options)))
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancel> {
        let shared = &self.0;
        let kept = shared.options.retention.failed.to_string();
        let answer: String = shared
            .run(&scripts::CANCEL, &[id.as_str().as_bytes(), kept.as_bytes()])
            .await?;
        Ok(match answer.as_str() {
            "done" => Cancel::Cancelled,
            "asked" => {
                shared.cancels.notify_waiters();
                Cancel::Asked
            }
            "completed" => Cancel::TooLate(State::Completed),
            "failed" => Cancel::TooLate(State::Failed),
            "cancelled" => Cancel::TooLate(State::Cancelled),
            _ => Cancel::Unknown,
        })
    }
}

#[async_trait]
impl Admin for BullmqQueue {
    async fn counts(&self) -> Result<Counts> {
        let (waiting, active, completed, failed, delayed, paused) =
            self.0.run(&scripts::COUNTS, &[]).await?;
        Ok(Counts {
            waiting,
            active,
            completed,
            failed,
            delayed,
            paused,
        })
    }

    async fn list(&self, state: State, page: Page) -> Result<Vec<Record>> {
        let shared = &self.0;
        let found: Vec<Found> = shared
            .run(
                &scripts::LIST,
                &[
                    state.as_str().as_bytes(),
                    page.offset.to_string().as_bytes(),
                    page.limit.to_string().as_bytes(),
                ],
            )
            .await?;
        let records = found.into_iter();
        Ok(records.map(|found| found.record(&shared.options)).collect())
    }

    async fn retry(&self, id: &JobId) -> Result<bool> {
        self.0.run(&scripts::RETRY, &[id.as_str().as_bytes()]).await
    }

    async fn set_paused(&self, paused: bool) -> Result<()> {
        let paused = if paused { b"1" } else { b"0" };
        self.0.run(&scripts::PAUSE, &[paused]).await
    }
}
