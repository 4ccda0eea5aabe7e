//! A frame rate: `25`, `29.97` or `30000/1001`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::TimeBase;

/// In frames a second, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRate {
    num: i32,
    den: i32,
}

/// More frames a second than any camera takes.
const MOST: f64 = 1000.0;

impl FrameRate {
    /// The length of a frame.
    pub(crate) fn frame(self) -> TimeBase {
        TimeBase::new(self.den, self.num).unwrap_or(TimeBase::per_second(25))
    }
}

impl TryFrom<f64> for FrameRate {
    type Error = String;

    #[allow(clippy::cast_possible_truncation)] // checked
    fn try_from(rate: f64) -> Result<Self, String> {
        if !(0.01..=MOST).contains(&rate) {
            return Err(format!("{rate} is not a frame rate from 0.01 to {MOST}"));
        }
        // 23.976, 29.97 and 59.94 are what people write for NTSC's.
        let whole = rate.ceil();
        if (rate - whole * 1000.0 / 1001.0).abs() < 0.005 && rate < whole {
            return Ok(Self {
                num: (whole * 1000.0) as i32,
                den: 1001,
            });
        }
        Ok(Self {
            num: (rate * 1000.0).round() as i32,
            den: 1000,
        }
        .reduced())
    }
}

impl FrameRate {
    fn reduced(self) -> Self {
        let (mut a, mut b) = (self.num, self.den);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        let by = a.max(1);
        Self {
            num: self.num / by,
            den: self.den / by,
        }
    }
}

impl FromStr for FrameRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("{text:?} is not a frame rate: write 25, 29.97 or 30000/1001");
        let Some((num, den)) = text.trim().split_once('/') else {
            return Self::try_from(text.trim().parse::<f64>().map_err(|_| fail())?);
        };
        let term = |term: &str| {
            term.parse::<i32>()
                .ok()
                .filter(|&term| term > 0)
                .ok_or_else(fail)
        };
        let rate = Self {
            num: term(num)?,
            den: term(den)?,
        };
        let value = f64::from(rate.num) / f64::from(rate.den);
        if !(0.01..=MOST).contains(&value) {
            return Err(fail());
        }
        Ok(rate.reduced())
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.den {
            1 => write!(f, "{}", self.num),
            den => write!(f, "{}/{den}", self.num),
        }
    }
}

impl Serialize for FrameRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FrameRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text_or_number(deserializer, "a frame rate: 25, 29.97 or 30000/1001")
    }
}
