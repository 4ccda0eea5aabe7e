//! Where a video's scenes begin, and which of them stand for all.
//!
//! The rules and their defaults are those of `PySceneDetect` 0.7
//! (<https://www.scenedetect.com/docs/latest/api/detectors.html>), so that its
//! users find the same cuts.
//! Times are those of the frames, also where the frame rate varies, and count
//! from the same zero as those of [`cut`](crate::cut). A video without a cut is
//! one scene.
//!
//! ```no_run
//! use flatbed_media::{Context, Input, scene};
//!
//! # fn main() -> flatbed_media::Result<()> {
//! let options = scene::Options::default();
//! let found = scene::detect(Input::path("trailer.mp4"), &options, &Context::new())?;
//! for place in scene::choose(found.scenes.len(), 10) {
//!     println!("a frame at {}", found.scenes[place].middle());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `options.rs` | what is asked |
//! | `detect.rs` | the main path: decode, compare, decide |
//! | `cut.rs` | from frames to scenes, a frame at a time |
//! | `score.rs` | how much a frame differs from the one before |
//! | `light.rs` | whether a frame shows anything |
//! | `reduce.rs`, `colour.rs` | a picture made small, and its hue, saturation and brightness |
//! | `content.rs`, `adaptive.rs` | the two rules for what is a cut |
//! | `choice.rs` | which scenes stand for all |

mod adaptive;
mod choice;
mod colour;
mod content;
mod cut;
mod detect;
mod light;
mod options;
mod reduce;
mod score;

pub(crate) use cut::Finder;
pub(crate) use light::Seen;

pub use choice::choose;
pub use cut::{FrameScore, Scene};
pub use detect::Scenes;
pub use options::{Detector, MinLength, Options, Weights};
pub use score::Difference;

use crate::{Context, Input, Result};

/// The scenes of `input`'s first video.
///
/// # Errors
/// [`Unsupported`](crate::Error::Unsupported) where there is no video,
/// [`Malformed`](crate::Error::Malformed) where none of it can be decoded.
/// Frames that are damaged are compared as the decoder gives them.
pub fn detect(input: Input, options: &Options, context: &Context) -> Result<Scenes> {
    detect_each(input, options, context, |_| ())
}

/// The same; `each` is told of every frame's measurements, in order.
pub fn detect_each(
    input: Input,
    options: &Options,
    context: &Context,
    mut each: impl FnMut(&FrameScore),
) -> Result<Scenes> {
    detect::run(input, options, context, &mut each)
}
