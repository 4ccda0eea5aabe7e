//! A segment: its streams, its extent, and its packets from any frame on.

mod delay;
mod entry;
mod extent;
mod seek;

use std::collections::VecDeque;

use crate::av::demux::Demuxer;
use crate::av::packet::Packet;
use crate::av::parameters::{CodecId, Medium, Parameters};
use crate::av::stream::Stream;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Error, Input, Result};

/// An opened segment.
pub(crate) struct Source {
    demuxer: Demuxer,
    /// Packets that were read ahead.
    replay: VecDeque<Packet>,
    pub(crate) video: usize,
    /// The streams of sound, in the container's order.
    pub(crate) audio: Vec<usize>,
    /// The first frame shown, in ticks of the video stream.
    pub(crate) first: i64,
    /// The time that the container gives zero, in ticks of the video stream:
    /// its own in MP4 and MOV, else the first frame.
    pub(crate) zero: i64,
    /// A frame's length, in ticks of the video stream.
    pub(crate) frame: i64,
    /// Streams that are left out, for a note.
    pub(crate) left_out: Vec<String>,
    /// Whether the container has sample tables.
    iso: bool,
    /// What is known of each stream.
    streams: Vec<Stream>,
    /// Packets come as the transport stream packs them, without key flags.
    unparsed: bool,
    /// The last picture of an unparsed stream, whose rest may be in the next
    /// packet.
    held: Option<Packet>,
}

/// What the streams of a segment are, so that the next one of its kind need not
/// be probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout(Vec<CodecId>);

/// The most bytes of one picture of an unparsed stream: ten times what level
/// 6.2 of H.264 allows (ITU-T H.264, section A.3.1).
const LARGEST: usize = 64 << 20;

/// Frames read to find the first one shown.
const LOOK: usize = 24;

impl Source {
    /// Opens `input`. With the layout of an earlier segment, a transport stream
    /// that has the same is not probed. With `splice`, its pictures may come
    /// without key flags: a splicer finds them itself.
    pub(crate) fn open(
        input: &mut Input,
        like: Option<&Layout>,
        splice: bool,
        context: &Context,
    ) -> Result<Self> {
        let mut demuxer = Demuxer::open(input, false, context)?;
        let iso = demuxer.format().starts_with("mov");
        let transport = demuxer.format() == "mpegts";
        let known = demuxer.streams().iter().any(Stream::is_video)
            && (iso && demuxer.streams().iter().all(Stream::is_complete)
                || transport && like.is_some_and(|like| *like == layout(demuxer.streams())));
        if !known {
            demuxer.probe(context)?;
        }
        let streams = demuxer.take_streams();
        // The parser that finds where pictures begin costs as much as all the
        // rest, and a transport stream has one picture in each PES packet.
        let unparsed = transport && splice && streams.iter().all(is_self_delimiting);
        if unparsed && !known && input.reopens() {
            // Probing has started the parsers.
            demuxer = Demuxer::open(input, false, context)?;
        }
        let unparsed = unparsed && (known || layout(demuxer.streams()) == layout(&streams));
        if unparsed || iso && known {
            demuxer.without_parser();
        }
        let source = Self::choose(demuxer, streams, unparsed, transport && known)?;
        match source.looked(context)? {
            Some(source) => Ok(source),
            // Pictures are packed in another way.
            None => Self::open(input, None, false, context),
        }
    }

