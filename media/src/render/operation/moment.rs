//! A time on the timeline: seconds, a text as on the command line, or a
//! percentage.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::cut::Position;
use crate::time::Timestamp;

/// A point on the timeline, or a distance on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moment {
    /// So long after the beginning.
    Time(Timestamp),
    /// A part of the duration, 0 to 100.
    Percent(f64),
}

/// A year: more is no recording.
const MOST_SECONDS: f64 = 366.0 * 86400.0;

impl Moment {
    /// The time, given the duration.
    pub(crate) fn resolve(self, duration: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(time),
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
            // exact far beyond any recording's length
            Self::Percent(percent) => duration.map(|duration| {
                Timestamp::from_micros(
                    (duration.as_micros() as f64 * percent / 100.0).round() as i64
                )
            }),
        }
    }

    pub(crate) fn is_percent(self) -> bool {
        matches!(self, Self::Percent(_))
    }
}

impl From<Moment> for Position {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Time(time) => Self::Time(time),
            Moment::Percent(percent) => Self::Percent(percent),
        }
    }
}

impl TryFrom<f64> for Moment {
    type Error = String;

    #[allow(clippy::cast_possible_truncation)] // checked
    fn try_from(seconds: f64) -> Result<Self, String> {
        if (0.0..=MOST_SECONDS).contains(&seconds) {
            let micros = (seconds * 1e6).round() as i64;
            Ok(Self::Time(Timestamp::from_micros(micros)))
        } else {
            Err(format!("{seconds} is not a time in seconds"))
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<Position>()? {
            Position::Percent(percent) => Ok(Self::Percent(percent)),
            Position::Time(time) | Position::Clock(time) => Ok(Self::Time(time)),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Position::from(*self).fmt(f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Time(time) => serializer.serialize_f64(time.as_secs_f64()),
            Self::Percent(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text_or_number(deserializer, "a time: seconds, 00:00:10 or 50%")
    }
}
