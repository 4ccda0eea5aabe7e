//! What one call may cost.

use std::time::Duration;

/// Limits that are checked before memory is taken or work is begun. They bound
/// what a hostile input can cost; the defaults let every ordinary recording
/// through.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The most pixels of one picture (width x height).
    pub max_pixels: u64,
    /// The most streams of one input.
    pub max_streams: usize,
    /// The most inputs of one call.
    pub max_inputs: usize,
    /// The longest output.
    pub max_duration: Duration,
    /// The most bytes of packets held back at one time, which is about one GOP.
    pub max_buffered_bytes: usize,
    /// Of photos and other single images.
    pub image: ImageLimits,
}

/// What one image may cost. They are checked when its header is read, before
/// memory is taken for its pixels.
#[derive(Debug, Clone)]
pub struct ImageLimits {
    /// The most bytes of the file.
    pub max_bytes: u64,
    /// The most pixels of one picture (width x height), in and out.
    pub max_pixels: u64,
    /// The most pictures of an animation.
    pub max_frames: u64,
    /// The most pixels of all pictures of an animation.
    pub max_animation_pixels: u64,
    /// The longest that one image may take.
    pub max_time: Duration,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_pixels: 50_000_000,
            max_frames: 1000,
            max_animation_pixels: 250_000_000,
            max_time: Duration::from_secs(60),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // 16384 x 16384: beyond what H.264 and HEVC levels allow.
            max_pixels: 1 << 28,
            max_streams: 64,
            max_inputs: 200_000,
            max_duration: Duration::from_secs(7 * 24 * 3600),
            max_buffered_bytes: 1 << 30,
            image: ImageLimits::default(),
        }
    }
}
