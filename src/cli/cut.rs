//! `flatbed cut`: a part of one or many recordings.

use clap::ValueEnum;
use flatbed_media::Timestamp;
use flatbed_media::cut::{Mode, Position, Selection, Until};

use super::failure::Failure;
use super::join::JoinArgs;

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
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Where to begin: a time, or a part of the whole as 50%; by default the first frame
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    start: Option<Position>,

    /// Where to end, in front of the frame at this time; by default behind the last frame
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    #[arg(conflicts_with = "duration")]
    end: Option<Position>,

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
        if let (Some(start), Some(end)) = (self.start, self.end)
            && is_before(end, start)
        {
            return Err(Failure::usage(format!(
                "--end {end} is not behind --start {start}"
            )));
        }
        if let Some(Position::Time(Timestamp::ZERO)) = self.duration {
            return Err(Failure::usage("--duration is zero"));
        }
        let start = self.start.map(|start| self.on_timeline("--start", start)).transpose()?;
        let end = match (self.end, self.duration) {
            (Some(end), _) => Until::At(self.on_timeline("--end", end)?),
            (None, Some(duration)) => Until::After(duration),
            (None, None) => Until::End,
        };
        Ok(Selection { start, end })
    }

    /// A reading of the clock as a time from the first frame on.
    fn on_timeline(&self, name: &str, position: Position) -> Result<Position, Failure> {
        let (Some(clock), Position::Time(time)) = (self.join.clock(), position) else {
            return Ok(position);
        };
        if time < clock {
            return Err(Failure::usage(format!(
                "{name} {time} is before the first recording, which begins --at {clock}"
            )));
        }
        Ok(Position::Time(time - clock))
    }
}

/// Whether `a` is at or before `b`, where that shows without the duration.
fn is_before(a: Position, b: Position) -> bool {
    match (a, b) {
        (Position::Time(a), Position::Time(b)) => a <= b,
        (Position::Percent(a), Position::Percent(b)) => a <= b,
        _ => false,
    }
}
