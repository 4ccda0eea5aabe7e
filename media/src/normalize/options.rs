//! What is asked of a normalisation, and where its results go.

use std::path::PathBuf;

use crate::output::WriteSeek;
use crate::render::operation::FrameRate;
use crate::scene;
use crate::time::Timestamp;
use crate::{Error, Output, Result};

/// How an input is normalised.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The most that the proxy's shorter side has, in pixels; the longer one has
    /// at most 16/9 of it.
    pub short_side: u32,
    /// The proxy's frame rate; none is the source's own, halved
    /// until it is 30 a second or less.
    pub frame_rate: Option<FrameRate>,
    /// The proxy's quality: x264's constant rate factor, 0 to 51, less is
    /// better.
    pub quality: u8,
    /// What counts as silence.
    pub silence: Silence,
    /// Find scenes too, from the same decode.
    pub scenes: Option<scene::Options>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            short_side: 720,
            frame_rate: None,
            quality: 23,
            silence: Silence::default(),
            scenes: None,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |reason: &str| Err(Error::unsupported("normalize", reason));
        if !(16..=4320).contains(&self.short_side) {
            return refuse("the proxy's shorter side must have 16 to 4320 pixels");
        }
        if self.quality > 51 {
            return refuse("the proxy's quality must be from 0 to 51");
        }
        if !(self.silence.threshold <= 0.0 && self.silence.threshold >= -120.0) {
            return refuse("the threshold of silence must be from -120 to 0 dBFS");
        }
        Ok(())
    }
}

/// What counts as silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silence {
    /// The level below which sound is silence, in dBFS: the root of the mean
    /// square over 10 ms, of which 0 is a square wave of full scale.
    pub threshold: f64,
    /// How long it lasts at least to be told.
    pub least: Timestamp,
}

impl Default for Silence {
    /// Below -50 dBFS for half a second: room noise of a quiet recording, and a
    /// pause that is longer than one between sentences.
    fn default() -> Self {
        Self {
            threshold: -50.0,
            least: Timestamp::from_micros(500_000),
        }
    }
}

/// Where the results go; what has no place is not made.
#[derive(Debug, Default)]
pub struct Outputs {
    /// The proxy: MP4 is what it is made for.
    pub proxy: Option<Output>,
    /// The sound, as WAV.
    pub sound: Option<SoundOutput>,
}

/// A place for the sound.
pub struct SoundOutput {
    pub(super) name: String,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Path(PathBuf),
    Seekable(Box<dyn WriteSeek>),
}

impl SoundOutput {
    /// A file, which appears under its name only when it is whole.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: path.display().to_string(),
            kind: Kind::Path(path),
        }
    }

    /// Anything that writes and seeks. After an error its content is worthless.
    pub fn seekable(name: impl Into<String>, stream: impl WriteSeek + 'static) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Seekable(Box::new(stream)),
        }
    }
}

impl std::fmt::Debug for SoundOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoundOutput")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
