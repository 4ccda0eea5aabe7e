//! Times as they are written: on the joined timeline, or with `--at` by the
//! clock.
//!
//! On a timeline 10:03 is ten minutes and three seconds; by the clock most
//! people would say it is three past ten. So by the clock such a time is
//! refused, and must be written in full.

use std::str::FromStr;

use flatbed_media::Timestamp;
use flatbed_media::cut::Position;

use super::failure::Failure;

/// When a recording begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClockTime(pub(super) Timestamp);

impl FromStr for ClockTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time: Timestamp = text
            .parse()
            .map_err(|_| format!("{text:?} is not a time of day: write 10:00:00"))?;
        unambiguous(text)?;
        Ok(Self(time))
    }
}

/// A time as it was written: what it means depends on `--at`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    text: String,
    pub(super) position: Position,
}

impl FromStr for Written {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self {
            position: text.parse()?,
            text: text.trim().to_owned(),
        })
    }
}

impl Written {
    /// The position on the joined timeline, or with a `clock`, which is the
    /// first recording's, the reading of that clock; a percentage stays one.
    pub(super) fn on_timeline(
        &self,
        clock: Option<ClockTime>,
        argument: &str,
    ) -> Result<Position, Failure> {
        let (Some(ClockTime(zero)), Position::Time(time)) = (clock, self.position) else {
            return Ok(self.position);
        };
        unambiguous(&self.text).map_err(|why| Failure::usage(format!("{argument}: {why}")))?;
        if time < zero {
            return Err(Failure::usage(format!(
                "{argument} {time} is before the first recording, which begins --at {zero}"
            )));
        }
        Ok(Position::Clock(time))
    }

    /// Whether it is at or before `other`, as far as that shows without the
    /// duration.
    pub(super) fn is_not_after(&self, other: &Self) -> bool {
        match (self.position, other.position) {
            (Position::Time(one), Position::Time(other)) => one <= other,
            (Position::Percent(one), Position::Percent(other)) => one <= other,
            _ => false,
        }
    }
}

fn unambiguous(text: &str) -> Result<(), String> {
    if text.matches(':').count() == 1 {
        return Err(format!(
            "{text:?} may be hours or minutes: by the clock, write {text}:00 or 00:{text}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_timeline(text: &str, clock: Option<&str>) -> Option<Position> {
        let written: Written = text.parse().expect("a time");
        let clock = clock.map(|clock| clock.parse().expect("a time of day"));
        written.on_timeline(clock, "--start").ok()
    }

    fn seconds(seconds: i64) -> Position {
        Position::Time(Timestamp::from_micros(seconds * 1_000_000))
    }

    #[test]
    fn without_a_clock_times_count_from_the_first_frame() {
        assert_eq!(on_timeline("10:03", None), Some(seconds(603)));
    }

    #[test]
    fn by_the_clock_times_are_its_readings() {
        let reading = |text: &str| {
            let time = text.parse().expect("a time");
            Some(Position::Clock(time))
        };
        assert_eq!(
            on_timeline("10:03:17", Some("10:00:00")),
            reading("10:03:17")
        );
        assert_eq!(
            on_timeline("24:00:10", Some("23:00:00")),
            reading("24:00:10")
        );
        assert_eq!(
            on_timeline("50%", Some("10:00:00")),
            Some(Position::Percent(50.0))
        );
    }

    #[test]
    fn by_the_clock_nothing_is_guessed() {
        assert_eq!(on_timeline("10:03", Some("10:00:00")), None);
        assert_eq!(on_timeline("9:59:59", Some("10:00:00")), None);
        assert!("10:00".parse::<ClockTime>().is_err());
    }
}
