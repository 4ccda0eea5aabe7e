//! Join and cut: segments go in, one file with exactly the chosen frames comes
//! out, and what can be copied is copied.
//!
//! | file | what it does |
//! |---|---|
//! | `options.rs`, `report.rs` | what is asked, what was done |
//! | `run.rs`, `run/` | the main path: segment after segment |
//! | `source.rs`, `source/` | a segment: its streams, its extent, its packets from any frame on |
//! | `timeline.rs` | where each segment lies in the output |
//! | `gop.rs` | packets gathered into groups of pictures |
//! | `video.rs`, `video/` | which frames are copied, which encoded |
//! | `edge.rs` | the frames at a cut: decoded and encoded to fit |
//! | `splice/` | what each codec needs so that copied and encoded frames are one stream |
//! | `pictures.rs`, `soundtrack.rs` | how each track is made |
//! | `encode.rs` | everything encoded, where nothing can be copied |
//! | `carriage.rs` | which container carries which codec |
//! | `audio.rs`, `sound.rs` | sound copied, sound encoded |
//! | `sink.rs`, `index_size.rs` | packets of all tracks in file order, and the room for an MP4's index |

pub(crate) mod audio;
pub(crate) mod carriage;
mod edge;
mod encode;
mod gop;
pub(crate) mod index_size;
mod options;
mod pictures;
mod report;
mod run;
pub(crate) mod sink;
pub(crate) mod sound;
mod soundtrack;
pub(crate) mod source;
mod splice;
mod timeline;
pub(crate) mod video;

pub use options::{Gaps, Mode, OnMismatch, Options, Position, Segment, Selection, Timeline, Until};
pub use report::Report;

use crate::av::mux::Closed;
use crate::{Context, Output, Result};

/// Writes what `options` selects of `segments`, one after the other, to
/// `output`.
///
/// The segments are read from front to back, from the first one that the
/// selection touches to the last; within a segment, reading begins at the
/// container's index entry before the start.
pub fn cut(
    segments: Vec<Segment>,
    output: Output,
    options: &Options,
    context: &Context,
) -> Result<Report> {
    let (mut report, written) = run::run(segments, output, options, SoundWish::AsItIs, context)?;
    report.bytes = written.keep()?;
    Ok(report)
}

/// What the sound shall be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SoundWish {
    /// Copied where the container carries it.
    AsItIs,
    /// Encoded, whatever it is.
    Encoded(sound::Coding),
    /// Left out.
    None,
}

/// The same as [`cut`], with another sound, and a file has no name yet.
pub(crate) fn cut_with(
    segments: Vec<Segment>,
    output: Output,
    options: &Options,
    sound: SoundWish,
    context: &Context,
) -> Result<(Report, Closed)> {
    run::run(segments, output, options, sound, context)
}
