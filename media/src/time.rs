//! Times without bare numbers: a [`Timestamp`] in microseconds for people and
//! programs, a [`TimeBase`] to come from and go to a stream's own ticks.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

/// A point or a distance on a timeline, in microseconds.
///
/// A frame's time is compared with it after rounding to the microsecond, which
/// is the precision in which ffprobe and `PyAV` print times: a time copied from
/// their output names the frame it was read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The timeline's start.
    pub const ZERO: Self = Self(0);
    /// Later than every frame.
    pub const MAX: Self = Self(i64::MAX);

    /// From microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// So many times as long.
    pub(crate) fn times(self, count: usize) -> Self {
        Self(
            self.0
                .saturating_mul(i64::try_from(count).unwrap_or(i64::MAX)),
        )
    }

    /// In seconds, for a report.
    #[allow(clippy::cast_precision_loss)] // exact up to 285 years
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Add for Timestamp {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Timestamp {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Timestamp {
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    /// `HH:MM:SS.mmm`, with all six digits where milliseconds would hide some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let seconds = micros / 1_000_000;
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let fraction = micros % 1_000_000;
        write!(f, "{sign}{hours:02}:{minutes:02}:{rest:02}.")?;
        if fraction.is_multiple_of(1000) {
            write!(f, "{:03}", fraction / 1000)
        } else {
            write!(f, "{fraction:06}")
        }
    }
}

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time: write 12.5, 1:02.5, 00:01:02.500 or 250ms")]
pub struct ParseTimestampError(String);

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// `12.5` (seconds), `1:02.5`, `00:01:02.500`, `250ms`, `90s`, `5m`, `1h`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseTimestampError(text.to_owned());
        let trimmed = text.trim();
        let (digits, unit) = match trimmed {
            t if t.ends_with("ms") => (&t[..t.len() - 2], 1_000),
            t if t.ends_with("us") => (&t[..t.len() - 2], 1),
            t if t.ends_with('s') => (&t[..t.len() - 1], 1_000_000),
            t if t.ends_with('m') => (&t[..t.len() - 1], 60_000_000),
            t if t.ends_with('h') => (&t[..t.len() - 1], 3_600_000_000),
            t => (t, 0),
        };
        if unit != 0 {
            return decimal(digits, unit).map(Self).ok_or_else(fail);
        }
        let mut parts = digits.rsplit(':');
        let mut total = parts
            .next()
            .and_then(|seconds| decimal(seconds, 1_000_000))
            .ok_or_else(fail)?;
        let clock = digits.contains(':');
        if clock && total >= 60_000_000 {
            return Err(fail());
        }
        for (place, part) in parts.enumerate() {
            let unit = match place {
                0 => 60_000_000,
                1 => 3_600_000_000,
                _ => return Err(fail()),
            };
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(fail());
            }
            let value: i64 = part.parse().map_err(|_| fail())?;
            if place == 0 && value >= 60 && digits.matches(':').count() == 2 {
                return Err(fail());
            }
            total = value
                .checked_mul(unit)
                .and_then(|micros| micros.checked_add(total))
                .ok_or_else(fail)?;
        }
        Ok(Self(total))
    }
}

/// A decimal number without a sign, times `unit`, rounded to the nearest.
fn decimal(text: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole
        .bytes()
        .chain(fraction.bytes())
        .all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let digits = &fraction[..fraction.len().min(18)];
    let scale = 10i128.pow(u32::try_from(digits.len()).ok()?);
    let part: i128 = if digits.is_empty() {
        0
    } else {
        digits.parse().ok()?
    };
    let value = whole
        .checked_mul(scale)?
        .checked_add(part)?
        .checked_mul(i128::from(unit))?
        .checked_add(scale / 2)?;
    i64::try_from(value / scale).ok()
}

/// A part of a timeline: from `start` on, up to and without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first time inside.
    pub start: Timestamp,
    /// The first time behind.
    pub end: Timestamp,
}

impl Span {
    /// How long it is; zero where the end is not behind the start.
    pub fn duration(self) -> Timestamp {
        Timestamp((self.end - self.start).0.max(0))
    }
}

/// The length of a stream's tick, as a fraction of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeBase {
    num: NonZeroU32,
    den: NonZeroU32,
}

impl TimeBase {
    /// Microseconds, the time base of [`Timestamp`].
    pub const MICROS: Self = Self::per_second(1_000_000);

