//! The command line.
//!
//! Each command has a file with its `Arguments`, which clap fills, and a `run`,
//! which turns them into one call of the engine and prints what came of it.
//! Whatever goes wrong comes back as a `Failure`, and only this module prints
//! it: one line on standard error, and an exit code that tells whose fault it
//! was.
//!
//! | file | what it does |
//! |---|---|
//! | `probe.rs`, `concat.rs`, `cut.rs`, `render.rs`, `transcode.rs`, `convert.rs`, `compress.rs`, `watermark.rs`, `thumbnail.rs`, `sprite.rs`, `scenes.rs`, `frames.rs`, `normalize.rs`, `image.rs`, `serve.rs`, `migrate.rs`, `queue/`, `config.rs`, `doctor.rs`, `version.rs`, `completions.rs` | a command each |
//! | `join.rs`, `segments.rs`, `output.rs` | what `concat` and `cut` share: the arguments, and what they stand for |
//! | `video.rs` | what `render`, `transcode`, `convert`, `compress` and `watermark` share |
//! | `running.rs`, `overwriting.rs` | what all share: threads, a bar, what is told; what must stay |
//! | `scene_options.rs` | what `scenes`, `frames` and `normalize` share |
//! | `clock.rs` | times as they are written, on the timeline or by the clock |
//! | `summary.rs`, `probe_text.rs`, `progress.rs` | what people and programs get to read |
//! | `failure.rs`, `usage.rs` | what went wrong, in one line |
//! | `signals.rs`, `stdio.rs`, `log.rs` | the process's surroundings |

mod clock;
mod completions;
mod compress;
mod concat;
mod config;
mod convert;
mod cut;
mod doctor;
mod failure;
mod frames;
mod image;
mod join;
mod log;
mod migrate;
mod normalize;
mod output;
mod overwriting;
mod probe;
mod probe_text;
mod progress;
mod queue;
mod render;
mod running;
mod scene_options;
mod scenes;
mod segments;
mod serve;
mod settings;
mod signals;
mod sprite;
mod stdio;
mod summary;
mod thumbnail;
mod transcode;
mod usage;
mod version;
mod video;
mod watermark;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

macro_rules! examples {
    () => {
        "\
Examples:
  flatbed probe recording.mp4
  flatbed concat 10h.mp4 11h.mp4 -o both.mp4
  flatbed cut 10h.mp4 11h.mp4 --start 59:30 --end 1:00:30 -o clip.mp4
  flatbed cut 10h.mp4 --at 10:00:00 --start 10:03:17.2 --end 10:05:41 -o clip.mp4"
    };
}

const AFTER_LONG_HELP: &str = concat!(
    examples!(),
    "

Times:
  12.5  90s  250ms  5m  1h  1:02.5  00:01:02.500; where it makes sense also 50%

Exit codes:
    0  done
    2  the command line is wrong, or the output exists and --force is not given
    3  the input is at fault: not media, broken, or not fit for what was asked
    4  a limit is exceeded
    5  a file, the disk or a peer failed
  130  cancelled by Ctrl-C, SIGTERM or SIGHUP

An error is one line on standard error, also with --json; standard output then
stays empty. An output is written whole or not at all: what fails or is
cancelled leaves nothing behind. Another Ctrl-C or SIGTERM a second or more
after the first ends the program at once, without tidying up.

Environment:
  FLATBED_LOG         what to log on standard error, as `debug` or
                      `flatbed_media=trace`; else RUST_LOG; else nothing
  FLATBED_FFMPEG_LOG  lets FFmpeg speak too: error, warning, info or debug"
);

/// Joins and cuts video to the frame, copying what need not be encoded.
#[derive(Debug, Parser)]
#[command(
    name = "flatbed",
    version,
    after_help = examples!(),
    after_long_help = AFTER_LONG_HELP,
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Probe(probe::Arguments),
    Concat(concat::Arguments),
    Cut(Box<cut::Arguments>),
    Render(render::Arguments),
    Transcode(Box<transcode::Arguments>),
    Convert(Box<convert::Arguments>),
    Compress(Box<compress::Arguments>),
    Watermark(Box<watermark::Arguments>),
    Thumbnail(Box<thumbnail::Arguments>),
    Sprite(sprite::Arguments),
    Scenes(scenes::Arguments),
    Frames(Box<frames::Arguments>),
    Normalize(Box<normalize::Arguments>),
    Image(Box<image::Arguments>),
    Serve(serve::Arguments),
    Migrate(migrate::Arguments),
    Queue(queue::Arguments),
    Config(config::Arguments),
    Doctor(doctor::Arguments),
    Version(version::Arguments),
    Completions(completions::Arguments),
}

impl Command {
    fn run(self) -> Result<(), Failure> {
        match self {
            Self::Probe(arguments) => probe::run(&arguments),
            Self::Concat(arguments) => concat::run(&arguments),
            Self::Cut(arguments) => cut::run(&arguments),
            Self::Render(arguments) => render::run(&arguments),
            Self::Transcode(arguments) => transcode::run(&arguments),
            Self::Convert(arguments) => convert::run(&arguments),
            Self::Compress(arguments) => compress::run(&arguments),
            Self::Watermark(arguments) => watermark::run(&arguments),
            Self::Thumbnail(arguments) => thumbnail::run(&arguments),
            Self::Sprite(arguments) => sprite::run(&arguments),
            Self::Scenes(arguments) => scenes::run(&arguments),
            Self::Frames(arguments) => frames::run(&arguments),
            Self::Normalize(arguments) => normalize::run(&arguments),
            Self::Image(arguments) => image::run(&arguments),
            Self::Serve(arguments) => serve::run(&arguments),
            Self::Migrate(arguments) => migrate::run(&arguments),
            Self::Queue(arguments) => queue::run(&arguments),
            Self::Config(arguments) => config::run(&arguments),
            Self::Doctor(arguments) => doctor::run(&arguments),
            Self::Version(arguments) => version::run(&arguments),
            Self::Completions(arguments) => completions::run(&arguments),
        }
    }
}

/// Does what the process's command line says.
pub fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return usage::explain(&error),
    };
    // The worker logs as its settings say.
    let log = match command {
        Command::Serve(_) => Ok(()),
        _ => log::start(),
    };
    match log.and_then(|()| command.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.explain(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
