//! How fast to ask: no faster than is allowed, and for a while not at all after the
//! server has said that it was too fast.

use std::time::Duration;

use tokio::time::Instant;

use super::config::Rate;
use crate::client::pauses::Pauses;

/// The longest pause after a quota.
const LONGEST: Duration = Duration::from_secs(60);

/// What all callers have in common.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Option<Rate>,
    /// When the bucket is full again.
    full: Option<Instant>,
    /// Until when nobody asks.
    paused: Option<Instant>,
    first: Duration,
    pauses: Pauses,
}

/// Why it is nobody's turn, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// By our own limit.
    Rate(Instant),
    /// By the server's.
    Quota(Instant),
}

impl Pace {
    pub(super) fn new(rate: Option<Rate>, first: Duration) -> Self {
        Self {
            rate,
            full: None,
            paused: None,
            first,
            pauses: Pauses::new(first, LONGEST),
        }
    }

    /// Takes a turn, or says when to ask for one again.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Wait> {
        if let Some(until) = self.paused.filter(|&until| until > now) {
            return Err(Wait::Quota(until));
        }
        let Some(rate) = self.rate else {
            return Ok(());
        };
        let full = self.full.map_or(now, |full| full.max(now));
        let room = rate.every * rate.burst.max(1).saturating_sub(1);
        // One more fits as soon as the bucket is so far from full and no farther.
        if full > now + room {
            return Err(Wait::Rate(full - room));
        }
        self.full = Some(full + rate.every);
        Ok(())
    }

    /// The server refuses for its quota: nobody asks for a while. Those that were on
    /// their way together count once.
    pub(super) fn refused(&mut self, sent: Instant, asked: Option<Duration>, now: Instant) {
        let known = self.paused.filter(|&until| sent < until);
        let until = match known {
            Some(until) => until.max(now + asked.unwrap_or_default()),
            None => now + self.pauses.next(asked),
        };
        self.paused = Some(until);
    }

    /// The server answered to what was sent then: the next pause is the first again.
    pub(super) fn answered(&mut self, sent: Instant) {
        if self.paused.is_some_and(|until| until <= sent) {
            self.paused = None;
            self.pauses = Pauses::new(self.first, LONGEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How many turns are had in so many milliseconds of asking at each.
    fn turns(pace: &mut Pace, from: Instant, millis: u64) -> usize {
        let asked = (0..millis).map(|at| from + Duration::from_millis(at));
        let mut count = 0;
        for at in asked {
            while pace.take(at).is_ok() {
                count += 1;
            }
        }
        count
    }

    #[test]
    fn no_more_than_so_many_a_second() {
        let now = Instant::now();
        let mut pace = Pace::new(Some(Rate::per_second(10)), SECOND);
        assert_eq!(turns(&mut pace, now, 1000), 10);
        assert_eq!(turns(&mut pace, now + SECOND, 2000), 20);
        // After a rest a burst, which is one here.
        assert_eq!(turns(&mut pace, now + 60 * SECOND, 1), 1);
        let mut pace = Pace::new(Some(Rate::per_second(1000)), SECOND);
        assert_eq!(turns(&mut pace, now, 1), 20);
        assert_eq!(turns(&mut pace, now + Duration::from_millis(1), 999), 999);
    }

    #[test]
    fn who_waits_for_the_bucket_is_told_until_when() {
        let now = Instant::now();
        let every = 100 * SECOND;
        let rate = Rate { every, burst: 3 };
        let mut pace = Pace::new(Some(rate), SECOND);
        for _ in 0..3 {
            assert_eq!(pace.take(now), Ok(()));
        }
        let Err(Wait::Rate(at)) = pace.take(now) else {
            panic!("a fourth of three");
        };
        assert_eq!(at, now + every);
        assert!(pace.take(at - SECOND).is_err());
        assert_eq!(pace.take(at), Ok(()));
        assert!(pace.take(at).is_err());
        let mut free = Pace::new(None, SECOND);
        assert_eq!((0..1000).filter(|_| free.take(now).is_ok()).count(), 1000);
    }

    #[test]
    fn a_quota_stops_all_and_those_on_their_way_count_once() {
        let now = Instant::now();
        let until = |pace: &mut Pace, at| match pace.take(at) {
            Err(Wait::Quota(until)) => until,
            other => panic!("{other:?}"),
        };
        let mut pace = Pace::new(None, SECOND);
        pace.refused(now, None, now);
        let first = until(&mut pace, now);
        assert!(first >= now + SECOND && first <= now + SECOND * 5 / 4);
        pace.refused(now, None, now);
        assert_eq!(until(&mut pace, now), first, "sent before the pause");
        assert_eq!(pace.take(first), Ok(()));
        // Too early still: twice as long.
        pace.refused(first, None, first);
        let second = until(&mut pace, first);
        assert!(second >= first + 2 * SECOND && second <= first + SECOND * 5 / 2);
        // What was sent before has nothing to say.
        pace.answered(now);
        assert_eq!(until(&mut pace, first), second);
        pace.answered(second);
        pace.refused(second, Some(7 * SECOND), second);
        assert!(until(&mut pace, second) >= second + 7 * SECOND);
        assert_eq!(pace.take(second + 9 * SECOND), Ok(()));
        pace.answered(second + 9 * SECOND);
        let later = second + 20 * SECOND;
        pace.refused(later, None, later);
        assert!(
            until(&mut pace, later) <= later + SECOND * 5 / 4,
            "the first again"
        );
    }
}
