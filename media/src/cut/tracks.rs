//! How each track of the output is made: copied and spliced, or encoded.

use std::collections::VecDeque;

use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::av::stream::Stream;
use crate::time::TimeBase;
use crate::{Container, Context, Error, Result};

use super::audio::CopiedSound;
use super::carriage::{carries_pictures, carries_sound};
use super::encode::Encode;
use super::options::{Mode, OnMismatch, Options};
use super::report::Report;
use super::sound::EncodedSound;
use super::source::Source;
use super::splice::{Refused, Splicer};
use super::video::{Splice, Window};

/// The pictures.
pub(super) enum Pictures {
    Spliced(Box<Splice>),
    Encoded(Box<Encode>),
}

impl Pictures {
    /// Splices where that is asked for and possible. `partial` says that frames
    /// may have to be encoded beside copied ones.
    pub(super) fn choose(
        source: &Source,
        container: Container,
        options: &Options,
        partial: bool,
        (clock, frame): (TimeBase, TimeBase),
        context: &Context,
        report: &mut Report,
    ) -> Result<Self> {
        let name = source.name();
        let like = source
            .parameters()
            .try_clone()
            .map_err(|code| code.failed(name, "setting up"))?;
        let encoded = |like| Self::Encoded(Box::new(Encode::new(like, frame, clock)));
        if options.mode == Mode::Reencode {
            return Ok(encoded(like));
        }
        let edges =
            options.mode == Mode::Exact && partial || options.on_mismatch == OnMismatch::Reencode;
        let splicer = if carries_pictures(container, &like) {
            Splicer::new(&like, container)
        } else {
            let codec = like.codec_name();
            let reason = format!("{codec} does not go into {container}");
            if options.mode == Mode::Copy {
                return Err(Error::unsupported(
                    name,
                    format!("{reason}; write MKV, or use another mode than copy"),
                ));
            }
            report.note(format!("{name}: the video is encoded whole, {reason}"));
            return Ok(encoded(like));
        };
        let splicer = match splicer {
            Err(_) if !edges => Ok(Splicer::plain(&like)),
            result => result,
        };
        let refused = match splicer {
            Ok(splicer) => {
                let like = like
                    .try_clone()
                    .map_err(|code| code.failed(name, "setting up"))?;
                let mut splice = Splice::new(splicer, options.mode, like, frame, clock)?;
                let packets = || source.packets(source.video);
                let ready = if edges {
                    splice
                        .learn(packets())
                        .and_then(|()| splice.check_times(packets()))
                        .and_then(|()| splice.prepare_edges(context))
                } else {
                    Ok(())
                };
                match ready {
                    Ok(()) => return Ok(Self::Spliced(Box::new(splice))),
                    Err(refused) => refused,
                }
            }
            Err(refused) => refused,
        };
        let Refused(reason) = refused;
        report.note(format!("{name}: the video is encoded whole, {reason}"));
        Ok(encoded(like))
    }

    pub(super) fn begin(
        &mut self,
        source: &Source,
        window: Window,
        reencode: bool,
        context: &Context,
        report: &mut Report,
    ) -> Result<()> {
        let (name, parameters) = (source.name(), source.parameters());
        match self {
            Self::Spliced(splice) => splice.begin(name, parameters, window, reencode, report),
            Self::Encoded(encode) => encode.begin(name, parameters, window, context),
        }
    }

    /// Reading begins inside the segment: what comes before the first keyframe
    /// is not missed.
    pub(super) fn enter_midway(&mut self) {
        if let Self::Spliced(splice) = self {
            splice.enter_midway();
        }
    }

    pub(super) fn push(
        &mut self,
        packet: Packet,
        context: &Context,
        report: &mut Report,
    ) -> Result<()> {
        match self {
            Self::Spliced(splice) => splice.push(packet, context, report),
            Self::Encoded(encode) => encode.push(&packet, context, report),
        }
    }

