//! What is asked of a cut.

use std::fmt;
use std::str::FromStr;

use super::source::Source;
use crate::time::Timestamp;
use crate::{Error, Input, Result};

/// One recording of a series.
#[derive(Debug)]
pub struct Segment {
    pub(crate) input: Input,
    /// When it begins, on a clock that all segments share.
    pub(crate) at: Option<Timestamp>,
    /// As it was opened already.
    pub(crate) opened: Option<Box<Source>>,
}

impl Segment {
    /// A segment whose place follows from [`Timeline`].
    pub fn new(input: Input) -> Self {
        Self {
            input,
            at: None,
            opened: None,
        }
    }

    /// A segment that was opened already, and stands at its beginning.
    pub(crate) fn opened(input: Input, source: Source) -> Self {
        Self {
            opened: Some(Box::new(source)),
            ..Self::new(input)
        }
    }

    /// A segment whose first frame was taken at `at`: seconds since midnight,
    /// or since the epoch; any clock that all segments share.
    pub fn at(input: Input, at: Timestamp) -> Self {
        Self {
            input,
            at: Some(at),
            opened: None,
        }
    }
}

/// How a cut is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mode {
    /// Exactly the frames chosen: whole GOPs are copied, and only the frames
    /// beside a cut are encoded.
    #[default]
    Exact,
    /// Nothing is encoded: the start moves to the keyframe before it.
    Copy,
    /// Exactly the frames chosen, all of them encoded.
    Reencode,
}

/// How the segments lie on the output's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Timeline {
    /// Each begins where the one before it ends, unless it has a time of its
    /// own ([`Segment::at`]).
    #[default]
    Follow,
    /// The timestamps in the segments are on one clock, as in the pieces of a
    /// continuous transport stream.
    Source,
}

/// What becomes of time that no segment covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Gaps {
    /// The next segment follows at once.
    #[default]
    Close,
    /// The last frame before the gap is shown until the next segment begins.
    Keep,
}

/// What to do with a segment that cannot follow the first one unencoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnMismatch {
    /// Refuse the whole cut.
    #[default]
    Refuse,
    /// Encode that segment like the first one.
    Reencode,
}

/// A point on the timeline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Position {
    /// So long after the first frame; in MP4 and MOV, a time on the file's own
    /// timeline.
    Time(Timestamp),
    /// A reading of the clock that the segments share ([`Segment::at`],
    /// [`Timeline::Source`]).
    Clock(Timestamp),
    /// A part of the whole duration, 0 to 100.
    Percent(f64),
}

impl FromStr for Position {
    type Err = String;

    /// A time as [`Timestamp`] reads it, or a percentage: `50%`.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if let Some(number) = text.trim().strip_suffix('%') {
            return match number.trim().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Percent(percent)),
                _ => Err(format!("{text:?} is not a percentage from 0% to 100%")),
            };
        }
        text.parse()
            .map(Self::Time)
            .map_err(|error: crate::time::ParseTimestampError| format!("{error} (or 50%)"))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) | Self::Clock(time) => time.fmt(f),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Where a selection ends.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Until {
    /// With the last frame.
    #[default]
    End,
    /// Before the frame at this time.
    At(Position),
    /// So long after the start.
    After(Position),
}

/// Which frames to take: those with start ≤ time < end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Selection {
    /// The first frame's time; `None` is the first of all.
    pub start: Option<Position>,
    /// The time behind the last frame.
    pub end: Until,
}

impl Selection {
    /// From `start` on, up to and without `end`.
    pub fn between(start: Timestamp, end: Timestamp) -> Self {
        Self {
            start: Some(Position::Time(start)),
            end: Until::At(Position::Time(end)),
        }
    }

    pub(crate) fn needs_duration(&self) -> bool {
        let percent = |position: Position| matches!(position, Position::Percent(_));
        self.start.is_some_and(percent)
            || match self.end {
                Until::End => false,
                Until::At(position) | Until::After(position) => percent(position),
            }
    }

    /// The times of start and end, given the whole duration.
    pub(crate) fn resolve(&self, total: Option<Timestamp>) -> Result<Bounds> {
        let time = |position: Position| match position {
            Position::Time(time) | Position::Clock(time) => time,
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
            // exact far beyond any recording's length
            Position::Percent(percent) => {
                let total = total.unwrap_or_default().as_micros() as f64;
                Timestamp::from_micros((total * percent / 100.0).round() as i64)
            }
        };
        let reads_clock = |position: Position| matches!(position, Position::Clock(_));
        let starts_by_clock = self.start.map(reads_clock);
        let ends_by_clock = match self.end {
            Until::At(position) => Some(reads_clock(position)),
            Until::End | Until::After(_) => None,
        };
        if let (Some(start), Some(end)) = (starts_by_clock, ends_by_clock)
            && start != end
        {
            return Err(Error::malformed(
                "the selection",
                "one of its ends is read off the segments' clock, the other is not",
            ));
        }
        let by_clock = starts_by_clock.or(ends_by_clock).unwrap_or(false);
        let start = match self.start {
            Some(position) => time(position),
            None if by_clock => Timestamp::from_micros(i64::MIN / 4),
            None => Timestamp::ZERO,
        };
        let end = match self.end {
            Until::End => Timestamp::MAX,
            Until::At(position) => time(position),
            Until::After(position) => start + time(position),
        };
        if end <= start {
            return Err(Error::malformed(
                "the selection",
                format!("its end ({end}) is not behind its start ({start})"),
            ));
        }
        Ok(Bounds {
            start,
            end,
            by_clock,
        })
    }
}

/// A selection in times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) start: Timestamp,
    /// [`Timestamp::MAX`] where it is open.
    pub(crate) end: Timestamp,
    /// Both are readings of the clock that the segments share.
    pub(crate) by_clock: bool,
}

/// How to cut and join.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which frames.
    pub selection: Selection,
    /// How the cut is made.
    pub mode: Mode,
    /// How the segments lie on the timeline.
    pub timeline: Timeline,
    /// What becomes of time that no segment covers.
    pub gaps: Gaps,
    /// What to do with a segment that does not fit the first one.
    pub on_mismatch: OnMismatch,
    /// How coarse the clock is that the segments share: a gap or an overlap of no
    /// more than this is taken for the clock's, and the segments follow one another.
    /// A second for recorders, which write whole ones.
    pub clock_step: Timestamp,
}
