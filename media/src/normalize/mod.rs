//! What analysing begins with, in one pass: a proxy that every tool can read
//! (H.264, at most 720p, a constant frame rate, upright, square pixels), the
//! sound as speech recognisers take it (16 kHz, mono, 16-bit WAV), where that
//! is silent, the scenes, and frames that stand for them.
//!
//! Proxy and sound begin at the same time, zero of the timeline: sound that
//! starts late is preceded by silence, a first frame that comes late stands
//! from the beginning on.
//!
//! ```no_run
//! use flatbed_media::normalize::{self, FrameOutput, Options, Outputs, SoundOutput};
//! use flatbed_media::{Context, Input, Output, scene};
//!
//! # fn main() -> flatbed_media::Result<()> {
//! let outputs = Outputs {
//!     proxy: Some(Output::path("proxy.mp4")?),
//!     sound: Some(SoundOutput::path("sound.wav")),
//!     frames: Some(FrameOutput::folder("frames")),
//! };
//! let options = Options {
//!     scenes: Some(scene::Options::default()),
//!     ..Options::default()
//! };
//! let input = Input::path("interview.mov");
//! let report = normalize::normalize(input, outputs, &options, &Context::new())?;
//! for silence in report.sound.iter().flat_map(|sound| &sound.silences) {
//!     println!("silent from {} to {}", silence.start, silence.end);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `options.rs`, `report.rs` | what is asked, what was done |
//! | `run.rs` | the main path: reading, the threads, the names of the results |
//! | `pictures.rs` | decoding, and all that is done with pictures |
//! | `frames.rs` | a picture of each scene |
//! | `thinned.rs`, `spool.rs` | which frames of a scene are held; where pictures wait |
//! | `frame_rate.rs` | a constant frame rate |
//! | `shape.rs` | upright, scaled, of square pixels |
//! | `proxy.rs` | encoded and written |
//! | `sound.rs`, `wav.rs` | sound on the timeline, and its file |
//! | `silence.rs` | where nothing is to be heard |
//! | `speech.rs`, `sound_span.rs` | what a speech recogniser is to hear, and that as files |

mod frame_rate;
mod frames;
mod options;
mod pictures;
mod proxy;
mod report;
mod run;
mod shape;
mod silence;
mod sound;
mod sound_span;
mod speech;
mod spool;
mod thinned;
mod wav;

pub use options::{FrameOptions, FrameOutput, Options, Outputs, Silence, SoundOutput};
pub use report::{Proxy, Report, SceneFrame, Sound};
pub use sound_span::SoundSpan;
pub use speech::{SpeechOptions, speech_spans};

use crate::{Context, Input, Result};

/// Makes what `outputs` has places for of `input`'s first video and first
/// sound, and finds scenes where the options ask for it.
///
/// What the input does not have is not made, and a note says so. Both files
/// get their names when both are whole.
///
/// # Errors
/// [`Unsupported`](crate::Error::Unsupported) where there is nothing of what is
/// wanted, [`Malformed`](crate::Error::Malformed) where there is video and none
/// of it can be decoded.
pub fn normalize(
    input: Input,
    outputs: Outputs,
    options: &Options,
    context: &Context,
) -> Result<Report> {
    run::run(input, outputs, options, context)
}
