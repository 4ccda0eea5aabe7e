//! The times of frames: as slots for the encoder, as ticks for the result.

use std::collections::{BTreeMap, VecDeque};

use crate::av::packet::Packet;
use crate::time::TimeBase;

/// What time each frame has.
///
/// The encoder's time base is the length of a frame, so that its rate control and
/// the stream's own timing see the frame rate, whatever the container rounds: a
/// constant rate is 0, 1, 2, … Where frames lie further apart slots stay empty,
/// and an average rate counts the time between. Frames that lie closer follow one
/// another, until the times have caught up.
pub(super) struct Timing {
    /// The ticks of the result, and the length of a frame.
    clock: TimeBase,
    frame: TimeBase,
    first: Option<i64>,
    last: Option<i64>,
    slot: i64,
    /// When the frame of each slot is shown.
    times: BTreeMap<i64, i64>,
    /// When the packets that are still to come are decoded; none before the first.
    decoding: VecDeque<i64>,
    /// Whether packets come in another order than frames are shown in.
    reorders: Option<bool>,
}

/// When a packet is shown and decoded, and for how long, in ticks of the result.
pub(super) struct Times {
    pub(super) pts: i64,
    pub(super) dts: i64,
    pub(super) duration: i64,
}

/// Frames are reordered by a few dozen places at most; SVT-AV1 and two passes of
/// libvpx look ahead further.
const REMEMBERED: usize = 1024;

impl Timing {
    pub(super) fn new((clock, frame): (TimeBase, TimeBase)) -> Self {
        Self {
            clock,
            frame,
            first: None,
            last: None,
            slot: 0,
            times: BTreeMap::new(),
            decoding: VecDeque::new(),
            reorders: None,
        }
    }

    /// The ticks of the result.
    pub(super) fn clock(&self) -> TimeBase {
        self.clock
    }

    /// The length of a frame.
    pub(super) fn frame(&self) -> TimeBase {
        self.frame
    }

    /// When the first frame is shown, in ticks of the result's clock.
    pub(super) fn first(&self) -> i64 {
        self.first.unwrap_or(0)
    }

    /// How long all frames are shown so far, in ticks.
    pub(super) fn span(&self) -> i64 {
        self.last.map_or(0, |last| last + self.length()) - self.first()
    }

    fn length(&self) -> i64 {
        self.frame.convert(1, self.clock).max(1)
    }

    /// A frame is shown at `pts`: the time that it then gets, and its slot.
    pub(super) fn take(&mut self, pts: i64) -> (i64, i64) {
        // Rounding may bring two frames to one tick.
        let pts = self.last.map_or(pts, |last| pts.max(last + 1));
        let first = *self.first.get_or_insert(pts);
        if self.last.is_some() {
            let due = self.clock.convert(pts - first, self.frame);
            self.slot = due.max(self.slot + 1);
        }
        self.last = Some(pts);
        self.times.insert(self.slot, pts);
        self.decoding.push_back(pts);
        (pts, self.slot)
    }

    /// The times of an encoder's packet, from the first frame on. `None` for one
    /// that belongs to no frame.
    pub(super) fn of(&mut self, packet: &Packet) -> Option<Times> {
        let slot = packet.pts().unwrap_or(0);
        let &pts = self.times.get(&slot)?;
        let early = (slot - packet.dts().unwrap_or(slot)).max(0);
        if self.reorders.is_none() {
            self.reorders = Some(early > 0);
            // The first packet is decoded as early as some frame is late: by that
            // many frames, which have all been fed.
            let first = self.first();
            let until = slot.saturating_add(early);
            // Of which the packet's own is one.
            let among = self.times.range(slot..=until).count();
            for number in 1..i64::try_from(among).unwrap_or(0) {
                self.decoding.push_front(first - number * self.length());
            }
        }
        let dts = match self.reorders {
            // One after another, at the times of frames: the encoder's own would
            // lie as far before the first frame as the first few lie apart.
            Some(true) => self.decoding.pop_front().unwrap_or(pts),
            // Codecs without reordering, whatever an encoder calls its order
            // (SVT-AV1 counts frames), and hidden frames beside shown ones.
            _ => pts,
        };
        let next = self.times.range(slot + 1..).next();
        let duration = next.map_or(self.length(), |(_, next)| next - pts);
        while self.times.len() > REMEMBERED {
            self.times.pop_first();
        }
        if self.reorders == Some(false) {
            self.decoding.clear();
        }
        let first = self.first();
        Some(Times {
            pts: pts - first,
            dts: dts.min(pts) - first,
            duration,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(times: &[i64]) -> Vec<i64> {
        let clock = TimeBase::per_second(90_000);
        let mut timing = Timing::new((clock, TimeBase::per_second(30)));
        times.iter().map(|&time| timing.take(time).1).collect()
    }

    #[test]
    fn a_constant_rate_is_counted() {
        let times: Vec<_> = (0..1000).map(|frame| 500 + frame * 3000).collect();
        assert_eq!(slots(&times), (0..1000).collect::<Vec<_>>());
        let rounded: Vec<_> = (0..1000).map(|frame| frame * 100 / 3 * 90).collect();
        assert_eq!(slots(&rounded), (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn gaps_leave_slots_empty_and_close_frames_follow() {
        assert_eq!(slots(&[0, 3000, 15_000]), [0, 1, 5]);
        assert_eq!(slots(&[0, 1, 2, 30_000]), [0, 1, 2, 10]);
    }
}
