//! What `concat` and `cut` share: their arguments, and the way from them over
//! the engine to a summary.

use std::time::Instant;

use flatbed_media::cut::{self, Mode, Options, Position, Selection};

use super::clock::ClockTime;
use super::failure::Failure;
use super::output::OutputArgs;
use super::running::Running;
use super::segments::SegmentArgs;
use super::summary::Summary;

/// Recordings in, one file out.
#[derive(Debug, clap::Args)]
pub(super) struct JoinArgs {
    #[command(flatten)]
    segments: SegmentArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten, next_help_heading = None)]
    running: Running,
}

impl JoinArgs {
    /// The clock's reading at the first frame, where `--at` sets a clock.
    pub(super) fn clock(&self) -> Option<ClockTime> {
        self.segments.clock()
    }

    /// Writes what `selection` names of the recordings, and tells about it.
    pub(super) fn run(&self, mut selection: Selection, mode: Mode) -> Result<(), Failure> {
        let started = Instant::now();
        if self.output.is_stdout() {
            self.running.check_stdout()?;
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
            clock_step: flatbed_media::Timestamp::ZERO,
        };
        let (bar, context) = self.running.start()?;

        let explain = place.explainer();
        let report = cut::cut(segments, place.output, &options, &context).map_err(explain)?;
        drop(bar);

        let summary = Summary::new(&place.name, &report, started.elapsed());
        self.running.tell(&summary, || summary.text())
    }
}
