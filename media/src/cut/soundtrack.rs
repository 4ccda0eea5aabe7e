//! How a track of sound is made: copied, or encoded.

use std::collections::VecDeque;

use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::av::stream::Stream;
use crate::time::TimeBase;
use crate::{Container, Context, Error, Result};

use super::audio::CopiedSound;
use super::carriage::carries_sound;
use super::options::{OnMismatch, Options};
use super::report::Report;
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
        let coding = Coding::usual(container);
        let encoded = || EncodedSound::new(parameters, coding, container, name).map(Box::new);
        let way = if !carries_sound(container, parameters) {
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
            Container::Mkv | Container::WebM => (end, false),
            Container::Ts | Container::Avi => (end - half, false),
        }
    }
}
