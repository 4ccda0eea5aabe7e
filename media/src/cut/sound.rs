//! Sound that is encoded: decoded, laid on the output's timeline to the sample,
//! and encoded, as AAC where nothing else is asked.

use std::collections::VecDeque;

use crate::av::code::Code;
use crate::av::decode::Decoder;
use crate::av::encode::{Audio, Encoder};
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::av::resample::{Resampler, in_format, sound};
use crate::time::{TimeBase, Timestamp};
use crate::{Container, Context, Error, Result};

use super::video::Window;

/// How sound is to be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coding {
    /// FFmpeg's name of the encoder.
    pub(crate) encoder: &'static str,
    /// In bits a second, for all channels; none is a fit choice for them.
    pub(crate) bit_rate: Option<i64>,
    /// At most so many channels.
    pub(crate) channels: Option<i32>,
}

impl Coding {
    /// What every player of the container plays.
    pub(crate) fn usual(container: Container) -> Self {
        let encoder = match container {
            Container::WebM => "libopus",
            Container::Avi => "libmp3lame",
            _ => "aac",
        };
        Self {
            encoder,
            bit_rate: None,
            channels: None,
        }
    }

    /// The codec as people call it.
    pub(crate) fn name(self) -> &'static str {
        match self.encoder {
            "aac" => "AAC",
            "libopus" => "Opus",
            "libmp3lame" => "MP3",
            "ac3" => "AC-3",
            "flac" => "FLAC",
            other => other,
        }
    }

    fn bit_rate(self, rate: i32, channels: i32) -> Option<i64> {
        // Telephone sound needs less than music.
        let each = match (self.encoder, rate <= 16_000) {
            ("aac" | "libopus", true) => 32_000,
            ("aac" | "libopus", false) => 96_000,
            // Its frames have few sizes, and the encoder takes the next.
            ("libmp3lame" | "ac3" | "mp2", _) => return self.bit_rate,
            _ => return None,
        };
        self.bit_rate.or(Some(i64::from(channels.max(1)) * each))
    }
}

/// Packets that are made at once, at most: of silence some hours.
const MOST_READY: usize = 1 << 20;

/// A track of encoded sound.
pub(crate) struct EncodedSound {
    encoder: Encoder,
    pub(crate) parameters: Parameters,
    pub(crate) clock: TimeBase,
    rate: i32,
    resampler: Resampler,
    decoder: Option<Decoder>,
    /// Of the segment, for its cancel and limits.
    context: Option<Context>,
    window: Window,
    /// Decoded and not encoded yet, a vector for each channel.
    planes: Vec<Vec<f32>>,
    /// The timeline's sample behind the last of `planes`.
    cursor: Option<i64>,
    /// The timeline's sample at the output's zero.
    zero: i64,
    /// When the next frame of this segment begins, if the sound goes on.
    next: Option<i64>,
    /// Samples that the encoder puts in front and nothing in the container hides.
    lead: i64,
    pub(crate) ready: VecDeque<Packet>,
}

impl EncodedSound {
    /// Encodes sound of this kind for a container.
    pub(crate) fn new(
        source: &Parameters,
        coding: Coding,
        container: Container,
        name: &str,
    ) -> Result<Self> {
        let channels = source.channels().min(coding.channels.unwrap_or(i32::MAX));
        let audio = Audio {
            encoder: coding.encoder,
            sample_rate: source.sample_rate(),
            like: source,
            channels: coding.channels,
            bit_rate: coding.bit_rate(source.sample_rate(), channels),
            header_apart: container.holds_headers(),
        };
        let encoder = Encoder::audio(&audio, name)?;
        let parameters = encoder.parameters()?;
        let rate = parameters.sample_rate();
        let parameters_delay = i64::from(parameters.delay().max(0));
        let failed = |code: Code| code.failed(name, "setting up the sound");
        let resampler = Resampler::new(rate, &parameters).map_err(failed)?;
        Ok(Self {
            planes: vec![Vec::new(); resampler.channels()],
            encoder,
            parameters,
            clock: TimeBase::per_second(rate.unsigned_abs()),
            rate,
            resampler,
            decoder: None,
            context: None,
            window: Window { from: 0, to: 0 },
            cursor: None,
            zero: 0,
            next: None,
            // AVI has no edit list and no times before zero. What the encoder puts
            // in front takes the place of as many samples, so that all others are
            // heard when they should be; as the first packets hold bits of the
            // next ones, they cannot be left out.
            lead: match container {
                Container::Avi => parameters_delay,
                _ => 0,
            },
            ready: VecDeque::new(),
        })
    }

