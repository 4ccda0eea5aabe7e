//! `flatbed scenes`: where the scenes of a video begin.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueHint;
use flatbed_media::scene::{self, FrameScore, Scenes};
use serde::Serialize;

use super::failure::{Failure, one_line};
use super::overwriting::Overwriting;
use super::running::{self, Running};
use super::scene_options::{SceneArgs, SceneFacts};
use super::{segments, stdio};

const EXAMPLES: &str = "\
Examples:
  flatbed scenes trailer.mp4
  flatbed scenes trailer.mp4 --json | jq '.scenes[].start'
  flatbed scenes match.ts --detector content --threshold 30 --min-length 2s
  flatbed scenes trailer.mp4 --stats scores.csv";

/// Tell where the scenes of a video begin
///
/// The detectors and their defaults are those of PySceneDetect, and so are the cuts.
/// A video without a cut is one scene. Times are those that cut and frames
/// take.
#[allow(clippy::doc_markdown, reason = "the help is no Markdown")]
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The video; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    #[command(flatten)]
    scenes: SceneArgs,

    /// Write what was measured at each frame to this file, as CSV
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = None)]
    stats: Option<PathBuf>,

    #[command(flatten, next_help_heading = None)]
    overwriting: Overwriting,

    #[command(flatten, next_help_heading = None)]
    running: Running,
}

/// What was found, for programs; times are in seconds.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    file: &'a str,
    frames: u64,
    scenes: Vec<SceneFacts>,
    elapsed_ms: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let options = arguments.scenes.options()?;
    if let Some(stats) = &arguments.stats {
        arguments.overwriting.check(stats, &[&arguments.file])?;
    }
    let input = segments::open(&arguments.file)?;
    let name = input.name().to_owned();
    let (bar, context) = arguments.running.start()?;
    let mut table = String::new();
    let found = if arguments.stats.is_some() {
        table.push_str(COLUMNS);
        scene::detect_each(input, &options, &context, |score| line(score, &mut table))?
    } else {
        scene::detect(input, &options, &context)?
    };
    drop(bar);
    if let Some(stats) = &arguments.stats {
        write(stats, &table)?;
    }
    if !arguments.running.wants_json() {
        return stdio::print(&text(&found));
    }
    stdio::print_json(&Summary {
        file: &name,
        frames: found.frames,
        scenes: SceneFacts::of(&found.scenes),
        elapsed_ms: running::milliseconds(started),
    })
}

/// The scenes, a line each, for people.
fn text(found: &Scenes) -> String {
    let mut text = String::new();
    // As many digits as the last scene has.
    let width = found.scenes.len().to_string().len();
    for (number, scene) in (1..).zip(&found.scenes) {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{number:width$}  {}  {}  {} {}",
            scene.span.start,
            scene.span.end,
            scene.frames,
            if scene.frames == 1 { "frame" } else { "frames" }
        );
    }
    text
}

const COLUMNS: &str = "frame,time,content_val,delta_hue,delta_sat,delta_lum,adaptive_ratio\n";

fn line(score: &FrameScore, table: &mut String) {
    let difference = &score.difference;
    let ratio = score.ratio.map(|ratio| format!("{ratio:.6}"));
    // Writing to a String does not fail.
    let _ = writeln!(
        table,
        "{},{:.6},{:.6},{:.6},{:.6},{:.6},{}",
        score.frame,
        score.at.as_secs_f64(),
        score.content,
        difference.hue,
        difference.saturation,
        difference.brightness,
        ratio.unwrap_or_default()
    );
}

/// Writes a table: whole, or not at all.
fn write(path: &Path, table: &str) -> Result<(), Failure> {
    let name = one_line(&path.display().to_string());
    let failed = |error| Failure::io(&name, error);
    let Some(last) = path.file_name() else {
        return Err(Failure::usage(format!("{name}: is no name of a file")));
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(last);
    hidden.push(format!(".{}.part", std::process::id()));
    let partial = path.with_file_name(hidden);
    let written = fs::write(&partial, table).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // The error is the one to report.
        let _ = fs::remove_file(&partial);
    }
    written.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scores.csv");
        write(&path, COLUMNS).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), COLUMNS);
        let entries = fs::read_dir(folder.path()).expect("list").count();
        assert_eq!(entries, 1);
        assert!(write(&folder.path().join("none/scores.csv"), COLUMNS).is_err());
    }
}
