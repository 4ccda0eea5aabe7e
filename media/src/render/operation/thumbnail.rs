//! The options of `thumbnail`.

use serde::{Deserialize, Serialize};

use super::{Fit, Moment, Resolution};
use crate::still::{self, Style};

/// Frames as pictures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::thumbnail))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Thumbnail {
    /// When; the frames that are shown at these times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = 1000)))]
    pub timestamps: Vec<Moment>,
    /// How many, evenly spread, in place of times; one where neither is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    pub count: Option<u32>,
    /// The size; the frame's own where not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Resolution>,
    /// How a picture of another shape fills the size.
    pub fit: Fit,
    /// The kind of file.
    pub format: PictureFormat,
    /// 1 to 100, for JPEG and WebP.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub quality: Option<u8>,
    /// Takes a later frame in place of a black one.
    pub skip_black: bool,
}

/// More pictures than a folder is for.
const MOST: usize = 1000;

impl Thumbnail {
    pub(super) fn validate(&self) -> Result<(), String> {
        if !self.timestamps.is_empty() && self.count.is_some() {
            return Err("give timestamps or count, not both".into());
        }
        if self.count == Some(0) {
            return Err("count is at least 1".into());
        }
        if self.number() > MOST {
            return Err(format!("{} pictures; at most {MOST}", self.number()));
        }
        if self.fit == Fit::Pad {
            return Err("fit is contain, cover or stretch".into());
        }
        match self.quality {
            Some(quality) if !(1..=100).contains(&quality) => {
                Err(format!("quality {quality} is not from 1 to 100"))
            }
            _ => Ok(()),
        }
    }

    /// What its pictures are like.
    pub(crate) fn style(&self) -> Style {
        Style {
            size: self
                .size
                .and_then(|size| still::Size::new(size.width, size.height)),
            fit: match self.fit {
                Fit::Contain | Fit::Pad => still::Fit::Contain,
                Fit::Cover => still::Fit::Cover,
                Fit::Stretch => still::Fit::Stretch,
            },
            format: match self.format {
                PictureFormat::Jpeg => still::Format::Jpeg,
                PictureFormat::Png => still::Format::Png,
                PictureFormat::Webp => still::Format::WebP,
            },
            quality: self.quality.unwrap_or(Style::default().quality),
        }
    }

    /// How many pictures it asks for.
    pub(crate) fn number(&self) -> usize {
        match self.count {
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
            None => self.timestamps.len().max(1),
        }
    }

    /// The times that it asks for: evenly spread, three at 25, 50 and 75 %, where
    /// it gives none itself.
    pub(crate) fn moments(&self) -> Vec<Moment> {
        if !self.timestamps.is_empty() {
            return self.timestamps.clone();
        }
        #[allow(clippy::cast_precision_loss)] // at most 1000
        let part = |index: usize| (index as f64 + 1.0) * 100.0 / (self.number() as f64 + 1.0);
        (0..self.number())
            .map(|index| Moment::Percent(part(index)))
            .collect()
    }
}

/// A kind of picture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PictureFormat {
    /// JPEG.
    #[default]
    #[serde(alias = "jpg")]
    Jpeg,
    /// PNG, lossless.
    Png,
    /// WebP, lossy.
    Webp,
}

impl PictureFormat {
    /// The usual extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }
}
