//! The recordings: which, in what order, and when each begins.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use clap::{ValueEnum, ValueHint};
use flatbed_media::cut::{Gaps, OnMismatch, Segment, Timeline};
use flatbed_media::{Input, Timestamp};

use super::clock::ClockTime;
use super::failure::Failure;
use super::stdio;

/// The recordings that become one.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Recordings")]
pub(super) struct SegmentArgs {
    /// The recordings, in order; - is standard input
    #[arg(value_name = "FILE", required_unless_present = "files_from", help_heading = None)]
    #[arg(value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// Read the recordings' names from LIST, one a line; - is standard input
    #[arg(long, value_name = "LIST", conflicts_with = "files")]
    #[arg(value_hint = ValueHint::FilePath)]
    files_from: Option<PathBuf>,

    /// When a recording begins, on a clock that all share; once for each FILE, in order
    ///
    /// A time of day (10:00:00; 24:00:00 for the midnight behind 23:00:00) or
    /// seconds of any clock. Recordings without one, which must be the last,
    /// follow the one before them.
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    at: Vec<ClockTime>,

    /// How recordings without --at lie on the joined timeline
    #[arg(long, value_name = "HOW", default_value = "follow")]
    timeline: TimelineArg,

    /// What becomes of time that no recording covers [default: close, with --at keep]
    #[arg(long, value_name = "HOW")]
    gaps: Option<GapsArg>,

    /// What to do with a recording that differs too much from the first to follow it unencoded
    #[arg(long, value_name = "HOW", default_value = "refuse")]
    on_mismatch: OnMismatchArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TimelineArg {
    /// Each begins where the one before it ends
    Follow,
    /// By the timestamps in them, as in pieces of one transport stream
    Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GapsArg {
    /// The next recording follows at once
    Close,
    /// The last frame is shown until the next recording begins
    Keep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnMismatchArg {
    /// Refuse, and write nothing
    Refuse,
    /// Encode it like the first one
    Reencode,
}

impl SegmentArgs {
    /// The recordings' names.
    pub(super) fn paths(&self) -> Result<Vec<PathBuf>, Failure> {
        let paths = match &self.files_from {
            None => self.files.clone(),
            Some(list) => listed(list)?,
        };
        if paths.iter().filter(|path| is_stdin(path)).count() > 1 {
            return Err(Failure::usage("standard input (-) can be read only once"));
        }
        Ok(paths)
    }

    /// The recordings, each at its time.
    pub(super) fn segments(&self, paths: &[PathBuf]) -> Result<Vec<Segment>, Failure> {
        if self.at.len() > paths.len() {
            return Err(Failure::usage(format!(
                "--at is given {} times for {} recordings",
                self.at.len(),
                paths.len()
            )));
        }
        let at: Vec<Timestamp> = self.at.iter().map(|&ClockTime(at)| at).collect();
        let mut pairs = at.iter().zip(at.iter().skip(1));
        if let Some((before, late)) = pairs.find(|(before, late)| late <= before) {
            return Err(Failure::usage(format!(
                "--at {late} is not later than {before} before it; \
                 behind midnight write 24:00:00 and on"
            )));
        }
        if !self.at.is_empty() && self.timeline == TimelineArg::Source {
            return Err(Failure::usage(
                "--at sets the recordings' times, --timeline source takes their own: give one",
            ));
        }
        let times = at.into_iter().map(Some).chain(std::iter::repeat(None));
        paths
            .iter()
            .zip(times)
            .map(|(path, at)| {
                let input = open(path)?;
                Ok(match at {
                    Some(at) => Segment::at(input, at),
                    None => Segment::new(input),
                })
            })
            .collect()
    }

    /// The clock's reading at the first frame, where `--at` sets a clock.
    pub(super) fn clock(&self) -> Option<ClockTime> {
        self.at.first().copied()
    }

    pub(super) fn timeline(&self) -> Timeline {
        match self.timeline {
            TimelineArg::Follow => Timeline::Follow,
            TimelineArg::Source => Timeline::Source,
        }
    }

    pub(super) fn gaps(&self) -> Gaps {
        match self.gaps {
            Some(GapsArg::Close) => Gaps::Close,
            None if self.at.is_empty() => Gaps::Close,
            Some(GapsArg::Keep) | None => Gaps::Keep,
        }
    }

    pub(super) fn on_mismatch(&self) -> OnMismatch {
        match self.on_mismatch {
            OnMismatchArg::Refuse => OnMismatch::Refuse,
            OnMismatchArg::Reencode => OnMismatch::Reencode,
        }
    }
}

/// The file at `path`, or standard input.
pub(super) fn open(path: &Path) -> Result<Input, Failure> {
    if is_stdin(path) {
        stdio::input()
    } else {
        Ok(Input::path(path))
    }
}

pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The names in a list, one a line; empty lines count for nothing.
fn listed(list: &Path) -> Result<Vec<PathBuf>, Failure> {
    let bytes = if is_stdin(list) {
        stdio::read_to_end()?
    } else {
        fs::read(list).map_err(|error| Failure::io(list.display().to_string(), error))?
    };
    let paths: Vec<_> = bytes
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
        .map(|line| PathBuf::from(OsString::from_vec(line.to_vec())))
        .collect();
    if paths.is_empty() {
        let message = format!("{}: no names in it", list.display());
        return Err(Failure::usage(message));
    }
    if is_stdin(list) && paths.iter().any(|path| is_stdin(path)) {
        return Err(Failure::usage(
            "standard input is the list, it cannot be a recording as well",
        ));
    }
    Ok(paths)
}
