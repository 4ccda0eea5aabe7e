//! Custom I/O: Rust's `Read`, `Write` and `Seek` behind an `AVIOContext`.
//!
//! The callbacks themselves are `ffmpeg_next`'s; what it hands them is wrapped
//! here, so that no panic unwinds into C and a cancelled call reads no further.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use ffmpeg_next::format::context::StreamIo;

use crate::context::Cancel;
use crate::input::ReadSeek;
use crate::{Error, Result};

use super::ffi;

/// Bytes that libavformat reads or writes at once. Larger was slower.
const BUFFER: usize = 32 * 1024;

/// A stream as libavformat sees it.
pub(super) struct CustomIo {
    io: StreamIo,
    failure: Failure,
}

/// Why reading or writing failed: libavformat hands on a number alone.
type Failure = Arc<Mutex<Option<io::Error>>>;

impl CustomIo {
    fn new<S>(
        stream: S,
        cancel: &Cancel,
        name: &str,
        open: impl FnOnce(Guarded<S>) -> std::result::Result<StreamIo, ffmpeg_next::Error>,
    ) -> Result<Self> {
        let failure = Failure::default();
        let guarded = Guarded {
            stream,
            cancel: cancel.clone(),
            failure: Arc::clone(&failure),
            poisoned: false,
        };
        let io = open(guarded).map_err(|error| Error::io(name, io::Error::other(error)))?;
        Ok(Self { io, failure })
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVIOContext {
        self.io.as_mut_ptr()
    }

    /// The error that reading or writing ended in, once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// A stream whose calls end in an error when cancelled, and never in a panic.
struct Guarded<S> {
    stream: S,
    cancel: Cancel,
    failure: Failure,
    poisoned: bool,
}

impl<S> Guarded<S> {
    /// Reads or writes; an error is kept, for the caller of the whole.
    fn transfer<T>(&mut self, call: impl FnOnce(&mut S) -> io::Result<T>) -> io::Result<T> {
        self.call(call).map_err(|error| {
            let code = error.raw_os_error().unwrap_or(ffi::EIO);
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(error);
            io::Error::from_raw_os_error(code)
        })
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut S) -> io::Result<T>) -> io::Result<T> {
        if self.poisoned || self.cancel.is_cancelled() {
            return Err(io::Error::from_raw_os_error(ffi::ECANCELED));
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
        self.transfer(|stream| stream.read(buffer))
    }
}

impl<S: Write> Write for Guarded<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.transfer(|stream| stream.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.transfer(Write::flush)
    }
}

impl<S: Seek> Seek for Guarded<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.call(|stream| stream.seek(to))
    }
}

/// Reads a seekable stream.
pub(super) fn seekable(stream: Box<dyn ReadSeek>, cancel: &Cancel, name: &str) -> Result<CustomIo> {
    let open = |stream| StreamIo::from_read_seek_with_capacity(stream, BUFFER);
    CustomIo::new(stream, cancel, name, open)
}

/// Reads a live stream.
pub(super) fn live(stream: Box<dyn Read + Send>, cancel: &Cancel, name: &str) -> Result<CustomIo> {
    let open = |stream| StreamIo::from_read_with_capacity(stream, BUFFER);
    CustomIo::new(stream, cancel, name, open)
}

/// Writes to a live stream.
pub(super) fn write(
    stream: Box<dyn Write + Send>,
    cancel: &Cancel,
    name: &str,
) -> Result<CustomIo> {
    let open = |stream| StreamIo::from_write_with_capacity(stream, BUFFER);
    CustomIo::new(stream, cancel, name, open)
}

/// Writes to a seekable stream.
pub(super) fn write_seek(
    stream: Box<dyn crate::output::WriteSeek>,
    cancel: &Cancel,
    name: &str,
) -> Result<CustomIo> {
    let open = |stream| StreamIo::from_write_seek_with_capacity(stream, BUFFER);
    CustomIo::new(stream, cancel, name, open)
}
