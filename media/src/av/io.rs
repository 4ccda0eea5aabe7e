//! Custom I/O: Rust's `Read`, `Write` and `Seek` behind an `AVIOContext`.
//!
//! The callbacks themselves are `ffmpeg_next`'s; what it hands them is wrapped
//! here, so that no panic unwinds into C and a cancelled call reads no further.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ffmpeg_next::format::context::StreamIo;

use crate::context::Cancel;
use crate::input::ReadSeek;
use crate::{Error, Result};

/// Bytes that libavformat reads or writes at once. Larger was slower.
const BUFFER: usize = 32 * 1024;

/// A stream whose calls end in an error when cancelled, and never in a panic.
pub(crate) struct Guarded<S> {
    stream: S,
    cancel: Cancel,
    poisoned: bool,
}

impl<S> Guarded<S> {
    pub(crate) fn new(stream: S, cancel: Cancel) -> Self {
        Self {
            stream,
            cancel,
            poisoned: false,
        }
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut S) -> io::Result<T>) -> io::Result<T> {
        if self.poisoned || self.cancel.is_cancelled() {
            return Err(io::Error::from_raw_os_error(super::ffi::ECANCELED));
        }
        let stream = &mut self.stream;
        catch_unwind(AssertUnwindSafe(|| call(stream))).unwrap_or_else(|_| {
            self.poisoned = true;
            Err(io::Error::other("the stream panicked"))
        })
    }
}

impl<S: Read> Read for Guarded<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(|stream| stream.read(buffer))
    }
}

impl<S: Write> Write for Guarded<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.call(|stream| stream.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call(Write::flush)
    }
}

impl<S: Seek> Seek for Guarded<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.call(|stream| stream.seek(to))
    }
}

/// Reads a seekable stream.
pub(super) fn seekable(stream: Box<dyn ReadSeek>, cancel: &Cancel, name: &str) -> Result<StreamIo> {
    let guarded = Guarded::new(stream, cancel.clone());
    StreamIo::from_read_seek_with_capacity(guarded, BUFFER).map_err(|error| no_io(name, error))
}

/// Reads a live stream.
pub(super) fn live(stream: Box<dyn Read + Send>, cancel: &Cancel, name: &str) -> Result<StreamIo> {
    let guarded = Guarded::new(stream, cancel.clone());
    StreamIo::from_read_with_capacity(guarded, BUFFER).map_err(|error| no_io(name, error))
}

/// Writes to a live stream.
pub(super) fn write(stream: Box<dyn Write + Send>, cancel: &Cancel, name: &str) -> Result<StreamIo> {
    let guarded = Guarded::new(stream, cancel.clone());
    StreamIo::from_write_with_capacity(guarded, BUFFER).map_err(|error| no_io(name, error))
}

/// Writes to a seekable stream.
pub(super) fn write_seek(
    stream: Box<dyn crate::output::WriteSeek>,
    cancel: &Cancel,
    name: &str,
) -> Result<StreamIo> {
    let guarded = Guarded::new(stream, cancel.clone());
    StreamIo::from_write_seek_with_capacity(guarded, BUFFER).map_err(|error| no_io(name, error))
}

fn no_io(name: &str, error: ffmpeg_next::Error) -> Error {
    Error::io(name, io::Error::other(error))
}