    /// A fraction of a second; `None` unless both terms are positive.
    pub fn new(num: i32, den: i32) -> Option<Self> {
        Some(Self {
            num: NonZeroU32::new(u32::try_from(num).ok()?)?,
            den: NonZeroU32::new(u32::try_from(den).ok()?)?,
        })
    }

    /// `ticks` ticks in a second; zero counts as one.
    pub const fn per_second(ticks: u32) -> Self {
        let one = NonZeroU32::MIN;
        Self {
            num: one,
            den: match NonZeroU32::new(ticks) {
                Some(den) => den,
                None => one,
            },
        }
    }

    /// The fraction's upper term.
    pub fn num(self) -> u32 {
        self.num.get()
    }

    /// The fraction's lower term.
    pub fn den(self) -> u32 {
        self.den.get()
    }

    /// `ticks` of this base in ticks of `other`, to the nearest, halves away
    /// from zero; what does not fit is clamped.
    pub fn convert(self, ticks: i64, other: Self) -> i64 {
        if self == other {
            return ticks;
        }
        let up = u64::from(self.num.get()) * u64::from(other.den.get());
        let down = u64::from(self.den.get()) * u64::from(other.num.get());
        // Nearly always all of it fits 64 bits, whose division is far cheaper.
        if let (Ok(up), Ok(down)) = (i64::try_from(up), i64::try_from(down))
            && let Some(num) = ticks.checked_mul(up)
            && let Some(num) = num.checked_add(if num >= 0 { down / 2 } else { -(down / 2) })
        {
            return num / down;
        }
        let num = i128::from(ticks) * i128::from(self.num.get()) * i128::from(other.den.get());
        let den = i128::from(self.den.get()) * i128::from(other.num.get());
        let half = den / 2;
        let rounded = if num >= 0 {
            (num + half) / den
        } else {
            (num - half) / den
        };
        i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
    }

    /// The time of `ticks`.
    pub fn timestamp(self, ticks: i64) -> Timestamp {
        Timestamp(self.convert(ticks, Self::MICROS))
    }

    /// The first tick whose [`timestamp`](Self::timestamp) is not before `time`.
    pub fn first_tick_at(self, time: Timestamp) -> i64 {
        let near = Self::MICROS.convert(time.0, self);
        // Rounding moves by less than a tick either way.
        (near.saturating_sub(2)..=near.saturating_add(2))
            .find(|&tick| self.timestamp(tick) >= time)
            .unwrap_or(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        text.parse::<Timestamp>().ok().map(Timestamp::as_micros)
    }

    #[test]
    fn times_are_read_in_every_form() {
        assert_eq!(micros("12.5"), Some(12_500_000));
        assert_eq!(micros("1:02.5"), Some(62_500_000));
        assert_eq!(micros("00:01:02.500"), Some(62_500_000));
        assert_eq!(micros("250ms"), Some(250_000));
        assert_eq!(micros("90:00"), Some(5_400_000_000));
        assert_eq!(micros(".5"), Some(500_000));
        assert_eq!(micros("0.0000005"), Some(1));
        for wrong in [
            "",
            "-1",
            &"9".repeat(38),
            &"9".repeat(60),
            "1:2:3:4",
            "1:60",
            "abc",
            "1.2.3",
            "1::2",
            "50%",
            ".",
        ] {
            assert_eq!(micros(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_first_tick_is_the_first_frame_shown() {
        let ntsc = TimeBase::new(1001, 30_000).expect("a time base");
        // ffprobe prints frame 1000 of 29.97 fps as 33.366667.
        let printed: Timestamp = "33.366667".parse().expect("a time");
        assert_eq!(ntsc.first_tick_at(printed), 1000);
        assert_eq!(ntsc.first_tick_at(Timestamp(33_366_668)), 1001);
        assert_eq!(TimeBase::per_second(90_000).first_tick_at(Timestamp(1)), 1);
    }

    #[test]
    fn conversion_rounds_to_the_nearest_and_never_overflows() {
        let ms = TimeBase::per_second(1000);
        let mpeg = TimeBase::per_second(90_000);
        assert_eq!(mpeg.convert(45, ms), 1);
        assert_eq!(mpeg.convert(44, ms), 0);
        assert_eq!(mpeg.convert(-45, ms), -1);
        assert_eq!(ms.convert(i64::MAX, mpeg), i64::MAX);
    }

    #[test]
    fn times_are_printed_for_people() {
        assert_eq!(Timestamp(62_500_000).to_string(), "00:01:02.500");
        assert_eq!(Timestamp(-1_000_001).to_string(), "-00:00:01.000001");
    }
}
