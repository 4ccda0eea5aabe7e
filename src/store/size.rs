//! A number of bytes, as variables write it.

use std::fmt;
use std::str::FromStr;

/// A number of bytes, written `5GB`, `500MiB`, `1048576`. As in the services that
/// this one replaces, `GB` too stands for a power of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// The text is no [`Size`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of bytes, as 5GB, 500MB or 1048576")]
pub struct InvalidSize;

const UNITS: [&str; 5] = ["", "KB", "MB", "GB", "TB"];

impl FromStr for Size {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let power = match unit.trim_start().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 1,
            "m" | "mb" | "mib" => 2,
            "g" | "gb" | "gib" => 3,
            "t" | "tb" | "tib" => 4,
            _ => return Err(InvalidSize),
        };
        let count: u64 = digits.parse().map_err(|_| InvalidSize)?;
        count
            .checked_mul(1 << (10 * power))
            .map(Self)
            .ok_or(InvalidSize)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut count = self.0;
        let mut unit = 0;
        while count > 0 && count.is_multiple_of(1024) && unit + 1 < UNITS.len() {
            count /= 1024;
            unit += 1;
        }
        write!(f, "{count}{}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("5GB", 5 << 30),
            ("500 MiB", 500 << 20),
            ("1048576", 1 << 20),
            ("2k", 2048),
            ("0", 0),
            ("1000", 1000),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!(size, Size(bytes), "{text}");
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        assert_eq!(Size(5 << 30).to_string(), "5GB");
        for text in ["", "GB", "-1", "1.5GB", "1PB", "99999999999TB"] {
            assert_eq!(text.parse::<Size>(), Err(InvalidSize), "{text}");
        }
    }
}
