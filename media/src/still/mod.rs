//! Single pictures out of a recording: thumbnails, sprite sheets, frames at
//! chosen times.
//!
//! Each is the frame that is *shown* at its time: the last one that begins at
//! or before it. Times are those of the recording's own timeline, as in a cut:
//! from its first frame, in MP4 and MOV from the file's zero. A time before the
//! first frame is the first frame's, the end itself and 100 % are the last
//! frame's, and a time behind the end is an error.
//!
//! ```no_run
//! use flatbed_media::still::{self, Moments, Options, Place, Style};
//! use flatbed_media::{Context, Input};
//!
//! # fn main() -> flatbed_media::Result<()> {
//! let options = Options {
//!     moments: Moments::Spread(3),
//!     style: Style { size: "320x240".parse().ok(), ..Style::default() },
//!     ..Options::default()
//! };
//! let place = Place::folder("thumbnails", "thumbnail");
//! let report = still::thumbnails(Input::path("10h.mp4"), &options, place, &Context::new())?;
//! for picture in report.pictures {
//!     println!("{}: {}", picture.name, picture.time);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `options.rs`, `report.rs` | what is asked of a run, and what came of it |
//! | `thumbnails.rs`, `maker.rs` | pictures at chosen times, by several workers; a worker's share |
//! | `sprites.rs`, `sheet.rs`, `webvtt.rs` | sprite sheets, and the list that players read |
//! | `keyframe.rs` | the keyframe near a time |
//! | `grab.rs` | the frames shown at chosen times, by the shortest decode |
//! | `plain.rs` | the same by decoding everything, where that fails |
//! | `style.rs` | what a picture is to be: size, fit, format, quality |
//! | `layout.rs` | the rule of sizes: what part of a frame becomes how large a picture |
//! | `shape.rs`, `turn.rs`, `tone.rs` | a decoded frame becomes that picture: fields, size, rotation, light |
//! | `picture.rs` | the picture's bytes, as JPEG, PNG or WebP |
//! | `batch.rs` | the files of one run: all of them or none |

mod batch;
mod grab;
mod keyframe;
mod layout;
mod maker;
mod options;
mod picture;
mod plain;
mod report;
mod shape;
mod sheet;
mod sprites;
mod style;
mod thumbnails;
mod tone;
mod turn;
mod webvtt;

pub(crate) use {
    batch::Batch, layout::Layout, maker::Made, picture::encode, shape::Shaper,
    thumbnails::into_batch, turn::Turn,
};

pub use options::{Moments, Options, Place, SpriteOptions};
pub use report::{Picture, Report, Sheet, SpriteReport};
pub use sprites::sprites;
pub use style::{Fit, Format, Size, Style, UnknownWord};
pub use thumbnails::{frames, thumbnails};
