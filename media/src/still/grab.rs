//! The frames shown at chosen times, by the shortest decode.
//!
//! Packets are read from the keyframe before a time on, until it is certain
//! which of them holds the frame that is shown then. Only packets up to that
//! one are decoded, and of these only what other frames refer to. As packets
//! are cheap to read and dear to decode, none is decoded before it is known
//! that no later keyframe would do.

use std::collections::VecDeque;

use crate::av::decode::{Decoder, Skip};
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::cut::source::Source;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Error, Input, Result};

/// More packets in a row than a decoder can have to reorder (ITU-T H.264 and
/// H.265: 16 frames, or as many pairs of fields).
const REORDERED: usize = 33;

/// So many bytes wait to be decoded before a later keyframe is despaired of.
const PATIENCE: usize = 16 << 20;

/// Frames that came out of the decoder before anyone asked for them.
const KEPT: usize = 8;

/// Takes a frame that was asked for: which of the times, and the frame's own.
pub(super) type Taken<'a> = &'a mut dyn FnMut(usize, &Frame, Timestamp) -> Result<()>;

/// An opened recording, and a decoder for its pictures.
pub(super) struct Grabber {
    pub(super) source: Source,
    pub(super) decoder: Decoder,
    pub(super) context: Context,
}

/// What was read from one keyframe on.
#[derive(Default)]
struct Run {
    /// Packets that are not decoded yet.
    queue: VecDeque<Packet>,
    bytes: usize,
    /// When the keyframe is decoded that it began with.
    begun: Option<i64>,
    /// When the last packet is decoded, where that is told.
    reached: Option<i64>,
    /// When the last frame is shown, or would be if no edit list hid it.
    last: Option<i64>,
    /// When the last frame at or before the next wanted time is shown.
    best: Option<i64>,
    /// The times of all packets that may be the best for a later wanted time.
    later: Vec<i64>,
    /// Packets in a row that are shown behind the wanted time.
    behind: usize,
    /// Frames that are asked for: when they are shown, and for which time.
    pending: Vec<(i64, usize)>,
    /// Frames that nobody has asked for yet.
    kept: VecDeque<Frame>,
}

impl Grabber {
    /// Opens `input`, to be decoded by `context`'s number of threads.
    pub(super) fn open(input: &mut Input, context: &Context) -> Result<Self> {
        let mut source = Source::open(input, None, true, context)?;
        source.without_sound();
        let parameters = source.parameters();
        let decoder = Decoder::open(parameters, source.clock(), source.name(), context)?;
        Ok(Self {
            source,
            decoder,
            context: context.clone(),
        })
    }

    /// The last tick that is at or before `time` on the recording's timeline,
    /// and not before the first frame.
    pub(super) fn tick(&self, time: Timestamp) -> i64 {
        let next = Timestamp::from_micros(time.as_micros().saturating_add(1));
        let behind = self.source.clock().first_tick_at(next);
        behind
            .saturating_sub(1)
            .saturating_add(self.source.zero)
            .max(self.source.first)
    }

    /// A tick as a time on the recording's timeline.
    pub(super) fn time(&self, tick: i64) -> Timestamp {
        let clock = self.source.clock();
        clock.timestamp(tick.saturating_sub(self.source.zero))
    }

