//! Scenes: found where they are, by both detectors, in all kinds of video.

mod film;
mod find;
mod kinds;
mod reference;
mod same;

pub use film::{Film, H264};
