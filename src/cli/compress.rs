//! `flatbed compress`: fewer bytes.

use flatbed_media::render::Operation;
use flatbed_media::render::operation::{BitRate, Compress, Preset, Quality};

use super::failure::Failure;
use super::video::VideoArgs;

const EXAMPLES: &str = "\
Examples:
  flatbed compress recording.mp4 -o small.mp4
  flatbed compress recording.mp4 --quality low --max-bitrate 1M -o smaller.mp4
  flatbed compress recording.mp4 --target-bytes 25000000 -o mail.mp4
  flatbed compress recording.mp4 --target-ssim 0.95 -o like.mp4";

/// Make a recording smaller
///
/// By a quality (the default, medium), a size that is not exceeded, or how like
/// the original the pictures must look.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// low, medium or high
    #[arg(long, value_name = "WORD", group = "aim")]
    quality: Option<Quality>,

    /// The quality on the codec's own scale: less is better
    #[arg(long, value_name = "CRF", group = "aim")]
    crf: Option<f32>,

    /// How large the file is at most
    #[arg(long, value_name = "BYTES", group = "aim")]
    target_bytes: Option<u64>,

    /// How like the original the pictures look: 0.5 to 1, as SSIM of luma
    #[arg(long, value_name = "SSIM", group = "aim")]
    target_ssim: Option<f64>,

    /// How many bits a second the pictures take at most
    #[arg(long, value_name = "RATE")]
    max_bitrate: Option<BitRate>,

    /// How long the encoder looks for savings: ultrafast to veryslow
    #[arg(long, value_name = "PRESET")]
    preset: Option<Preset>,

    #[command(flatten)]
    video: VideoArgs,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut compress = Compress::default();
    compress.quality = arguments.quality;
    compress.crf = arguments.crf;
    compress.target_bytes = arguments.target_bytes;
    compress.target_ssim = arguments.target_ssim;
    compress.max_bitrate = arguments.max_bitrate;
    compress.preset = arguments.preset;
    arguments.video.run(Operation::Compress(compress), &[])
}
