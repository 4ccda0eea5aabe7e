//! How a track of sound is made: copied, or encoded.

use std::collections::VecDeque;

use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::av::stream::Stream;
use crate::time::TimeBase;
use crate::{Container, Context, Error, Result};

use super::SoundWish;
use super::audio::CopiedSound;
use super::carriage::carries_sound;
use super::options::{OnMismatch, Options};
use super::report::Report;
use super::sink::Tail;
use super::sound::{Coding, EncodedSound};
use super::video::Window;

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
    /// Where the output's copied sound ends so far, in the timeline's samples.
    end: Option<i64>,
    /// By how much a player that ignores the packets' times is late behind the
    /// last seam, in samples.
    late: i64,
    /// The next packet is the first behind a seam.
    at_seam: bool,
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
        (options, wish): (&Options, SoundWish),
        name: &str,
        report: &mut Report,
    ) -> Result<Self> {
        let parameters = &stream.parameters;
        let codec = parameters.codec_name();
        let coding = match wish {
            SoundWish::Encoded(coding) => coding,
            SoundWish::AsItIs | SoundWish::None => Coding::usual(container),
        };
        let encoded = || EncodedSound::new(parameters, coding, container, name).map(Box::new);
        let way = if matches!(wish, SoundWish::Encoded(_)) {
            Way::Encoded(encoded()?)
        } else if !carries_sound(container, parameters) {
            report.note(format!(
                "{name}: the sound ({codec}) is encoded as {} for {container}",
                coding.name()
            ));
            Way::Encoded(encoded()?)
        } else if options.on_mismatch == OnMismatch::Reencode {
            report.note(format!(
                "{name}: the sound is encoded, as segments may differ"
            ));
            Way::Encoded(encoded()?)
        } else {
            Way::Copied(Box::new(CopiedSound::new(parameters, first, name)?))
        };
        Ok(Self {
            way,
            zero: None,
            window: Window { from: 0, to: 0 },
            read_to: i64::MIN,
            held: VecDeque::new(),
            end: None,
            late: 0,
            at_seam: false,
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
                let lead = if lead_in && sound.sample_size().is_none() {
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
    pub(super) fn pop(&mut self, name: &str) -> Result<Option<Packet>> {
        let Some((zero, first)) = self.zero else {
            return Ok(None);
        };
        let from = self.first_wanted(zero, first);
        let sound = match &mut self.way {
            Way::Encoded(sound) => return Ok(sound.ready.pop_front()),
            Way::Copied(sound) => sound,
        };
        while let Some(mut packet) = sound.ready.pop_front() {
            let Some(pts) = packet.pts() else { continue };
            if pts < from && !sound.trim_front(&mut packet, from - pts, name)? {
                continue;
            }
            let pts = pts.max(from);
            if std::mem::take(&mut self.at_seam)
                && let Some(end) = self.end
                && (end - pts).abs() <= 2 * sound.packet_length()
            {
                self.late += end - pts;
            }
            self.end = Some(pts + packet.duration());
            packet.set_pts(Some(pts - zero));
            packet.set_dts(Some(pts - zero));
            return Ok(Some(packet));
        }
        Ok(None)
    }

    /// The first sample of the timeline at which a packet may begin.
    fn first_wanted(&self, zero: i64, first: i64) -> i64 {
        let Way::Copied(sound) = &self.way else {
            return first;
        };
        if self.window.from <= zero {
            return first;
        }
        if sound.sample_size().is_some() {
            return self.window.from;
        }
        if !self.at_seam {
            return i64::MIN;
        }
        // Times are kept, but many players only count samples. The packet
        // nearest to where these hear the sound end keeps both in step, after
        // any number of seams.
        let length = sound.packet_length();
        let heard = self.end.map(|end| end + self.late);
        let near = heard.filter(|heard| (heard - self.window.from).abs() <= length);
        near.unwrap_or(self.window.from) - length / 2
    }

    /// The segment's pictures end at this sample of the timeline.
    pub(super) fn end_segment(&mut self, end: i64, name: &str) -> Result<()> {
        match &mut self.way {
            Way::Copied(_) => Ok(()),
            Way::Encoded(sound) => sound.end_segment(end, name),
        }
    }

    /// Another segment follows at this sample of the timeline: from where on the
    /// output's copied packets fall away, and what becomes of the last one. A
    /// packet that both have a part of belongs to the one that has more of it.
    pub(super) fn seam(&self, end: i64) -> Option<(i64, Tail)> {
        let Way::Copied(sound) = &self.way else {
            return None;
        };
        let end = end - self.zero?.0;
        Some(match sound.sample_size() {
            Some(bytes) => (end, Tail::Cut(bytes)),
            None => (end - sound.packet_length() / 2, Tail::Whole),
        })
    }

    /// The output's packets now end at this sample, counted from its zero.
    pub(super) fn ends(&mut self, end: Option<i64>) {
        if let (Some(end), Some((zero, _))) = (end, self.zero) {
            self.end = Some(zero + end);
        }
        self.at_seam = true;
    }

    /// No more segments come; the output ends at this sample of the timeline.
    pub(super) fn finish(&mut self, end: i64, name: &str) -> Result<()> {
        match &mut self.way {
            Way::Copied(_) => Ok(()),
            Way::Encoded(sound) => sound.finish(end, name),
        }
    }

    /// From where on the output's packets fall away at its end, and what becomes
    /// of the last one.
    pub(super) fn last(&self, end: i64, container: Container) -> (i64, Tail) {
        let (half, sample) = match &self.way {
            Way::Copied(sound) => (sound.packet_length() / 2, sound.sample_size()),
            Way::Encoded(_) => (0, None),
        };
        match (sample, container) {
            (Some(bytes), _) => (end, Tail::Cut(bytes)),
            (None, Container::Mp4 | Container::Mov) => (end, Tail::Shorten),
            (None, Container::Mkv | Container::WebM) => (end, Tail::Whole),
            (None, Container::Ts | Container::Avi) => (end - half, Tail::Whole),
        }
    }
}
