//! How many items that nobody has triggered this process may take, and when it may
//! take more.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The batch that is being taken. A process has one.
#[derive(Debug)]
pub(super) struct Batches {
    interval: Duration,
    size: u32,
    now: Mutex<Batch>,
}

#[derive(Debug, Default)]
struct Batch {
    /// When its first item was taken; `None` before.
    begun: Option<Instant>,
    taken: u32,
}

/// Whether another item may be taken.
pub(super) enum Room<'a> {
    /// It may.
    Yes(Place<'a>),
    /// Not before this time has passed.
    After(Duration),
}

/// A place in the batch. Dropped, it is free again, unless an item was taken for it.
pub(super) struct Place<'a>(Option<&'a Batches>);

impl Batches {
    pub(super) fn new(size: u32, interval: Duration) -> Self {
        Self {
            interval,
            size: size.max(1),
            now: Mutex::default(),
        }
    }

    /// Asks for a place.
    pub(super) fn room(&self) -> Room<'_> {
        let mut batch = self.batch();
        let left = batch.begun.map_or(Duration::ZERO, |begun| {
            self.interval.saturating_sub(begun.elapsed())
        });
        if left.is_zero() {
            *batch = Batch::default();
        }
        if batch.taken >= self.size {
            return Room::After(left);
        }
        batch.begun.get_or_insert_with(Instant::now);
        batch.taken += 1;
        Room::Yes(Place(Some(self)))
    }

    fn batch(&self) -> MutexGuard<'_, Batch> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// An item was taken for it.
    pub(super) fn used(mut self) {
        self.0 = None;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(batches) = self.0 else {
            return;
        };
        let mut batch = batches.batch();
        batch.taken = batch.taken.saturating_sub(1);
        if batch.taken == 0 {
            // It begins with its first item, not with a look in vain.
            batch.begun = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(batches: &Batches) -> bool {
        match batches.room() {
            Room::Yes(place) => {
                place.used();
                true
            }
            Room::After(left) => {
                assert!(left <= batches.interval);
                false
            }
        }
    }

    #[test]
    fn a_batch_has_so_many_items_and_looks_in_vain_are_none() {
        let batches = Batches::new(2, Duration::from_secs(3600));
        for _ in 0..5 {
            drop(batches.room());
        }
        assert!(batches.batch().begun.is_none());
        assert!(take(&batches) && take(&batches));
        assert!(!take(&batches) && !take(&batches));
    }

    #[test]
    fn the_next_batch_begins_when_the_interval_is_over() {
        let batches = Batches::new(1, Duration::from_secs(3600));
        assert!(take(&batches) && !take(&batches));
        let long_ago = Instant::now().checked_sub(Duration::from_secs(3601));
        batches.batch().begun = long_ago;
        assert!(long_ago.is_none() || take(&batches) && !take(&batches));
    }
}
