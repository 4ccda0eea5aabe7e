//! A size: `1920x1080`, `x720` or `1280x`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Width and height in pixels; the one that is not given follows from the
/// picture's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
}

/// How a picture of another shape fills a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Fit {
    /// As large as fits: one side may be shorter.
    #[default]
    Contain,
    /// The whole size, with what juts out cut off.
    Cover,
    /// The whole size, out of shape.
    Stretch,
    /// As large as fits, with black bars to the whole size.
    Pad,
}

/// The largest side: what libavcodec's encoders and the limits allow.
const LARGEST: u32 = 16_384;

impl Resolution {
    /// The size that a picture of `width` x `height` square pixels gets, and how
    /// much of the picture it shows: with [`Fit::Cover`] less than all. Both in
    /// pixels, at least 1.
    pub(crate) fn sizes(self, picture: (u32, u32), fit: Fit) -> (Size, Size) {
        let (width, height) = (f64::from(picture.0.max(1)), f64::from(picture.1.max(1)));
        let all = Size::rounded(width, height);
        match (self.width, self.height) {
            (None, None) => (all, all),
            (Some(wide), None) => {
                let size = Size::rounded(f64::from(wide), f64::from(wide) * height / width);
                (size, size)
            }
            (None, Some(high)) => {
                let size = Size::rounded(f64::from(high) * width / height, f64::from(high));
                (size, size)
            }
            (Some(wide), Some(high)) => {
                let (across, down) = (f64::from(wide) / width, f64::from(high) / height);
                let scaled = |by: f64| Size::rounded(width * by, height * by);
                let whole = Size {
                    width: wide,
                    height: high,
                };
                match fit {
                    Fit::Stretch => (whole, whole),
                    Fit::Contain => (scaled(across.min(down)), scaled(across.min(down))),
                    Fit::Pad => (scaled(across.min(down)), whole),
                    Fit::Cover => (scaled(across.max(down)), whole),
                }
            }
        }
    }
}

/// A picture's size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Size {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
    fn rounded(width: f64, height: f64) -> Self {
        let side = |length: f64| length.round().clamp(1.0, f64::from(u16::MAX)) as u32;
        Self {
            width: side(width),
            height: side(height),
        }
    }
}

impl FromStr for Resolution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("{text:?} is not a size: write 1920x1080, x720 or 1280x");
        let lower = text.trim().to_ascii_lowercase();
        let (wide, high) = lower.split_once('x').ok_or_else(fail)?;
        let side = |digits: &str| match digits {
            // As in fluent-ffmpeg and ffmpeg.
            "" | "?" | "-1" | "-2" => Ok(None),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
                Ok(side) if (1..=LARGEST).contains(&side) => Ok(Some(side)),
                _ => Err(format!("{text:?}: a side has 1 to {LARGEST} pixels")),
            },
            _ => Err(fail()),
        };
        let size = Self {
            width: side(wide)?,
            height: side(high)?,
        };
        if size.width.is_none() && size.height.is_none() {
            return Err(fail());
        }
        Ok(size)
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: Option<u32>| side.map_or_else(String::new, |side| side.to_string());
        write!(f, "{}x{}", side(self.width), side(self.height))
    }
}

impl Serialize for Resolution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Resolution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
