//! Photos and animations become small WebP files that any browser shows:
//! upright, in sRGB, without what EXIF tells of those who took them.
//!
//! ```no_run
//! use flatbed_media::image::{self, Options};
//! use flatbed_media::{Context, Input};
//!
//! # fn main() -> flatbed_media::Result<()> {
//! let options = Options {
//!     size: "1280x1280".parse().ok(),
//!     max_bytes: Some(200_000),
//!     ..Options::default()
//! };
//! let (webp, report) = image::to_bytes(Input::path("photo.jpg"), &options, &Context::new())?;
//! println!("{}x{}, {} bytes", report.width, report.height, webp.len());
//! # Ok(())
//! # }
//! ```
//!
//! What may come in is anybody's file: it is told by its content, and its size
//! checked against [`ImageLimits`](crate::ImageLimits) when its header was read.
//!
//! | file | what it does |
//! |---|---|
//! | `options.rs`, `report.rs` | what is asked, and what came of it |
//! | `convert.rs`, `plan.rs` | the way of one image; how large it becomes |
//! | `pool.rs`, `budget.rs` | many images; threads and memory |
//! | `format.rs`, `facts.rs` | what a file is, and how large |
//! | `jpeg.rs`, `jpeg_markers.rs` | JPEG |
//! | `decode.rs`, `blocks.rs` | the other formats; animations |
//! | `png.rs`, `tiff.rs` | what PNG and TIFF have beside |
//! | `png_rows.rs` | a large PNG, made smaller while it is read |
//! | `raster.rs`, `resize.rs` | a picture in memory, and of another size |
//! | `planes.rs` | the short way of a photo, without RGB |
//! | `colour.rs` | profiles, gray, CMYK, 16 bits to sRGB |
//! | `orientation.rs` | upright |
//! | `encode.rs`, `search.rs`, `similar.rs` | WebP of the quality, the bytes or the likeness asked for |
//! | `animation.rs` | animated WebP |
//! | `contact_sheet.rs` | many pictures in one PNG |
//! | `face.rs` | a face, as a small JPEG |
//! | `metadata.rs` | what is kept of it |
//! | `watch.rs` | cancel and time |

mod animation;
mod blocks;
mod budget;
mod colour;
mod contact_sheet;
mod convert;
mod decode;
mod encode;
mod face;
mod facts;
mod format;
mod jpeg;
mod jpeg_markers;
mod metadata;
mod options;
mod orientation;
mod plan;
mod planes;
mod png;
mod png_rows;
mod pool;
mod raster;
mod report;
mod resize;
mod search;
mod similar;
mod tiff;
mod watch;

pub use contact_sheet::{ContactSheet, SheetOptions, contact_sheet};
pub use convert::{to_bytes, to_file};
pub use face::{FaceOptions, face_photo};
pub use facts::{Facts, probe};
pub use format::Format;
pub use options::{Coding, Keep, Options};
pub use pool::{Job, Pool, PoolSize};
pub use report::Report;

pub use crate::still::{Fit, Size};
