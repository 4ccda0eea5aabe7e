//! One worker's share of the pictures.

use crossbeam_channel::Sender;

use crate::av::frame::Frame;
use crate::time::{TimeBase, Timestamp};
use crate::{Error, Result};

use super::grab::Grabber;
use super::options::Options;
use super::picture::encode;
use super::shape::Shaper;

/// One picture that is wanted: its place in the order, and the last tick that
/// counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) number: usize,
    pub(super) tick: i64,
}

/// A picture that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) number: usize,
    /// When its frame begins to be shown.
    pub(crate) time: Timestamp,
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) bytes: Vec<u8>,
    /// Black, for want of another.
    pub(crate) black: bool,
}

/// Makes the pictures of one share, which are in the order of their times.
pub(super) fn work(
    grabber: Result<Grabber>,
    wanted: &[Wanted],
    options: &Options,
    to: &Sender<Result<Made>>,
) {
    let done = grabber.and_then(|mut grabber| {
        let stream = grabber.source.stream(grabber.source.video);
        let shaper = Shaper::new(
            options.style,
            stream,
            grabber.source.name(),
            &grabber.context,
        );
        let mut maker = Maker {
            shaper,
            options,
            wanted,
            name: grabber.source.name().to_owned(),
            to,
        };
        maker.make(&mut grabber)
    });
    if let Err(error) = done {
        // Nobody is left where another worker failed first.
        let _ = to.send(Err(error));
    }
}

/// Makes pictures of the frames of one recording.
struct Maker<'a> {
    shaper: Shaper,
    options: &'a Options,
    wanted: &'a [Wanted],
    name: String,
    to: &'a Sender<Result<Made>>,
}

impl Maker<'_> {
    fn make(&mut self, grabber: &mut Grabber) -> Result<()> {
        let mut black = Vec::new();
        if self.options.keyframes {
            for (place, wanted) in self.wanted.iter().enumerate() {
                self.make_of_keyframe(grabber, place, wanted.tick, &mut black)?;
            }
        } else {
            let ticks: Vec<i64> = self.wanted.iter().map(|wanted| wanted.tick).collect();
            grabber.exact(&ticks, &mut |place, frame, time| {
                self.take(place, frame, time, &mut black)
            })?;
        }
        for place in black {
            self.make_later(grabber, place)?;
        }
        Ok(())
    }

    fn make_of_keyframe(
        &mut self,
        grabber: &mut Grabber,
        place: usize,
        tick: i64,
        black: &mut Vec<usize>,
    ) -> Result<()> {
        match grabber.keyframe_before(tick)? {
            Some((frame, shown)) => self.take(place, &frame, grabber.time(shown), black),
            None => grabber.plain(place, tick, &mut |place, frame, time| {
                self.take(place, frame, time, black)
            }),
        }
    }

    /// Hands the picture of a frame on, unless it is black and must not be.
    fn take(
        &mut self,
        place: usize,
        frame: &Frame,
        time: Timestamp,
        black: &mut Vec<usize>,
    ) -> Result<()> {
        if self.options.skip_black && self.shaper.is_black(frame)? {
            black.push(place);
            return Ok(());
        }
        self.hand_on(place, frame, time, false)
    }

    /// Looks for a frame that is not black, further and further on.
    fn make_later(&mut self, grabber: &mut Grabber, place: usize) -> Result<()> {
        let Some(wanted) = self.wanted.get(place).copied() else {
            return Ok(());
        };
        let context = grabber.context.clone();
        let end = if grabber.source.is_live() {
            i64::MAX
        } else {
            grabber.source.end(&context)?
        };
        let end = self.options.skip_until.map_or(end, |until| {
            let clock = grabber.source.clock();
            end.min(clock.first_tick_at(until) + grabber.source.zero)
        });
        let mut step = TimeBase::per_second(2)
            .convert(1, grabber.source.clock())
            .max(1);
        let mut tick = wanted.tick.saturating_add(step);
        while tick < end && !grabber.source.is_live() {
            let mut found = false;
            grabber.exact(&[tick], &mut |_, frame, time| {
                if self.shaper.is_black(frame)? {
                    return Ok(());
                }
                found = true;
                self.hand_on(place, frame, time, false)
            })?;
            if found {
                return Ok(());
            }
            step = step.saturating_add(step / 4);
            tick = tick.saturating_add(step);
        }
        if grabber.source.is_live() {
            return Err(Error::unsupported(
                grabber.source.name(),
                "black frames cannot be skipped on a pipe: give the file itself",
            ));
        }
        grabber.exact(&[wanted.tick], &mut |_, frame, time| {
            self.hand_on(place, frame, time, true)
        })
    }

    fn hand_on(&mut self, place: usize, frame: &Frame, time: Timestamp, black: bool) -> Result<()> {
        let Some(wanted) = self.wanted.get(place) else {
            return Ok(());
        };
        let picture = self.shaper.shape(frame)?;
        let made = Made {
            number: wanted.number,
            time,
            width: picture.width(),
            height: picture.height(),
            bytes: encode(picture, self.options.style, &self.name)?,
            black,
        };
        // Where nobody listens, another worker has failed.
        self.to.send(Ok(made)).map_err(|_| Error::Cancelled)
    }
}