    /// Hands on the frame shown at each of `wanted`, which rise.
    pub(super) fn exact(&mut self, wanted: &[i64], taken: Taken<'_>) -> Result<()> {
        let Some(&first) = wanted.first() else {
            return Ok(());
        };
        let mut run = Run::default();
        let mut next = 0;
        let mut timeless = false;
        let mut missed = Vec::new();
        self.source.seek_anew(first, &self.context)?;
        while let Some(&time) = wanted.get(next) {
            let Some(packet) = self.next_packet()? else {
                break;
            };
            let Some(shown) = packet.pts() else {
                timeless = true;
                break;
            };
            if self.source.is_key(&packet) && (run.begun.is_none() || shown <= time) {
                self.restart(&mut run, &packet, &mut missed, taken)?;
            }
            if run.begun.is_none() {
                continue;
            }
            run.take(packet, shown, time);
            self.spare_memory(&mut run, taken)?;
            while let Some(&time) = wanted.get(next).filter(|&&time| run.covers(time)) {
                self.resolve(&mut run, next, taken)?;
                next += 1;
                let Some(&following) = wanted.get(next) else {
                    break;
                };
                run.look_for(following);
                if self.is_far(&run, time, following) {
                    self.finish(&mut run, &mut missed, taken)?;
                    self.source.seek_anew(following, &self.context)?;
                    break;
                }
            }
        }
        // The recording has ended, or its frames must be timed by the decoder.
        while !timeless && next < wanted.len() && run.begun.is_some() {
            self.check_end(&run, wanted.get(next).copied().unwrap_or_default())?;
            self.resolve(&mut run, next, taken)?;
            next += 1;
            if let Some(&following) = wanted.get(next) {
                run.look_for(following);
            }
        }
        self.finish(&mut run, &mut missed, taken)?;
        missed.extend(next..wanted.len());
        for index in missed {
            let time = wanted.get(index).copied().unwrap_or_default();
            self.plain(index, time, taken)?;
        }
        Ok(())
    }

    /// The next packet of the pictures.
    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>> {
        while let Some(mut packet) = self.source.read(&self.context)? {
            if packet.stream() == self.source.video {
                // AVI tells only when frames are decoded.
                if packet.pts().is_none() && !self.source.parameters().is_reordered() {
                    packet.set_pts(packet.dts());
                }
                return Ok(Some(packet));
            }
        }
        Ok(None)
    }

    /// Begins anew with a keyframe: what is not decoded need not be.
    fn restart(
        &mut self,
        run: &mut Run,
        key: &Packet,
        missed: &mut Vec<usize>,
        taken: Taken<'_>,
    ) -> Result<()> {
        if !run.queue.is_empty() {
            self.finish(run, missed, taken)?;
        }
        run.begun = key.dts().or(key.pts());
        Ok(())
    }

