//! What is asked of a normalisation, and where its results go.

use std::path::PathBuf;

use crate::output::WriteSeek;
use crate::render::operation::FrameRate;
use crate::scene;
use crate::still::Format;
use crate::time::Timestamp;
use crate::{Error, Output, Result};

use super::frames;
use super::report::SceneFrame;

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
    /// Find scenes too, from the same decode. Where frames are wanted and this
    /// is none, they are found with their defaults.
    pub scenes: Option<scene::Options>,
    /// How many frames there are, and what they are like.
    pub frames: FrameOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            short_side: 720,
            frame_rate: None,
            quality: 23,
            silence: Silence::default(),
            scenes: None,
            frames: FrameOptions::default(),
        }
    }
}

impl Options {
    /// Refuses what cannot be made, `with_frames` or without.
    pub(super) fn check(&self, with_frames: bool) -> Result<()> {
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
        frames::check(&self.frames)?;
        if let Some(scene::Detector::Adaptive { window, .. }) =
            self.scenes.as_ref().map(|scenes| scenes.detector)
            && with_frames
            && window > MOST_WINDOW
        {
            return refuse(
                "where frames are wanted, scenes are found with at most 16 neighbours on each side",
            );
        }
        Ok(())
    }
}

/// Frames are held until it is known in which scene they are.
const MOST_WINDOW: usize = 16;

/// How many frames stand for the video, and what they are like.
///
/// There is one frame for each scene. Where there are more scenes than `most`,
/// [`scene::choose`] tells which ones have theirs: the first, the last, and others
/// evenly between. Of a scene it is the frame nearest to its middle of a few that
/// are spread over it (no further from the middle than a sixth of the scene, and
/// an eighth up to 1080p). It is a black one, or one of a single colour, only where
/// the scene has no other; the middle is then that of the part which shows more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameOptions {
    /// How many at most, 1 to 100000.
    pub most: usize,
    /// How long their longer side is at most, in pixels, 16 to 16384; smaller
    /// ones stay as they are.
    pub longest: u32,
    /// How they are coded.
    pub format: Format,
    /// As in [`Style::quality`](crate::still::Style::quality).
    pub quality: u8,
}

impl Default for FrameOptions {
    /// 50, as JPEG of quality 80 within 1280 x 1280 pixels.
    fn default() -> Self {
        Self {
            most: 50,
            longest: 1280,
            format: Format::Jpeg,
            quality: 80,
        }
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
    /// Frames that stand for the video.
    pub frames: Option<FrameOutput>,
}

/// A place for the frames.
///
/// Until all scenes are known, the pictures wait in a file without a name in the
/// context's folder for temporary files
/// ([`Context::with_temp_dir`](crate::Context::with_temp_dir)).
pub struct FrameOutput(pub(super) FramePlace);

pub(super) enum FramePlace {
    Folder(PathBuf),
    Sink(Sink),
}

/// Who gets the pictures.
pub(super) struct Sink(pub(super) Box<SinkFn>);

type SinkFn = dyn FnMut(&SceneFrame, Vec<u8>) -> Result<()> + Send;

impl FrameOutput {
    /// Files in a folder, which is made if it is not there: `frame-1.jpg` and so
    /// on, in the order of the video. They get their names together with the
    /// other results, or none does.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(FramePlace::Folder(path.into()))
    }

    /// Calls `sink` with each picture, one at a time, in the order of the video,
    /// when all else is made. Its error ends the call; after an error, be it
    /// another, what it got is worthless.
    pub fn sink(sink: impl FnMut(&SceneFrame, Vec<u8>) -> Result<()> + Send + 'static) -> Self {
        Self(FramePlace::Sink(Sink(Box::new(sink))))
    }
}

impl std::fmt::Debug for FrameOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            FramePlace::Folder(folder) => f.debug_tuple("Folder").field(folder).finish(),
            FramePlace::Sink(_) => f.debug_tuple("Sink").finish(),
        }
    }
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
