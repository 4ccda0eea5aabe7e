//! A folder to run the program in, the recordings that lie in it, and what
//! other programs say of the results.

pub mod eposh;
#[allow(
    dead_code,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the engine's tests have their own lints"
)]
pub mod fixture;
mod folder;
pub mod hikcentral;
mod judge;
pub mod models;
pub mod nvr;
#[allow(
    dead_code,
    clippy::cast_possible_truncation,
    reason = "the engine's tests have their own lints"
)]
pub mod observe;
mod recording;
pub mod s3_server;

pub use folder::{Folder, Run, wait_until};
pub use judge::{container, picture_size, shown_frames, shown_frames_of};
pub use recording::{FRAMES, RATE, made};
