//! The options of `transcode`, `convert`, `compress` and `trim`.

use serde::{Deserialize, Serialize};

use super::{
    AudioCodec, BitRate, Fit, FrameRate, Moment, PixelFormat, Preset, Resolution, VideoCodec,
};
use crate::Container;

/// Encodes anew. What is not given stays as it is, but for the bits: without a
/// bit rate or `crf` they follow from the encoder's usual quality.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::transcode))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Transcode {
    /// The codec of the pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<VideoCodec>,
    /// Of the pictures, on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<BitRate>,
    /// The quality in the codec's own scale, in place of a bit rate: lower is
    /// better.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 63)))]
    pub crf: Option<f32>,
    /// Of the pictures, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bitrate: Option<BitRate>,
    /// The size; the picture keeps its shape unless `fit` says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// How a picture of another shape fills the resolution.
    pub fit: Fit,
    /// How much time the encoder takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// A constant frame rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fps: Option<FrameRate>,
    /// How colours are sampled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_format: Option<PixelFormat>,
    /// Frames from a keyframe to the next, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub keyframe_interval: Option<u32>,
    /// The codec of the sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_codec: Option<AudioCodec>,
    /// Of the sound, all channels together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_bitrate: Option<BitRate>,
    /// Channels of the sound, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub audio_channels: Option<u32>,
    /// Looks at all frames first, to spend the bit rate where it counts.
    pub two_pass: bool,
}

impl Transcode {
    pub(super) fn validate(&self) -> Result<(), String> {
        check_crf(self.crf)?;
        if self.bitrate.is_some() && self.crf.is_some() {
            return Err("give bitrate or crf, not both".into());
        }
        if self.two_pass && self.bitrate.is_none() {
            return Err("twoPass needs a bitrate to keep to".into());
        }
        if self.keyframe_interval == Some(0) {
            return Err("keyframeInterval is at least 1".into());
        }
        if self.audio_channels == Some(0) {
            return Err("audioChannels is at least 1; audioCodec none leaves the sound out".into());
        }
        if self.codec == Some(VideoCodec::Copy) && *self != self.copied() {
            return Err(
                "codec copy leaves the pictures as they are: no option can change them".into(),
            );
        }
        Ok(())
    }

    /// The same without what concerns pictures.
    fn copied(&self) -> Self {
        Self {
            codec: self.codec,
            audio_codec: self.audio_codec,
            audio_bitrate: self.audio_bitrate,
            audio_channels: self.audio_channels,
            ..Self::default()
        }
    }
}

fn check_crf(crf: Option<f32>) -> Result<(), String> {
    match crf {
        Some(crf) if !(0.0..=63.0).contains(&crf) => Err(format!("crf {crf} is not from 0 to 63")),
        _ => Ok(()),
    }
}

/// Another container. Tracks that it carries are copied.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Convert {
    /// mp4, mov, avi, mkv, webm or ts; as it is where not given.
    #[serde(with = "container", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<super::schema::Container>")
    )]
    pub format: Option<Container>,
    /// The codec that the pictures must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_codec: Option<VideoCodec>,
    /// The codec that the sound must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_codec: Option<AudioCodec>,
}

mod container {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Container;

    #[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)] // what serde calls with
    pub(super) fn serialize<S: Serializer>(
        container: &Option<Container>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match container {
            Some(container) => serializer.collect_str(container),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Container>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| text.parse().map_err(serde::de::Error::custom))
            .transpose()
    }
}

/// Fewer bytes, in one of several ways; without any, the quality `medium`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::compress))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Compress {
    /// The quality in the codec's own scale: lower is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 63)))]
    pub crf: Option<f32>,
    /// Of the pictures, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bitrate: Option<BitRate>,
    /// The quality in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// The size of the file, at most; it comes within a few per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1024)))]
    pub target_bytes: Option<u64>,
    /// How like the original the pictures must look, 0 to 1 (SSIM of luma).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0.5, max = 1)))]
    pub target_ssim: Option<f64>,
    /// How much time the encoder takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
}

impl Compress {
    pub(super) fn validate(&self) -> Result<(), String> {
        check_crf(self.crf)?;
        let given = [
            ("crf", self.crf.is_some()),
            ("quality", self.quality.is_some()),
            ("targetBytes", self.target_bytes.is_some()),
            ("targetSsim", self.target_ssim.is_some()),
        ];
        let mut given = given.iter().filter(|(_, given)| *given);
        if let (Some((one, _)), Some((other, _))) = (given.next(), given.next()) {
            return Err(format!("give {one} or {other}, not both"));
        }
        match self.target_ssim {
            Some(ssim) if !(0.5..1.0).contains(&ssim) => {
                return Err(format!("targetSsim {ssim} is not from 0.5 to below 1"));
            }
            _ => {}
        }
        match self.target_bytes {
            Some(bytes) if bytes < 1024 => {
                Err(format!("targetBytes {bytes} is less than any file"))
            }
            _ => Ok(()),
        }
    }
}

/// The quality in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// For a preview.
    Low,
    /// For looking at.
    Medium,
    /// Hardly told from the original.
    High,
}

/// A part of the timeline. Times count from its beginning.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::trim))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Trim {
    /// The first frame's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    /// The time behind the last frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Moment>,
    /// How long it is, in place of `end`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<Moment>,
    /// Exactly these frames, or from the keyframe before on.
    pub mode: TrimMode,
}

impl Trim {
    pub(super) fn validate(&self) -> Result<(), String> {
        if self.end.is_some() && self.duration.is_some() {
            return Err("give end or duration, not both".into());
        }
        if self.start.is_none() && self.end.is_none() && self.duration.is_none() {
            return Err("give start, end or duration".into());
        }
        let later = match (self.start, self.end) {
            (Some(Moment::Time(start)), Some(Moment::Time(end))) => end > start,
            (Some(Moment::Percent(start)), Some(Moment::Percent(end))) => end > start,
            (_, Some(Moment::Time(end))) => end.as_micros() > 0,
            _ => true,
        };
        if !later {
            return Err("its end is not behind its start".into());
        }
        if self.duration == Some(Moment::Time(crate::Timestamp::ZERO)) {
            return Err("its duration is zero".into());
        }
        Ok(())
    }
}

/// How a trim is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TrimMode {
    /// Exactly the frames asked for.
    #[default]
    Exact,
    /// From the keyframe at or before the start on, so that nothing need be
    /// encoded.
    Copy,
}