    /// Whether no further frame of the segment is wanted.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Spliced(splice) => splice.is_done(),
            Self::Encoded(encode) => encode.is_done(),
        }
    }

    pub(super) fn finish_segment(&mut self, context: &Context, report: &mut Report) -> Result<()> {
        match self {
            Self::Spliced(splice) => splice.finish(context, report),
            Self::Encoded(encode) => encode.finish_segment(context, report),
        }
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        match self {
            Self::Spliced(_) => Ok(()),
            Self::Encoded(encode) => encode.finish(),
        }
    }

    /// Whether frames came whose order only a decoder can tell.
    pub(super) fn lacks_times(&self) -> bool {
        match self {
            Self::Spliced(splice) => splice.lacks_times,
            Self::Encoded(_) => false,
        }
    }

    /// What the muxer is told, once the first picture is ready.
    pub(super) fn parameters(&self, container: Container) -> Result<Parameters> {
        match self {
            Self::Spliced(splice) => splice.parameters(container),
            Self::Encoded(encode) => encode
                .parameters(container)?
                .ok_or_else(|| Error::malformed("video", "no picture was encoded")),
        }
    }

    /// The output's header is written.
    pub(super) fn seal(&mut self) {
        if let Self::Spliced(splice) = self {
            splice.seal();
        }
    }

    pub(super) fn ready(&self) -> &VecDeque<Packet> {
        match self {
            Self::Spliced(splice) => &splice.ready,
            Self::Encoded(encode) => &encode.ready,
        }
    }

    pub(super) fn ready_mut(&mut self) -> &mut VecDeque<Packet> {
        match self {
            Self::Spliced(splice) => &mut splice.ready,
            Self::Encoded(encode) => &mut encode.ready,
        }
    }

    /// When the last frame has been shown, in ticks of the output.
    pub(super) fn shown_to(&self) -> i64 {
        match self {
            Self::Spliced(splice) => splice.shown_to,
            Self::Encoded(encode) => encode.shown_to,
        }
    }
}

/// A track of sound.
pub(super) struct Sound {
    way: Way,
    /// The timeline's sample at the output's zero, and the first one that is
    /// let in.
    zero: Option<(i64, i64)>,
    window: Window,
    /// When the last packet read begins.
    read_to: i64,
    /// Read, and not due before pictures are shown that long: sound that goes on
    /// behind a segment's last picture is none of the output's.
    held: VecDeque<(Packet, Option<i64>)>,
}

enum Way {
    Copied(Box<CopiedSound>),
    Encoded(Box<EncodedSound>),
}

impl Sound {
    /// Copies where the container takes the sound.
    pub(super) fn choose(
        stream: &Stream,
        first: Option<&Packet>,
        container: Container,
        options: &Options,
        name: &str,
        report: &mut Report,
    ) -> Result<Self> {
        let parameters = &stream.parameters;
        let codec = parameters.codec_name();
        let way = if !carries_sound(container, parameters) {
            report.note(format!(
                "{name}: the sound ({codec}) is encoded as AAC for {container}"
            ));
            Way::Encoded(Box::new(EncodedSound::new(parameters, name)?))
        } else if options.on_mismatch == OnMismatch::Reencode {
            report.note(format!(
                "{name}: the sound is encoded, as segments may differ"
            ));
            Way::Encoded(Box::new(EncodedSound::new(parameters, name)?))
        } else {
            Way::Copied(Box::new(CopiedSound::new(parameters, first, name)?))
        };
        Ok(Self {
            way,
            zero: None,
            window: Window { from: 0, to: 0 },
            read_to: i64::MIN,
            held: VecDeque::new(),
        })
    }

    pub(super) fn clock(&self) -> TimeBase {
        match &self.way {
            Way::Copied(sound) => sound.clock,
            Way::Encoded(sound) => sound.clock,
        }
    }

    pub(super) fn parameters(&self) -> &Parameters {
        match &self.way {
            Way::Copied(sound) => &sound.parameters,
            Way::Encoded(sound) => &sound.parameters,
        }
    }

    /// About how long a packet is.
    pub(super) fn packet_seconds(&self) -> f64 {
        let samples = match &self.way {
            Way::Copied(sound) => sound.packet_length(),
            Way::Encoded(_) => 1024,
        };
        self.clock().timestamp(samples).as_secs_f64().max(1e-3)
    }

    /// A segment begins, of which the samples in `window` are wanted.
    pub(super) fn begin(
        &mut self,
        stream: &Stream,
        window: Window,
        name: &str,
        context: &Context,
    ) -> Result<()> {
        let parameters = &stream.parameters;
        self.window = window;
        self.read_to = i64::MIN;
        self.held.clear();
        match &mut self.way {
            Way::Copied(sound) => {
                if !sound.accepts(parameters) {
                    return Err(Error::unsupported(
                        name,
                        format!(
                            "its sound ({}, {} Hz, {} channels) differs from the first segment's; \
                             encode such segments with --on-mismatch reencode",
                            parameters.codec_name(),
                            parameters.sample_rate(),
                            parameters.channels()
                        ),
                    ));
                }
                sound.begin(parameters);
                Ok(())
            }
            Way::Encoded(sound) => sound.begin(parameters, window, name, context),
        }
    }

