//! `flatbed normalize`: what analysing a recording begins with.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::ValueHint;
use flatbed_media::normalize::{
    self, Options, Outputs, Proxy, Report, Silence, Sound, SoundOutput,
};
use flatbed_media::render::operation::FrameRate;
use flatbed_media::{Container, Output, Timestamp};
use indicatif::HumanBytes;
use serde::Serialize;

use super::failure::{Failure, one_line};
use super::pictures::{self, Running};
use super::scene_options::{SceneArgs, SceneFacts};
use super::segments;

const EXAMPLES: &str = "\
Examples:
  flatbed normalize interview.mov -o analysis
  flatbed normalize interview.mov --scenes -o analysis --json | jq .sound.silences
  flatbed normalize call.mp4 --no-proxy --silence-level -40 --silence-length 1s -o analysis
  flatbed normalize drone.mp4 --short-side 480 --fps 10 --no-sound -o analysis";

/// Make a proxy and plain sound of a recording, to analyse, in one pass
///
/// DIR/proxy.mp4 is H.264 of at most 720p with a constant frame rate, upright
/// and with square pixels. DIR/sound.wav has 16000 samples a second, one
/// channel, 16 bits. Both begin at the same time. Silent parts are told.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The recording; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// The folder for proxy.mp4 and sound.wav
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

    #[command(flatten)]
    scenes: SceneArgs,

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
            arguments.running.check_overwriting(path, &arguments.file)?;
        }
    }
    let input = segments::open(&arguments.file)?;
    let (bar, context) = arguments.running.start()?;
    let folder = arguments.folder()?;
    let outputs = Outputs {
        proxy: (!arguments.no_proxy).then(|| Output::path_as(&proxy, Container::Mp4)),
        sound: (!arguments.no_sound).then(|| SoundOutput::path(&sound)),
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
            elapsed_ms: pictures::milliseconds(started),
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
        Ok(Options {
            short_side: self.short_side,
            frame_rate: self.fps,
            quality: self.crf,
            silence: Silence {
                threshold: self.silence_level,
                least: self.silence_length,
            },
            scenes: self.with_scenes.then_some(scenes),
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
    for note in &report.notes {
        let _ = writeln!(text, "note: {}", one_line(note));
    }
    text
}
