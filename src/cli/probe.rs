//! `flatbed probe`: what a file is.

use std::path::PathBuf;

use clap::ValueHint;
use flatbed_media::Timestamp;
use flatbed_media::probe::{MediaInfo, StreamInfo, StreamKind};
use serde::Serialize;

use super::failure::Failure;
use super::{probe_text, segments, signals, stdio};

const EXAMPLES: &str = "\
Examples:
  flatbed probe recording.mp4
  flatbed probe recording.mp4 --json | jq .duration
  curl -s URL | flatbed probe -";

/// Tell what a file is: its container, its streams
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The file; - is standard input
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Print all facts as one JSON object: times in seconds, rates in bits a second
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let input = segments::open(&arguments.file)?;
    let name = input.name().to_owned();
    let info = flatbed_media::probe(input, &signals::context()?)?;
    if arguments.json {
        stdio::print_json(&Facts::new(&name, &info))
    } else {
        stdio::print(&probe_text::of(&name, &info))
    }
}

/// The JSON object.
#[derive(Serialize)]
struct Facts<'a> {
    file: &'a str,
    format: &'a str,
    duration: Option<f64>,
    start: Option<f64>,
    bytes: Option<u64>,
    bit_rate: Option<i64>,
    streams: Vec<StreamFacts<'a>>,
}

#[derive(Serialize)]
struct StreamFacts<'a> {
    index: usize,
    #[serde(rename = "type")]
    kind: &'static str,
    codec: &'a str,
    profile: Option<&'a str>,
    bit_rate: Option<i64>,
    start: Option<f64>,
    duration: Option<f64>,
    language: Option<&'a str>,
    #[serde(flatten)]
    details: Option<Details<'a>>,
}

/// What only one kind of stream has.
#[derive(Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Video {
        width: u32,
        height: u32,
        pixel_format: Option<&'a str>,
        level: Option<i32>,
        /// In frames a second.
        frame_rate: Option<f64>,
        /// The same, exactly: `30000/1001`.
        frame_rate_fraction: Option<String>,
        rotation: u32,
        colour: Colour<'a>,
        interlaced: bool,
    },
    Audio {
        sample_rate: u32,
        channels: u32,
    },
}

#[derive(Serialize)]
struct Colour<'a> {
    range: Option<&'a str>,
    space: Option<&'a str>,
    transfer: Option<&'a str>,
    primaries: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn new(file: &'a str, info: &'a MediaInfo) -> Self {
        Self {
            file,
            format: &info.format,
            duration: info.duration.map(Timestamp::as_secs_f64),
            start: info.start.map(Timestamp::as_secs_f64),
            bytes: info.bytes,
            bit_rate: info.bit_rate,
            streams: info.streams.iter().map(StreamFacts::new).collect(),
        }
    }
}

impl<'a> StreamFacts<'a> {
    fn new(stream: &'a StreamInfo) -> Self {
        Self {
            index: stream.index,
            kind: kind(&stream.kind),
            codec: &stream.codec,
            profile: stream.profile.as_deref(),
            bit_rate: stream.bit_rate,
            start: stream.start.map(Timestamp::as_secs_f64),
            duration: stream.duration.map(Timestamp::as_secs_f64),
            language: stream.language.as_deref(),
            details: Details::new(&stream.kind),
        }
    }
}

impl<'a> Details<'a> {
    fn new(kind: &'a StreamKind) -> Option<Self> {
        match kind {
            StreamKind::Video {
                width,
                height,
                pixel_format,
                level,
                frame_rate,
                rotation,
                colour,
                interlaced,
            } => Some(Self::Video {
                width: *width,
                height: *height,
                pixel_format: known(pixel_format),
                level: *level,
                frame_rate: frame_rate.map(|(num, den)| f64::from(num) / f64::from(den)),
                frame_rate_fraction: frame_rate.map(|(num, den)| format!("{num}/{den}")),
                rotation: *rotation,
                colour: Colour {
                    range: known(&colour[0]),
                    space: known(&colour[1]),
                    transfer: known(&colour[2]),
                    primaries: known(&colour[3]),
                },
                interlaced: *interlaced,
            }),
            StreamKind::Audio {
                sample_rate,
                channels,
            } => Some(Self::Audio {
                sample_rate: *sample_rate,
                channels: *channels,
            }),
            _ => None,
        }
    }
}

/// The stream's kind in one word.
pub(super) fn kind(kind: &StreamKind) -> &'static str {
    match kind {
        StreamKind::Video { .. } => "video",
        StreamKind::Audio { .. } => "audio",
        StreamKind::Subtitle => "subtitle",
        StreamKind::Picture => "picture",
        _ => "data",
    }
}

/// A name, unless it says that nothing is known.
fn known(name: &str) -> Option<&str> {
    (!matches!(name, "" | "unknown")).then_some(name)
}
