//! `flatbed render`: a list of operations in one pass.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::ValueHint;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use flatbed_media::Container;
use flatbed_media::render::operation::Thumbnail;
use flatbed_media::render::{self, Operation, Options, Outputs};
use serde::Serialize;

use super::failure::{Failure, one_line};
use super::overwriting::Overwriting;
use super::running::Running;
use super::video::{self, Told, Work};
use super::{segments, stdio};

const EXAMPLES: &str = "\
Examples:
  flatbed render recording.mp4 --ops export.json -o export
  flatbed render recording.mp4 --ops export.json --explain

export.json holds what POST /api/exports takes as \"operations\":
  [{\"type\": \"trim\", \"options\": {\"start\": 5, \"duration\": \"30s\"}},
   {\"type\": \"watermark\", \"options\": {\"image\": \"logo.png\", \"position\": \"top-right\"}},
   {\"type\": \"transcode\", \"options\": {\"resolution\": \"x720\", \"bitrate\": \"1M\"}},
   {\"type\": \"thumbnail\", \"options\": {\"timestamps\": [\"50%\"], \"size\": \"320x240\"}}]";

/// Do a list of operations to a recording, in one pass
///
/// The result is that of one operation after another, but each frame is decoded
/// and encoded once at most, and copied where that suffices. DIR gets
/// video.mp4 (or .mkv, ...) and thumbnail-1.jpg, thumbnail-2.jpg, ...
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The recording; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// A JSON array of operations; - is standard input
    #[arg(long, value_name = "OPS", value_hint = ValueHint::FilePath)]
    ops: PathBuf,

    /// The folder for the results
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(
        required_unless_present = "explain",
        default_value_if("explain", "true", ".")
    )]
    output: Option<PathBuf>,

    /// The container, where no operation names one [default: the recording's]
    #[arg(long, value_name = "FORMAT")]
    #[arg(value_parser = PossibleValuesParser::new(["mp4", "mov", "mkv", "webm", "avi", "ts"])
        .try_map(|name| name.parse::<Container>()))]
    format: Option<Container>,

    /// Say what would be done, and why, and do nothing
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    overwriting: Overwriting,

    #[command(flatten)]
    running: Running,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let operations = arguments.operations()?;
    let mut options = Options::default();
    options.container = arguments.format;
    if arguments.explain {
        return video::explain(&arguments.file, &operations, &options, &arguments.running);
    }
    let folder = arguments.output.clone().unwrap_or_default();
    arguments.check_overwriting(&operations)?;
    let input = segments::open(&arguments.file)?;
    let (bar, context) = arguments.running.start()?;
    let outputs = Outputs::folder(&folder);
    let report = render::render(input, &operations, outputs, &options, &context)?;
    drop(bar);
    let summary = Summary {
        output: folder.display().to_string(),
        files: report.outputs.iter().map(Told::named).collect(),
        work: Work::of(&report, started),
    };
    arguments.running.tell(&summary, || summary.text())
}

impl Arguments {
    fn operations(&self) -> Result<Vec<Operation>, Failure> {
        let name = self.ops.display();
        let json = if segments::is_stdin(&self.ops) {
            if segments::is_stdin(&self.file) {
                return Err(Failure::usage(
                    "FILE and --ops are both standard input: name one",
                ));
            }
            String::from_utf8(stdio::read_to_end()?)
                .map_err(|_| Failure::usage("--ops: standard input is not UTF-8"))?
        } else {
            fs::read_to_string(&self.ops)
                .map_err(|error| Failure::usage(format!("{name}: {error}")))?
        };
        let operations = Operation::list(&json)
            .map_err(|error| Failure::usage(one_line(&format!("{name}: {error}"))))?;
        if operations.is_empty() {
            return Err(Failure::usage(format!(
                "{name}: there is no operation in it"
            )));
        }
        Ok(operations)
    }

    /// The results are none of the files that somebody may miss.
    fn check_overwriting(&self, operations: &[Operation]) -> Result<(), Failure> {
        let folder = self.output.clone().unwrap_or_default();
        let inputs = [&self.file];
        for container in ["mp4", "mov", "mkv", "webm", "avi", "ts"] {
            let video = folder.join(format!("video.{container}"));
            self.overwriting.check(&video, &inputs)?;
        }
        let mut number = 0;
        for operation in operations {
            let Operation::Thumbnail(thumbnail) = operation else {
                continue;
            };
            for _ in 0..count(thumbnail) {
                number += 1;
                let name = format!("thumbnail-{number}.{}", thumbnail.format.extension());
                self.overwriting.check(&folder.join(name), &inputs)?;
            }
        }
        Ok(())
    }
}

fn count(thumbnail: &Thumbnail) -> u32 {
    let times = u32::try_from(thumbnail.timestamps.len()).unwrap_or(u32::MAX);
    thumbnail.count.unwrap_or(times).max(1)
}

/// What was done, for programs; times are in seconds.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    output: String,
    files: Vec<Told<'a>>,
    #[serde(flatten)]
    work: Work<'a>,
}

impl Summary<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for told in &self.files {
            let name = told.file.map(|file| file.display().to_string());
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "{}: {}",
                one_line(&name.unwrap_or_default()),
                told.text()
            );
        }
        let _ = write!(text, "{}: {}", one_line(&self.output), self.work.text());
        text
    }
}
