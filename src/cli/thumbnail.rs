//! `flatbed thumbnail`: single pictures of a recording.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ValueEnum, ValueHint};
use flatbed_media::cut::Position;
use flatbed_media::still::{self, Fit, Format, Moments, Options, Picture, Place, Size, Style};
use indicatif::HumanBytes;
use serde::Serialize;

use super::failure::{Failure, one_line};
use super::overwriting::Overwriting;
use super::running::{self, Running};
use super::segments;
use super::stdio::{MediaStdout, STDOUT};

const EXAMPLES: &str = "\
Examples:
  flatbed thumbnail recording.mp4 -o poster.jpg
  flatbed thumbnail recording.mp4 --at 1:02.5 --at 50% --size 320x240 -o thumbnails
  flatbed thumbnail recording.mp4 --count 10 --size 320x --skip-black -o thumbnails
  flatbed thumbnail recording.mp4 --at 10s --format webp -o - >poster.webp";

/// Take single pictures of a recording
///
/// Each shows the frame that is seen at its time, upright, with square pixels,
/// in the colours of a standard screen.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The recording; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// When: a time, or a part of the whole as 50%; may be given many times
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    #[arg(conflicts_with = "count")]
    at: Vec<Position>,

    /// So many, spread evenly [default without --at: 1, in the middle]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    /// How large, in pixels: 320x240, 320x or x240 [default: as it is shown]
    #[arg(long, value_name = "SIZE", value_parser = word::<Size>)]
    size: Option<Size>,

    /// What happens where the recording has another shape than SIZE
    #[arg(long, value_name = "HOW", default_value = "contain")]
    fit: FitArg,

    /// How the pictures are coded [default: by OUT's extension, else jpeg]
    #[arg(long, value_name = "FORMAT")]
    #[arg(value_parser = PossibleValuesParser::new(["jpeg", "png", "webp"])
        .try_map(|name| name.parse::<Format>()))]
    format: Option<Format>,

    /// From 1 (small) to 100 (good); PNG is lossless
    #[arg(long, value_name = "Q", default_value = "80")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,

    /// Take a later picture instead of a black one
    #[arg(long)]
    skip_black: bool,

    /// Take the keyframe at or before each time: faster, less exact
    #[arg(long)]
    keyframes: bool,

    /// The file to write, or for more than one picture a folder; - is standard output
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::AnyPath)]
    output: PathBuf,

    #[command(flatten)]
    overwriting: Overwriting,

    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FitArg {
    /// All of it is shown, without bars
    Contain,
    /// The size is filled, what stands over is cut off
    Cover,
    /// The size is filled, the shape is not kept
    Stretch,
}

/// What was done, for programs; times are in seconds.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    output: String,
    pictures: Vec<Told<'a>>,
    elapsed_ms: u64,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    file: &'a str,
    asked: f64,
    time: f64,
    width: u32,
    height: u32,
    bytes: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let options = arguments.options();
    let (place, output) = arguments.place(&options)?;
    let input = segments::open(&arguments.file)?;
    let (bar, context) = arguments.running.start()?;
    let report = still::thumbnails(input, &options, place, &context)?;
    drop(bar);
    arguments.running.tell(
        &Summary {
            output,
            pictures: report.pictures.iter().map(told).collect(),
            elapsed_ms: running::milliseconds(started),
            notes: &report.notes,
        },
        || text(&report.pictures, &report.notes),
    )
}

impl Arguments {
    fn options(&self) -> Options {
        let moments = match (self.at.as_slice(), self.count) {
            ([], count) => Moments::Spread(count.unwrap_or(1)),
            (at, _) => Moments::At(at.to_vec()),
        };
        let format = self.format.or_else(|| Format::of_path(&self.output));
        Options {
            moments,
            style: Style {
                size: self.size,
                fit: match self.fit {
                    FitArg::Contain => Fit::Contain,
                    FitArg::Cover => Fit::Cover,
                    FitArg::Stretch => Fit::Stretch,
                },
                format: format.unwrap_or_default(),
                quality: self.quality,
            },
            skip_black: self.skip_black,
            keyframes: self.keyframes,
            ..Options::default()
        }
    }

    /// Where the pictures go, which is none of what somebody may miss, and the
    /// name of that.
    fn place(&self, options: &Options) -> Result<(Place, String), Failure> {
        let count = options.moments.count();
        let format = options.style.format;
        if self.output.as_os_str() == "-" {
            if count > 1 {
                return Err(Failure::usage(format!(
                    "standard output takes one picture, not {count}: name a folder"
                )));
            }
            self.running.check_stdout()?;
            let (stream, _) = MediaStdout::open()?;
            return Ok((Place::live(STDOUT, stream), STDOUT.to_owned()));
        }
        let name = self.output.display().to_string();
        let place = if count == 1 && !is_folder(&self.output, self.format) {
            Place::file(&self.output)
        } else {
            Place::folder(&self.output, "thumbnail")
        };
        for number in 0..count {
            let path = place.name(number, format);
            self.overwriting.check(&path, &[&self.file])?;
        }
        Ok((place, name))
    }
}

/// Whether OUT names a folder, or is one, where one picture would go to a file.
fn is_folder(output: &Path, format: Option<Format>) -> bool {
    let slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    let named =
        Format::of_path(output).is_some() || format.is_some() && output.extension().is_some();
    slash || output.is_dir() || !named && !output.exists()
}

fn told(picture: &Picture) -> Told<'_> {
    Told {
        file: &picture.name,
        asked: picture.asked.as_secs_f64(),
        time: picture.time.as_secs_f64(),
        width: picture.width,
        height: picture.height,
        bytes: picture.bytes,
    }
}

fn text(pictures: &[Picture], notes: &[String]) -> String {
    let mut text = String::new();
    for picture in pictures {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{}: {}, {}x{}, {}",
            one_line(&picture.name),
            picture.time,
            picture.width,
            picture.height,
            HumanBytes(picture.bytes),
        );
    }
    for note in notes {
        let _ = writeln!(text, "note: {}", one_line(note));
    }
    text
}

/// What a text stands for; clap wants the message alone.
fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}
