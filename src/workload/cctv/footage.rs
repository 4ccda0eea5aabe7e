//! Which recordings show what is asked for, and how much of it they show.

use std::time::Duration;

use flatbed_media::{Span as Shown, Timestamp as Clock};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::order::between;
use crate::client::hikvision::{Recording, Span};

/// Recorders write whole seconds: a start may be one off, and so may an end.
pub const STEP: Duration = Duration::from_secs(1);

/// What recordings may be shorter than the search says without being broken.
const SHORT: Duration = Duration::from_secs(2);

/// A stretch of which nothing was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Its beginning.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
}

/// How much of an order a clip shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// The part of what was asked for: 1 is all of it.
    pub part: f32,
    /// What is missing, in order.
    pub gaps: Vec<Gap>,
}

/// Whether what is missing may still come, at `now`.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The moment.
    pub now: Timestamp,
    /// How long after the order's end footage may come.
    pub settle: Duration,
    /// How many attempts there are after this one.
    pub attempts_left: u32,
}

impl Patience {
    /// How long to wait for footage of `asked`; `None` if it is no use.
    ///
    /// Half of the time that is left, so that what comes soon is a clip soon; all of
    /// it before the last attempt, which takes what there is.
    pub fn wait(&self, asked: Span) -> Option<Duration> {
        let left = self.settle.checked_sub(between(asked.end, self.now))?;
        let wait = match self.attempts_left {
            0 => return None,
            _ if left.is_zero() => return None,
            1 => left,
            _ => left / 2,
        };
        Some(wait.max(Duration::from_secs(15)))
    }

    /// What becomes of an order of which `missing` is missing.
    pub fn or_later(&self, asked: Span, missing: String) -> Failure {
        match self.wait(asked) {
            Some(after) => Failure::Later {
                after,
                reason: format!("{missing}; it may still come"),
            },
            None => Failure::NoFootage(missing),
        }
    }
}

/// On the engine's clock.
pub fn clock(at: Timestamp) -> Clock {
    Clock::from_micros(at.as_microsecond())
}

/// From the engine's clock.
pub fn moment(at: Clock) -> Timestamp {
    Timestamp::from_microsecond(at.as_micros()).unwrap_or_default()
}

/// How much of `asked` is `shown`, in stretches in the order of time; frames are so
/// long that less than two of them are not missed.
pub fn coverage(asked: Span, shown: &[Shown], frame: Duration) -> Coverage {
    let mut gaps = Vec::new();
    let mut seen = asked.start;
    let mut missing = Duration::ZERO;
    let mut miss = |from: Timestamp, to: Timestamp| {
        let length = between(from, to);
        if length > frame.saturating_mul(2) {
            missing += length;
            gaps.push(Gap {
                start: from,
                end: to,
            });
        }
    };
    for span in shown {
        let (start, end) = (moment(span.start), moment(span.end));
        miss(seen, start.min(asked.end));
        seen = seen.max(end);
    }
    miss(seen, asked.end);
    let whole = between(asked.start, asked.end).as_secs_f64();
    #[allow(clippy::cast_possible_truncation, reason = "from 0 to 1")]
    let part = (1.0 - missing.as_secs_f64() / whole.max(1e-6)).clamp(0.0, 1.0) as f32;
    Coverage { part, gaps }
}

/// Whether a recording that was read to its end has shown less of `asked` than the
/// recorder says it has.
pub fn falls_short(recording: &Recording, asked: Span, shown: &[Shown]) -> bool {
    let end = recording.end.min(asked.end);
    let start = recording.start.max(asked.start);
    if between(start, end) <= SHORT {
        return false;
    }
    let Ok(due) = end.checked_sub(SHORT) else {
        return false;
    };
    let due = clock(due);
    !shown.iter().any(|span| span.start <= due && due < span.end)
}

/// Whether recordings reach the end of what is asked for, as the search says.
pub fn reach_the_end(recordings: &[Recording], asked: Span) -> bool {
    let last = recordings.iter().map(|recording| recording.end).max();
    last.is_some_and(|last| between(last, asked.end) <= SHORT)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::client::hikvision::Track;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn span(start: i64, end: i64) -> Span {
        Span::new(at(start), at(end))
    }

    fn shown(start: i64, end: i64) -> Shown {
        Shown {
            start: clock(at(start)),
            end: clock(at(end)),
        }
    }

    const FRAME: Duration = Duration::from_millis(40);

    #[test]
    fn what_is_missing_is_told() {
        let gap = |start, end| Gap {
            start: at(start),
            end: at(end),
        };
        for (spans, part, gaps) in [
            (vec![shown(10, 30)], 1.0, vec![]),
            (vec![shown(0, 60)], 1.0, vec![]),
            (vec![shown(15, 30)], 0.75, vec![gap(10, 15)]),
            (vec![shown(10, 25)], 0.75, vec![gap(25, 30)]),
            (
                vec![shown(8, 14), shown(16, 29)],
                0.85,
                vec![gap(14, 16), gap(29, 30)],
            ),
            (vec![], 0.0, vec![gap(10, 30)]),
        ] {
            let found = coverage(span(10, 30), &spans, FRAME);
            assert!((found.part - part).abs() < 1e-6, "{found:?}");
            assert_eq!(found.gaps, gaps);
        }
    }

    #[test]
    fn the_last_frame_s_end_is_no_gap() {
        let early = Shown {
            start: clock(at(10) + 39.milliseconds()),
            end: clock(at(30) - 1.milliseconds()),
        };
        let found = coverage(span(10, 30), &[early], FRAME);
        assert_eq!((found.part, found.gaps), (1.0, vec![]));
    }

    #[test]
    fn a_recording_that_ended_before_its_time_falls_short() {
        let recording = Recording {
            uri: String::new(),
            track: Track(101),
            start: at(0),
            end: at(60),
            size_hint: None,
        };
        let asked = span(10, 30);
        assert!(!falls_short(&recording, asked, &[shown(10, 30)]));
        assert!(!falls_short(&recording, asked, &[shown(10, 29)]));
        assert!(falls_short(&recording, asked, &[shown(10, 20)]));
        assert!(falls_short(&recording, asked, &[]));
        // Another one has the rest.
        let both = [shown(10, 20), shown(20, 30)];
        assert!(!falls_short(&recording, asked, &both));
    }

    #[test]
    fn only_what_is_recent_is_waited_for() {
        let patience = |seconds: i64, attempts_left| Patience {
            now: at(30 + seconds),
            settle: Duration::from_secs(600),
            attempts_left,
        };
        let wait = |seconds, left| patience(seconds, left).wait(span(10, 30));
        assert_eq!(wait(0, 2), Some(Duration::from_secs(300)));
        assert_eq!(wait(590, 2), Some(Duration::from_secs(15)));
        // The last one comes when nothing more is waited for.
        assert_eq!(wait(0, 1), Some(Duration::from_secs(600)));
        assert_eq!(wait(599, 1), Some(Duration::from_secs(15)));
        for left in [1, 2] {
            assert_eq!(wait(600, left), None);
            assert_eq!(wait(6000, left), None);
        }
        assert_eq!(wait(0, 0), None);
    }
}
