//! What came of an image.

use std::time::Duration;

use super::format::Format;

/// What came of an image.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What it was.
    pub format: Format,
    /// The width of what came out, in pixels.
    pub width: u32,
    /// The height of what came out, in pixels.
    pub height: u32,
    /// The size of the file that came in.
    pub bytes_in: u64,
    /// The size of the file that came out.
    pub bytes_out: u64,
    /// The pictures: 1 unless it is an animation.
    pub frames: u64,
    /// The quality that it was encoded with; `None` where that is lossless.
    pub quality: Option<u8>,
    /// How long it took, the wait for memory included.
    pub elapsed: Duration,
    /// What the caller may want to know, in one line each.
    pub notes: Vec<String>,
}