    /// Decodes up to the best frame for the time at place `index`.
    fn resolve(&mut self, run: &mut Run, index: usize, taken: Taken<'_>) -> Result<()> {
        let Some(target) = run.best else {
            // Nothing is shown so early: what is shown first.
            if let Some(&first) = run.later.iter().min() {
                run.best = Some(first);
                return self.resolve(run, index, taken);
            }
            // An edit list hides all of it: the slow way is to find one.
            run.pending.push((i64::MIN, index));
            return Ok(());
        };
        if let Some(frame) = run
            .kept
            .iter()
            .find(|frame| frame.told_pts() == Some(target))
        {
            return taken(index, frame, self.time(target));
        }
        run.pending.push((target, index));
        run.kept.retain(|frame| frame.told_pts() > Some(target));
        if run.queue.iter().any(|packet| packet.pts() == Some(target)) {
            while let Some(packet) = run.queue.pop_front() {
                let is_target = packet.pts() == Some(target);
                self.feed(run, &packet, target, taken)?;
                if is_target {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Decodes a packet; frames shown before `target` only as far as others
    /// refer to them.
    fn feed(
        &mut self,
        run: &mut Run,
        packet: &Packet,
        target: i64,
        taken: Taken<'_>,
    ) -> Result<()> {
        self.context.check()?;
        let early = packet.pts() < Some(target);
        self.decoder.skip(if early {
            Skip::Unreferenced
        } else {
            Skip::Nothing
        });
        run.bytes = run.bytes.saturating_sub(packet.data().len());
        // A packet that does not decode shows by the frame that is missing.
        let _ = self.decoder.send(Some(packet));
        self.receive(run, taken)
    }

    fn receive(&mut self, run: &mut Run, taken: Taken<'_>) -> Result<()> {
        while let Some(frame) = self.decoder.receive()? {
            let shown = frame.told_pts();
            let asked = |&(time, _): &(i64, usize)| Some(time) == shown;
            for (time, index) in run.pending.extract_if(.., |pending| asked(pending)) {
                taken(index, &frame, self.time(time))?;
            }
            run.kept.push_back(frame);
            if run.kept.len() > KEPT {
                run.kept.pop_front();
            }
        }
        Ok(())
    }

    /// Has the decoder hand out what it holds back, and forgets the rest.
    fn finish(&mut self, run: &mut Run, missed: &mut Vec<usize>, taken: Taken<'_>) -> Result<()> {
        if !run.pending.is_empty() {
            let _ = self.decoder.send(None);
            self.receive(run, taken)?;
        }
        self.decoder.forget();
        missed.extend(run.pending.drain(..).map(|(_, index)| index));
        *run = Run::default();
        Ok(())
    }

    /// Where very much waits, decodes what cannot be the frame that is wanted.
    fn spare_memory(&mut self, run: &mut Run, taken: Taken<'_>) -> Result<()> {
        while run.bytes > PATIENCE
            && let Some(best) = run.best
            && run
                .queue
                .front()
                .is_some_and(|packet| packet.pts() < Some(best))
            && let Some(packet) = run.queue.pop_front()
        {
            self.feed(run, &packet, best, taken)?;
        }
        if run.bytes > self.context.limits().max_buffered_bytes {
            return Err(Error::limit(
                self.source.name(),
                format!("{} bytes of one frame's packets", run.bytes),
            ));
        }
        Ok(())
    }

    /// Whether seeking is cheaper than reading on.
    fn is_far(&self, run: &Run, from: i64, to: i64) -> bool {
        let seconds = |count| TimeBase::per_second(1).convert(count, self.source.clock());
        let gap = to.saturating_sub(run.reached.unwrap_or(from).max(from));
        if self.source.is_live() || gap < seconds(2) {
            return false;
        }
        match (self.source.key_before(to), run.begun) {
            (Some(key), Some(begun)) => key > begun,
            _ => gap > seconds(10),
        }
    }

    /// Refuses a time behind the recording's end, of which the last packet was
    /// read. The end itself is the last frame's.
    fn check_end(&self, run: &Run, time: i64) -> Result<()> {
        let Some(last) = run.last else {
            return Ok(());
        };
        let end = last.saturating_add(self.source.frame);
        let end = end.max(self.source.told_end().unwrap_or(end));
        if time <= end {
            return Ok(());
        }
        let (time, end) = (self.time(time), self.time(end));
        Err(Error::malformed(
            self.source.name(),
            format!("{time} is behind its end ({end})"),
        ))
    }
}

impl Run {
    /// A packet that was read, shown at `shown`.
    fn take(&mut self, packet: Packet, shown: i64, wanted: i64) {
        self.bytes += packet.data().len();
        self.reached = packet.dts().or(self.reached);
        self.last = self.last.max(Some(shown));
        if shown > wanted {
            self.behind += 1;
        } else {
            self.behind = 0;
        }
        // An edit list hides it.
        if !packet.is_discarded() {
            if shown <= wanted {
                self.best = self.best.max(Some(shown));
            } else {
                self.later.push(shown);
            }
        }
        self.queue.push_back(packet);
    }

    /// Whether no packet that is still to be read is shown at or before `time`.
    fn covers(&self, time: i64) -> bool {
        self.begun.is_some() && (self.reached > Some(time) || self.behind > REORDERED)
    }

    /// The next time that is wanted.
    fn look_for(&mut self, wanted: i64) {
        let best = self.later.iter().filter(|&&shown| shown <= wanted).max();
        self.best = self.best.max(best.copied());
        self.later.retain(|&shown| shown > wanted);
        self.behind = 0;
    }
}