    /// Chooses the streams to read. Those of an input that was not `guessed` to
    /// be like the one before have told all that they are.
    fn choose(
        demuxer: Demuxer,
        streams: Vec<Stream>,
        unparsed: bool,
        guessed: bool,
    ) -> Result<Self> {
        let mut demuxer = demuxer;
        let iso = demuxer.format().starts_with("mov");
        let video = streams
            .iter()
            .position(Stream::is_video)
            .ok_or_else(|| no_video(demuxer.name(), &streams))?;
        let of =
            |medium| move |(_, stream): &(usize, &Stream)| stream.parameters.medium() == medium;
        let numbered = || streams.iter().enumerate();
        let audio: Vec<usize> = numbered()
            .filter(of(Medium::Audio))
            .filter(|(_, stream)| stream.parameters.codec() != CodecId::AV_CODEC_ID_NONE)
            // Sound that no decoder understood, as G.711 in a program stream
            // without a map, which passes for MP2.
            .filter(|(_, stream)| guessed || stream.is_complete())
            .map(|(index, _)| index)
            .collect();
        let left_out = numbered()
            .filter(|(index, _)| *index != video && !audio.contains(index))
            .map(|(index, stream)| format!("stream {index} ({})", stream.parameters.codec_name()))
            .collect();
        let mut wanted = audio.clone();
        wanted.push(video);
        demuxer.select(&wanted);
        Ok(Self {
            demuxer,
            replay: VecDeque::new(),
            video,
            audio,
            first: 0,
            zero: 0,
            frame: 0,
            left_out,
            iso,
            streams,
            unparsed,
            held: None,
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.demuxer.name()
    }

    /// The demuxer's names, as `mpegts`.
    pub(crate) fn format(&self) -> &'static str {
        self.demuxer.format()
    }

    /// Whether it can only be read from front to back.
    pub(crate) fn is_live(&self) -> bool {
        self.demuxer.is_live()
    }

    pub(crate) fn layout(&self) -> Layout {
        layout(&self.streams)
    }

    pub(crate) fn stream(&self, index: usize) -> &Stream {
        &self.streams[index]
    }

    pub(crate) fn parameters(&self) -> &Parameters {
        &self.stream(self.video).parameters
    }

    /// The ticks of the video stream.
    pub(crate) fn clock(&self) -> TimeBase {
        self.stream(self.video).time_base
    }

    pub(crate) fn first_time(&self) -> Timestamp {
        self.clock().timestamp(self.first)
    }

    /// Reads the beginning, to know when the first frame is shown and how long
    /// a frame is. The packets are kept. `None` where unparsed packets are not
    /// pictures.
    fn looked(mut self, context: &Context) -> Result<Option<Self>> {
        let mut key = None;
        let mut shown = Vec::new();
        let mut timeless = true;
        let mut bytes = 0;
        while shown.len() < LOOK && bytes < context.limits().max_buffered_bytes {
            let Some(packet) = self.demux(context)? else {
                break;
            };
            bytes += packet.data().len();
            if packet.stream() == self.video {
                let time = packet.pts().or(packet.dts());
                timeless &= time.is_none();
                if self.unparsed && !entry::is_one_picture(self.parameters().codec(), &packet) {
                    return Ok(None);
                }
                if key.is_none() && self.is_key(&packet) {
                    key = time;
                }
                if let (Some(key), Some(time)) = (key, time) {
                    // Frames before the first keyframe cannot be decoded, and
                    // an edit list hides others.
                    if time >= key && !packet.is_discarded() {
                        shown.push(time);
                    }
                }
            }
            self.replay.push_back(packet);
        }
        let Some(&first) = shown.iter().min() else {
            return Err(Error::malformed(
                self.name(),
                if timeless {
                    "its packets carry no times: a raw stream must be put into a container first"
                } else {
                    "no keyframe to begin with in the video"
                },
            ));
        };
        self.first = first;
        self.zero = if self.iso && first >= 0 { 0 } else { first };
        // Between frames without a time of their own the steps are too long.
        let timed = |packet: &Packet| packet.pts().or(packet.dts()).is_some();
        let complete = self.packets(self.video).all(timed);
        self.frame = self.frame_length(shown, complete);
        Ok(Some(self))
    }

    /// Whether decoding can begin with a packet of the video.
    pub(crate) fn is_key(&self, packet: &Packet) -> bool {
        if self.unparsed {
            entry::is_entry(self.parameters().codec(), packet)
        } else {
            packet.is_key()
        }
    }

    fn frame_length(&self, mut times: Vec<i64>, complete: bool) -> i64 {
        times.sort_unstable();
        let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.retain(|&step| step > 0);
        steps.sort_unstable();
        let rate = self.stream(self.video).frame_rate;
        let told = rate.map(|frame| frame.convert(1, self.clock()));
        let middle = steps.get(steps.len() / 2).copied();
        let packet = self
            .replay
            .iter()
            .find(|packet| packet.stream() == self.video)
            .map(Packet::duration);
        let measured = if complete {
            middle.or(told)
        } else {
            told.or(middle)
        };
        measured
            .or(packet)
            .filter(|&length| length > 0)
            .unwrap_or_else(|| TimeBase::per_second(25).convert(1, self.clock()).max(1))
    }

    /// The first packet of a stream, of those that were read ahead.
    pub(crate) fn first_packet(&self, stream: usize) -> Option<&Packet> {
        self.packets(stream).next()
    }

    /// The packets of a stream that were read ahead.
    pub(crate) fn packets(&self, stream: usize) -> impl Iterator<Item = &Packet> {
        self.replay
            .iter()
            .filter(move |packet| packet.stream() == stream)
    }

    /// How long the recording is, where the container tells.
    pub(crate) fn known_duration(&self) -> Option<Timestamp> {
        let stream = self.stream(self.video);
        let told = stream
            .duration
            .map(|duration| self.clock().timestamp(duration));
        told.or_else(|| self.demuxer.duration())
    }

    /// The length of a frame as a fraction of a second.
    pub(crate) fn frame_rate(&self) -> TimeBase {
        let stream = self.stream(self.video);
        let clock = self.clock();
        // What the container says, unless its frames say something else.
        let told = stream.frame_rate.filter(|frame| {
            let length = frame.convert(1, clock);
            (length - self.frame).abs() <= 1 + self.frame / 50
        });
        told.unwrap_or_else(|| {
            let num = u64::from(clock.num()) * u64::try_from(self.frame).unwrap_or(1);
            let (num, den) = reduce(num, u64::from(clock.den()));
            TimeBase::new(num, den).unwrap_or(TimeBase::per_second(25))
        })
    }

    /// The next packet from the file. libavformat breaks unparsed pictures of
    /// more than 200 kB apart (`max_packet_size` of its transport stream
    /// demuxer): they are put together again.
    fn demux(&mut self, context: &Context) -> Result<Option<Packet>> {
        loop {
            let Some(packet) = self.demuxer.read(context)? else {
                return Ok(self.held.take());
            };
            if !self.unparsed || packet.stream() != self.video {
                return Ok(Some(packet));
            }
            if packet.pts().is_none() && !entry::begins_unit(&packet) {
                if let Some(held) = &mut self.held {
                    if held.data().len() > LARGEST {
                        return Err(Error::malformed(
                            self.demuxer.name(),
                            format!("a picture of more than {LARGEST} bytes"),
                        ));
                    }
                    held.append(packet.data())
                        .map_err(|code| code.failed(self.demuxer.name(), "reading"))?;
                }
                continue;
            }
            if let Some(whole) = self.held.replace(packet) {
                return Ok(Some(whole));
            }
        }
    }

    /// The next packet of a stream that is wanted; `None` at the end.
    pub(crate) fn read(&mut self, context: &Context) -> Result<Option<Packet>> {
        if let Some(packet) = self.replay.pop_front() {
            return Ok(Some(packet));
        }
        loop {
            let Some(packet) = self.demux(context)? else {
                return Ok(None);
            };
            let index = packet.stream();
            if index == self.video || self.audio.contains(&index) {
                return Ok(Some(packet));
            }
        }
    }
}

fn layout(streams: &[Stream]) -> Layout {
    let codecs = streams.iter();
    Layout(codecs.map(|stream| stream.parameters.codec()).collect())
}

/// Whether the packets of a transport stream can be taken apart without a
/// parser.
fn is_self_delimiting(stream: &Stream) -> bool {
    let parameters = &stream.parameters;
    match parameters.medium() {
        Medium::Video => entry::is_known(parameters.codec()),
        Medium::Audio => parameters.codec() == CodecId::AV_CODEC_ID_AAC,
        _ => true,
    }
}

fn no_video(name: &str, streams: &[Stream]) -> Error {
    let names: Vec<_> = streams
        .iter()
        .map(|stream| stream.parameters.codec_name())
        .collect();
    let found = if names.is_empty() {
        "no streams".to_owned()
    } else {
        format!("only {}", names.join(", "))
    };
    Error::malformed(name, format!("no video in it ({found})"))
}

/// A fraction in lowest terms, where it fits.
fn reduce(num: u64, den: u64) -> (i32, i32) {
    let (mut a, mut b) = (num, den);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    let divisor = a.max(1);
    let fit = |value: u64| i32::try_from(value / divisor).unwrap_or(i32::MAX);
    (fit(num), fit(den))
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}
