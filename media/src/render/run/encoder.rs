//! The thread that encodes pictures.

use crossbeam_channel::{Receiver, Sender};

use super::super::coding::Coding;
use super::super::plan::Work;
use super::timing::Timing;
use super::{Done, Message, Opening, Passing, gone};
use crate::av::encode::{Encoder, Video};
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::av::parameters::{CodecId, Parameters};
use crate::time::{TimeBase, Timestamp};
use crate::{Container, Context, Result};

/// How fast frames come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The ticks of the result.
    pub(super) clock: TimeBase,
    /// The length of a frame, as most have it.
    pub(super) frame: TimeBase,
    /// Frames a second on average, where they vary and that is known.
    pub(super) average: Option<f64>,
}

/// The pictures of a result.
pub(super) struct Encoding<'a> {
    coding: &'a Coding,
    container: Container,
    pass: Option<Passing<'a>>,
    name: String,
    timing: Timing,
    /// Frames a second on average, where that is known beforehand.
    average: Option<f64>,
    encoder: Option<Encoder>,
    fed: u64,
    bytes: u64,
    size: (i32, i32),
}

impl<'a> Encoding<'a> {
    pub(super) fn new(
        coding: &'a Coding,
        container: Container,
        pass: Option<Passing<'a>>,
        pace: Pace,
        name: &str,
    ) -> Self {
        Self {
            coding,
            container,
            pass,
            name: name.to_owned(),
            timing: Timing::new((pace.clock, pace.frame)),
            average: pace.average,
            encoder: None,
            fed: 0,
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
            let ticks = self.timing.clock();
            let (pts, slot) = self
                .timing
                .take(clock.convert(frame.pts().unwrap_or(0), ticks));
            if self.encoder.is_none() {
                let encoder = self.open(&frame, context)?;
                let opening = self.opening(&encoder)?;
                self.encoder = Some(encoder);
                self.size = (frame.width(), frame.height());
                let _ = tell_zero.send(ticks.timestamp(pts));
                to_writer
                    .send(Message::Opened(Box::new(opening)))
                    .map_err(|_| gone())?;
            }
            frame.set_pts(Some(slot));
            frame.forget_coding(false);
            frame.set_progressive();
            self.fed += 1;
            if let Some(encoder) = &mut self.encoder {
                encoder.send(Some(&frame))?;
            }
            drop(frame);
            self.take_packets(to_writer, passing)?;
            if passing && self.fed.is_multiple_of(8) {
                let done = ticks.timestamp(pts - self.timing.first());
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
            time_base: self.timing.frame(),
            frame: self.timing.frame(),
            rate: self.coding.rate(self.stretch()),
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
            clock: self.timing.clock(),
            frame: self.timing.frame(),
        })
    }

    /// How much longer the result is than its frames at the usual rate, as far as
    /// it is known, where the encoder counts nothing but frames.
    fn stretch(&self) -> f64 {
        let second = self.pass.is_some_and(Passing::is_second);
        if !self.coding.counts_frames(second) {
            return 1.0;
        }
        let usual = self.timing.frame();
        let usual = f64::from(usual.den()) / f64::from(usual.num());
        let stretch = self.average.map_or(1.0, |average| usual / average);
        // What the container rounds is no other rate.
        if (stretch - 1.0).abs() < 0.05 {
            1.0
        } else {
            stretch.clamp(0.01, 100.0)
        }
    }

    fn take_packets(&mut self, to_writer: &Sender<Message>, passing: bool) -> Result<()> {
        let Some(encoder) = &mut self.encoder else {
            return Ok(());
        };
        while let Some(mut packet) = encoder.receive()? {
            self.bytes += packet.data().len() as u64;
            if passing {
                continue;
            }
            let Some(times) = self.timing.of(&packet) else {
                continue;
            };
            let key = packet.is_key();
            packet.strip();
            packet.set_key(key);
            packet.set_duration(times.duration);
            packet.set_pts(Some(times.pts));
            packet.set_dts(Some(times.dts));
            send(to_writer, packet)?;
        }
        Ok(())
    }

    /// What became of an average rate with an encoder that counts frames, where
    /// nobody knew how many there would be.
    #[allow(clippy::cast_precision_loss)] // frames
    fn missed(&self) -> Option<String> {
        let asked = self.coding.average()?;
        let span = self.timing.clock().timestamp(self.timing.span());
        let usual = self.timing.frame();
        let usual = f64::from(usual.den()) / f64::from(usual.num());
        let average = self.fed as f64 / span.as_secs_f64().max(1e-6);
        let second = self.pass.is_some_and(Passing::is_second);
        let missed = self.coding.counts_frames(second)
            && self.fed > 25
            && (average * self.stretch() / usual - 1.0).abs() > 0.1;
        let remedy = if self.coding.knows_passes() {
            "two passes, or a frame rate of its own (fps), keep to it"
        } else {
            "a frame rate of its own (fps) keeps to it"
        };
        missed.then(|| {
            format!(
                "{} counts frames, and here {average:.1} come in a second, not {usual:.1}: its \
                 rate is not the {asked} b/s that were asked for; {remedy}",
                self.coding.encoder()
            )
        })
    }

    /// What was done.
    pub(super) fn report(self, done: &mut Done) -> Result<()> {
        if self.fed == 0 {
            return Err(crate::Error::malformed(
                &self.name,
                "no frame is shown in the part that is asked for",
            ));
        }
        done.frames_encoded = self.fed;
        (done.width, done.height) = self.size;
        done.duration = self.timing.clock().timestamp(self.timing.span());
        done.notes.extend(self.missed());
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
