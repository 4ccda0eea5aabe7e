//! What `concat` and `cut` share: their arguments, and the way from them over
//! the engine to a summary.

use std::num::NonZeroUsize;
use std::time::Instant;

use flatbed_media::Context;
use flatbed_media::cut::{self, Mode, Options, Position, Selection};

use super::clock::ClockTime;
use super::failure::Failure;
use super::output::OutputArgs;
use super::progress::Bar;
use super::segments::SegmentArgs;
use super::signals;
use super::summary::Summary;

/// Recordings in, one file out.
#[derive(Debug, clap::Args)]
pub(super) struct JoinArgs {
    #[command(flatten)]
    segments: SegmentArgs,

    #[command(flatten)]
    output: OutputArgs,

    /// The most threads of one decoder or encoder [default: all cores]
    #[arg(long, value_name = "N", help_heading = None)]
    threads: Option<NonZeroUsize>,

    /// Print what was done as one JSON object on standard output
    #[arg(long, help_heading = None)]
    json: bool,

    /// Print nothing but errors, and the JSON object if it is asked for
    #[arg(short, long, help_heading = None)]
    quiet: bool,
}

impl JoinArgs {
    /// The clock's reading at the first frame, where `--at` sets a clock.
    pub(super) fn clock(&self) -> Option<ClockTime> {
        self.segments.clock()
    }

    /// Writes what `selection` names of the recordings, and tells about it.
    pub(super) fn run(&self, mut selection: Selection, mode: Mode) -> Result<(), Failure> {
        let started = Instant::now();
        if self.json && self.output.is_stdout() {
            return Err(Failure::usage(
                "--json and --output - both write to standard output: give one",
            ));
        }
        // By the clock, so are the times that are told.
        if let (Some(ClockTime(first)), None) = (self.clock(), selection.start) {
            selection.start = Some(Position::Clock(first));
        }
        let inputs = self.segments.paths()?;
        let segments = self.segments.segments(&inputs)?;
        let place = self.output.place(&inputs)?;
        let options = Options {
            selection,
            mode,
            timeline: self.segments.timeline(),
            gaps: self.segments.gaps(),
            on_mismatch: self.segments.on_mismatch(),
        };
        let (bar, context) = Bar::attach(self.context()?, self.quiet);

        let explain = place.explainer();
        let report = cut::cut(segments, place.output, &options, &context).map_err(explain)?;
        drop(bar);

        let summary = Summary::new(&place.name, &report, started.elapsed());
        if self.json {
            summary.print_json()
        } else {
            if !self.quiet {
                summary.print_for_people();
            }
            Ok(())
        }
    }

    fn context(&self) -> Result<Context, Failure> {
        let context = signals::context()?;
        Ok(match self.threads {
            Some(threads) => context.with_threads(threads),
            None => context,
        })
    }
}
