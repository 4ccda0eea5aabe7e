//! Sound that is encoded: decoded, laid on the output's timeline to the sample,
//! and encoded as AAC.

use std::collections::VecDeque;

use crate::av::decode::Decoder;
use crate::av::encode::{Audio, Encoder};
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::av::resample::{Resampler, sound};
use crate::time::TimeBase;
use crate::{Context, Result};

use super::video::Window;

/// The sampling frequencies of AAC, in Hz (ISO/IEC 14496-3, table 1.18).
const RATES: [i32; 12] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
];

/// A track of encoded sound.
pub(super) struct EncodedSound {
    encoder: Encoder,
    pub(super) parameters: Parameters,
    pub(super) clock: TimeBase,
    rate: i32,
    resampler: Resampler,
    decoder: Option<Decoder>,
    window: Window,
    /// Decoded and not encoded yet, a vector for each channel.
    planes: Vec<Vec<f32>>,
    /// The timeline's sample behind the last of `planes`.
    cursor: Option<i64>,
    /// The timeline's sample at the output's zero.
    zero: i64,
    /// When the next frame of this segment begins, if the sound goes on.
    next: Option<i64>,
    pub(super) ready: VecDeque<Packet>,
}

impl EncodedSound {
    /// Encodes sound of this kind.
    pub(super) fn new(source: &Parameters, name: &str) -> Result<Self> {
        let wanted = source.sample_rate();
        let rate = RATES
            .into_iter()
            .find(|&rate| rate >= wanted)
            .unwrap_or(48_000);
        let channels = i64::from(source.channels().max(1));
        let audio = Audio {
            encoder: "aac",
            sample_rate: rate,
            like: source,
            // Telephone sound needs less than music.
            bit_rate: channels * if rate <= 16_000 { 32_000 } else { 96_000 },
        };
        let encoder = Encoder::audio(&audio, name)?;
        let parameters = encoder.parameters()?;
        let resampler = Resampler::new(rate, &parameters)
            .map_err(|code| code.failed(name, "setting up the sound"))?;
        Ok(Self {
            planes: vec![Vec::new(); resampler.channels()],
            encoder,
            parameters,
            clock: TimeBase::per_second(rate.unsigned_abs()),
            rate,
            resampler,
            decoder: None,
            window: Window { from: 0, to: 0 },
            cursor: None,
            zero: 0,
            next: None,
            ready: VecDeque::new(),
        })
    }

    /// The output begins at this sample of the timeline.
    pub(super) fn start(&mut self, zero: i64) {
        self.zero = zero;
        self.cursor = Some(zero);
    }

    /// A segment begins, of which the samples in `window` are wanted.
    pub(super) fn begin(
        &mut self,
        parameters: &Parameters,
        window: Window,
        name: &str,
        context: &Context,
    ) -> Result<()> {
        self.drain(name)?;
        self.decoder = Some(Decoder::open(parameters, self.clock, name, context)?);
        self.window = window;
        self.next = None;
        Ok(())
    }

    /// Takes a packet; `time` is its own in samples of the timeline.
    pub(super) fn push(&mut self, mut packet: Packet, time: Option<i64>, name: &str) -> Result<()> {
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
        let failed = |code: crate::av::code::Code| code.failed(name, "converting the sound");
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
        let size = usize::try_from(self.encoder.frame_size())
            .unwrap_or(1024)
            .max(1);
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
                packet.set_duration(i64::from(self.encoder.frame_size()));
            }
            self.ready.push_back(packet);
        }
        Ok(())
    }

    /// The segment's pictures end at the timeline's sample `end`: so does its
    /// sound.
    pub(super) fn end_segment(&mut self, end: i64, name: &str) -> Result<()> {
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

    /// Ends the sound at the timeline's sample `end`.
    pub(super) fn finish(&mut self, end: i64, name: &str) -> Result<()> {
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
