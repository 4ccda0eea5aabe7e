//! Memory for pictures that are worked on at one time: permits for bytes.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::{Context, Result};

/// How long a waiting image goes without looking whether it is cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// So many bytes of pixels may be in flight.
#[derive(Debug)]
pub(super) struct Budget {
    all: u64,
    free: Mutex<u64>,
    freed: Condvar,
}

/// The right to some of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        let bytes = bytes.max(1);
        Self {
            all: bytes,
            free: Mutex::new(bytes),
            freed: Condvar::new(),
        }
    }

    /// Waits for `bytes`; for all there are, where that is more. An image holds
    /// one permit at most, so that none waits for another that waits.
    pub(super) fn take(&self, bytes: u64, context: &Context) -> Result<Permit<'_>> {
        let bytes = bytes.min(self.all);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free < bytes {
            context.check()?;
            free = self
                .freed
                .wait_timeout(free, LOOK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        *free -= bytes;
        Ok(Permit {
            budget: self,
            bytes,
        })
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut free = self
            .budget
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *free += self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::{Cancel, Error};

    #[test]
    fn no_more_than_there_is_and_the_large_one_alone() {
        let budget = Budget::new(10);
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for bytes in [4, 4, 4, 25, 6, 3, 10, 1] {
                let (budget, now, most) = (&budget, &now, &most);
                scope.spawn(move || {
                    let permit = budget.take(bytes, &Context::new()).expect("a permit");
                    let taken = bytes.min(10);
                    let sum = now.fetch_add(taken, Ordering::SeqCst) + taken;
                    most.fetch_max(sum, Ordering::SeqCst);
                    now.fetch_sub(taken, Ordering::SeqCst);
                    drop(permit);
                });
            }
        });
        assert_eq!(most.into_inner(), 10);
    }

    #[test]
    fn waiting_ends_when_cancelled() {
        let budget = Budget::new(10);
        let all = budget.take(10, &Context::new()).expect("a permit");
        let cancel = Cancel::new();
        let context = Context::new().with_cancel(cancel.clone());
        cancel.cancel();
        assert!(matches!(budget.take(1, &context), Err(Error::Cancelled)));
        drop(all);
        budget.take(1, &context).expect("a permit");
    }
}
