//! `flatbed sprite`: sheets of small pictures, for the bar of a player.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;

use clap::ValueHint;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use flatbed_media::Timestamp;
use flatbed_media::still::{self, Format, SpriteOptions, SpriteReport};
use indicatif::HumanBytes;
use serde::Serialize;

use super::failure::{Failure, one_line};
use super::overwriting::Overwriting;
use super::running::{self, Running};
use super::segments;

const EXAMPLES: &str = "\
Examples:
  flatbed sprite recording.mp4 -o sprites
  flatbed sprite recording.mp4 --every 5s --tile 10x10 --width 240 --format webp -o sprites";

/// Make sprite sheets and the list (`WebVTT`) by which a player finds the pictures
///
/// Writes sprite-1.jpg and so on, and sprites.vtt. A picture shows the keyframe
/// nearest to its time; where keyframes are too far apart, the very frame.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The recording; - is standard input, if that is a file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// One picture for so much time
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10s",
        allow_negative_numbers = true
    )]
    every: Timestamp,

    /// Columns and rows of a sheet
    #[arg(long, value_name = "CxR", default_value = "5x5")]
    tile: Tile,

    /// A picture's width in pixels; its height follows
    #[arg(long, value_name = "PIXELS", default_value = "160")]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=65500))]
    width: u32,

    /// How the sheets are coded
    #[arg(long, value_name = "FORMAT", default_value = "jpeg")]
    #[arg(value_parser = PossibleValuesParser::new(["jpeg", "webp"])
        .try_map(|name| name.parse::<Format>()))]
    format: Format,

    /// From 1 (small) to 100 (good)
    #[arg(long, value_name = "Q", default_value = "75")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,

    /// The folder to write to; it is made if it is not there
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: PathBuf,

    #[command(flatten)]
    overwriting: Overwriting,

    #[command(flatten)]
    running: Running,
}

/// The least time from a picture to the next.
const LEAST: Timestamp = Timestamp::from_micros(1000);

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tile {
    columns: u32,
    rows: u32,
}

impl FromStr for Tile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || format!("{text:?} is not columns and rows: write 5x5, 100x100 at most");
        let side = |side: &str| match side.parse::<u32>() {
            Ok(side @ 1..=100) => Ok(side),
            _ => Err(fail()),
        };
        let (columns, rows) = text.split_once(['x', 'X']).ok_or_else(fail)?;
        Ok(Self {
            columns: side(columns)?,
            rows: side(rows)?,
        })
    }
}

/// What was done, for programs; times are in seconds.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    output: String,
    list: &'a str,
    sheets: Vec<Told<'a>>,
    tiles: u64,
    tile_width: u32,
    tile_height: u32,
    keyframes: u64,
    duration: f64,
    elapsed_ms: u64,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    file: &'a str,
    width: u32,
    height: u32,
    bytes: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    if arguments.output.as_os_str() == "-" {
        return Err(Failure::usage(
            "sheets are files: name a folder with --output",
        ));
    }
    for name in [
        "sprites.vtt".to_owned(),
        format!("sprite-1.{}", arguments.format.extension()),
    ] {
        let path = arguments.output.join(name);
        arguments.overwriting.check(&path, &[&arguments.file])?;
    }
    if arguments.every < LEAST {
        return Err(Failure::usage(format!(
            "--every {}: one picture for 1 ms is the most",
            arguments.every
        )));
    }
    let input = segments::open(&arguments.file)?;
    let options = SpriteOptions {
        every: arguments.every,
        columns: arguments.tile.columns,
        rows: arguments.tile.rows,
        width: arguments.width,
        format: arguments.format,
        quality: arguments.quality,
    };
    let (bar, context) = arguments.running.start()?;
    let report = still::sprites(input, &options, &arguments.output, &context)?;
    drop(bar);
    let sheets = report.sheets.iter().map(|sheet| Told {
        file: &sheet.name,
        width: sheet.width,
        height: sheet.height,
        bytes: sheet.bytes,
    });
    arguments.running.tell(
        &Summary {
            output: arguments.output.display().to_string(),
            list: &report.list,
            sheets: sheets.collect(),
            tiles: report.tiles,
            tile_width: report.tile_width,
            tile_height: report.tile_height,
            keyframes: report.keyframes,
            duration: report.duration.as_secs_f64(),
            elapsed_ms: running::milliseconds(started),
        },
        || text(&report),
    )
}

fn text(report: &SpriteReport) -> String {
    let mut text = String::new();
    for sheet in &report.sheets {
        let (width, height) = (sheet.width, sheet.height);
        let (name, bytes) = (one_line(&sheet.name), HumanBytes(sheet.bytes));
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name}: {width}x{height}, {bytes}");
    }
    let (name, tiles, keyframes) = (one_line(&report.list), report.tiles, report.keyframes);
    let (width, height) = (report.tile_width, report.tile_height);
    let _ = writeln!(
        text,
        "{name}: {tiles} pictures of {width}x{height}, {keyframes} of them keyframes, over {}",
        report.duration
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_columns_and_rows() {
        assert_eq!(
            "5x4".parse(),
            Ok(Tile {
                columns: 5,
                rows: 4
            })
        );
        for wrong in ["", "5", "0x5", "5x101", "5x5x5", "ax1", "-1x2"] {
            assert!(wrong.parse::<Tile>().is_err(), "{wrong}");
        }
    }
}
