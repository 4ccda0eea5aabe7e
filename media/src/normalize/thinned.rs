//! Moments of a stretch of time whose length is not known yet: a few, spread
//! evenly over what has passed.

use std::collections::VecDeque;

use crate::time::Timestamp;

/// At most so many moments. Whenever there are more, every second one goes, and
/// from then on they are taken twice as far apart; the first one stays.
///
/// When the stretch ends, one of them lies near its middle: they are at most a
/// third of its length apart, with eight of them a quarter.
#[derive(Debug)]
pub(super) struct Thinned<T> {
    most: usize,
    /// How far apart they are taken.
    spacing: Timestamp,
    kept: VecDeque<(Timestamp, T)>,
}

impl<T> Thinned<T> {
    /// At most `most` moments; three at least.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(3),
            spacing: Timestamp::ZERO,
            kept: VecDeque::new(),
        }
    }

    /// Takes the next moment, if it is far enough from the last one.
    pub(super) fn offer(&mut self, at: Timestamp, item: T) {
        if !self.is_due(at) {
            return;
        }
        if self.kept.len() >= self.most {
            self.thin();
            if !self.is_due(at) {
                return;
            }
        }
        self.kept.push_back((at, item));
    }

    fn is_due(&self, at: Timestamp) -> bool {
        // Containers round times to the millisecond.
        let slack = Timestamp::from_micros((self.spacing.as_micros() / 8).min(2_000));
        let last = self.kept.back();
        last.is_none_or(|(last, _)| at - *last >= self.spacing - slack)
    }

    fn thin(&mut self) {
        let mut place = 0;
        self.kept.retain(|_| {
            place += 1;
            place % 2 == 1
        });
        if let (Some((first, _)), Some((last, _))) = (self.kept.front(), self.kept.back()) {
            let steps = i64::try_from(self.kept.len()).unwrap_or(i64::MAX) - 1;
            let length = (*last - *first).as_micros();
            self.spacing = Timestamp::from_micros(length / steps.max(1));
        }
    }

    /// Removes the first moment, if it is one that goes.
    pub(super) fn take_if(&mut self, goes: impl FnOnce(&T) -> bool) -> Option<(Timestamp, T)> {
        let taken = match self.kept.front() {
            Some((_, first)) if goes(first) => self.kept.pop_front(),
            _ => None,
        };
        if self.kept.len() <= 1 {
            self.spacing = Timestamp::ZERO;
        }
        taken
    }

    /// The moment that is nearest to `at`, the earlier one of two.
    pub(super) fn nearest(&self, at: Timestamp) -> Option<&(Timestamp, T)> {
        let distance = |time: Timestamp| time.as_micros().abs_diff(at.as_micros());
        self.kept.iter().min_by_key(|(time, _)| distance(*time))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Begins anew.
    pub(super) fn clear(&mut self, most: usize) {
        *self = Self::new(most);
    }

    #[cfg(test)]
    fn times(&self) -> Vec<i64> {
        self.kept.iter().map(|(at, _)| at.as_micros()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn after(most: usize, times: impl Iterator<Item = i64>) -> Thinned<i64> {
        let mut thinned = Thinned::new(most);
        for time in times {
            thinned.offer(micros(time), time);
            assert!(thinned.kept.len() <= most);
        }
        thinned
    }

    #[test]
    fn every_second_goes() {
        let times = |count: i64| after(8, (0..count).map(|at| at * 40_000)).times();
        assert_eq!(
            times(8),
            (0..8).map(|at| at * 40_000).collect::<Vec<_>>(),
            "all of a few"
        );
        assert_eq!(times(9), [0, 80_000, 160_000, 240_000, 320_000]);
        let step = 320_000;
        assert_eq!(times(40), [0, step, 2 * step, 3 * step, 4 * step]);
    }

    #[test]
    fn one_is_near_the_middle_however_long_it_is() {
        for (most, part) in [(3, 6), (5, 6), (8, 8)] {
            for length in 1..3000_i64 {
                // 29.97 a second, as containers round it.
                let thinned = after(most, (0..length).map(|at| at * 1_001_000 / 30_000));
                let end = length * 1_001_000 / 30_000;
                let (at, _) = thinned.nearest(micros(end / 2)).expect("one");
                let off = (at.as_micros() - end / 2).abs();
                let allowed = 115 * end / (100 * part) + 34_000;
                assert!(off <= allowed, "{most} {length}: {off} of {end}");
            }
        }
    }

    #[test]
    fn of_still_pictures_all_are_taken() {
        let times = [0, 9_000_000, 9_040_000, 60_000_000];
        assert_eq!(after(8, times.into_iter()).times(), times);
    }

    #[test]
    fn the_first_can_be_taken_and_then_all_are_due_again() {
        let mut thinned = after(3, 0..100);
        assert!(thinned.spacing > Timestamp::ZERO);
        assert_eq!(thinned.take_if(|&first| first > 0), None);
        while thinned.take_if(|_| true).is_some() {}
        thinned.offer(micros(200), 200);
        thinned.offer(micros(201), 201);
        assert_eq!(thinned.times(), [200, 201]);
    }
}
