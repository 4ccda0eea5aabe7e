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

pub mod operation;

pub use operation::Operation;
