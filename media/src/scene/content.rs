//! The content rule: a cut is where the content value reaches a threshold, and
//! cuts that follow one another too fast become one.

use crate::time::Timestamp;

use super::cut::Moment;

/// Finds cuts by a fixed threshold.
///
/// Fast cuts are merged as `PySceneDetect`'s flash filter (its mode `MERGE`)
/// does it. The first frames of a video count as if a cut was in front. A change
/// that comes too soon behind another one is no cut, but once there has been a
/// cut it begins a *run*: this goes on until so many frames without a change
/// have passed as a scene has at least, and the run itself is as long; then the
/// last change of the run is the cut.
#[derive(Debug)]
pub(super) struct Content {
    threshold: f64,
    least: Timestamp,
    /// The last change, or the first frame.
    last: Option<Moment>,
    has_cut: bool,
    /// Where a run of fast changes began.
    run: Option<Moment>,
}

impl Content {
    pub(super) fn new(threshold: f64, least: Timestamp) -> Self {
        Self {
            threshold,
            least,
            last: None,
            has_cut: false,
            run: None,
        }
    }

    /// The first frame that may still become a cut, after the one numbered `now`:
    /// of those that came already, the last change of a run that is long enough.
    pub(super) fn undecided(&self, now: u64) -> u64 {
        match (self.run, self.last) {
            (Some(start), Some(last)) if last.at - start.at >= self.least => last.number,
            _ => now + 1,
        }
    }

    /// Takes the next frame, and tells of a cut at it or before it.
    pub(super) fn push(&mut self, now: Moment, content: f64) -> Option<Moment> {
        let changes = content >= self.threshold;
        if self.least <= Timestamp::ZERO {
            return changes.then_some(now);
        }
        let before = *self.last.get_or_insert(now);
        let quiet = now.at - before.at >= self.least;
        if changes {
            self.last = Some(now);
        }
        match self.run {
            Some(start) => {
                let whole = before.at - start.at >= self.least;
                if changes || !quiet || !whole {
                    return None;
                }
                self.run = None;
                Some(before)
            }
            None if changes && quiet => {
                self.has_cut = true;
                Some(now)
            }
            None => {
                if changes && self.has_cut {
                    self.run = Some(now);
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cuts of a video of 10 fps that changes at the given frames, with
    /// scenes of half a second at least.
    fn cuts(changes: &[u64]) -> Vec<u64> {
        let mut rule = Content::new(27.0, Timestamp::from_micros(500_000));
        (0..100)
            .filter_map(|number| {
                let now = Moment::test(number, 10);
                let content = if changes.contains(&number) { 30.0 } else { 1.0 };
                rule.push(now, content)
            })
            .map(|cut| cut.number)
            .collect()
    }

    #[test]
    fn cuts_far_apart_are_all_taken() {
        assert_eq!(cuts(&[10, 15, 40]), [10, 15, 40]);
        assert_eq!(cuts(&[]), [0_u64; 0]);
    }

    #[test]
    fn the_beginning_is_a_cut_that_is_not_told() {
        assert_eq!(cuts(&[4, 20]), [20]);
        assert_eq!(cuts(&[5, 20]), [5, 20]);
    }

    #[test]
    fn a_flash_is_one_cut() {
        // Light on at 30, off at 32.
        assert_eq!(cuts(&[30, 32]), [30]);
    }

    #[test]
    fn a_flash_takes_the_change_behind_it_into_its_run() {
        // The run lasts from 32 to 60 and ends as 60 has stood for half a second.
        assert_eq!(cuts(&[30, 32, 60]), [30, 60]);
    }

    #[test]
    fn a_run_of_fast_cuts_ends_with_its_last() {
        assert_eq!(cuts(&[30, 33, 36, 39, 42]), [30, 42]);
    }

    #[test]
    fn what_is_decided_stays_so() {
        for seed in 1..200_u64 {
            let mut rule = Content::new(27.0, Timestamp::from_micros(500_000));
            let mut decided = 0;
            for number in 0..200 {
                let changes = (number * number * 31 + number * seed * 17) % (2 + seed % 9) == 0;
                let content = if changes { 30.0 } else { 1.0 };
                if let Some(cut) = rule.push(Moment::test(number, 10), content) {
                    assert!(cut.number >= decided, "{seed}: {} < {decided}", cut.number);
                }
                decided = rule.undecided(number);
                assert!(decided <= number + 1);
            }
        }
    }

    #[test]
    fn a_length_of_nothing_takes_all() {
        let mut rule = Content::new(27.0, Timestamp::ZERO);
        let all = (0..4).filter(|&number| rule.push(Moment::test(number, 10), 27.0).is_some());
        assert_eq!(all.count(), 4);
    }
}
