//! `flatbed normalize`: what analysing a recording begins with.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::ValueHint;
use flatbed_media::normalize::{
    self, FrameOptions, FrameOutput, Options, Outputs, Proxy, Report, SceneFrame, Silence, Sound,
    SoundOutput,
};
use flatbed_media::render::operation::FrameRate;
use flatbed_media::still::{Format, Place};
use flatbed_media::{Container, Output, Timestamp};
use indicatif::HumanBytes;
use serde::Serialize;

use super::failure::{Failure, one_line};
use super::overwriting::Overwriting;
use super::running::{self, Running};
use super::scene_options::{SceneArgs, SceneFacts};
use super::segments;

const EXAMPLES: &str = "\
Examples:
  flatbed normalize interview.mov -o analysis
  flatbed normalize interview.mov --scenes -o analysis --json | jq .sound.silences
  flatbed normalize interview.mov --frames 50 -o analysis
  flatbed normalize call.mp4 --no-proxy --silence-level -40 --silence-length 1s -o analysis
  flatbed normalize drone.mp4 --short-side 480 --fps 10 --no-sound -o analysis";

/// Make a proxy and plain sound of a recording, to analyse, in one pass
///
/// DIR/proxy.mp4 is H.264 of at most 720p with a constant frame rate, upright
/// and with square pixels. DIR/sound.wav has 16000 samples a second, one
/// channel, 16 bits. Both begin at the same time. Silent parts are told.
/// With --frames, DIR/frame-1.jpg and so on stand for the scenes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The recording; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// The folder for proxy.mp4, sound.wav and frames
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: PathBuf,

    /// How many pixels the proxy's shorter side has at most
    #[arg(long, value_name = "PIXELS", default_value = "720")]
    #[arg(value_parser = clap::value_parser!(u32).range(16..=4320))]
    short_side: u32,

    /// The proxy's frames a second [default: the recording's, halved until 30 or fewer]
    #[arg(long, value_name = "RATE")]
    fps: Option<FrameRate>,

    /// The proxy's x264 rate factor: less is better and larger
    #[arg(long, value_name = "CRF", default_value = "23")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=51))]
    crf: u8,

    /// Below which level sound is silence, in dBFS
    #[arg(
        long,
        value_name = "DB",
        default_value = "-50",
        allow_negative_numbers = true
    )]
    silence_level: f64,

    /// How long silence lasts at least to be told
    #[arg(long, value_name = "T", default_value = "0.5s")]
    silence_length: Timestamp,

    /// Make no proxy
    #[arg(long, conflicts_with = "no_sound")]
    no_proxy: bool,

    /// Make no sound file
    #[arg(long)]
    no_sound: bool,

    /// Find the scenes too
    #[arg(long = "scenes")]
    with_scenes: bool,

    /// Make a picture of each scene, within 1280x1280 pixels, or of so many scenes
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    frames: Option<u32>,

    #[command(flatten)]
    scenes: SceneArgs,

    #[command(flatten, next_help_heading = None)]
    overwriting: Overwriting,

    #[command(flatten, next_help_heading = None)]
    running: Running,
}

/// What was done, for programs; times are in seconds.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    output: String,
    proxy: Option<ProxyFacts>,
    sound: Option<SoundFacts>,
    scenes: Option<Vec<SceneFacts>>,
    frames: Option<Vec<FrameFacts<'a>>>,
    elapsed_ms: u64,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct ProxyFacts {
    file: String,
    width: u32,
    height: u32,
    frame_rate: f64,
    frames: u64,
    duration: f64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct FrameFacts<'a> {
    file: &'a str,
    /// Of which scene, counted from 0.
    scene: usize,
    time: f64,
    width: u32,
    height: u32,
    bytes: u64,
    /// Black or of one colour, for want of another.
    blank: bool,
}

#[derive(Debug, Serialize)]
struct SoundFacts {
    file: String,
    duration: f64,
    bytes: u64,
    silences: Vec<SpanFacts>,
}

