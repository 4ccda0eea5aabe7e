//! A bit rate: `1000k`, `2.5M` or a number of bits a second.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// In bits a second; 1000 at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BitRate(u64);

/// The least that x264 counts in; less is a slip of the pen, as is more than a
/// terabit a second.
const LEAST: f64 = 1e3;
const MOST: f64 = 1e12;

impl BitRate {
    /// In bits a second.
    pub fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn signed(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

impl TryFrom<f64> for BitRate {
    type Error = String;

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked
    fn try_from(bits: f64) -> Result<Self, String> {
        if (LEAST..=MOST).contains(&bits) {
            Ok(Self(bits.round() as u64))
        } else {
            Err(format!(
                "{bits} is not a bit rate from 1k on: write 1000k, 2.5M or bits a second"
            ))
        }
    }
}

impl FromStr for BitRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail =
            || format!("{text:?} is not a bit rate from 1k on: write 1000k, 2.5M or bits a second");
        let trimmed = text.trim();
        let (digits, unit) = match trimmed.char_indices().last() {
            Some((at, 'k' | 'K')) => (&trimmed[..at], 1e3),
            Some((at, 'm' | 'M')) => (&trimmed[..at], 1e6),
            Some((at, 'g' | 'G')) => (&trimmed[..at], 1e9),
            _ => (trimmed, 1.0),
        };
        let plain = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number: f64 = digits.parse().ok().filter(|_| plain).ok_or_else(fail)?;
        Self::try_from(number * unit).map_err(|_| fail())
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bits if bits.is_multiple_of(1000) => write!(f, "{}k", bits / 1000),
            bits => write!(f, "{bits}"),
        }
    }
}

impl<'de> Deserialize<'de> for BitRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text_or_number(deserializer, "a bit rate: 1000k, 2.5M or bits a second")
    }
}
