//! Sound as speech recognisers take it: 16 kHz, one channel, laid on the
//! timeline to the sample.

use crate::av::code::Code;
use crate::av::decode::Decoder;
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::av::resample::{Resampler, rate_of};
use crate::decoded::source::Source;
use crate::time::{Span, TimeBase, Timestamp};
use crate::{Context, Error, Result};

use super::options::{Silence, SoundOutput};
use super::silence::Listener;
use super::wav::{Wav, Written};

/// Samples a second: what speech recognisers are trained with.
pub(super) const RATE: u32 = 16_000;

const CLOCK: TimeBase = TimeBase::per_second(RATE);

/// Steps in the times that are no gaps: containers round them. 5 ms.
const TOLERANCE: i64 = RATE as i64 / 200;

/// The sound of a [`Source`], on its way to a file.
pub(super) struct SoundTrack {
    decoder: Decoder,
    name: String,
    source_clock: TimeBase,
    /// Zero of the timeline, in ticks of the source.
    zero: i64,
    resampler: Resampler,
    wav: Wav,
    listener: Listener,
    plane: Vec<f32>,
    /// Samples written so far.
    written: i64,
    /// The sound since the last gap.
    run: Option<Run>,
    /// How many samples are still to be dropped, because they overlap.
    excess: i64,
    most: i64,
}

/// Sound without a gap.
#[derive(Clone, Copy)]
struct Run {
    /// The timeline's sample where it began.
    start: i64,
    /// How long it is, in samples of the source: so rounding does not add up.
    length: i64,
    rate: u32,
}

impl Run {
    /// The timeline's sample behind it.
    fn end(&self) -> i64 {
        self.start + TimeBase::per_second(self.rate).convert(self.length, CLOCK)
    }
}

/// The sound, written.
pub(super) struct Sounded {
    pub(super) file: Written,
    pub(super) duration: Timestamp,
    pub(super) silences: Vec<Span>,
    /// Whether any was decoded.
    pub(super) is_heard: bool,
}

impl SoundTrack {
    pub(super) fn open(
        source: &Source,
        index: usize,
        output: SoundOutput,
        silence: Silence,
        context: &Context,
    ) -> Result<Self> {
        let stream = source.stream(index)?;
        let clock = stream.time_base;
        let most = Timestamp::from(context.limits().max_duration);
        Ok(Self {
            decoder: Decoder::open(&stream.parameters, clock, source.name(), context)?,
            name: source.name().to_owned(),
            source_clock: clock,
            zero: source.zero(clock),
            resampler: Resampler::mono(i32::try_from(RATE).unwrap_or(i32::MAX)),
            wav: Wav::create(output, RATE)?,
            listener: Listener::new(RATE, silence),
            plane: Vec::new(),
            written: 0,
            run: None,
            excess: 0,
            most: TimeBase::MICROS.convert(most.as_micros(), CLOCK),
        })
    }

    /// Decodes a packet, or with `None` what the decoder still holds. Sound that
    /// does not decode becomes silence.
    pub(super) fn push(&mut self, packet: Option<&Packet>, context: &Context) -> Result<()> {
        if self.decoder.send(packet) == Err(Code::NO_MEMORY) {
            return Err(Code::NO_MEMORY.failed(&self.name, "decoding"));
        }
        while let Some(frame) = self.decoder.receive()? {
            context.check()?;
            self.place(&frame)?;
        }
        Ok(())
    }

    /// How far the sound is written.
    pub(super) fn position(&self) -> Timestamp {
        CLOCK.timestamp(self.written)
    }

    pub(super) fn finish(mut self) -> Result<Sounded> {
        self.drain()?;
        let is_heard = self.run.is_some();
        Ok(Sounded {
            file: self.wav.finish()?,
            duration: CLOCK.timestamp(self.written),
            silences: self.listener.finish(),
            is_heard,
        })
    }

    /// Lays a frame on the timeline: silence fills a gap, what overlaps is cut.
    fn place(&mut self, frame: &Frame) -> Result<()> {
        let rate = rate_of(frame);
        let told = frame
            .pts()
            .map(|pts| self.source_clock.convert(pts - self.zero, CLOCK));
        let goes_on = self.run.filter(|run| {
            run.rate == rate && told.is_none_or(|told| (told - run.end()).abs() <= TOLERANCE)
        });
        let mut run = match goes_on {
            Some(run) => run,
            None => self.begin(told, rate)?,
        };
        run.length += i64::from(frame.samples());
        self.run = Some(run);
        self.convert(Some(frame))
    }

    /// Sound begins, or goes on behind a gap or an overlap.
    fn begin(&mut self, told: Option<i64>, rate: u32) -> Result<Run> {
        // The resampler holds back the end of what was before.
        self.drain()?;
        let before = self.run.map_or(0, |run| run.end());
        let start = told.unwrap_or(before);
        if start > self.most {
            return Err(Error::limit(
                &self.name,
                "the sound is longer than the limit on durations",
            ));
        }
        self.silence(start - self.written)?;
        self.excess = (self.written - start).max(0);
        Ok(Run {
            start,
            length: 0,
            rate,
        })
    }

    fn drain(&mut self) -> Result<()> {
        self.convert(None)?;
        self.resampler.reset();
        Ok(())
    }

    fn convert(&mut self, frame: Option<&Frame>) -> Result<()> {
        self.plane.clear();
        let mut planes = [std::mem::take(&mut self.plane)];
        self.resampler
            .convert(frame, &mut planes)
            .map_err(|code| code.failed(&self.name, "converting the sound"))?;
        let [plane] = planes;
        let heard = plane.len();
        let dropped = usize::try_from(self.excess).unwrap_or(0).min(heard);
        self.excess -= i64::try_from(dropped).unwrap_or(0);
        let result = self.write(plane.get(dropped..).unwrap_or_default());
        self.plane = plane;
        result
    }

    fn silence(&mut self, samples: i64) -> Result<()> {
        const BLOCK: [f32; 4096] = [0.0; 4096];
        let mut left = usize::try_from(samples).unwrap_or(0);
        while left > 0 {
            let part = BLOCK.get(..left).unwrap_or(&BLOCK);
            self.write(part)?;
            left -= part.len();
        }
        Ok(())
    }

    fn write(&mut self, samples: &[f32]) -> Result<()> {
        self.listener.hear(samples);
        self.written += i64::try_from(samples.len()).unwrap_or(0);
        self.wav.write(samples)
    }
}
