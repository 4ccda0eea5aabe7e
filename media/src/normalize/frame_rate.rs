//! A constant frame rate: which frame is shown how often.

use crate::av::code::Code;
use crate::av::frame::Frame;
use crate::time::{TimeBase, Timestamp};

/// The highest frame rate that a proxy has without being asked for it.
const HIGHEST: f64 = 30.1;

/// The largest denominator of a usual frame rate (30000/1001).
const LARGEST: u32 = 1001;

/// The length of a proxy's frame, where a source's is this long.
pub(super) fn proxy_frame(source: Option<TimeBase>) -> TimeBase {
    let fallback = TimeBase::per_second(25);
    let source = source.unwrap_or(fallback);
    let rate = f64::from(source.den()) / f64::from(source.num());
    // Beyond these it is a time base, or nonsense.
    if !(1.0 / 60.0..=1000.0).contains(&rate) {
        return fallback;
    }
    let mut halvings = 0u32;
    while rate / f64::from(1 << halvings) > HIGHEST {
        halvings += 1;
    }
    let (num, den) = (source.num().checked_shl(halvings), source.den());
    match num {
        Some(num) if source.num() <= LARGEST && num > 0 => {
            let fit = |value| i32::try_from(value).ok();
            let exact = fit(num).zip(fit(den));
            exact
                .and_then(|(num, den)| TimeBase::new(num, den))
                .unwrap_or(fallback)
        }
        // A mean of a frame rate that varies: a whole number is near enough.
        _ => {
            let whole = (rate / f64::from(1 << halvings)).round().max(1.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // up to 30
            TimeBase::per_second(whole as u32)
        }
    }
}

/// Makes the frame rate constant: frame `n` of the result is the one of the
/// source that is shown at that time, to the nearest; the first stands from the
/// beginning on.
pub(super) struct Steady {
    frame: TimeBase,
    /// The frame that is shown until the next one comes.
    held: Option<Frame>,
    /// The next frame of the result.
    next: i64,
}

impl Steady {
    /// Frames that last `frame` each.
    pub(super) fn new(frame: TimeBase) -> Self {
        Self {
            frame,
            held: None,
            next: 0,
        }
    }

    /// Takes the next frame, which is shown at `at`, and tells which one to show
    /// how often before it; its time is the number of its first place.
    pub(super) fn push(&mut self, frame: Frame, at: Timestamp) -> Option<(Frame, i64)> {
        let place = TimeBase::MICROS.convert(at.as_micros(), self.frame);
        let Some(held) = &mut self.held else {
            self.held = Some(frame);
            return None;
        };
        let count = place - self.next;
        let held = std::mem::replace(held, frame);
        self.release(held, count)
    }

    /// The last frame, whose time is over at `end`.
    pub(super) fn finish(&mut self, end: Timestamp) -> Option<(Frame, i64)> {
        let place = TimeBase::MICROS.convert(end.as_micros(), self.frame);
        let held = self.held.take()?;
        // One frame at least, however short the source.
        let least = i64::from(self.next == 0);
        self.release(held, (place - self.next).max(least))
    }

    fn release(&mut self, mut frame: Frame, count: i64) -> Option<(Frame, i64)> {
        if count <= 0 {
            return None;
        }
        frame.set_pts(Some(self.next));
        self.next += count;
        Some((frame, count))
    }
}

/// The frame, and the same again for each further time that it is shown.
pub(super) fn repeated(
    frame: &Frame,
    count: i64,
) -> impl Iterator<Item = Result<Frame, Code>> + use<'_> {
    let first = frame.pts().unwrap_or(0);
    (first..first + count).map(|place| {
        let mut copy = frame.share()?;
        copy.set_pts(Some(place));
        Ok(copy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::av::scale::format_number;

    fn rate(num: i32, den: i32) -> (u32, u32) {
        let frame = proxy_frame(TimeBase::new(den, num));
        (frame.den(), frame.num())
    }

    #[test]
    fn usual_rates_stay_or_are_halved() {
        assert_eq!(rate(25, 1), (25, 1));
        assert_eq!(rate(30_000, 1001), (30_000, 1001));
        assert_eq!(rate(24_000, 1001), (24_000, 1001));
        assert_eq!(rate(50, 1), (50, 2));
        assert_eq!(rate(60_000, 1001), (60_000, 2002));
        assert_eq!(rate(120, 1), (120, 4));
        assert_eq!(rate(5, 1), (5, 1));
        assert_eq!(rate(25, 2), (25, 2));
    }

    #[test]
    fn odd_rates_become_whole_ones() {
        assert_eq!(rate(1_234_567, 98_765), (13, 1)); // 12.5 a second
        assert_eq!(rate(90_000, 1), (25, 1)); // a time base, not a rate
        let none = proxy_frame(None);
        assert_eq!((none.den(), none.num()), (25, 1));
    }

    /// The places of each source frame (told by its width) in the result.
    fn shown(times: &[i64], end: i64) -> Vec<(i32, i64, i64)> {
        let mut steady = Steady::new(TimeBase::per_second(10));
        let ms = |time: i64| Timestamp::from_micros(time * 1000);
        let mut shown = Vec::new();
        let mut width = 0;
        for &time in times {
            width += 2;
            let frame = Frame::picture(width, 2, format_number("gray")).expect("a frame");
            shown.extend(steady.push(frame, ms(time)));
        }
        shown.extend(steady.finish(ms(end)));
        shown
            .iter()
            .map(|(frame, count)| (frame.width() / 2, frame.pts().expect("a time"), *count))
            .collect()
    }

    #[test]
    fn frames_stand_until_the_next() {
        assert_eq!(
            shown(&[0, 100, 200], 300),
            [(1, 0, 1), (2, 1, 1), (3, 2, 1)]
        );
        assert_eq!(shown(&[0, 300], 400), [(1, 0, 3), (2, 3, 1)]);
        assert_eq!(shown(&[0, 60, 90, 140], 200), [(1, 0, 1), (4, 1, 1)]);
    }

    #[test]
    fn the_first_frame_stands_from_the_beginning() {
        assert_eq!(shown(&[500, 600], 700), [(1, 0, 6), (2, 6, 1)]);
        assert_eq!(shown(&[-200, -100, 0], 100), [(3, 0, 1)]);
        assert_eq!(shown(&[0], 10), [(1, 0, 1)]);
        assert_eq!(shown(&[], 10), []);
    }
}
