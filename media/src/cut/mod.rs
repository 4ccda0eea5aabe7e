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

mod audio;
mod carriage;
mod edge;
mod encode;
mod gop;
mod index_size;
mod options;
mod pictures;
mod report;
mod run;
mod sink;
mod sound;
mod soundtrack;
pub(crate) mod source;
mod splice;
mod timeline;
mod video;

pub use options::{Gaps, Mode, OnMismatch, Options, Position, Segment, Selection, Timeline, Until};
pub use report::Report;

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
    run::run(segments, output, options, context)
}
