//! What is linked.

use super::{ffi, text};

/// The FFmpeg that this program runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FfmpegVersion {
    /// As `5.1.9`.
    pub version: &'static str,
    /// The flags of its `configure`.
    pub configuration: &'static str,
    /// As `GPL version 2 or later`.
    pub license: &'static str,
}

/// The FFmpeg that this program runs with, in its own words.
pub fn ffmpeg_version() -> FfmpegVersion {
    // SAFETY: each returns a static string.
    unsafe {
        FfmpegVersion {
            version: text(ffi::av_version_info()),
            configuration: text(ffi::avcodec_configuration()),
            license: text(ffi::avcodec_license()),
        }
    }
}
