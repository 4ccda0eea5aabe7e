//! What was set aside, and how many jobs there are.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::{RedisList, scripts};
use crate::job::JobId;
use crate::queue::{Counts, DeadLetter, DeadLetters, Result};

/// What `lua/list.lua` answers for each.
type Found = (String, Vec<u8>, Option<String>, Option<u32>, Option<u64>);

#[async_trait]
impl DeadLetters for RedisList {
    async fn counts(&self) -> Result<Counts> {
        let (waiting, active, delayed, failed) = self.0.run(&scripts::COUNTS, &[]).await?;
        Ok(Counts {
            waiting,
            active,
            failed,
            delayed,
            ..Counts::default()
        })
    }

    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>> {
        let limit = limit.to_string();
        let found: Vec<Found> = self.0.run(&scripts::LIST, &[limit.as_bytes()]).await?;
        let letters = found.into_iter();
        let letters = letters.map(|(id, payload, reason, attempts, millis)| DeadLetter {
            id: JobId::of_foreign(&id),
            payload,
            reason,
            attempts,
            at: millis.and_then(|millis| {
                SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
            }),
        });
        Ok(letters.collect())
    }

    async fn retry(&self, id: &JobId) -> Result<bool> {
        let id = id.as_str().as_bytes();
        self.0.run(&scripts::RETRY, &[id]).await
    }
}
