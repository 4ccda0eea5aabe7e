//! The operator's side of brokers that keep no records of their jobs: how many
//! there are, and what was set aside.

use std::time::SystemTime;

use async_trait::async_trait;

use super::{Counts, Result};
use crate::job::JobId;

/// What an operator sees and does where there is no [`Admin`](super::Admin).
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// How many jobs there are in each state, as far as the broker tells; 0 where
    /// it does not. Nobody keeps completed ones.
    async fn counts(&self) -> Result<Counts>;

    /// The jobs that were set aside, at most `limit`, in the broker's own order.
    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>>;

    /// Gives a job that was set aside all its attempts anew. `false` if there is
    /// none with this id.
    async fn retry(&self, id: &JobId) -> Result<bool>;
}

/// A job that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its id.
    pub id: JobId,
    /// What the producer sent.
    pub payload: Vec<u8>,
    /// Why; `None` if the broker set it aside by its own rules.
    pub reason: Option<String>,
    /// Attempts charged, where it is known.
    pub attempts: Option<u32>,
    /// When it was set aside, where it is known.
    pub at: Option<SystemTime>,
}

/// The first `most` bytes of a text, or a few less where they would end within a
/// character.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_has_whole_characters() {
        for (most, expected) in [(0, ""), (1, ""), (2, "é"), (3, "éa"), (9, "éa")] {
            assert_eq!(beginning("éa", most), expected, "{most}");
        }
    }
}
