//! Whether the backend is away for all jobs, or fails at one alone.
//!
//! 502, 503 and 504 are what a proxy says while the backend restarts, and what it says
//! of a request that crashes the backend. One answer does not tell which. It is the
//! job's own affair once the same call for it was given up [`TIMES`] times, each after
//! all repeats, while as many of other jobs' calls of the same kind were done. Until
//! then, and where nobody else's calls get through either, it counts as an outage.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{ImageJobId, Update};

/// How often.
const TIMES: u64 = 3;

/// So many calls are remembered; beyond that counting begins anew.
const MOST: usize = 1000;

/// What is asked of the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Call {
    Job,
    Processing,
    Completed,
    Failed,
}

impl From<&Update<'_>> for Call {
    fn from(update: &Update<'_>) -> Self {
        match update {
            Update::Processing => Self::Processing,
            Update::Completed { .. } => Self::Completed,
            Update::Failed { .. } => Self::Failed,
        }
    }
}

/// What was done, and what was not.
#[derive(Debug, Default)]
pub(super) struct Alone(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    done: HashMap<Call, u64>,
    given_up: HashMap<(ImageJobId, Call), GivenUp>,
}

#[derive(Debug)]
struct GivenUp {
    times: u64,
    /// How many calls of the kind had been done at the first time.
    done_before: u64,
}

impl Alone {
    /// The backend did what it was asked.
    pub(super) fn done(&self, id: &ImageJobId, call: Call) {
        let mut counts = self.counts();
        *counts.done.entry(call).or_default() += 1;
        if !counts.given_up.is_empty() {
            counts.given_up.remove(&(id.clone(), call));
        }
    }

    /// A call was given up. Whether it is the job's own affair.
    pub(super) fn given_up(&self, id: &ImageJobId, call: Call) -> bool {
        let mut counts = self.counts();
        let done = counts.done_like(call);
        let key = (id.clone(), call);
        if counts.given_up.len() >= MOST && !counts.given_up.contains_key(&key) {
            counts.given_up.clear();
        }
        let given_up = counts.given_up.entry(key).or_insert(GivenUp {
            times: 0,
            done_before: done,
        });
        given_up.times += 1;
        given_up.times >= TIMES && done - given_up.done_before >= TIMES
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Few jobs fail: of that one any other word about a job will do.
    fn done_like(&self, call: Call) -> u64 {
        let done = |call| self.done.get(&call).copied().unwrap_or_default();
        match call {
            Call::Failed => [Call::Processing, Call::Completed, Call::Failed]
                .into_iter()
                .map(done)
                .sum(),
            call => done(call),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ImageJobId {
        text.parse().unwrap()
    }

    #[test]
    fn an_outage_is_nobody_s_own_affair() {
        let alone = Alone::default();
        for _ in 0..10 {
            for job in ["a", "b", "c", "d"] {
                assert!(!alone.given_up(&id(job), Call::Completed));
                // They are read, and that is another call.
                alone.done(&id(job), Call::Job);
                alone.done(&id(job), Call::Processing);
            }
        }
    }

    #[test]
    fn what_others_calls_pass_is() {
        let alone = Alone::default();
        assert!(!alone.given_up(&id("a"), Call::Completed));
        for job in ["b", "c", "d"] {
            assert!(
                !alone.given_up(&id("a"), Call::Job),
                "a call of another kind"
            );
            alone.done(&id(job), Call::Completed);
        }
        assert!(!alone.given_up(&id("a"), Call::Completed), "twice");
        assert!(alone.given_up(&id("a"), Call::Completed));
        assert!(alone.given_up(&id("a"), Call::Completed), "from now on");
        alone.done(&id("a"), Call::Completed);
        for _ in 0..5 {
            assert!(
                !alone.given_up(&id("a"), Call::Completed),
                "and then no more"
            );
        }
    }

    #[test]
    fn that_it_failed_is_told_by_a_call_of_its_own() {
        let alone = Alone::default();
        for job in ["b", "c", "d"] {
            alone.given_up(&id("a"), Call::Failed);
            alone.done(&id(job), Call::Processing);
        }
        assert!(alone.given_up(&id("a"), Call::Failed));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let alone = Alone::default();
        for number in 0..3 * MOST {
            alone.given_up(&id(&number.to_string()), Call::Job);
        }
        assert!(alone.counts().given_up.len() <= MOST);
    }
}
