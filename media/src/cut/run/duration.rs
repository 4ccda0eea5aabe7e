//! How long all segments are together, for percentages.

use crate::time::{TimeBase, Timestamp};
use crate::{Context, Error, Result};

use super::super::options::{Options, Segment};
use super::super::source::Source;
use super::super::timeline::Placer;

/// The length of all segments together, from the ends of the files.
pub(super) fn total_duration(
    segments: &mut [Segment],
    options: &Options,
    context: &Context,
) -> Result<Timestamp> {
    let mut placer: Option<Placer> = None;
    let mut clock = TimeBase::MICROS;
    for segment in segments {
        if !segment.input.reopens() {
            return Err(Error::unsupported(
                segment.input.name(),
                "percentages need files; give times for a stream that is read once",
            ));
        }
        let mut source = Source::open(&mut segment.input, None, false, context)?;
        let placer = placer.get_or_insert_with(|| {
            clock = TimeBase::MICROS;
            Placer::new(clock, options)
        });
        let ticks = source.clock();
        let zero = ticks.convert(source.first - source.zero, clock);
        let frame = ticks.convert(source.frame, clock);
        let place = placer.place(segment, source.first_time(), zero, frame);
        let length = ticks.convert(source.end(context)? - source.first, clock);
        placer.covered(place.start + length);
    }
    Ok(placer.map_or(Timestamp::ZERO, |placer| clock.timestamp(placer.end())))
}
