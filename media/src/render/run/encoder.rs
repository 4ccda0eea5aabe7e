//! The thread that encodes pictures.

use std::collections::BTreeMap;

use crossbeam_channel::{Receiver, Sender};

use super::super::coding::Coding;
use super::super::plan::Work;
use super::{Done, Message, Opening, Passing, gone};
use crate::av::encode::{Encoder, Video};
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::av::parameters::{CodecId, Parameters};
use crate::time::{TimeBase, Timestamp};
use crate::{Container, Context, Result};

/// The pictures of a result.
pub(super) struct Encoding<'a> {
    coding: &'a Coding,
    container: Container,
    pass: Option<Passing<'a>>,
    name: String,
    /// The ticks of the result, and the length of a frame.
    clock: TimeBase,
    frame: TimeBase,
    encoder: Option<Encoder>,
    /// When each frame that was fed is shown, by its number: the encoder counts
    /// frames, so that its rate control and the stream's own timing see the
    /// frame rate, whatever the container rounds.
    times: BTreeMap<i64, i64>,
    fed: i64,
    first: Option<i64>,
    last: Option<i64>,
    bytes: u64,
    size: (i32, i32),
}

/// Frames are reordered by a few dozen places at most; SVT-AV1 and two passes of
/// libvpx look ahead further.
const REMEMBERED: usize = 1024;

impl<'a> Encoding<'a> {
    pub(super) fn new(
        coding: &'a Coding,
        container: Container,
        pass: Option<Passing<'a>>,
        (clock, frame): (TimeBase, TimeBase),
        name: &str,
    ) -> Self {
        Self {
            coding,
            container,
            pass,
            name: name.to_owned(),
            clock,
            frame,
            encoder: None,
            times: BTreeMap::new(),
            fed: 0,
            first: None,
            last: None,
            bytes: 0,
            size: (0, 0),
        }
    }

    /// Encodes all frames that come. `passing` is a pass of which nothing is
    /// written: it tells the progress itself.
    pub(super) fn run(
        &mut self,
        frames: &Receiver<(Frame, TimeBase)>,
        to_writer: &Sender<Message>,
        tell_zero: &Sender<Timestamp>,
        work: &Work,
        passing: bool,
        context: &Context,
    ) -> Result<()> {
        for (mut frame, clock) in frames {
            context.check()?;
            let pts = clock.convert(frame.pts().unwrap_or(0), self.clock);
            // Rounding may bring two frames to one tick.
            let pts = self.last.map_or(pts, |last| pts.max(last + 1));
            if self.encoder.is_none() {
                let encoder = self.open(&frame, context)?;
                let opening = self.opening(&encoder)?;
                self.encoder = Some(encoder);
                self.size = (frame.width(), frame.height());
                self.first = Some(pts);
                let _ = tell_zero.send(self.clock.timestamp(pts));
                to_writer
                    .send(Message::Opened(Box::new(opening)))
                    .map_err(|_| gone())?;
            }
            self.last = Some(pts);
            self.times.insert(self.fed, pts);
            frame.set_pts(Some(self.fed));
            frame.forget_coding(false);
            frame.set_progressive();
            self.fed += 1;
            if let Some(encoder) = &mut self.encoder {
                encoder.send(Some(&frame))?;
            }
            drop(frame);
            self.take_packets(to_writer, passing)?;
            if passing && self.fed % 8 == 0 {
                let done = self.clock.timestamp(pts - self.first.unwrap_or(pts));
                context.report(done.max(Timestamp::ZERO), work.total);
            }
        }
        if let Some(encoder) = &mut self.encoder {
            context.check()?;
            encoder.send(None)?;
            self.take_packets(to_writer, passing)?;
        }
        Ok(())
    }

    fn open(&self, first: &Frame, context: &Context) -> Result<Encoder> {
        let mut like = Parameters::new();
        like.set_picture(first);
        let statistics = self.pass.and_then(|passing| {
            let number = match passing.pass {
                crate::av::encode::Pass::First => 1,
                crate::av::encode::Pass::Second(_) => 2,
            };
            let own_file = !passing.file.is_empty();
            own_file.then_some((passing.file, number))
        });
        let options = self.coding.options(self.container, statistics);
        let video = Video {
            encoder: self.coding.encoder(),
            like: &like,
            pixel_format: first.format(),
            time_base: self.frame,
            frame: self.frame,
            rate: self.coding.rate(),
            header_apart: self.container.holds_headers(),
            options: &options,
        };
        let pass = self.pass.map(|passing| passing.pass);
        Encoder::video_pass(&video, pass, &self.name, context)
    }

    fn opening(&self, encoder: &Encoder) -> Result<Opening> {
        let mut parameters = encoder.parameters()?;
        let hevc = parameters.codec() == CodecId::AV_CODEC_ID_HEVC;
        // Apple's players want the sets in the header alone.
        parameters.set_tag((hevc && self.container.is_iso()).then_some(b"hvc1"));
        Ok(Opening {
            parameters,
            clock: self.clock,
            frame: self.frame,
        })
    }

    fn take_packets(&mut self, to_writer: &Sender<Message>, passing: bool) -> Result<()> {
        let Some(encoder) = &mut self.encoder else {
            return Ok(());
        };
        let length = self.frame.convert(1, self.clock).max(1);
        while let Some(mut packet) = encoder.receive()? {
            self.bytes += packet.data().len() as u64;
            if passing {
                continue;
            }
            let number = packet.pts().unwrap_or(0);
            let slot = packet.dts().unwrap_or(number);
            let first = self.first.unwrap_or(0);
            let Some(&pts) = self.times.get(&number) else {
                continue;
            };
            // Slots before the first frame lie as far before it.
            let dts = match self.times.get(&slot) {
                Some(&time) => time,
                None => first + slot * length,
            };
            let next = self.times.get(&(number + 1));
            let key = packet.is_key();
            packet.strip();
            packet.set_key(key);
            packet.set_duration(next.map_or(length, |next| next - pts));
            packet.set_pts(Some(pts - first));
            packet.set_dts(Some(dts.min(pts) - first));
            send(to_writer, packet)?;
            while self.times.len() > REMEMBERED {
                self.times.pop_first();
            }
        }
        Ok(())
    }

    /// What was done.
    pub(super) fn report(self, done: &mut Done) -> Result<()> {
        if self.fed == 0 {
            return Err(crate::Error::malformed(
                &self.name,
                "no frame is shown in the part that is asked for",
            ));
        }
        done.frames_encoded = u64::try_from(self.fed).unwrap_or(0);
        (done.width, done.height) = self.size;
        let length = self.frame.convert(1, self.clock).max(1);
        let end = self.last.unwrap_or(0) + length - self.first.unwrap_or(0);
        done.duration = self.clock.timestamp(end);
        done.picture_bytes = self.bytes;
        done.statistics = self.encoder.as_ref().and_then(Encoder::statistics);
        Ok(())
    }
}

fn send(to_writer: &Sender<Message>, packet: Packet) -> Result<()> {
    to_writer
        .send(Message::Packet(0, packet))
        .map_err(|_| gone())
}