#[derive(Debug, Serialize)]
struct SpanFacts {
    start: f64,
    end: f64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let options = arguments.options()?;
    let proxy = arguments.output.join("proxy.mp4");
    let sound = arguments.output.join("sound.wav");
    for (path, made) in [(&proxy, !arguments.no_proxy), (&sound, !arguments.no_sound)] {
        if made {
            arguments.overwriting.check(path, &[&arguments.file])?;
        }
    }
    if let Some(most) = arguments.frames {
        let place = Place::folder(&arguments.output, "frame");
        for number in 0..usize::try_from(most).unwrap_or(usize::MAX) {
            let path = place.name(number, Format::Jpeg);
            arguments.overwriting.check(&path, &[&arguments.file])?;
        }
    }
    let input = segments::open(&arguments.file)?;
    let (bar, context) = arguments.running.start()?;
    let folder = arguments.folder()?;
    let outputs = Outputs {
        proxy: (!arguments.no_proxy).then(|| Output::path_as(&proxy, Container::Mp4)),
        sound: (!arguments.no_sound).then(|| SoundOutput::path(&sound)),
        frames: arguments
            .frames
            .map(|_| FrameOutput::folder(&arguments.output)),
    };
    let report = normalize::normalize(input, outputs, &options, &context);
    drop(bar);
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            if folder.is_new {
                // It stays where something else is in it by now.
                let _ = fs::remove_dir(&arguments.output);
            }
            return Err(error.into());
        }
    };
    let name = |path: &PathBuf| path.display().to_string();
    arguments.running.tell(
        &Summary {
            output: name(&arguments.output),
            proxy: report
                .proxy
                .as_ref()
                .map(|facts| of_proxy(name(&proxy), facts)),
            sound: report
                .sound
                .as_ref()
                .map(|facts| of_sound(name(&sound), facts)),
            scenes: report
                .scenes
                .as_ref()
                .map(|found| SceneFacts::of(&found.scenes)),
            frames: report
                .frames
                .as_ref()
                .map(|frames| frames.iter().map(of_frame).collect()),
            elapsed_ms: running::milliseconds(started),
            notes: &report.notes,
        },
        || text(&report, &name(&proxy), &name(&sound)),
    )
}

/// The folder for the results.
struct Folder {
    is_new: bool,
}

impl Arguments {
    fn options(&self) -> Result<Options, Failure> {
        if !(-120.0..=0.0).contains(&self.silence_level) {
            return Err(Failure::usage("--silence-level must be from -120 to 0"));
        }
        let scenes = self.scenes.options()?;
        let with_scenes = self.with_scenes || self.frames.is_some();
        let defaults = FrameOptions::default();
        let most = self.frames.and_then(|most| usize::try_from(most).ok());
        Ok(Options {
            short_side: self.short_side,
            frame_rate: self.fps,
            quality: self.crf,
            silence: Silence {
                threshold: self.silence_level,
                least: self.silence_length,
            },
            scenes: with_scenes.then_some(scenes),
            frames: FrameOptions {
                most: most.unwrap_or(defaults.most),
                ..defaults
            },
        })
    }

    fn folder(&self) -> Result<Folder, Failure> {
        let name = self.output.display().to_string();
        match fs::create_dir(&self.output) {
            Ok(()) => Ok(Folder { is_new: true }),
            Err(_) if self.output.is_dir() => Ok(Folder { is_new: false }),
            Err(_) if self.output.exists() => {
                Err(Failure::usage(format!("{name}: is not a folder")))
            }
            Err(error) => Err(Failure::io(name, error)),
        }
    }
}

fn of_proxy(file: String, proxy: &Proxy) -> ProxyFacts {
    let (num, den) = proxy.frame_rate;
    ProxyFacts {
        file,
        width: proxy.width,
        height: proxy.height,
        frame_rate: f64::from(num) / f64::from(den),
        frames: proxy.frames,
        duration: proxy.duration.as_secs_f64(),
        bytes: proxy.bytes,
    }
}

fn of_frame(frame: &SceneFrame) -> FrameFacts<'_> {
    FrameFacts {
        file: &frame.name,
        scene: frame.scene,
        time: frame.time.as_secs_f64(),
        width: frame.width,
        height: frame.height,
        bytes: frame.bytes,
        blank: frame.blank,
    }
}

fn of_sound(file: String, sound: &Sound) -> SoundFacts {
    let silences = sound.silences.iter().map(|span| SpanFacts {
        start: span.start.as_secs_f64(),
        end: span.end.as_secs_f64(),
    });
    SoundFacts {
        file,
        duration: sound.duration.as_secs_f64(),
        bytes: sound.bytes,
        silences: silences.collect(),
    }
}

fn text(report: &Report, proxy: &str, sound: &str) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    if let Some(facts) = &report.proxy {
        let (num, den) = facts.frame_rate;
        let _ = writeln!(
            text,
            "{}: {}x{}, {:.3} fps, {}, {}",
            one_line(proxy),
            facts.width,
            facts.height,
            f64::from(num) / f64::from(den),
            facts.duration,
            HumanBytes(facts.bytes)
        );
    }
    if let Some(facts) = &report.sound {
        let _ = writeln!(
            text,
            "{}: {}, {}",
            one_line(sound),
            facts.duration,
            HumanBytes(facts.bytes)
        );
        for span in &facts.silences {
            let _ = writeln!(text, "silent: {} to {}", span.start, span.end);
        }
    }
    for scene in report.scenes.iter().flat_map(|found| &found.scenes) {
        let _ = writeln!(text, "scene: {} to {}", scene.span.start, scene.span.end);
    }
    for frame in report.frames.iter().flatten() {
        let _ = writeln!(
            text,
            "{}: scene {}, {}, {}x{}",
            one_line(&frame.name),
            frame.scene + 1,
            frame.time,
            frame.width,
            frame.height
        );
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {}", one_line(note));
    }
    text
}
