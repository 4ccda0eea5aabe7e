//! The options of `thumbnail`.

use serde::{Deserialize, Serialize};

use super::{Fit, Moment, Resolution};

/// Frames as pictures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Thumbnail {
    /// When; the frames that are shown at these times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timestamps: Vec<Moment>,
    /// How many, evenly spread, in place of times; one where neither is given.
    #[serde(skip_serializing_if = "Option::is_none")]
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
        match self.quality {
            Some(quality) if !(1..=100).contains(&quality) => {
                Err(format!("quality {quality} is not from 1 to 100"))
            }
            _ => Ok(()),
        }
    }

    /// How many pictures it asks for.
    pub(crate) fn number(&self) -> usize {
        match self.count {
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
            None => self.timestamps.len().max(1),
        }
    }

    /// The times that it asks for: in the middle of as many equal parts, where it
    /// gives none itself.
    pub(crate) fn moments(&self) -> Vec<Moment> {
        if !self.timestamps.is_empty() {
            return self.timestamps.clone();
        }
        #[allow(clippy::cast_precision_loss)] // at most 1000
        let part = |index: usize| (index as f64 + 0.5) * 100.0 / self.number() as f64;
        (0..self.number())
            .map(|index| Moment::Percent(part(index)))
            .collect()
    }
}

/// A kind of picture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
