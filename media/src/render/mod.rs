//! The one-pass renderer: a list of operations becomes one decode, one chain of
//! filters and one encode.
//!
//! ```no_run
//! use flatbed_media::render::{self, Operation, Options, Outputs};
//! use flatbed_media::{Context, Input};
//!
//! # fn main() -> flatbed_media::Result<()> {
//! let operations = Operation::list(
//!     r#"[{"type": "trim", "options": {"start": 5, "duration": "30s"}},
//!         {"type": "transcode", "options": {"resolution": "x720", "bitrate": "1M"}},
//!         {"type": "thumbnail", "options": {"timestamps": ["50%"]}}]"#,
//! )?;
//! let report = render::render(
//!     Input::path("camera.mp4"),
//!     &operations,
//!     Outputs::folder("export"),
//!     &Options::default(),
//!     &Context::new(),
//! )?;
//! println!("{} files", report.outputs.len());
//! # Ok(())
//! # }
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `operation.rs`, `operation/` | what is asked, as JSON writes it |
//! | `options.rs`, `outputs.rs`, `report.rs` | what else is asked, where results go, what was done |
//! | `plan.rs`, `plan/` | a list of operations becomes one plan, in words too |
//! | `coding.rs` | which encoder, with which of its options |
//! | `step.rs`, `image.rs` | what pictures go through, in FFmpeg's words; watermarks |
//! | `carry.rs` | a plan is carried out: by a cut, or in one pass or more |
//! | `run.rs`, `run/` | one pass: threads that decode, filter, encode and write |
//! | `chain.rs`, `shots.rs` | the filters in a row, and the thumbnails taken on the way |
//! | `passes.rs`, `target.rs`, `sample.rs`, `ssim.rs` | two passes, and targets reached by trial |
//! | `sound_only.rs` | inputs without pictures |

mod carry;
mod chain;
mod coding;
mod image;
pub mod operation;
mod options;
mod outputs;
mod passes;
mod plan;
mod report;
mod run;
mod sample;
mod shots;
mod sound_only;
mod ssim;
mod step;
mod target;

pub use operation::Operation;
pub use options::Options;
pub use outputs::Outputs;
pub use plan::{Plan, Stage, plan};
pub use report::{Kind, Report, Written};

use crate::{Context, Input, Result};

/// Does `operations` to `input`, one after another, in as few passes as can be,
/// and writes the results.
///
/// # Errors
/// Nothing of a result is left where there is one.
pub fn render(
    mut input: Input,
    operations: &[Operation],
    outputs: Outputs,
    options: &Options,
    context: &Context,
) -> Result<Report> {
    let mut options = options.clone();
    options.container = outputs.container().or(options.container);
    let mut opened = plan::Opened::open(&mut input, context)?;
    let plan = plan::plan_opened(input.name(), &mut opened, operations, &options, context)?;
    carry::carry_out(&plan, input, opened, outputs, &options, context)
}
