//! The names of codecs, presets and pixel formats.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A codec of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VideoCodec {
    /// H.264 (AVC), by x264.
    #[serde(alias = "libx264", alias = "avc", alias = "x264")]
    H264,
    /// H.265 (HEVC), by x265.
    #[serde(alias = "h265", alias = "libx265", alias = "x265")]
    Hevc,
    /// VP9, by libvpx.
    #[serde(alias = "libvpx-vp9")]
    Vp9,
    /// VP8, by libvpx.
    #[serde(alias = "libvpx")]
    Vp8,
    /// AV1, by SVT-AV1.
    #[serde(alias = "libsvtav1")]
    Av1,
    /// MPEG-4 part 2, for old players of AVI.
    Mpeg4,
    /// As it is; an error where it cannot be.
    Copy,
}

/// A codec of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AudioCodec {
    /// AAC-LC.
    Aac,
    /// Opus.
    #[serde(alias = "libopus")]
    Opus,
    /// MP3.
    #[serde(alias = "libmp3lame")]
    Mp3,
    /// Dolby Digital.
    Ac3,
    /// Lossless.
    Flac,
    /// Uncompressed, 16 bits a sample.
    #[serde(alias = "pcm_s16le")]
    Pcm,
    /// As it is; an error where it cannot be.
    Copy,
    /// No sound.
    None,
}

/// How much time an encoder takes to save bits; x264's names, mapped to the
/// nearest that another encoder has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The least time, the most bits.
    Ultrafast,
    /// Hardly more time.
    Superfast,
    /// A good measure for exports.
    Veryfast,
    /// A little better.
    Faster,
    /// Better.
    Fast,
    /// x264's own choice.
    Medium,
    /// Twice the time of medium.
    Slow,
    /// Still slower.
    Slower,
    /// The most time, the fewest bits.
    Veryslow,
}

impl Preset {
    /// x264's and x265's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
            Self::Slow => "slow",
            Self::Slower => "slower",
            Self::Veryslow => "veryslow",
        }
    }

    /// SVT-AV1's number, 13 being the fastest.
    pub(crate) fn svt_av1(self) -> u8 {
        match self {
            Self::Ultrafast => 12,
            Self::Superfast => 11,
            Self::Veryfast => 10,
            Self::Faster => 9,
            Self::Fast => 8,
            Self::Medium => 7,
            Self::Slow => 5,
            Self::Slower => 4,
            Self::Veryslow => 3,
        }
    }

    /// libvpx's `cpu-used`, from 5 on with the deadline `realtime`.
    pub(crate) fn libvpx(self) -> u8 {
        match self {
            Self::Ultrafast => 8,
            Self::Superfast => 7,
            Self::Veryfast => 6,
            Self::Faster => 5,
            Self::Fast => 4,
            Self::Medium => 2,
            Self::Slow => 1,
            Self::Slower | Self::Veryslow => 0,
        }
    }
}

/// A pixel format by FFmpeg's name, as `yuv420p`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelFormat(String);

impl PixelFormat {
    /// FFmpeg's name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl FromStr for PixelFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if crate::av::scale::format_number(text) < 0 {
            return Err(format!(
                "{text:?} is not a pixel format: write yuv420p, yuv422p10le"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PixelFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PixelFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Reads a name as serde does, for a command line.
macro_rules! from_str {
    ($($kind:ty),*) => {$(
        impl FromStr for $kind {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let name = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text);
                Self::deserialize(name).map_err(|error| error.to_string())
            }
        }
    )*};
}
from_str!(VideoCodec, AudioCodec, Preset);
from_str!(
    super::Fit,
    super::TrimMode,
    super::Quality,
    super::PictureFormat,
    super::Corner
);
