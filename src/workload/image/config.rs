//! The settings of images, read from variables and checked all at once.

use std::fmt;
use std::str::FromStr;

use flatbed_media::image::{Coding, Options, Size};

use super::optimise::Costs;
use crate::config::Variables;
use crate::store::Key;

/// How images are made.
#[derive(Debug, Clone)]
pub struct Config {
    /// Size, quality and effort: `IMAGE_MAX_WIDTH`, `IMAGE_MAX_HEIGHT`, `IMAGE_QUALITY`,
    /// `IMAGE_EFFORT`.
    pub options: Options,
    /// What they may cost.
    pub costs: Costs,
    /// `IMAGE_SOURCE`.
    pub source: SourceChoice,
    /// `IMAGE_PREFIX`: all results are below it.
    pub prefix: Key,
    /// `IMAGE_CACHE_CONTROL`: how long browsers may keep a result.
    pub cache_control: String,
}

/// Where an image is taken from that is both in the bucket and at an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SourceChoice {
    /// From the bucket; by its address where it is not there or may not be read.
    #[default]
    Bucket,
    /// By its address alone.
    Url,
}

impl FromStr for SourceChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "bucket" => Ok(Self::Bucket),
            "url" => Ok(Self::Url),
            _ => Err("expected bucket or url"),
        }
    }
}

impl fmt::Display for SourceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bucket => "bucket",
            Self::Url => "url",
        })
    }
}

/// The most pixels a side that any browser shows of a WebP.
const LONGEST_SIDE: u64 = 16_383;

/// Names of results are their sources', which are new for each upload.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

impl Config {
    /// As the variables say.
    pub fn read(variables: &mut Variables, costs: Costs) -> Self {
        let default = Options::default();
        let side = 1..=LONGEST_SIDE;
        let width = variables.number("IMAGE_MAX_WIDTH", 1920, side.clone());
        let height = variables.number("IMAGE_MAX_HEIGHT", 1920, side);
        let prefix = variables.text_or("IMAGE_PREFIX", "optimized");
        let prefix = prefix.trim_matches('/').parse().unwrap_or_else(|error| {
            variables.wrong("IMAGE_PREFIX", &format!("{error}"));
            default_prefix()
        });
        Self {
            options: Options {
                size: Size::new(Some(width), Some(height)),
                coding: Coding::Quality(variables.number("IMAGE_QUALITY", 80, 1..=100)),
                effort: variables.number("IMAGE_EFFORT", default.effort, 0..=6),
                ..default
            },
            costs,
            source: variables.parse("IMAGE_SOURCE", SourceChoice::default()),
            prefix,
            cache_control: variables.text_or("IMAGE_CACHE_CONTROL", FOR_EVER),
        }
    }
}

#[allow(clippy::expect_used, reason = "it is a key, as a test says")]
fn default_prefix() -> Key {
    "optimized".parse().expect("a key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invalid;

    #[test]
    fn defaults_are_for_the_web() {
        let config = Config::read(&mut Variables::of([]), Costs::default());
        assert_eq!(config.options.coding, Coding::Quality(80));
        assert_eq!(config.options.size, "1920x1920".parse().ok());
        assert_eq!(config.prefix, default_prefix());
        assert_eq!(config.source, SourceChoice::Bucket);
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let mut variables = Variables::of([
            ("IMAGE_MAX_WIDTH", "0"),
            ("IMAGE_QUALITY", "101"),
            ("IMAGE_PREFIX", ".."),
            ("IMAGE_SOURCE", "mail"),
            ("IMAGE_MEMORY", "much"),
        ]);
        let costs = Costs::read(&mut variables);
        Config::read(&mut variables, costs);
        let Invalid(faults) = variables.finish().unwrap_err();
        assert_eq!(faults.len(), 5, "{faults:?}");
    }
}
