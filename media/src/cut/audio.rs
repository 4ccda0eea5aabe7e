//! Sound that is copied: packets from just before the cut on, each at its own
//! time.

use std::collections::VecDeque;

use crate::av::packet::Packet;
use crate::av::parameters::{CodecId, Parameters};
use crate::bitstream::adts;
use crate::time::TimeBase;
use crate::{Error, Result};

/// A track of copied sound, in samples.
pub(crate) struct CopiedSound {
    pub(crate) parameters: Parameters,
    pub(crate) clock: TimeBase,
    /// Samples in a packet, where all have the same number.
    packet: Option<i64>,
    /// Bytes of a sample of all channels, where packets may be cut at any.
    sample: Option<usize>,
    /// When the packet behind the last one begins, if the sound goes on.
    next: Option<i64>,
    /// The source's packets carry ADTS headers.
    adts: bool,
    splitter: adts::Splitter,
    pub(crate) ready: VecDeque<Packet>,
}

/// How far a packet's time may lie from where the one before it ends before it
/// counts as a jump: containers round times, to a millisecond at the worst.
const JITTER: TimeBase = TimeBase::per_second(400);

impl CopiedSound {
    /// Sound like this, whose first packet is `first`.
    pub(crate) fn new(parameters: &Parameters, first: Option<&Packet>, name: &str) -> Result<Self> {
        let failed = |code: crate::av::code::Code| code.failed(name, "setting up the sound");
        let mut parameters = parameters.try_clone().map_err(failed)?;
        parameters.set_tag(None);
        // Matroska would be told of a delay that libavformat takes off when it
        // reads, but (in 5.1) does not add when it writes.
        parameters.forget_padding();
        let header = first.and_then(|packet| adts::Header::parse(packet.data()));
        let aac = parameters.codec() == CodecId::AV_CODEC_ID_AAC;
        let adts = aac && parameters.extradata().is_empty() && header.is_some();
        if let (true, Some(header)) = (adts, header) {
            parameters
                .set_extradata(&header.audio_specific_config())
                .map_err(failed)?;
        }
        let rate = u32::try_from(parameters.sample_rate()).unwrap_or(1);
        let packet = match parameters.codec() {
            CodecId::AV_CODEC_ID_AAC if parameters.frame_size() == 0 => Some(1024),
            _ => Some(i64::from(parameters.frame_size())).filter(|&size| size > 1),
        };
        Ok(Self {
            sample: parameters.sample_bytes(),
            parameters,
            clock: TimeBase::per_second(rate),
            packet,
            next: None,
            adts,
            splitter: adts::Splitter::default(),
            ready: VecDeque::new(),
        })
    }

    /// Whether a segment's sound can follow the first one's.
    pub(crate) fn accepts(&self, other: &Parameters) -> bool {
        // ADTS headers are compared packet by packet. Behind what they tell,
        // an AudioSpecificConfig may say that there is no SBR.
        let (ours, theirs) = (self.parameters.extradata(), other.extradata());
        let same_header = theirs.is_empty()
            || theirs == ours
            || other.codec() == CodecId::AV_CODEC_ID_AAC
                && ours.len() >= 2
                && theirs.starts_with(&ours[..2]);
        other.codec() == self.parameters.codec()
            && (other.sample_rate() == 0 || other.sample_rate() == self.parameters.sample_rate())
            && (other.channels() == 0 || other.channels() == self.parameters.channels())
            && same_header
    }

    /// A segment begins: its sound need not go on where the last one's ended.
    pub(crate) fn begin(&mut self, parameters: &Parameters) {
        self.next = None;
        self.splitter.reset();
        self.adts =
            parameters.codec() == CodecId::AV_CODEC_ID_AAC && parameters.extradata().is_empty();
    }

    /// Bytes of a sample of all channels, where packets may be cut at any: PCM
    /// and G.711.
    pub(super) fn sample_size(&self) -> Option<usize> {
        self.sample
    }

    /// Takes `excess` samples off the front of a packet where that can be done;
    /// `false` where nothing of it remains, or it must stay whole.
    pub(super) fn trim_front(&self, packet: &mut Packet, excess: i64, name: &str) -> Result<bool> {
        let Some(bytes) = self.sample.filter(|_| packet.duration() > excess) else {
            return Ok(false);
        };
        let samples = usize::try_from(excess).unwrap_or(0);
        packet
            .keep(samples.saturating_mul(bytes)..usize::MAX)
            .map_err(|code| code.failed(name, "cutting the sound"))?;
        packet.set_duration(packet.duration() - excess);
        Ok(true)
    }

    /// Samples in a packet, or a guess where that changes.
    pub(crate) fn packet_length(&self) -> i64 {
        self.packet
            .unwrap_or_else(|| TimeBase::per_second(50).convert(1, self.clock))
    }

    /// Samples before the first one shown that a decoder needs to be right
    /// there: for Opus 80 ms (RFC 7845, section 4.6), else a packet, whose
    /// second half the next one's first is added to.
    pub(crate) fn pre_roll(&self) -> i64 {
        match self.parameters.codec() {
            CodecId::AV_CODEC_ID_OPUS => TimeBase::per_second(1000).convert(80, self.clock),
            _ => self.packet_length(),
        }
    }

    /// Takes a packet; `time` is its own in samples of the output's timeline.
    pub(crate) fn push(&mut self, packet: Packet, time: Option<i64>, name: &str) -> Result<()> {
        if !self.adts {
            let length = match self.sample {
                Some(bytes) => i64::try_from(packet.data().len() / bytes).unwrap_or(i64::MAX),
                None => self.packet.unwrap_or_else(|| packet.duration()),
            };
            self.place(packet, time, length);
            return Ok(());
        }
        let mut splitter = std::mem::take(&mut self.splitter);
        let split = splitter.split(packet.data(), |frame| {
            let config = frame.header.audio_specific_config();
            if !self.parameters.extradata().starts_with(&config) {
                return Err(Error::unsupported(
                    name,
                    "the sound's parameters change; use --on-mismatch reencode",
                ));
            }
            let mut single = Packet::new();
            single
                .set_data(frame.body)
                .map_err(|code| code.failed(name, "copying the sound"))?;
            self.place(single, time.filter(|_| frame.has_time), 1024);
            Ok(())
        });
        self.splitter = splitter;
        split
    }

    /// Gives a packet of `length` samples its time.
    fn place(&mut self, mut packet: Packet, time: Option<i64>, length: i64) {
        let tolerance = JITTER.convert(1, self.clock);
        let at = match (time, self.next) {
            (Some(time), Some(next)) if (time - next).abs() <= tolerance => next,
            (Some(time), _) => time,
            // Later frames of a PES packet carry no time.
            (None, Some(next)) => next,
            (None, None) => return,
        };
        let length = length.max(1);
        self.next = Some(at + length);
        packet.strip();
        packet.set_key(true);
        packet.set_pts(Some(at));
        packet.set_dts(Some(at));
        packet.set_duration(length);
        self.ready.push_back(packet);
    }
}
