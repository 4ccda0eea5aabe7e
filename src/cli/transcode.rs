//! `flatbed transcode`: another codec, size or rate.

use flatbed_media::render::Operation;
use flatbed_media::render::operation::{
    AudioCodec, BitRate, Fit, FrameRate, PixelFormat, Preset, Resolution, Transcode, VideoCodec,
};

use super::failure::Failure;
use super::video::VideoArgs;

const EXAMPLES: &str = "\
Examples:
  flatbed transcode recording.mov -o recording.mp4
  flatbed transcode recording.mp4 --resolution x720 --bitrate 1M --preset veryfast -o small.mp4
  flatbed transcode recording.mp4 --codec av1 --crf 35 --audio-codec opus -o recording.webm
  flatbed transcode recording.mp4 --bitrate 2M --two-pass --fps 25 -o film.mp4";

/// Encode a recording anew: another codec, size or rate
///
/// What is not named stays as it is: size, frame rate and colours; sound is
/// copied where the container takes it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// h264, hevc, vp9, vp8, av1, mpeg4, or copy [default: what suits OUT]
    #[arg(long, value_name = "CODEC")]
    codec: Option<VideoCodec>,

    /// How many bits a second the pictures take on average: 1000k, 2.5M
    #[arg(long, value_name = "RATE")]
    bitrate: Option<BitRate>,

    /// The quality on the codec's own scale, instead of --bitrate: less is better
    #[arg(long, value_name = "CRF", conflicts_with = "bitrate")]
    crf: Option<f32>,

    /// How many bits a second the pictures take at most
    #[arg(long, value_name = "RATE")]
    max_bitrate: Option<BitRate>,

    /// The size: 1920x1080, or 1280x or x720 to keep the shape
    #[arg(long, value_name = "SIZE")]
    resolution: Option<Resolution>,

    /// What happens where the pictures have another shape: contain, cover or stretch
    #[arg(long, value_name = "HOW", requires = "resolution")]
    fit: Option<Fit>,

    /// How long the encoder looks for savings: ultrafast to veryslow
    #[arg(long, value_name = "PRESET")]
    preset: Option<Preset>,

    /// A constant number of frames a second: 25, 29.97, 30000/1001
    #[arg(long, value_name = "RATE")]
    fps: Option<FrameRate>,

    /// How colours are stored, by FFmpeg's name: yuv420p, yuv420p10le
    #[arg(long, value_name = "FORMAT")]
    pixel_format: Option<PixelFormat>,

    /// At most so many frames from a keyframe to the next
    #[arg(long, value_name = "N")]
    keyframe_interval: Option<u32>,

    /// aac, opus, mp3, ac3, flac, pcm, copy or none [default: copy where OUT takes it]
    #[arg(long, value_name = "CODEC")]
    audio_codec: Option<AudioCodec>,

    /// How many bits a second the sound takes, all channels together
    #[arg(long, value_name = "RATE")]
    audio_bitrate: Option<BitRate>,

    /// At most so many channels of sound
    #[arg(long, value_name = "N")]
    audio_channels: Option<u32>,

    /// Look at all frames first, to spend the bit rate where it counts
    #[arg(long, requires = "bitrate")]
    two_pass: bool,

    #[command(flatten)]
    video: VideoArgs,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut transcode = Transcode::default();
    transcode.codec = arguments.codec;
    transcode.bitrate = arguments.bitrate;
    transcode.crf = arguments.crf;
    transcode.max_bitrate = arguments.max_bitrate;
    transcode.resolution = arguments.resolution;
    transcode.fit = arguments.fit.unwrap_or_default();
    transcode.preset = arguments.preset;
    transcode.fps = arguments.fps;
    transcode.pixel_format.clone_from(&arguments.pixel_format);
    transcode.keyframe_interval = arguments.keyframe_interval;
    transcode.audio_codec = arguments.audio_codec;
    transcode.audio_bitrate = arguments.audio_bitrate;
    transcode.audio_channels = arguments.audio_channels;
    transcode.two_pass = arguments.two_pass;
    arguments.video.run(Operation::Transcode(transcode), &[])
}
