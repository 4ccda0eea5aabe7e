//! Ways in and out, and what goes wrong on them.

mod cancel;
mod carriage;
mod full;
mod limits;
mod malformed;
pub mod mutation;
mod progress;
mod refused;
mod truncated;
mod ways_in;
mod ways_out;

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flatbed_media::cut::{self, Options, Report, Segment, Selection};
use flatbed_media::{Container, Context, Error, Input, Output, Timestamp};
use tempfile::TempDir;

use crate::fixture::Fixture;

/// An empty folder for a result.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where to write.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The names in the folder, partial files included.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("the folder can be listed");
        let name = |entry: io::Result<fs::DirEntry>| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        };
        entries.map(name).collect()
    }

    /// Cuts `input` to a file, and checks that it is there or that nothing is.
    pub fn cut(&self, input: Input, name: &str, options: &Options) -> Result<Report, Error> {
        let output = Output::path(self.file(name)).expect("a name with an extension");
        let result = cut::cut(vec![Segment::new(input)], output, options, &Context::new());
        match &result {
            Ok(_) => assert_eq!(self.names(), [name]),
            Err(error) => assert!(self.names().is_empty(), "{error}: {:?}", self.names()),
        }
        result
    }
}

/// The frames from `from` up to and without `to` of 25 a second.
pub fn frames(from: i64, to: i64) -> Options {
    let time = |frame: i64| Timestamp::from_micros(frame * 40_000);
    Options {
        selection: Selection::between(time(from), time(to)),
        ..Options::default()
    }
}

/// What a fixture holds.
pub fn bytes(fixture: &Fixture) -> Vec<u8> {
    fs::read(&fixture.path).expect("the fixture can be read")
}

/// Reads and nothing else: a pipe.
pub struct Pipe<R>(pub R);

impl<R: Read> Read for Pipe<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Pieces of odd sizes, as a network has them.
        let size = buffer.len().min(1_371);
        self.0.read(&mut buffer[..size])
    }
}

/// A place to write to that another thread, or a test, can look into.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Shared {
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().get_ref().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cursor<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Shared {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.lock().write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.lock().seek(to)
    }
}

/// A container by its extension.
pub fn container(extension: &str) -> Container {
    extension.parse().expect("a container")
}
