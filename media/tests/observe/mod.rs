//! What a result really shows, seen without this library: through Debian's `ffmpeg` and `ffprobe`
//! command lines, and a box walker of our own for what they do not tell.
//!
//! * [`shown`]: number, time and checksum of each frame that a player shows.
//! * [`packets`], [`check_order`], [`check_even`]: what the container says about each packet.
//! * [`similarity`]: how like the source each frame looks (SSIM).
//! * [`in_step`], [`lag`]: how far the sound is off the picture.
//! * [`Movie`]: the boxes of an MP4 or MOV file.
//!
//! Any warning of ffmpeg's is a failure, unless the test names it (the `_despite` functions).

mod boxes;
mod packets;
mod shown;
mod similar;
mod sound;
mod tool;

mod trial;

pub use boxes::{Atom, Edit, Movie, Track};
pub use packets::{Packet, check_even, check_order, packets, packets_of};
pub use shown::{Luma, Shown, numbers, shown, shown_despite, watch};
pub use similar::{similarity, ssim};
pub use sound::{Hole, Lag, Sound, Step, in_step, lag};
pub use tool::{probe, stream};
