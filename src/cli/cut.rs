//! `flatbed cut`: a part of one or many recordings.

use clap::ValueEnum;
use flatbed_media::Timestamp;
use flatbed_media::cut::{Mode, Position, Selection, Until};

use super::clock::Written;
use super::failure::Failure;
use super::join::JoinArgs;

const USAGE: &str = "\
flatbed cut [OPTIONS] <FILE>... -o <OUT>
       flatbed cut [OPTIONS] --files-from <LIST> -o <OUT>";

const EXAMPLES: &str = "\
Examples:
  flatbed cut recording.mp4 --start 1:02.5 --duration 10s -o clip.mp4
  flatbed cut recording.mp4 --start 50% -o second-half.mp4
  flatbed cut 10h.mp4 11h.mp4 --start 59:30 --end 1:00:30 --mode copy -o clip.mp4
  curl -s URL | flatbed cut - --end 30s -o - --format mp4 | upload

By the clock, out of hour files that begin at 10 and 11:
  flatbed cut 10h.mp4 11h.mp4 --at 10:00:00 --at 11:00:00 \\
      --start 10:03:17.2 --end 10:05:41 -o clip.mp4";

/// Cut a part out of one or more recordings, exactly
///
/// The result shows the frames with start <= time < end, no more and no fewer.
/// Times count from the first frame of the first recording, on through all of
/// them; with --at they are readings of its clock.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(super) struct Arguments {
    /// Where to begin: a time, or a part of the whole as 50% [default: the first frame]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    start: Option<Written>,

    /// Where to end, in front of the frame at this time [default: behind the last frame]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    #[arg(conflicts_with = "duration")]
    end: Option<Written>,

    /// How much to take from the start on
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    duration: Option<Position>,

    /// What may be encoded
    #[arg(long, value_name = "MODE", default_value = "exact")]
    mode: ModeArg,

    #[command(flatten)]
    join: JoinArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeArg {
    /// The frames beside a cut; all others are copied
    Exact,
    /// Nothing: the start moves to the keyframe before it
    Copy,
    /// Everything
    Reencode,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let selection = arguments.selection()?;
    let mode = match arguments.mode {
        ModeArg::Exact => Mode::Exact,
        ModeArg::Copy => Mode::Copy,
        ModeArg::Reencode => Mode::Reencode,
    };
    arguments.join.run(selection, mode)
}

impl Arguments {
    fn selection(&self) -> Result<Selection, Failure> {
        let clock = self.join.clock();
        let start = self.start.as_ref();
        let start = start
            .map(|start| start.on_timeline(clock, "--start"))
            .transpose()?;
        let end = match (&self.end, self.duration) {
            (Some(end), _) => Until::At(end.on_timeline(clock, "--end")?),
            (None, Some(duration)) => Until::After(duration),
            (None, None) => Until::End,
        };
        match (&self.start, &self.end, self.duration) {
            (Some(start), Some(end), _) if end.is_not_after(start) => Err(Failure::usage(format!(
                "--end {} is not behind --start {}",
                end.position, start.position
            ))),
            (_, _, Some(Position::Time(Timestamp::ZERO))) => {
                Err(Failure::usage("--duration is zero"))
            }
            _ => Ok(Selection { start, end }),
        }
    }
}
