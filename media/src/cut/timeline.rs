//! Where each segment lies in the output.

use crate::time::{TimeBase, Timestamp};

use super::options::{Gaps, Options, Segment, Timeline};

/// 33 bits of 90 kHz: when the clock of an MPEG stream begins anew.
const WRAP: i64 = (1 << 33) * 100 / 9;

/// The output's ticks: the first segment's, made fine enough for others where
/// there are several.
pub(super) fn output_clock(first: TimeBase, count: usize) -> TimeBase {
    if count == 1 || first.num() != 1 {
        return first;
    }
    let mpeg = 90_000;
    let (mut a, mut b) = (first.den(), mpeg);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    match (first.den() / a).checked_mul(mpeg) {
        // Much finer ticks could not count an hour's gap in 31 bits.
        Some(common) if common <= 360_000 => TimeBase::per_second(common),
        _ => first,
    }
}

/// Places segments one after another, in ticks of the output.
#[derive(Debug)]
pub(super) struct Placer {
    clock: TimeBase,
    gaps: Gaps,
    timeline: Timeline,
    /// Gaps and overlaps up to this are the shared clock's, in ticks.
    step: i64,
    /// The shared clock's reading at the output's zero.
    origin: Option<Timestamp>,
    /// The shared clock's reading at the last segment's start.
    last: Option<Timestamp>,
    /// Behind the last frame so far.
    end: i64,
}

/// A segment's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// When its first frame would be shown.
    pub(super) start: i64,
    /// When it may begin to be shown: behind `start` where it overlaps.
    pub(super) from: i64,
}

impl Placer {
    pub(super) fn new(clock: TimeBase, options: &Options) -> Self {
        let step = options.clock_step.as_micros();
        Self {
            clock,
            gaps: options.gaps,
            timeline: options.timeline,
            step: TimeBase::MICROS.convert(step, clock),
            origin: None,
            last: None,
            end: 0,
        }
    }

    /// Behind the last frame so far.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// What the shared clock reads at the output's zero, as far as the segment
    /// placed last is concerned: a closed gap moves it.
    pub(super) fn origin(&self) -> Option<Timestamp> {
        self.origin
    }

    /// Notes that frames are shown up to `end`.
    pub(super) fn covered(&mut self, end: i64) {
        self.end = self.end.max(end);
    }

    /// The place of the next segment. `first` is its first frame's time in the
    /// file, `zero` what it shows that time as on its own, and `frame` a frame's
    /// length.
    pub(super) fn place(
        &mut self,
        segment: &Segment,
        first: Timestamp,
        zero: i64,
        frame: i64,
    ) -> Place {
        let reading = match (segment.at, self.timeline) {
            (Some(at), _) => Some(at),
            (None, Timeline::Source) => Some(self.unwrapped(first)),
            (None, Timeline::Follow) => None,
        };
        let is_first = self.origin.is_none() && self.last.is_none() && self.end == 0;
        if is_first {
            self.end = zero;
        }
        let Some(reading) = reading else {
            return Place {
                start: self.end,
                from: self.end,
            };
        };
        self.last = Some(reading);
        let zero_time = self.clock.timestamp(zero);
        let origin = *self.origin.get_or_insert(reading - zero_time);
        let start = TimeBase::MICROS.convert((reading - origin).as_micros(), self.clock);
        let gap = start - self.end;
        // Clocks jitter: less than half a frame is no gap and no overlap.
        let follows = gap.abs() <= self.step.max(frame / 2);
        if follows || gap > 0 && self.gaps == Gaps::Close {
            // A closed gap moves all that comes later.
            if !follows {
                let moved = self.clock.timestamp(gap);
                self.origin = Some(origin + moved);
            }
            return Place {
                start: self.end,
                from: self.end,
            };
        }
        Place {
            start,
            from: start.max(self.end),
        }
    }

