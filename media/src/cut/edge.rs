//! The frames at a cut: decoded, and encoded so that they fit the copied ones.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use crate::av::code::Code;
use crate::av::decode::Decoder;
use crate::av::encode::Encoder;
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::av::scale::Scaler;
use crate::time::TimeBase;
use crate::{Context, Error, Result};

use super::gop::Coded;
use super::splice::{Edge, Refused, Splicer};

/// An edge is a GOP at most: more threads than this only cost memory, a picture
/// or two each.
const THREADS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// What a decoder of a segment's packets must know.
#[derive(Debug)]
pub(super) struct Decoding {
    parameters: Parameters,
    clock: TimeBase,
}

impl Decoding {
    pub(super) fn of(parameters: &Parameters, clock: TimeBase) -> std::result::Result<Self, Code> {
        Ok(Self {
            parameters: parameters.try_clone()?,
            clock,
        })
    }
}

/// A frame to show: when, for how long, and when it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) pts: i64,
    pub(super) duration: i64,
    pub(super) dts: i64,
}

/// An edge to be made.
pub(super) struct Plan<'a> {
    /// The segment, for messages.
    pub(super) name: &'a str,
    pub(super) decoding: &'a Decoding,
    /// All that must be decoded, in decoding order.
    pub(super) frames: &'a [&'a Coded],
    /// What is to be shown, in order.
    pub(super) shown: &'a [Shown],
    /// The copied entry point that follows.
    pub(super) after: Option<&'a Coded>,
    /// What the encoded pictures must be like.
    pub(super) like: &'a Parameters,
    /// Their pixel format, where the source's may be another.
    pub(super) format: Option<i32>,
    pub(super) frame: TimeBase,
}

impl Plan<'_> {
    /// Decodes and encodes, a frame at a time; hands on each packet, and tells
    /// how many there were. A frame that cannot be decoded is left out.
    pub(super) fn run(
        &self,
        splicer: &mut Splicer,
        context: &Context,
        write: &mut dyn FnMut(Packet),
    ) -> Result<u64> {
        let decoding = self.decoding;
        let context = &context.at_most_threads(THREADS);
        let mut decoder = Decoder::open(&decoding.parameters, decoding.clock, self.name, context)?;
        let mut encoding = Encoding::default();
        for frame in self.frames {
            context.check()?;
            if frame.disposable && self.place(frame.pts).is_none() {
                continue;
            }
            if decoder.send(Some(&frame.packet)) == Err(Code::NO_MEMORY) {
                return Err(Code::NO_MEMORY.failed(self.name, "decoding"));
            }
            self.encode_decoded(&mut decoder, &mut encoding, splicer, context, write)?;
        }
        // At the end a decoder gives what it held back.
        let _ = decoder.send(None);
        self.encode_decoded(&mut decoder, &mut encoding, splicer, context, write)?;
        encoding.finish(splicer, self.name, write)?;
        Ok(encoding.written)
    }

    fn place(&self, pts: i64) -> Option<Shown> {
        let at = self.shown.binary_search_by_key(&pts, |shown| shown.pts);
        at.ok().map(|at| self.shown[at])
    }

    fn encode_decoded(
        &self,
        decoder: &mut Decoder,
        encoding: &mut Encoding,
        splicer: &mut Splicer,
        context: &Context,
        write: &mut dyn FnMut(Packet),
    ) -> Result<()> {
        while let Some(frame) = decoder.receive()? {
            context.check()?;
            let Some(shown) = frame.pts().and_then(|pts| self.place(pts)) else {
                continue;
            };
            let frame = encoding.fit(frame, self)?;
            if encoding.encoder.is_none() {
                let encoder = self.begin(&frame, splicer, context)?;
                encoding.encoder = Some(encoder);
            }
            encoding.feed(frame, shown, self.name)?;
            encoding.take_packets(splicer, self.name, write)?;
        }
        Ok(())
    }

    fn begin(&self, first: &Frame, splicer: &mut Splicer, context: &Context) -> Result<Encoder> {
        let source: Vec<&Coded> = self
            .frames
            .iter()
            .copied()
            .filter(|frame| self.place(frame.pts).is_some())
            .collect();
        let edge = Edge {
            like: self.like,
            first,
            frame: self.frame,
            source: &source,
            after: self.after,
        };
        splicer
            .begin_edge(&edge, context)
            .map_err(|refused| unsuitable(self.name, refused))
    }
}

/// An encoder at work.
#[derive(Default)]
struct Encoding {
    encoder: Option<Encoder>,
    scaler: Option<Scaler>,
    /// What was fed and has not come out.
    inside: VecDeque<Shown>,
    fed: i64,
    written: u64,
}

impl Encoding {
    /// The picture in the output's size and format.
    fn fit(&mut self, frame: Frame, plan: &Plan<'_>) -> Result<Frame> {
        let like = plan.like;
        let format = plan.format.unwrap_or(frame.format());
        let scaler = self
            .scaler
            .get_or_insert_with(|| Scaler::new(like.width(), like.height(), format));
        scaler
            .scale(frame)
            .map_err(|code| code.failed(plan.name, "scaling"))
    }

    fn feed(&mut self, mut frame: Frame, shown: Shown, name: &str) -> Result<()> {
        let Some(encoder) = &mut self.encoder else {
            return Ok(());
        };
        frame.forget_coding(self.fed == 0);
        // The encoder counts frames: no frame is reordered, so the times are
        // put back as the packets come out.
        frame.set_pts(Some(self.fed));
        self.fed += 1;
        self.inside.push_back(shown);
        encoder
            .send(Some(&frame))
            .map_err(|error| named(error, name))
    }

    fn take_packets(
        &mut self,
        splicer: &mut Splicer,
        name: &str,
        write: &mut dyn FnMut(Packet),
    ) -> Result<()> {
        let Some(encoder) = &mut self.encoder else {
            return Ok(());
        };
        while let Some(mut packet) = encoder.receive()? {
            let Some(shown) = self.inside.pop_front() else {
                return Err(Error::unsupported(name, "the encoder made up a frame"));
            };
            let data = splicer
                .encoded(&packet)
                .map_err(|refused| unsuitable(name, refused))?;
            packet
                .set_data(&data)
                .map_err(|code| code.failed(name, "encoding"))?;
            packet.strip();
            packet.set_pts(Some(shown.pts));
            packet.set_dts(Some(shown.dts));
            packet.set_duration(shown.duration);
            self.written += 1;
            write(packet);
        }
        Ok(())
    }

    fn finish(
        &mut self,
        splicer: &mut Splicer,
        name: &str,
        write: &mut dyn FnMut(Packet),
    ) -> Result<()> {
        if let Some(encoder) = &mut self.encoder {
            encoder.send(None)?;
        }
        self.take_packets(splicer, name, write)
    }
}

fn unsuitable(name: &str, Refused(reason): Refused) -> Error {
    Error::unsupported(
        name,
        format!("its edges cannot be encoded, {reason}; use the mode reencode"),
    )
}

fn named(error: Error, name: &str) -> Error {
    match error {
        Error::Ffmpeg {
            operation, message, ..
        } => Error::Ffmpeg {
            what: name.to_owned(),
            operation,
            message,
        },
        other => other,
    }
}
