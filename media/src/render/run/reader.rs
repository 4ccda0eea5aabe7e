//! The thread that reads: packets of pictures are decoded, those of sound handed
//! on.

use crossbeam_channel::Sender;

use super::super::plan::Work;
use super::super::step::Step;
use crate::av::code::Code;
use crate::av::decode::{Decoder, Skip};
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::cut::source::Source;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Result};

/// Reads a source from a work's first frame to its last.
pub(super) struct Reader<'a> {
    source: &'a mut Source,
    decoder: Decoder,
    name: String,
    clock: TimeBase,
    /// The frames that are wanted, in the source's ticks.
    from: i64,
    to: i64,
    /// The shape of samples, where the container tells.
    aspect: Option<(i32, i32)>,
    /// What is taken off a frame's time.
    shift: i64,
    last: Option<i64>,
    skips: bool,
    /// Where thumbnails are taken before a trim: the frame that may still be
    /// shown at the first one's time, however long ago it began.
    before: Option<Frame>,
    looks_back: bool,
    counts: Counts,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) decoded: u64,
    pub(super) notes: Vec<String>,
}

const SECOND: Timestamp = Timestamp::from_micros(1_000_000);

/// How far sound may lie behind the pictures in the file, in seconds.
const PATIENCE: i64 = 3;

/// The first and the last frame that thumbnails need which are taken before a
/// trim.
fn wanted(work: &Work) -> (Timestamp, Timestamp) {
    let mut span = (work.from, Timestamp::ZERO);
    let wanted = work.shots.iter().flat_map(|shot| &shot.wanted);
    for time in wanted.map(|wanted| wanted.time) {
        if time < work.from {
            // The frame that is shown then may have begun a while before.
            span.0 = span.0.min(time - SECOND);
        }
        if time >= work.to {
            span.1 = span.1.max(time + SECOND);
        }
    }
    span
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        source: &'a mut Source,
        work: &Work,
        name: &str,
        context: &Context,
    ) -> Result<Self> {
        let clock = source.clock();
        let zero = source.zero;
        // Frames that a change of rate may still show are needed too.
        let margin = work.steps.iter().find_map(|step| match step {
            Step::Rate(rate) => Some(rate.frame().timestamp(1)),
            _ => None,
        });
        let windowed = work
            .steps
            .iter()
            .any(|step| matches!(step, Step::Window(..)));
        let margin = margin.filter(|_| windowed).unwrap_or_default();
        let (first, last) = wanted(work);
        let from = clock.first_tick_at(first.min(work.from - margin)) + zero;
        let to = match work.to {
            Timestamp::MAX => i64::MAX,
            to => clock.first_tick_at(last.max(to + margin)) + zero,
        };
        if from > source.first {
            source.seek(from, context)?;
        }
        let parameters = source
            .parameters()
            .try_clone()
            .map_err(|code| code.failed(name, "setting up"))?;
        Ok(Self {
            decoder: Decoder::open(&parameters, clock, name, context)?,
            aspect: source.stream(source.video).aspect,
            source,
            name: name.to_owned(),
            clock,
            from,
            to,
            shift: zero + TimeBase::MICROS.convert(work.shift.as_micros(), clock),
            last: None,
            skips: false,
            before: None,
            looks_back: first < work.from,
            counts: Counts::default(),
        })
    }

    /// Reads to the end; ends early where nobody takes what is read.
    pub(super) fn run(
        &mut self,
        to_filters: &Sender<Frame>,
        to_sound: Option<&Sender<Packet>>,
        context: &Context,
    ) -> Result<()> {
        let mut entered = false;
        let mut done_at = None;
        let patience = TimeBase::per_second(1).convert(PATIENCE, self.clock);
        let mut sound_is_past = to_sound.is_none();
        while let Some(packet) = self.source.read(context)? {
            context.check()?;
            if packet.stream() != self.source.video {
                sound_is_past |= self.pass_sound(packet, to_sound);
                if done_at.is_some() && sound_is_past {
                    break;
                }
                continue;
            }
            // What comes before the first keyframe cannot be decoded.
            entered |= self.source.is_key(&packet);
            let decoded_at = packet.dts().or(packet.pts());
            if let Some(done_at) = done_at {
                let late = decoded_at.is_some_and(|at| at > patience.saturating_add(done_at));
                if sound_is_past || late {
                    break;
                }
            } else if entered {
                self.skip_unseen(&packet);
                if self.decoder.send(Some(&packet)) == Err(Code::NO_MEMORY) {
                    return Err(Code::NO_MEMORY.failed(&self.name, "decoding"));
                }
                if !self.take_frames(to_filters, context)? {
                    done_at = Some(decoded_at.unwrap_or(i64::MAX / 2));
                    if sound_is_past {
                        break;
                    }
                }
            }
        }
        if done_at.is_none() {
            let _ = self.decoder.send(None);
            self.take_frames(to_filters, context)?;
        }
        Ok(())
    }

    /// Frames before the first one wanted are decoded only if others need them.
    fn skip_unseen(&mut self, packet: &Packet) {
        let unseen = !self.looks_back && packet.pts().is_some_and(|pts| pts < self.from);
        if unseen != self.skips {
            self.skips = unseen;
            self.decoder.skip(if unseen {
                Skip::Unreferenced
            } else {
                Skip::Nothing
            });
        }
    }

    /// Whether the sound is past all that is wanted.
    fn pass_sound(&mut self, packet: Packet, to_sound: Option<&Sender<Packet>>) -> bool {
        let Some(to_sound) = to_sound else {
            return true;
        };
        let clock = self.source.stream(packet.stream()).time_base;
        let time = packet.pts().or(packet.dts());
        let past = self.to < i64::MAX
            && time.is_some_and(|time| clock.convert(time, self.clock) > self.to);
        // Where nobody takes it, somebody else has the reason.
        to_sound.send(packet).is_err() || past
    }

    /// Hands on decoded frames; `false` when no later one is wanted.
    fn take_frames(&mut self, to_filters: &Sender<Frame>, context: &Context) -> Result<bool> {
        while let Some(mut frame) = self.decoder.receive()? {
            context.check()?;
            self.counts.decoded += 1;
            let length = self.source.frame;
            let pts = frame
                .pts()
                .or(self.last.map(|last| last + length))
                .unwrap_or(self.from);
            if pts < self.from {
                if self.looks_back {
                    frame.set_pts(Some(pts));
                    self.before = Some(frame);
                }
                continue;
            }
            if let Some(before) = self.before.take()
                && pts > self.from
                && !self.hand_on(before, to_filters)
            {
                return Ok(false);
            }
            if pts >= self.to {
                return Ok(false);
            }
            if self.last.is_some_and(|last| pts <= last) {
                let note = "frames that come twice at a time were left out";
                if !self.counts.notes.iter().any(|there| there == note) {
                    self.counts.notes.push(note.to_owned());
                }
                continue;
            }
            self.last = Some(pts);
            frame.set_pts(Some(pts));
            if !self.hand_on(frame, to_filters) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Hands on a frame; `false` where nobody takes it.
    fn hand_on(&self, mut frame: Frame, to_filters: &Sender<Frame>) -> bool {
        frame.set_pts(frame.pts().map(|pts| pts - self.shift));
        if let Some(aspect) = self.aspect {
            frame.set_aspect(aspect);
        }
        frame.forget_coding(false);
        to_filters.send(frame).is_ok()
    }

    pub(super) fn into_counts(self) -> Counts {
        self.counts
    }
}
