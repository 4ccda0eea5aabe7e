//! Single pictures out of a recording: thumbnails, sprite sheets, frames at
//! chosen times.
//!
//! | file | what it does |
//! |---|---|
//! | `style.rs` | what a picture is to be: size, fit, format, quality |
//! | `layout.rs` | the rule of sizes: what part of a frame becomes how large a picture |
//! | `shape.rs`, `turn.rs` | a decoded frame becomes that picture: fields, colours, size, rotation |
//! | `picture.rs` | the picture's bytes, as JPEG, PNG or WebP |
//! | `batch.rs` | the files of one run: all of them or none |

mod batch;
mod layout;
mod picture;
mod shape;
mod style;
mod turn;

#[allow(
    unused_imports,
    reason = "for the renderer, which has thumbnails of its own"
)]
pub(crate) use {batch::Batch, picture::encode, shape::Shaper};

pub use style::{Fit, Format, Size, Style, UnknownWord};