    /// The output begins at this sample of the timeline. With `lead_in`, the
    /// packets that a decoder needs before it come first; the container hides
    /// them.
    pub(super) fn start(&mut self, zero: i64, lead_in: bool) {
        match &mut self.way {
            Way::Copied(sound) => {
                let lead = if lead_in {
                    sound.pre_roll() + sound.packet_length() - 1
                } else {
                    0
                };
                self.zero = Some((zero, zero - lead));
            }
            Way::Encoded(sound) => {
                self.zero = Some((zero, zero));
                sound.start(zero);
            }
        }
    }

    /// Takes a packet; `time` is its own in samples of the timeline.
    pub(super) fn push(&mut self, packet: Packet, time: Option<i64>) {
        if let Some(time) = time {
            self.read_to = self.read_to.max(time);
        }
        self.held.push_back((packet, time));
    }

    /// Pictures are shown up to this sample of the timeline: the sound that
    /// begins before is due.
    pub(super) fn release(&mut self, shown_to: i64, name: &str) -> Result<()> {
        let due = |time: Option<i64>| time.is_none_or(|time| time < shown_to);
        while self.held.front().is_some_and(|&(_, time)| due(time))
            && let Some((packet, time)) = self.held.pop_front()
        {
            match &mut self.way {
                Way::Copied(sound) => sound.push(packet, time, name)?,
                Way::Encoded(sound) => sound.push(packet, time, name)?,
            }
        }
        Ok(())
    }

    /// No picture before this sample of the timeline is shown, nor is its sound
    /// needed.
    pub(super) fn forget(&mut self, before: i64) {
        while let Some(&(_, Some(time))) = self.held.front()
            && time < before
        {
            self.held.pop_front();
        }
    }

    /// Whether all before this sample of the timeline was read.
    pub(super) fn is_past(&self, sample: i64) -> bool {
        self.read_to >= sample
    }

    /// The next packet, in samples from the output's zero.
    pub(super) fn pop(&mut self) -> Option<Packet> {
        let (zero, first) = self.zero?;
        match &mut self.way {
            Way::Encoded(sound) => sound.ready.pop_front(),
            Way::Copied(sound) => loop {
                let mut packet = sound.ready.pop_front()?;
                let pts = packet.pts()?;
                // Behind a seam a packet counts where its middle lies.
                let half = sound.packet_length() / 2;
                let from = if self.window.from > zero {
                    self.window.from - half
                } else {
                    first
                };
                if pts >= from {
                    packet.set_pts(Some(pts - zero));
                    packet.set_dts(Some(pts - zero));
                    return Some(packet);
                }
            },
        }
    }

    /// The segment's pictures end at this sample of the timeline.
    pub(super) fn end_segment(&mut self, end: i64, name: &str) -> Result<()> {
        match &mut self.way {
            Way::Copied(_) => Ok(()),
            Way::Encoded(sound) => sound.end_segment(end, name),
        }
    }

    /// From where on the output's copied packets fall away at the seam at this
    /// sample of the timeline.
    pub(super) fn seam(&self, end: i64) -> Option<i64> {
        match &self.way {
            Way::Copied(sound) => Some(end - self.zero?.0 - sound.packet_length() / 2),
            Way::Encoded(_) => None,
        }
    }

    /// No more segments come; the output ends at this sample of the timeline.
    pub(super) fn finish(&mut self, end: i64, name: &str) -> Result<()> {
        match &mut self.way {
            Way::Copied(_) => Ok(()),
            Way::Encoded(sound) => sound.finish(end, name),
        }
    }

    /// From where on the output's packets fall away at its end, and whether the
    /// last one's duration is cut.
    pub(super) fn last(&self, end: i64, container: Container) -> (i64, bool) {
        let half = match &self.way {
            Way::Copied(sound) => sound.packet_length() / 2,
            Way::Encoded(_) => 0,
        };
        match container {
            Container::Mp4 | Container::Mov => (end, true),
            Container::Mkv => (end, false),
            Container::Ts => (end - half, false),
        }
    }
}
