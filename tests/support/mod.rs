//! A folder to run the program in, the recordings that lie in it, and what
//! other programs say of the results.

mod folder;
mod judge;
mod recording;
pub mod s3_server;

pub use folder::{Folder, Run, wait_until};
pub use judge::{container, picture_size, shown_frames, shown_frames_of};
pub use recording::{FRAMES, RATE, made};
