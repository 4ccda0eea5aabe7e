//! `flatbed convert`: another container, encoding only what must be.

use flatbed_media::render::Operation;
use flatbed_media::render::operation::{AudioCodec, Convert, VideoCodec};

use super::failure::Failure;
use super::video::VideoArgs;

const EXAMPLES: &str = "\
Examples:
  flatbed convert recording.avi -o recording.mp4
  flatbed convert camera.ts --audio-codec none -o camera.mkv
  flatbed convert recording.mp4 --explain -o recording.webm";

/// Put a recording into another container
///
/// What the container takes is copied as it is; only the rest is encoded.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The codec that the pictures must have; others are encoded
    #[arg(long, value_name = "CODEC")]
    video_codec: Option<VideoCodec>,

    /// The codec that the sound must have, or none
    #[arg(long, value_name = "CODEC")]
    audio_codec: Option<AudioCodec>,

    #[command(flatten)]
    video: VideoArgs,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut convert = Convert::default();
    convert.video_codec = arguments.video_codec;
    convert.audio_codec = arguments.audio_codec;
    arguments.video.run(Operation::Convert(convert), &[])
}