    /// The output begins at this sample of the timeline.
    pub(crate) fn start(&mut self, zero: i64) {
        self.zero = zero;
        self.cursor = Some(zero + self.lead);
    }

    /// How much of the beginning is lost to what the encoder puts in front.
    pub(crate) fn lost(&self) -> Timestamp {
        self.clock.timestamp(self.lead)
    }

    /// A segment begins, of which the samples in `window` are wanted.
    pub(crate) fn begin(
        &mut self,
        parameters: &Parameters,
        window: Window,
        name: &str,
        context: &Context,
    ) -> Result<()> {
        self.drain(name)?;
        self.decoder = Some(Decoder::open(parameters, self.clock, name, context)?);
        self.context = Some(context.clone());
        self.window = window;
        self.next = None;
        Ok(())
    }

    /// Takes a packet; `time` is its own in samples of the timeline.
    pub(crate) fn push(&mut self, mut packet: Packet, time: Option<i64>, name: &str) -> Result<()> {
        packet.set_pts(time);
        packet.set_dts(time);
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        // Sound that does not decode becomes silence.
        let _ = decoder.send(Some(&packet));
        self.take_frames(name)
    }

    fn take_frames(&mut self, name: &str) -> Result<()> {
        let Some(mut decoder) = self.decoder.take() else {
            return Ok(());
        };
        while let Some(frame) = decoder.receive()? {
            self.place(&frame, name)?;
        }
        self.decoder = Some(decoder);
        Ok(())
    }

    /// Ends the decoder of a segment.
    fn drain(&mut self, name: &str) -> Result<()> {
        if let Some(decoder) = &mut self.decoder {
            let _ = decoder.send(None);
            self.take_frames(name)?;
            self.decoder = None;
        }
        Ok(())
    }

    /// Lays a frame on the timeline: silence fills a gap, what overlaps is cut.
    fn place(&mut self, frame: &Frame, name: &str) -> Result<()> {
        let failed = |code: Code| code.failed(name, "converting the sound");
        let mut planes = vec![Vec::new(); self.planes.len()];
        self.resampler
            .convert(Some(frame), &mut planes)
            .map_err(failed)?;
        let length = count(planes.first().map_or(0, Vec::len));
        // Containers round times: small steps are no gaps.
        let tolerance = TimeBase::per_second(200).convert(1, self.clock);
        let at = match (frame.pts(), self.next) {
            (Some(pts), Some(next)) if (pts - next).abs() <= tolerance => next,
            (Some(pts), _) => pts,
            (None, Some(next)) => next,
            (None, None) => return Ok(()),
        };
        self.next = Some(at + length);
        let Some(cursor) = self.cursor else {
            return Ok(());
        };
        let from = cursor.max(self.window.from).max(at);
        let to = self.window.to.min(at + length);
        if to <= from {
            return Ok(());
        }
        self.silence(from, name)?;
        let range = index(from - at)..index(to - at);
        for (target, plane) in self.planes.iter_mut().zip(&planes) {
            target.extend_from_slice(plane.get(range.clone()).unwrap_or_default());
        }
        self.cursor = Some(to);
        self.encode(name)
    }

