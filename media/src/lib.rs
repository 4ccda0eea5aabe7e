//! The engine of Flatbed: it joins and cuts video in process, to the frame,
//! without re-encoding what can be copied.
//!
//! It is synchronous and knows no jobs and no network. An operation takes
//! [`Input`]s, an [`Output`] and a [`Context`], and returns a report.
//!
//! ```no_run
//! use flatbed_media::cut::{self, Selection, Segment};
//! use flatbed_media::{Context, Input, Output};
//!
//! # fn main() -> flatbed_media::Result<()> {
//! let segments = [
//!     Segment::new(Input::path("10h.mp4")),
//!     Segment::new(Input::path("11h.mp4")),
//! ];
//! let selection = Selection::between("59:30".parse().unwrap(), "1:00:30".parse().unwrap());
//! let report = cut::cut(
//!     segments.into(),
//!     Output::path("clip.mp4")?,
//!     &cut::Options { selection, ..cut::Options::default() },
//!     &Context::new(),
//! )?;
//! println!("{} frames, {} of them encoded", report.frames, report.frames_encoded);
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | [`cut`] | join and cut |
//! | [`render`] | a list of operations in one pass |
//! | [`still`] | thumbnails, sprite sheets, frames at chosen times |
//! | [`image`] | photos and animations to WebP |
//! | [`mod@probe`] | what a file is |
//! | [`normalize`] | a proxy and plain sound to analyse, in one pass |
//! | [`scene`] | where scenes begin, and which frames stand for them |
//! | [`Input`], [`Output`] | paths, bytes, streams, either way |
//! | [`Context`], [`Limits`] | cancel, progress, threads; what a call may cost |
//! | [`time`] | times without bare numbers |

mod av;
mod bitstream;
mod context;
pub mod cut;
mod decoded;
mod error;
pub mod image;
mod input;
mod limits;
pub mod normalize;
mod output;
pub mod probe;
pub mod render;
pub mod scene;
mod ssim;
pub mod still;
pub mod time;

pub use av::version::{FfmpegVersion, ffmpeg_version};
pub use context::{Cancel, Context, Progress};
pub use error::{Error, Result};
pub use input::{Input, ReadSeek};
pub use limits::{ImageLimits, Limits};
pub use output::{Container, Output, UnknownContainer, WriteSeek};
pub use probe::probe;
pub use time::{Span, Timestamp};
