//! Thumbnails, frames and sprite sheets: which frame is shown, and how.
//!
//! [`studio`] takes pictures in a folder of its own, [`seen`] looks at them
//! through ffmpeg's command line.

mod colours;
mod exact;
mod failures;
mod formats;
mod moments;
pub mod seen;
mod shapes;
mod sprites;
mod studio;
mod ways_in;
