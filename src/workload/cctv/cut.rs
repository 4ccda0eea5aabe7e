//! The engine's part: the recordings in, the clip out.

use flatbed_media::cut::{
    self, Gaps, Mode, OnMismatch, Options, Position, Report, Segment, Selection, Until,
};
use flatbed_media::{Error, Input, Limits, Output};

use super::failure::Failure;
use super::footage::{STEP, clock};
use crate::client::hikvision::{Recording, Span};
use crate::runner::JobContext;

/// The most bytes of a GOP: half a minute of a camera's largest stream.
const MOST_BUFFERED: usize = 64 << 20;

/// Cuts `asked` out of the recordings, one input each.
pub async fn clip(
    inputs: Vec<Input>,
    recordings: &[Recording],
    output: Output,
    asked: Span,
    mode: Mode,
    context: &JobContext,
) -> Result<Report, Failure> {
    let starts = recordings.iter().map(|recording| clock(recording.start));
    let parts: Vec<_> = inputs.into_iter().zip(starts).collect();
    let options = options(asked, mode);
    let done: Result<Report, Error> = context
        .engine(move |context| {
            let limits = Limits {
                max_buffered_bytes: MOST_BUFFERED,
                ..context.limits().clone()
            };
            let context = &context.clone().with_limits(limits);
            let parts = parts.into_iter();
            let segments = parts.map(|(input, start)| Segment::at(input, start));
            cut::cut(segments.collect(), output, &options, context)
        })
        .await;
    Ok(done?)
}

fn options(asked: Span, mode: Mode) -> Options {
    Options {
        selection: Selection {
            start: Some(Position::Clock(clock(asked.start))),
            end: Until::At(Position::Clock(clock(asked.end))),
        },
        mode,
        gaps: Gaps::Close,
        // A camera's settings may be changed between two recordings.
        on_mismatch: OnMismatch::Reencode,
        clock_step: STEP.into(),
        ..Options::default()
    }
}
