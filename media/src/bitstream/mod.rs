//! The syntax of coded video and sound, without FFmpeg: what must be read and
//! rewritten to splice streams.

pub(crate) mod adts;
mod aspect;
pub(crate) mod bits;
pub(crate) mod h264;
pub(crate) mod hevc;
pub(crate) mod nal;
