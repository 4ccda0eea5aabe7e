//! What the commands that do one thing to a video share, and `render` with
//! them: the way from operations over the engine to a summary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueHint;
use flatbed_media::render::{self, Kind, Operation, Options, Outputs, Report, Written};
use indicatif::HumanBytes;
use serde::Serialize;

use super::failure::{Failure, one_line};
use super::output::OutputArgs;
use super::running::{self, Running};
use super::{segments, stdio};

/// A recording in, a file out.
#[derive(Debug, clap::Args)]
pub(super) struct VideoArgs {
    /// The recording; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    #[command(flatten)]
    output: OutputArgs,

    /// Say what would be done, and why, and do nothing
    #[arg(long, help_heading = None)]
    explain: bool,

    #[command(flatten, next_help_heading = None)]
    running: Running,
}

impl VideoArgs {
    /// Does `operation` to the recording, and tells about it. `inputs` are other
    /// files that it reads.
    pub(super) fn run(&self, operation: Operation, inputs: &[&Path]) -> Result<(), Failure> {
        let started = Instant::now();
        operation.validate().map_err(Failure::usage)?;
        let operations = [operation];
        if self.explain {
            let mut options = Options::default();
            options.container = self.output.container()?;
            return explain(&self.file, &operations, &options, &self.running);
        }
        if self.output.is_stdout() {
            self.running.check_stdout()?;
        }
        let mut inputs: Vec<PathBuf> = inputs.iter().map(|path| (*path).to_owned()).collect();
        inputs.push(self.file.clone());
        let place = self.output.place(&inputs)?;
        let input = segments::open(&self.file)?;
        let (bar, context) = self.running.start()?;

        let failure = place.explainer();
        let outputs = Outputs::video(place.output);
        let report = render::render(input, &operations, outputs, &Options::default(), &context)
            .map_err(failure)?;
        drop(bar);

        let video = report.outputs.iter().find(|made| made.kind == Kind::Video);
        let summary = Summary {
            output: &place.name,
            video: video.map(Told::of),
            work: Work::of(&report, started),
        };
        self.running.tell(&summary, || summary.text())
    }
}

/// Prints what would be done.
pub(super) fn explain(
    file: &Path,
    operations: &[Operation],
    options: &Options,
    running: &Running,
) -> Result<(), Failure> {
    let input = segments::open(file)?;
    let (bar, context) = running.start()?;
    let plan = render::plan(input, operations, options, &context)?;
    drop(bar);
    if running.wants_json() {
        stdio::print_json(&plan)
    } else {
        stdio::print(&plan.to_string())
    }
}

/// What was done, for programs; times are in seconds.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    output: &'a str,
    #[serde(flatten)]
    video: Option<Told<'a>>,
    #[serde(flatten)]
    work: Work<'a>,
}

impl Summary<'_> {
    fn text(&self) -> String {
        let mut text = format!("{}: ", one_line(self.output));
        if let Some(video) = &self.video {
            let _ = write!(text, "{}, ", video.text());
        }
        text + &self.work.text()
    }
}

/// A file that was written.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<&'a Path>,
    /// When the frame of a picture is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
    width: u32,
    height: u32,
    bytes: u64,
}

impl<'a> Told<'a> {
    fn of(made: &'a Written) -> Self {
        Self {
            file: None,
            time: made.time.map(flatbed_media::Timestamp::as_secs_f64),
            width: made.width,
            height: made.height,
            bytes: made.bytes,
        }
    }

    /// The same with its name.
    pub(super) fn named(made: &'a Written) -> Self {
        Self {
            file: made.path.as_deref(),
            ..Self::of(made)
        }
    }

    pub(super) fn text(&self) -> String {
        let bytes = HumanBytes(self.bytes);
        match (self.width, self.height) {
            (0, _) | (_, 0) => bytes.to_string(),
            (width, height) => format!("{width}x{height}, {bytes}"),
        }
    }
}

/// What it took.
#[derive(Debug, Serialize)]
pub(super) struct Work<'a> {
    duration: f64,
    frames: u64,
    frames_decoded: u64,
    frames_copied: u64,
    frames_encoded: u64,
    passes: u32,
    elapsed_ms: u64,
    notes: &'a [String],
}

impl<'a> Work<'a> {
    pub(super) fn of(report: &'a Report, started: Instant) -> Self {
        Self {
            duration: report.duration.as_secs_f64(),
            frames: report.frames,
            frames_decoded: report.frames_decoded,
            frames_copied: report.frames_copied,
            frames_encoded: report.frames_encoded,
            passes: report.passes,
            elapsed_ms: running::milliseconds(started),
            notes: &report.notes,
        }
    }

    /// One line, and one for each note.
    pub(super) fn text(&self) -> String {
        let encoded = match (self.frames_copied, self.frames_encoded) {
            (_, 0) => "all copied".to_owned(),
            (0, _) => "all encoded".to_owned(),
            (copied, encoded) => format!("{copied} copied, {encoded} encoded"),
        };
        let mut text = match self.frames {
            0 => String::new(),
            1 => format!("1 frame ({encoded}), "),
            frames => format!("{frames} frames ({encoded}), "),
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{:.3} s in {}.{:02} s",
            self.duration,
            self.elapsed_ms / 1000,
            self.elapsed_ms % 1000 / 10
        );
        for note in self.notes {
            let _ = writeln!(text, "note: {}", one_line(note));
        }
        text
    }
}
