//! Decoded pictures, each with its time on the timeline.

use std::collections::VecDeque;

use crate::av::code::Code;
use crate::av::decode::Decoder;
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Error, Result};

use super::source::Source;

/// Packets whose lengths are remembered: more than any decoder holds back.
const REMEMBERED: usize = 256;

/// The pictures of a [`Source`].
pub(crate) struct Pictures {
    decoder: Decoder,
    name: String,
    clock: TimeBase,
    zero: i64,
    /// The usual length of a frame, in ticks.
    length: i64,
    /// The length of a frame as the container tells it.
    pub(crate) frame: Option<TimeBase>,
    most: Timestamp,
    begun: bool,
    /// By how much the decoder's guesses are late, where packets tell only when
    /// they are decoded.
    late: i64,
    last: Option<i64>,
    lengths: VecDeque<(i64, i64)>,
}

impl Pictures {
    /// Of the source's stream `index`.
    pub(crate) fn open(source: &Source, index: usize, context: &Context) -> Result<Self> {
        let stream = source.stream(index)?;
        let clock = stream.time_base;
        let length = stream
            .frame_rate
            .unwrap_or(TimeBase::per_second(25))
            .convert(1, clock);
        Ok(Self {
            decoder: Decoder::open(&stream.parameters, clock, source.name(), context)?,
            name: source.name().to_owned(),
            clock,
            zero: source.zero(clock),
            length: length.max(1),
            frame: stream.frame_rate,
            most: Timestamp::from(context.limits().max_duration),
            begun: false,
            late: 0,
            last: None,
            lengths: VecDeque::new(),
        })
    }

    /// Decodes a packet, or with `None` what the decoder still holds, and hands
    /// on each frame that comes of it. A packet that does not decode is passed
    /// over, as are those before the first keyframe.
    pub(crate) fn push(
        &mut self,
        packet: Option<&Packet>,
        context: &Context,
        each: &mut dyn FnMut(Frame, Timestamp) -> Result<()>,
    ) -> Result<()> {
        if let Some(packet) = packet {
            if !self.begun && !packet.is_key() {
                return Ok(());
            }
            self.begun = true;
            self.remember(packet);
        }
        if self.decoder.send(packet) == Err(Code::NO_MEMORY) {
            return Err(Code::NO_MEMORY.failed(&self.name, "decoding"));
        }
        while let Some(frame) = self.decoder.receive()? {
            context.check()?;
            let at = self.time_of(&frame);
            if at > self.most {
                return Err(Error::limit(
                    &self.name,
                    format!("the video is longer than the limit of {}", self.most),
                ));
            }
            each(frame, at)?;
        }
        Ok(())
    }

    /// When the last frame's time is over; `None` where there was no frame.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        let last = self.last?;
        let told = self.lengths.iter().rev().find(|(at, _)| *at == last);
        let length = told.map_or(self.length, |&(_, length)| length);
        Some(self.clock.timestamp(last - self.zero + length))
    }

    fn remember(&mut self, packet: &Packet) {
        if let (Some(pts), length @ 1..) = (packet.pts(), packet.duration()) {
            self.lengths.push_back((pts, length));
            if self.lengths.len() > REMEMBERED {
                self.lengths.pop_front();
            }
        }
    }

    fn time_of(&mut self, frame: &Frame) -> Timestamp {
        let guess = frame.pts();
        if let (None, None, Some(guess)) = (self.last, frame.told_pts(), guess) {
            self.late = guess - self.zero;
        }
        let after = self.last.map(|last| last + self.length);
        let time = frame
            .told_pts()
            .or(guess.map(|guess| guess - self.late))
            .or(after)
            .unwrap_or(self.zero);
        // Times always go on, though a broken file's may not.
        let time = self.last.map_or(time, |last| time.max(last + 1));
        self.last = Some(time);
        self.clock.timestamp(time - self.zero)
    }
}
