//! `flatbed frames`: a picture for each scene, or for so many of them.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::ValueHint;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use flatbed_media::cut::Position;
use flatbed_media::still::{self, Format, Picture, Place, Size, Style};
use flatbed_media::{Input, scene};
use serde::Serialize;

use super::failure::{Failure, one_line};
use super::overwriting::Overwriting;
use super::running::{self, Running};
use super::scene_options::SceneArgs;
use super::segments;

const EXAMPLES: &str = "\
Examples:
  flatbed frames interview.mp4 --max 10 -o frames
  flatbed frames interview.mp4 --max 50 --size x720 --format webp -o frames
  flatbed frames interview.mp4 --max 10 -o frames --json | jq '.frames[].time'";

/// Take a picture out of each scene, of at most so many scenes
///
/// The first and the last scene are always among them, the others lie evenly
/// between. The picture is the one in the middle of its scene.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The video; it is read twice, so it cannot be a pipe
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// How many pictures at most
    #[arg(long, value_name = "N", default_value = "50")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max: u32,

    /// The folder for frame-1.jpg and so on
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: PathBuf,

    /// How large, in pixels: 320x240, 320x or x240 [default: as it is shown]
    #[arg(long, value_name = "SIZE", value_parser = |text: &str| text.parse::<Size>().map_err(|error| error.to_string()))]
    size: Option<Size>,

    /// How the pictures are coded
    #[arg(long, value_name = "FORMAT", default_value = "jpeg")]
    #[arg(value_parser = PossibleValuesParser::new(["jpeg", "png", "webp"])
        .try_map(|name| name.parse::<Format>()))]
    format: Format,

    /// From 1 (small) to 100 (good); PNG is lossless
    #[arg(long, value_name = "Q", default_value = "80")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,

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
    scenes: usize,
    frames: Vec<Told<'a>>,
    elapsed_ms: u64,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    file: &'a str,
    /// Of which scene, counted from 0.
    scene: usize,
    time: f64,
    width: u32,
    height: u32,
    bytes: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let options = arguments.scenes.options()?;
    if segments::is_stdin(&arguments.file) {
        return Err(Failure::usage(
            "standard input cannot be read twice: name a file",
        ));
    }
    if fs::metadata(&arguments.output).is_ok_and(|there| !there.is_dir()) {
        return Err(Failure::usage(format!(
            "{}: is not a folder",
            arguments.output.display()
        )));
    }
    let (bar, context) = arguments.running.start()?;
    let found = scene::detect(Input::path(&arguments.file), &options, &context)?;
    let most = usize::try_from(arguments.max).unwrap_or(usize::MAX);
    let chosen = scene::choose(found.scenes.len(), most);
    let place = Place::folder(&arguments.output, "frame");
    for number in 0..chosen.len() {
        let path = place.name(number, arguments.format);
        arguments.overwriting.check(&path, &[&arguments.file])?;
    }
    let times = chosen
        .iter()
        .filter_map(|&at| found.scenes.get(at))
        .map(|scene| Position::Time(scene.middle()))
        .collect();
    let style = Style {
        size: arguments.size,
        format: arguments.format,
        quality: arguments.quality,
        ..Style::default()
    };
    let input = Input::path(&arguments.file);
    let report = still::frames(input, times, style, place, &context)?;
    drop(bar);
    let summary = Summary {
        output: arguments.output.display().to_string(),
        scenes: found.scenes.len(),
        frames: report.pictures.iter().zip(chosen).map(told).collect(),
        elapsed_ms: running::milliseconds(started),
        notes: &report.notes,
    };
    arguments
        .running
        .tell(&summary, || text(&summary.frames, summary.notes))
}

fn told((picture, scene): (&Picture, usize)) -> Told<'_> {
    Told {
        file: &picture.name,
        scene,
        time: picture.time.as_secs_f64(),
        width: picture.width,
        height: picture.height,
        bytes: picture.bytes,
    }
}

fn text(frames: &[Told<'_>], notes: &[String]) -> String {
    let mut text = String::new();
    for frame in frames {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{}: scene {}, {:.3} s, {}x{}",
            one_line(frame.file),
            frame.scene + 1,
            frame.time,
            frame.width,
            frame.height,
        );
    }
    for note in notes {
        let _ = writeln!(text, "note: {}", one_line(note));
    }
    text
}
