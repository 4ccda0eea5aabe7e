//! An opened input: which of its streams are read, and where the timeline begins.

use std::collections::VecDeque;

use crate::av::demux::Demuxer;
use crate::av::packet::Packet;
use crate::av::parameters::{CodecId, Medium};
use crate::av::stream::Stream;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Error, Input, Result};

/// Packets of the video that are read to find the first frame shown.
const LOOK: usize = 24;

/// What is read of an input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) video: bool,
    pub(crate) sound: bool,
}

/// An opened input, read from front to back.
pub(crate) struct Source {
    demuxer: Demuxer,
    /// Packets that were read ahead.
    replay: VecDeque<Packet>,
    /// The stream of pictures: the first that is no cover.
    pub(crate) video: Option<usize>,
    /// The stream of sound: the first.
    pub(crate) sound: Option<usize>,
    /// The time in the container that is zero on the timeline: its own zero in
    /// MP4 and MOV, elsewhere the first frame shown, or the first sound.
    zero: Timestamp,
}

impl Source {
    /// Opens `input`. A stream that is wanted and not there is left out.
    pub(crate) fn open(input: &mut Input, wanted: Wanted, context: &Context) -> Result<Self> {
        let mut demuxer = Demuxer::open(input, false, context)?;
        let iso = demuxer.format().starts_with("mov");
        // Such a file tells all in its index, and its packets are whole.
        if iso && !demuxer.streams().is_empty() && demuxer.streams().iter().all(is_told) {
            demuxer.without_parser();
        } else {
            demuxer.probe(context)?;
        }
        let find = |medium| {
            demuxer.streams().iter().position(|stream| {
                stream.parameters.medium() == medium
                    && stream.parameters.codec() != CodecId::AV_CODEC_ID_NONE
                    && !stream.attached_picture
            })
        };
        let video = find(Medium::Video).filter(|_| wanted.video);
        let sound = find(Medium::Audio).filter(|_| wanted.sound);
        let read: Vec<usize> = video.into_iter().chain(sound).collect();
        demuxer.select(&read);
        let mut source = Self {
            demuxer,
            replay: VecDeque::new(),
            video,
            sound,
            zero: Timestamp::ZERO,
        };
        let first = source.look(context)?;
        if !(iso && first >= Timestamp::ZERO) {
            source.zero = first;
        }
        Ok(source)
    }

    pub(crate) fn name(&self) -> &str {
        self.demuxer.name()
    }

    /// What the container says of a stream.
    pub(crate) fn stream(&self, index: usize) -> Result<&Stream> {
        let streams = self.demuxer.streams();
        streams
            .get(index)
            .ok_or_else(|| self.nothing("such stream"))
    }

    /// The error that there is no `what` in it.
    pub(crate) fn nothing(&self, what: &str) -> Error {
        let codecs: Vec<_> = self
            .demuxer
            .streams()
            .iter()
            .map(|stream| stream.parameters.codec_name())
            .collect();
        let reason = if codecs.is_empty() {
            format!("no {what} in it, nor any other stream")
        } else {
            format!("no {what} in it, only: {}", codecs.join(", "))
        };
        Error::unsupported(self.name(), reason)
    }

    /// Zero of the timeline, in ticks of `clock`.
    pub(crate) fn zero(&self, clock: TimeBase) -> i64 {
        TimeBase::MICROS.convert(self.zero.as_micros(), clock)
    }

    /// How long it is, where the container tells.
    pub(crate) fn duration(&self) -> Option<Timestamp> {
        let told = self.video.or(self.sound).and_then(|index| {
            let stream = self.demuxer.streams().get(index)?;
            Some(stream.time_base.timestamp(stream.duration?))
        });
        told.or_else(|| self.demuxer.duration())
    }

    /// The next packet of the streams that are read; `None` at the end.
    pub(crate) fn read(&mut self, context: &Context) -> Result<Option<Packet>> {
        match self.replay.pop_front() {
            Some(packet) => Ok(Some(packet)),
            None => self.demuxer.read(context),
        }
    }

    /// Reads the beginning, keeps it, and tells when the first frame is shown,
    /// or where there is no video, the first sound heard.
    fn look(&mut self, context: &Context) -> Result<Timestamp> {
        let Some(leading) = self.video.or(self.sound) else {
            return Ok(Timestamp::ZERO);
        };
        let clock = self.stream(leading)?.time_base;
        let (mut key, mut first, mut seen, mut bytes) = (None, None, 0, 0);
        while seen < LOOK && bytes < context.limits().max_buffered_bytes {
            let Some(packet) = self.demuxer.read(context)? else {
                break;
            };
            bytes += packet.data().len();
            if packet.stream() == leading {
                let time = packet.pts().or(packet.dts());
                if key.is_none() && packet.is_key() {
                    key = time;
                }
                if let (Some(key), Some(time)) = (key, time) {
                    // Frames before the first keyframe cannot be decoded, and
                    // an edit list hides others.
                    if time >= key && !packet.is_discarded() {
                        first = Some(first.map_or(time, |first: i64| first.min(time)));
                    }
                    seen += 1;
                    // Sound is not reordered.
                    seen = if self.video.is_none() && first.is_some() {
                        LOOK
                    } else {
                        seen
                    };
                }
            }
            self.replay.push_back(packet);
        }
        Ok(clock.timestamp(first.unwrap_or(0)))
    }
}

/// Whether the container's header tells all of the stream that reading needs.
fn is_told(stream: &Stream) -> bool {
    stream.is_complete() && (!stream.is_video() || stream.frame_rate.is_some())
}