    /// A time in the file behind the last one, where the clock began anew.
    fn unwrapped(&self, time: Timestamp) -> Timestamp {
        let Some(last) = self.last else {
            return time;
        };
        let mut micros = time.as_micros();
        while micros < last.as_micros() - WRAP / 2 {
            micros += WRAP;
        }
        Timestamp::from_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;

    fn segment(at: Option<i64>) -> Segment {
        let input = Input::bytes("s", Vec::new());
        match at {
            Some(at) => Segment::at(input, Timestamp::from_micros(at)),
            None => Segment::new(input),
        }
    }

    fn placer(timeline: Timeline, gaps: Gaps) -> Placer {
        let options = Options {
            timeline,
            gaps,
            ..Options::default()
        };
        Placer::new(TimeBase::per_second(1000), &options)
    }

    fn place(placer: &mut Placer, at: Option<i64>, first: i64, length: i64) -> (i64, i64) {
        let place = placer.place(&segment(at), Timestamp::from_micros(first), 0, 40);
        placer.covered(place.start + length);
        (place.start, place.from)
    }

    #[test]
    fn the_output_has_fine_ticks_but_not_too_fine() {
        let clock = |first, count| output_clock(TimeBase::per_second(first), count).den();
        assert_eq!(clock(25, 2), 90_000);
        assert_eq!(clock(30_000, 2), 90_000);
        assert_eq!(clock(24_000, 2), 360_000);
        assert_eq!(clock(12_800, 2), 12_800);
        assert_eq!(clock(25, 1), 25);
    }

    #[test]
    fn segments_follow_one_another() {
        let mut placer = placer(Timeline::Follow, Gaps::Close);
        assert_eq!(place(&mut placer, None, 1_400_000, 1000), (0, 0));
        assert_eq!(place(&mut placer, None, 1_400_000, 1000), (1000, 1000));
    }

    #[test]
    fn overlap_is_dropped_and_a_gap_kept_or_closed() {
        for (gaps, third, fourth) in [(Gaps::Keep, 4000, 5000), (Gaps::Close, 1900, 2900)] {
            let mut placer = placer(Timeline::Follow, gaps);
            assert_eq!(place(&mut placer, Some(7_000_000), 0, 1000), (0, 0));
            assert_eq!(place(&mut placer, Some(7_900_000), 0, 1000), (900, 1000));
            assert_eq!(
                place(&mut placer, Some(11_000_000), 0, 1000),
                (third, third)
            );
            assert_eq!(
                place(&mut placer, Some(12_000_000), 0, 1000),
                (fourth, fourth)
            );
        }
    }

    #[test]
    fn a_coarse_clock_makes_no_gaps() {
        let options = Options {
            clock_step: Timestamp::from_micros(1_000_000),
            ..Options::default()
        };
        let mut placer = Placer::new(TimeBase::per_second(1000), &options);
        assert_eq!(place(&mut placer, Some(7_000_000), 0, 10_600), (0, 0));
        // 17.6 s, said to be 17 s; and 28.2 s, said to be 29 s.
        assert_eq!(
            place(&mut placer, Some(17_000_000), 0, 10_600),
            (10_600, 10_600)
        );
        assert_eq!(
            place(&mut placer, Some(29_000_000), 0, 1000),
            (21_200, 21_200)
        );
        // More than a second is a gap, counted from what the clock said at first.
        assert_eq!(place(&mut placer, Some(31_000_000), 0, 1000).0, 22_200);
        assert_eq!(placer.origin(), Some(Timestamp::from_micros(8_800_000)));
    }

    #[test]
    fn jitter_is_no_gap() {
        let mut placer = placer(Timeline::Source, Gaps::Keep);
        place(&mut placer, None, 0, 1000);
        assert_eq!(place(&mut placer, None, 1_015_000, 1000), (1000, 1000));
    }

    #[test]
    fn the_clock_of_a_transport_stream_begins_anew() {
        let mut placer = placer(Timeline::Source, Gaps::Keep);
        let near_the_end = WRAP - 1_000_000;
        assert_eq!(place(&mut placer, None, near_the_end, 1000), (0, 0));
        assert_eq!(place(&mut placer, None, 0, 1000), (1000, 1000));
    }
}
