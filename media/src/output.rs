//! Where media goes: a path, anything that writes and seeks, or a live stream.

mod partial;

use std::fmt;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{Error, Result};

pub(crate) use partial::{Named, PartialFile};

/// The containers that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// MPEG-4 (ISO/IEC 14496-14), with its index in front.
    Mp4,
    /// `QuickTime`.
    Mov,
    /// Matroska.
    Mkv,
    /// MPEG transport stream (ISO/IEC 13818-1).
    Ts,
    /// Matroska as browsers take it: VP8, VP9 or AV1, with Vorbis or Opus.
    WebM,
    /// Audio Video Interleave, for old players: a constant frame rate, and no
    /// frames out of order.
    Avi,
}

impl Container {
    /// The container that a file name's extension stands for.
    pub fn of_path(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.parse().ok()
    }

    /// libavformat's name.
    pub(crate) fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Mkv => "matroska",
            Self::Ts => "mpegts",
            Self::WebM => "webm",
            Self::Avi => "avi",
        }
    }

    /// Its usual extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Mkv => "mkv",
            Self::Ts => "ts",
            Self::WebM => "webm",
            Self::Avi => "avi",
        }
    }

    /// Whether codecs keep their headers in the container and not in their
    /// packets (`AVFMT_GLOBALHEADER`).
    pub(crate) fn holds_headers(self) -> bool {
        !matches!(self, Self::Ts | Self::Avi)
    }

    /// Whether it is one of the two with sample tables and edit lists.
    pub(crate) fn is_iso(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov)
    }
}

impl FromStr for Container {
    type Err = UnknownContainer;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "mp4" | "m4v" => Ok(Self::Mp4),
            "mov" | "qt" => Ok(Self::Mov),
            "mkv" => Ok(Self::Mkv),
            "ts" | "m2ts" | "mts" => Ok(Self::Ts),
            "webm" => Ok(Self::WebM),
            "avi" => Ok(Self::Avi),
            _ => Err(UnknownContainer(text.to_owned())),
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

/// A text that names no container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a container that Flatbed writes: mp4, mov, mkv, webm, avi or ts")]
pub struct UnknownContainer(String);

/// A place for the result.
#[derive(Debug)]
pub struct Output {
    name: String,
    container: Container,
    kind: Kind,
}

enum Kind {
    Path(PathBuf),
    Seekable(Box<dyn WriteSeek>),
    Live(Box<dyn Write + Send>),
}

/// What a muxer is handed.
pub(crate) enum Target {
    /// libavformat writes the file itself; it gets its name when it is whole.
    File(PartialFile),
    Seekable(Box<dyn WriteSeek>),
    Live(Box<dyn Write + Send>),
}

/// Writes and seeks, and may be sent to another thread.
pub trait WriteSeek: Write + Seek + Send {}
impl<T: Write + Seek + Send> WriteSeek for T {}

impl Output {
    /// A file, in the container that its extension names. It appears under its
    /// name only when it is whole; until then, and after an error, whatever was
    /// there stays.
    pub fn path(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let Some(container) = Container::of_path(&path) else {
            return Err(Error::unsupported(
                path.display().to_string(),
                "the name must end in .mp4, .mov, .mkv, .webm, .avi or .ts, or the container be named",
            ));
        };
        Ok(Self::path_as(path, container))
    }

    /// A file in a container of choice.
    pub fn path_as(path: impl Into<PathBuf>, container: Container) -> Self {
        let path = path.into();
        Self {
            name: path.display().to_string(),
            container,
            kind: Kind::Path(path),
        }
    }

    /// Anything that writes and seeks. After an error its content is worthless.
    pub fn seekable(
        name: impl Into<String>,
        container: Container,
        stream: impl Write + Seek + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            container,
            kind: Kind::Seekable(Box::new(stream)),
        }
    }

    /// A stream that is written once, from front to back: an upload, a pipe.
    /// MP4 and MOV become fragmented.
    pub fn live(
        name: impl Into<String>,
        container: Container,
        stream: impl Write + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            container,
            kind: Kind::Live(Box::new(stream)),
        }
    }

    /// The same place once more, where it can be written anew.
    pub(crate) fn again(&self) -> Option<Self> {
        match &self.kind {
            Kind::Path(path) => Some(Self::path_as(path.clone(), self.container)),
            Kind::Seekable(_) | Kind::Live(_) => None,
        }
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file, where it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Path(path) => Some(path),
            Kind::Seekable(_) | Kind::Live(_) => None,
        }
    }

    /// The container.
    pub fn container(&self) -> Container {
        self.container
    }

    pub(crate) fn into_target(self) -> Result<Target> {
        match self.kind {
            Kind::Path(path) => partial::open(&path, &self.name),
            Kind::Seekable(stream) => Ok(Target::Seekable(stream)),
            Kind::Live(stream) => Ok(Target::Live(stream)),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path(_) => "Path",
            Self::Seekable(_) => "Seekable",
            Self::Live(_) => "Live",
        })
    }
}
