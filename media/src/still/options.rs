//! What is asked of a run.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;

use crate::cut::Position;
use crate::time::Timestamp;

use super::style::{Format, Style};

/// When pictures are taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Moments {
    /// At each of these, in this order.
    At(Vec<Position>),
    /// So many, spread evenly: three are taken at 25, 50 and 75 %.
    Spread(u32),
}

impl Moments {
    /// How many pictures that makes.
    pub fn count(&self) -> usize {
        match self {
            Self::At(positions) => positions.len(),
            Self::Spread(count) => usize::try_from(*count).unwrap_or(usize::MAX),
        }
    }
}

impl Default for Moments {
    /// One, in the middle.
    fn default() -> Self {
        Self::Spread(1)
    }
}

/// How thumbnails are made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// When they are taken.
    pub moments: Moments,
    /// What they are like.
    pub style: Style,
    /// Instead of a black picture, a later one is taken: half a second later,
    /// and with each step a quarter more than the last, until one is not black.
    /// Black is a picture of which 98 % is darker than a tenth of white. Where
    /// nothing else follows, the black picture is taken, and a note says so.
    pub skip_black: bool,
    /// Where looking for such a later picture ends; with the recording where
    /// not given.
    pub skip_until: Option<Timestamp>,
    /// Takes the last keyframe at or before each time instead of the frame
    /// shown then: faster, and off by up to a group of pictures.
    pub keyframes: bool,
}

/// Where pictures go.
pub struct Place(pub(super) Kind);

pub(super) enum Kind {
    File(PathBuf),
    /// With the number of the first file.
    Folder(PathBuf, String, usize),
    Live(String, Box<dyn Write + Send>),
}

impl Place {
    /// The file of the one picture.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Kind::File(path.into()))
    }

    /// Files in a folder, which is made if it is not there: `stem-1.jpg` and so
    /// on.
    pub fn folder(path: impl Into<PathBuf>, stem: impl Into<String>) -> Self {
        Self(Kind::Folder(path.into(), stem.into(), 1))
    }

    /// The same, with another number for the first file of a folder.
    pub(crate) fn counting_from(self, first: usize) -> Self {
        match self.0 {
            Kind::Folder(path, stem, _) => Self(Kind::Folder(path, stem, first)),
            kind => Self(kind),
        }
    }

    /// The one picture into a stream.
    pub fn live(name: impl Into<String>, stream: impl Write + Send + 'static) -> Self {
        Self(Kind::Live(name.into(), Box::new(stream)))
    }

    /// The name of the picture with this number, counted from 0.
    pub fn name(&self, number: usize, format: Format) -> PathBuf {
        match &self.0 {
            Kind::File(path) => path.clone(),
            Kind::Folder(folder, stem, first) => {
                folder.join(format!("{stem}-{}.{}", number + first, format.extension()))
            }
            Kind::Live(name, _) => name.into(),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::File(path) => f.debug_tuple("File").field(path).finish(),
            Kind::Folder(path, stem, _) => f.debug_tuple("Folder").field(path).field(stem).finish(),
            Kind::Live(name, _) => f.debug_tuple("Live").field(name).finish(),
        }
    }
}

/// How sprite sheets are made.
#[derive(Debug, Clone)]
pub struct SpriteOptions {
    /// One picture for so much time.
    pub every: Timestamp,
    /// How many pictures side by side in a sheet, 1 to 100.
    pub columns: u32,
    /// How many below each other, 1 to 100.
    pub rows: u32,
    /// A picture's width in pixels, brought to an even number; the height
    /// follows from the recording's shape.
    pub width: u32,
    /// JPEG or WebP.
    pub format: Format,
    /// As in [`Style::quality`].
    pub quality: u8,
}

impl Default for SpriteOptions {
    /// Every ten seconds, 5 x 5, 160 pixels wide, JPEG.
    fn default() -> Self {
        Self {
            every: Timestamp::from_micros(10_000_000),
            columns: 5,
            rows: 5,
            width: 160,
            format: Format::Jpeg,
            quality: 75,
        }
    }
}
