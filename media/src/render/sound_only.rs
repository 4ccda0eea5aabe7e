//! An input with sound and no pictures.

use std::collections::VecDeque;

use crate::av::demux::Demuxer;
use crate::av::packet::Packet;
use crate::av::parameters::{CodecId, Medium};
use crate::av::stream::Stream;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Input, Result};

/// An opened recording of sound.
pub(super) struct Recording {
    demuxer: Demuxer,
    streams: Vec<Stream>,
    /// The streams of sound, in the container's order.
    pub(super) audio: Vec<usize>,
    /// Streams that are left out, for a note.
    pub(super) left_out: Vec<String>,
    replay: VecDeque<Packet>,
    /// The time that counts as zero, in microseconds: the container's own in MP4
    /// and MOV, else the first packet's.
    pub(super) zero: i64,
}

impl Recording {
    /// Opens `input`; `None` where there is no sound in it either.
    pub(super) fn open(input: &mut Input, context: &Context) -> Result<Option<Self>> {
        let mut demuxer = Demuxer::open(input, true, context)?;
        let iso = demuxer.format().starts_with("mov");
        let streams = demuxer.take_streams();
        let is_sound = |stream: &Stream| {
            let parameters = &stream.parameters;
            parameters.medium() == Medium::Audio
                && parameters.codec() != CodecId::AV_CODEC_ID_NONE
                && parameters.sample_rate() > 0
                && parameters.channels() > 0
        };
        let audio: Vec<usize> = (0..streams.len())
            .filter(|&index| streams.get(index).is_some_and(is_sound))
            .collect();
        let pictures = streams
            .iter()
            .any(|stream| stream.parameters.medium() == Medium::Video && !stream.attached_picture);
        if audio.is_empty() || pictures {
            return Ok(None);
        }
        demuxer.select(&audio);
        let left_out = streams
            .iter()
            .enumerate()
            .filter(|(index, _)| !audio.contains(index))
            .map(|(index, stream)| format!("stream {index} ({})", stream.parameters.codec_name()))
            .collect();
        let mut recording = Self {
            demuxer,
            streams,
            audio,
            left_out,
            replay: VecDeque::new(),
            zero: 0,
        };
        if let Some(packet) = recording.read(context)? {
            let clock = recording.clock(packet.stream());
            let first = packet
                .pts()
                .map_or(0, |pts| clock.timestamp(pts).as_micros());
            recording.zero = if iso { 0 } else { first };
            recording.replay.push_back(packet);
        }
        Ok(Some(recording))
    }

    pub(super) fn stream(&self, index: usize) -> Option<&Stream> {
        self.streams.get(index)
    }

    pub(super) fn format(&self) -> &'static str {
        self.demuxer.format()
    }

    fn clock(&self, stream: usize) -> TimeBase {
        self.stream(stream)
            .map_or(TimeBase::MICROS, |stream| stream.time_base)
    }

    /// The first packet of a stream, of those that were read ahead.
    pub(super) fn first_packet(&self, stream: usize) -> Option<&Packet> {
        self.replay.iter().find(|packet| packet.stream() == stream)
    }

    pub(super) fn duration(&self) -> Option<Timestamp> {
        self.demuxer.duration()
    }

    /// The next packet; `None` at the end.
    pub(super) fn read(&mut self, context: &Context) -> Result<Option<Packet>> {
        if let Some(packet) = self.replay.pop_front() {
            return Ok(Some(packet));
        }
        while let Some(packet) = self.demuxer.read(context)? {
            if self.audio.contains(&packet.stream()) {
                return Ok(Some(packet));
            }
        }
        Ok(None)
    }
}
