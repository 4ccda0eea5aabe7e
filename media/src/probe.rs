//! What a file is: its container and its streams.

use crate::av::demux::Demuxer;
use crate::av::parameters::Medium;
use crate::av::stream::Stream;
use crate::time::Timestamp;
use crate::{Context, Error, Input, Result};

/// What a file is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MediaInfo {
    /// The demuxer's names, as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format: String,
    /// How long it is, where that is known or can be estimated.
    pub duration: Option<Timestamp>,
    /// When the first stream starts.
    pub start: Option<Timestamp>,
    /// In bytes, where it is known.
    pub bytes: Option<u64>,
    /// In bits a second, over all streams.
    pub bit_rate: Option<i64>,
    /// In the container's order.
    pub streams: Vec<StreamInfo>,
}

/// What a stream is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StreamInfo {
    /// Its place in the container.
    pub index: usize,
    /// FFmpeg's name of the codec, as `h264`.
    pub codec: String,
    /// As `High` or `LC`.
    pub profile: Option<String>,
    /// In bits a second.
    pub bit_rate: Option<i64>,
    /// When it starts.
    pub start: Option<Timestamp>,
    /// How long it is.
    pub duration: Option<Timestamp>,
    /// As `eng`.
    pub language: Option<String>,
    /// What only one kind of stream has.
    pub kind: StreamKind,
}

/// What only one kind of stream has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StreamKind {
    /// Moving pictures.
    Video {
        /// In pixels, before any rotation.
        width: u32,
        /// In pixels.
        height: u32,
        /// As `yuv420p`; empty where it is not known.
        pixel_format: String,
        /// The codec's own number of the level, as 41 for H.264's 4.1.
        level: Option<i32>,
        /// In frames a second, as a fraction.
        frame_rate: Option<(u32, u32)>,
        /// Clockwise, in degrees, that a player turns the picture by.
        rotation: u32,
        /// Range, space, transfer and primaries, as FFmpeg names them.
        colour: [String; 4],
        /// Whether the frames hold two fields.
        interlaced: bool,
    },
    /// Sound.
    Audio {
        /// In Hz.
        sample_rate: u32,
        /// How many.
        channels: u32,
    },
    /// Subtitles.
    Subtitle,
    /// A cover picture.
    Picture,
    /// Anything else: data, attachments.
    Data,
}

/// Reads what `input` is, without reading all of it.
pub fn probe(mut input: Input, context: &Context) -> Result<MediaInfo> {
    let demuxer = Demuxer::open(&mut input, true, context)?;
    info(demuxer, input.name())
}

/// Reads what a single picture is that a watermark can be made of: PNG, JPEG,
/// WebP, BMP or GIF.
pub fn probe_picture(mut input: Input, context: &Context) -> Result<MediaInfo> {
    let demuxer = Demuxer::open_picture(&mut input, context)?;
    info(demuxer, input.name())
}

fn info(mut demuxer: Demuxer, name: &str) -> Result<MediaInfo> {
    if demuxer.streams().is_empty() {
        return Err(Error::malformed(name, "no streams in it"));
    }
    let streams = demuxer
        .streams()
        .iter()
        .enumerate()
        .map(|(index, stream)| describe(index, stream))
        .collect();
    Ok(MediaInfo {
        format: demuxer.format().to_owned(),
        duration: demuxer.duration(),
        start: demuxer.start(),
        bytes: demuxer.size().and_then(|size| u64::try_from(size).ok()),
        bit_rate: demuxer.bit_rate(),
        streams,
    })
}

fn describe(index: usize, stream: &Stream) -> StreamInfo {
    let parameters = &stream.parameters;
    let unsigned = |value: i32| u32::try_from(value).unwrap_or(0);
    let kind = match parameters.medium() {
        Medium::Video if stream.attached_picture => StreamKind::Picture,
        Medium::Video => StreamKind::Video {
            width: unsigned(parameters.width()),
            height: unsigned(parameters.height()),
            pixel_format: parameters.pixel_format_name().to_owned(),
            level: parameters.level(),
            frame_rate: stream.frame_rate.map(|frame| (frame.den(), frame.num())),
            rotation: unsigned(stream.rotation),
            colour: parameters.colour_names().map(str::to_owned),
            interlaced: parameters.is_interlaced(),
        },
        Medium::Audio => StreamKind::Audio {
            sample_rate: unsigned(parameters.sample_rate()),
            channels: unsigned(parameters.channels()),
        },
        Medium::Subtitle => StreamKind::Subtitle,
        Medium::Other => StreamKind::Data,
    };
    let time = |ticks: Option<i64>| ticks.map(|ticks| stream.time_base.timestamp(ticks));
    StreamInfo {
        index,
        codec: parameters.codec_name().to_owned(),
        profile: parameters.profile_name().map(str::to_owned),
        bit_rate: parameters.bit_rate(),
        start: time(stream.start),
        duration: time(stream.duration),
        language: stream.language.clone(),
        kind,
    }
}