    /// Fills up with silence to the timeline's sample `to`.
    fn silence(&mut self, to: i64, name: &str) -> Result<()> {
        while let Some(cursor) = self.cursor
            && cursor < to
        {
            // A broken time may lie years ahead.
            let gap = self.clock.timestamp(to.saturating_sub(cursor));
            let mut most = Timestamp::MAX;
            if let Some(context) = &self.context {
                context.check()?;
                most = Timestamp::from(context.limits().max_duration);
            }
            if gap > most || self.ready.len() > MOST_READY {
                return Err(Error::limit(
                    name,
                    format!("a gap of more than {gap} in its sound: its times are broken"),
                ));
            }
            let part = (to - cursor).min(i64::from(self.rate));
            for plane in &mut self.planes {
                plane.resize(plane.len() + index(part), 0.0);
            }
            self.cursor = Some(cursor + part);
            self.encode(name)?;
        }
        Ok(())
    }

    /// Encodes all whole frames.
    fn encode(&mut self, name: &str) -> Result<()> {
        // PCM takes any number.
        let size = match self.encoder.frame_size() {
            0 => 1024,
            size => usize::try_from(size).unwrap_or(1024).max(1),
        };
        let mut done = 0;
        while self
            .planes
            .first()
            .is_some_and(|plane| plane.len() - done >= size)
        {
            self.send(done..done + size, name)?;
            done += size;
        }
        for plane in &mut self.planes {
            plane.drain(..done);
        }
        Ok(())
    }

    fn send(&mut self, range: std::ops::Range<usize>, name: &str) -> Result<()> {
        let held = self.planes.first().map_or(0, Vec::len);
        let first = self.cursor.unwrap_or(0) - count(held) + count(range.start);
        let planes: Vec<&[f32]> = self
            .planes
            .iter()
            .map(|plane| &plane[range.clone()])
            .collect();
        let mut frame = sound(&planes, self.rate, &self.parameters)
            .and_then(|frame| in_format(frame, self.parameters.format()))
            .map_err(|code| code.failed(name, "encoding the sound"))?;
        frame.set_pts(Some(first - self.zero));
        self.encoder.send(Some(&frame))?;
        self.take_packets()
    }

    fn take_packets(&mut self) -> Result<()> {
        while let Some(mut packet) = self.encoder.receive()? {
            packet.strip();
            packet.set_key(true);
            if packet.dts().is_none() {
                packet.set_dts(packet.pts());
            }
            if packet.duration() <= 0 {
                packet.set_duration(i64::from(self.encoder.frame_size().max(1)));
            }
            self.ready.push_back(packet);
        }
        Ok(())
    }

    /// The segment's pictures end at the timeline's sample `end`: so does its
    /// sound.
    pub(crate) fn end_segment(&mut self, end: i64, name: &str) -> Result<()> {
        self.window.to = self.window.to.min(end);
        self.drain(name)?;
        self.cut_to(end);
        Ok(())
    }

    /// What lies behind `end` and is not encoded yet falls away: the window let
    /// it in before the end was known.
    fn cut_to(&mut self, end: i64) {
        let Some(cursor) = self.cursor else {
            return;
        };
        let excess = index(cursor - end);
        let held = self.planes.first().map_or(0, Vec::len);
        let dropped = excess.min(held);
        for plane in &mut self.planes {
            plane.truncate(held - dropped);
        }
        self.cursor = Some(cursor - count(dropped));
    }

    /// The timeline's sample behind the last one so far.
    pub(crate) fn reaches(&self) -> i64 {
        self.cursor.unwrap_or(self.zero)
    }

    /// Ends the sound where it ends itself.
    pub(crate) fn finish_open(&mut self, name: &str) -> Result<()> {
        self.drain(name)?;
        self.finish(self.reaches(), name)
    }

    /// Ends the sound at the timeline's sample `end`.
    pub(crate) fn finish(&mut self, end: i64, name: &str) -> Result<()> {
        self.window.to = self.window.to.min(end);
        self.drain(name)?;
        self.silence(end, name)?;
        self.cut_to(end);
        let rest = self.planes.first().map_or(0, Vec::len);
        if rest > 0 {
            self.send(0..rest, name)?;
        }
        self.encoder.send(None)?;
        self.take_packets()
    }
}

/// A length as a count of samples.
fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// A count of samples as an index, 0 for a negative one.
fn index(samples: i64) -> usize {
    usize::try_from(samples).unwrap_or(0)
}
