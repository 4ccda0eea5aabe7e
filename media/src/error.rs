//! What can go wrong, split by whose fault it is.

use std::io;

/// The result of every operation of the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong. The variants answer the question that a caller has: is it
/// the input (do not try again), this program (it cannot do that), a limit that
/// the operator set, the disk or a peer (trying again may help), or was it
/// asked to stop?
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is broken, empty, or is not what it says it is.
    #[error("{input}: {reason}")]
    Malformed {
        /// The input's name, as the caller gave it.
        input: String,
        /// What is wrong with it, in one line.
        reason: String,
    },
    /// The input is sound, but this cannot be done with it.
    #[error("{input}: {reason}")]
    Unsupported {
        /// The input's or the output's name.
        input: String,
        /// What cannot be done, and what can be done instead.
        reason: String,
    },
    /// One of the [`Limits`](crate::Limits) is exceeded.
    #[error("{input}: {reason}")]
    Limit {
        /// The input's name.
        input: String,
        /// Which limit, its value, and what was found.
        reason: String,
    },
    /// The [`Cancel`](crate::Cancel) token of the context was set.
    #[error("cancelled")]
    Cancelled,
    /// Reading or writing failed: a disk, a pipe, a path.
    #[error("{what}: {source}")]
    Io {
        /// The path or stream.
        what: String,
        /// The operating system's word.
        #[source]
        source: io::Error,
    },
    /// FFmpeg's libraries refused something that should have worked.
    #[error("{what}: {operation}: {message}")]
    Ffmpeg {
        /// The input's or output's name.
        what: String,
        /// What was tried.
        operation: &'static str,
        /// The library's own message.
        message: String,
    },
}

impl Error {
    /// The input called `input` is broken.
    pub fn malformed(input: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed {
            input: input.into(),
            reason: reason.into(),
        }
    }

    /// The input called `input` is sound, but not for this.
    pub fn unsupported(input: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Unsupported {
            input: input.into(),
            reason: reason.into(),
        }
    }

    /// The input called `input` exceeds a limit.
    pub fn limit(input: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Limit {
            input: input.into(),
            reason: reason.into(),
        }
    }

    /// Reading or writing `what` failed.
    pub fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io {
            what: what.into(),
            source,
        }
    }
}
