//! Where media comes from: a path, bytes, anything that reads and seeks, or a
//! live stream.

mod program_stream;
mod pump;
mod whole;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::context::Context;
use crate::{Error, Result};
use program_stream::{Front, WithFront};

pub(crate) use pump::Pump;

/// A source of media. It carries a name, which errors and reports use.
#[derive(Debug)]
pub struct Input {
    name: String,
    kind: Kind,
}

enum Kind {
    Path(PathBuf),
    Bytes(Arc<[u8]>),
    Reopening(Arc<Reopen>),
    /// Empty once it was opened.
    Seekable(Option<Box<dyn ReadSeek>>),
    Live(Option<Box<dyn Read + Send>>),
}

/// Opens a stream at its beginning.
type Reopen = dyn Fn() -> io::Result<Box<dyn ReadSeek>> + Send + Sync;

/// What a demuxer is handed.
pub(crate) enum Opened {
    /// libavformat reads the file itself.
    Path(PathBuf),
    Seekable(Box<dyn ReadSeek>),
    Live(Box<dyn Read + Send>),
}

/// Reads and seeks, and may be sent to another thread.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

impl Input {
    /// A file. A pipe or a device is read as a live stream.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: path.display().to_string(),
            kind: Kind::Path(path),
        }
    }

    /// A whole file in memory.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Bytes(bytes.into()),
        }
    }

    /// Anything that reads and seeks, from its beginning, wherever it stands.
    pub fn seekable(name: impl Into<String>, stream: impl Read + Seek + Send + 'static) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Seekable(Some(Box::new(stream))),
        }
    }

    /// What can be opened as often as it takes, each time with the same bytes: an
    /// object of a store. It can all that a file can.
    pub fn reopening<S: Read + Seek + Send + 'static>(
        name: impl Into<String>,
        open: impl Fn() -> io::Result<S> + Send + Sync + 'static,
    ) -> Self {
        let open = move || Ok(Box::new(open()?) as Box<dyn ReadSeek>);
        Self {
            name: name.into(),
            kind: Kind::Reopening(Arc::new(open)),
        }
    }

    /// A stream that is read once, from front to back: a download, a pipe.
    ///
    /// It is read by a thread of its own, a few buffers ahead, so that
    /// [`Cancel`](crate::Cancel) ends the call even while a read blocks. That
    /// thread lives until its read returns.
    pub fn live(name: impl Into<String>, stream: impl Read + Send + 'static) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Live(Some(Box::new(stream))),
        }
    }

    /// The name for messages: the path, or what the caller called it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same input, under another name in messages: what users call it, where
    /// its path is nobody's business.
    #[must_use]
    pub fn called(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same input once more, where it can be read twice at a time.
    pub(crate) fn again(&self) -> Option<Self> {
        let kind = match &self.kind {
            Kind::Path(path) => Kind::Path(path.clone()),
            Kind::Bytes(bytes) => Kind::Bytes(Arc::clone(bytes)),
            Kind::Reopening(open) => Kind::Reopening(Arc::clone(open)),
            Kind::Seekable(_) | Kind::Live(_) => return None,
        };
        Some(Self {
            name: self.name.clone(),
            kind,
        })
    }

    /// Whether it can be opened again.
    pub(crate) fn reopens(&self) -> bool {
        matches!(
            self.kind,
            Kind::Path(_) | Kind::Bytes(_) | Kind::Reopening(_)
        )
    }

    pub(crate) fn open(&mut self, context: &Context) -> Result<Opened> {
        let name = &self.name;
        let gone = || Error::unsupported(name, "this stream was read already; open it again");
        match &mut self.kind {
            Kind::Path(path) => open_path(path, name, context),
            Kind::Bytes(bytes) => {
                if bytes.is_empty() {
                    return Err(Error::malformed(name, EMPTY));
                }
                seekable(Box::new(Cursor::new(Arc::clone(bytes))), name)
            }
            Kind::Reopening(open) => {
                let stream = open().map_err(|source| Error::io(name, source))?;
                seekable(stream, name)
            }
            Kind::Seekable(stream) => seekable(stream.take().ok_or_else(gone)?, name),
            Kind::Live(stream) => live(stream.take().ok_or_else(gone)?, name, context),
        }
    }
}

const EMPTY: &str = "the file is empty";

fn open_path(path: &Path, name: &str, context: &Context) -> Result<Opened> {
    let io = |source| Error::io(name, source);
    let mut file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(Error::io(
            name,
            io::Error::from(io::ErrorKind::IsADirectory),
        ));
    }
    if !metadata.is_file() {
        return live(Box::new(file), name, context);
    }
    if metadata.len() == 0 {
        return Err(Error::malformed(name, EMPTY));
    }
    match Front::sniff(&mut file).map_err(io)? {
        Front::AsIs => Ok(Opened::Path(path.to_owned())),
        front => {
            file.seek(SeekFrom::Start(0)).map_err(io)?;
            Ok(Opened::Seekable(Box::new(WithFront::new(file, front))))
        }
    }
}

fn seekable(mut stream: Box<dyn ReadSeek>, name: &str) -> Result<Opened> {
    let io = |source| Error::io(name, source);
    stream.seek(SeekFrom::Start(0)).map_err(io)?;
    let front = Front::sniff(&mut stream).map_err(io)?;
    if stream.stream_position().map_err(io)? == 0 {
        return Err(Error::malformed(name, EMPTY));
    }
    stream.seek(SeekFrom::Start(0)).map_err(io)?;
    Ok(Opened::Seekable(match front {
        Front::AsIs => stream,
        front => Box::new(WithFront::new(stream, front)),
    }))
}

fn live(stream: Box<dyn Read + Send>, name: &str, context: &Context) -> Result<Opened> {
    let mut pump = Pump::start(stream, context.cancel().clone());
    let mut head = Vec::new();
    let sniffed = Read::by_ref(&mut pump)
        .take(program_stream::SNIFFED)
        .read_to_end(&mut head);
    context.check()?;
    sniffed.map_err(|source| Error::io(name, source))?;
    if head.is_empty() {
        return Err(Error::malformed(name, "the stream is empty"));
    }
    let front = Front::of(&head);
    let rest = Cursor::new(front.apply(head)).chain(pump);
    Ok(Opened::Live(Box::new(rest)))
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Path(_) => "Path",
            Self::Bytes(_) => "Bytes",
            Self::Reopening(_) => "Reopening",
            Self::Seekable(_) => "Seekable",
            Self::Live(_) => "Live",
        })
    }
}
