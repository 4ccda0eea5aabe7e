//! FFmpeg's return codes as errors.

use std::ffi::{CStr, c_int};
use std::io;

use super::ffi;
use crate::{Context, Error};

/// A negative return code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) c_int);

impl Code {
    pub(crate) const EOF: Self = Self(ffi::AVERROR_EOF);
    pub(crate) const AGAIN: Self = Self(-ffi::EAGAIN);
    pub(crate) const NO_MEMORY: Self = Self(-ffi::ENOMEM);
    pub(crate) const INVALID: Self = Self(-ffi::EINVAL);
    pub(crate) const NO_ENCODER: Self = Self(ffi::AVERROR_ENCODER_NOT_FOUND);

    /// Whether the data, rather than the machine, is at fault.
    pub(crate) fn is_data(self) -> bool {
        matches!(
            self.0,
            ffi::AVERROR_INVALIDDATA
                | ffi::AVERROR_EOF
                | ffi::AVERROR_STREAM_NOT_FOUND
                | ffi::AVERROR_PATCHWELCOME
        )
    }

    /// The operating system's error, where the code holds one.
    fn os_error(self) -> Option<io::Error> {
        // AVERROR(errno) is -errno; FFmpeg's own codes are four letters and
        // lie far below any errno. EINVAL is the libraries' own word for
        // "no", hardly ever the system's.
        let errno = -self.0;
        (errno > 0 && errno < 4096 && errno != ffi::EINVAL && errno != ffi::ENOMEM)
            .then(|| io::Error::from_raw_os_error(errno))
    }

    /// FFmpeg's message for the code.
    pub(crate) fn message(self) -> String {
        let mut buffer = [0 as std::ffi::c_char; 128];
        // SAFETY: writes at most the given length, and ends it with a NUL.
        unsafe { ffi::av_strerror(self.0, buffer.as_mut_ptr(), buffer.len()) };
        // SAFETY: av_strerror ended the buffer with a NUL.
        let text = unsafe { CStr::from_ptr(buffer.as_ptr()) };
        text.to_string_lossy().into_owned()
    }

    /// The error of reading or taking apart the input `what`.
    pub(crate) fn reading(self, what: &str, operation: &'static str, context: &Context) -> Error {
        if context.cancel().is_cancelled() {
            return Error::Cancelled;
        }
        if self.is_data() {
            return Error::malformed(what, format!("{operation}: {}", self.message()));
        }
        self.failed(what, operation)
    }

    /// The error of an operation on `what` that its data cannot explain.
    pub(crate) fn failed(self, what: &str, operation: &'static str) -> Error {
        match self.os_error() {
            Some(source) => Error::io(what, source),
            None => Error::Ffmpeg {
                what: what.to_owned(),
                operation,
                message: self.message(),
            },
        }
    }
}

/// `Ok` with the value unless it is negative.
pub(crate) fn check(code: c_int) -> Result<c_int, Code> {
    if code < 0 { Err(Code(code)) } else { Ok(code) }
}
