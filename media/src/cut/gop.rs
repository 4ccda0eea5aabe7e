//! Packets gathered into groups of pictures.

use crate::av::code::Code;
use crate::av::packet::Packet;

/// Where decoding can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// Nowhere: the frame needs earlier ones.
    None,
    /// Here, and no later frame needs an earlier one.
    Closed,
    /// Here, but frames that follow in decoding order and are shown earlier
    /// need the GOP before.
    Open,
}

/// One coded frame, on the output's clock.
#[derive(Debug)]
pub(super) struct Coded {
    pub(super) packet: Packet,
    pub(super) pts: i64,
    pub(super) dts: i64,
    pub(super) duration: i64,
    pub(super) entry: Entry,
    /// No other frame needs it.
    pub(super) disposable: bool,
    /// The container's edit list hides it.
    pub(super) hidden: bool,
}

impl Coded {
    /// The same frame, with its data shared.
    pub(super) fn share(&self) -> Result<Self, Code> {
        Ok(Self {
            packet: self.packet.share()?,
            ..*self
        })
    }
}

/// An entry point and the frames that follow it in decoding order.
#[derive(Debug, Default)]
pub(super) struct Gop {
    /// The entry point is the first.
    pub(super) frames: Vec<Coded>,
}

impl Gop {
    pub(super) fn key(&self) -> Option<&Coded> {
        self.frames.first()
    }

    /// Frames that are shown before the entry point though they follow it.
    pub(super) fn is_leading(&self, frame: &Coded) -> bool {
        self.key().is_some_and(|key| frame.pts < key.pts)
    }
}

/// A GOP whose frames are all there, and so are those that are shown before the
/// next entry point but follow it.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) gop: Gop,
    /// When the next entry point is shown; far away behind the last one.
    pub(super) until: i64,
    /// How many frames of the GOP behind, which is then the gatherer's current
    /// one, are its entry point and its leading frames. Zero without leading
    /// frames.
    pub(super) borrowed: usize,
}

/// Gathers frames into GOPs. It holds one GOP, and the beginning of the next
/// until no more leading frames can come.
#[derive(Debug, Default)]
pub(super) struct Gatherer {
    whole: Option<Gop>,
    current: Gop,
    bytes: usize,
}

impl Gatherer {
    /// Adds the next frame in decoding order. Frames before the first entry
    /// point are dropped: nothing can be done with them.
    pub(super) fn push(&mut self, frame: Coded) -> Pushed {
        self.bytes += frame.packet.data().len();
        if frame.entry != Entry::None {
            // Two entry points in a row: the first one's GOP has no leading
            // frames to wait for.
            let before = self.release();
            let done = std::mem::take(&mut self.current);
            self.current.frames.push(frame);
            if !done.frames.is_empty() {
                self.whole = Some(done);
            }
            return before.map_or(Pushed::Held, Pushed::Whole);
        }
        if self.current.frames.is_empty() {
            self.bytes = 0;
            return Pushed::Orphan;
        }
        let leading = self.current.is_leading(&frame);
        let whole = if leading { None } else { self.release() };
        self.current.frames.push(frame);
        whole.map_or(Pushed::Held, Pushed::Whole)
    }

    /// The GOP before the current one, now that the current one's leading
    /// frames are known.
    fn release(&mut self) -> Option<Whole> {
        let gop = self.whole.take()?;
        let current = &self.current;
        let borrowed = current.frames.len();
        self.bytes = current
            .frames
            .iter()
            .map(|frame| frame.packet.data().len())
            .sum();
        Some(Whole {
            gop,
            until: current.key().map_or(i64::MAX, |key| key.pts),
            borrowed: if borrowed > 1 { borrowed } else { 0 },
        })
    }

    /// The frames that a [`Whole`] borrows from the GOP behind it.
    pub(super) fn borrowed(&self, whole: &Whole) -> &[Coded] {
        let behind = self.whole.as_ref().unwrap_or(&self.current);
        &behind.frames[..whole.borrowed.min(behind.frames.len())]
    }

    /// The entry point behind the last GOP that came out whole.
    pub(super) fn next_entry(&self) -> Option<&Coded> {
        self.whole.as_ref().unwrap_or(&self.current).key()
    }

    /// How many bytes are held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The last GOPs, at the end of a segment.
    pub(super) fn finish(&mut self) -> Option<Whole> {
        if let Some(whole) = self.release() {
            return Some(whole);
        }
        let gop = std::mem::take(&mut self.current);
        self.bytes = 0;
        (!gop.frames.is_empty()).then_some(Whole {
            gop,
            until: i64::MAX,
            borrowed: 0,
        })
    }
}

/// What became of a frame.
#[derive(Debug)]
pub(super) enum Pushed {
    /// It waits for the rest of its GOP.
    Held,
    /// It waits, and the GOP before it is whole.
    Whole(Whole),
    /// No entry point came before it.
    Orphan,
}

/// The decoding times of frames given by their presentation times: the slot in
/// which each would be decoded if no frame were reordered.
///
/// A stream with reordering decodes its frames in slots; the frame shown `n`th
/// takes the `n`th slot. Every frame shown `n`th or later is decoded in the
/// `n`th slot or later and shown after that, so the slot is never behind the
/// frame's own time. Where `before` is given, the last slot lies before it.
pub(super) fn slots(frames: &[&Coded], shown: &[i64], before: Option<i64>) -> Vec<i64> {
    let mut times: Vec<i64> = frames.iter().map(|frame| frame.pts).collect();
    let mut decoding: Vec<i64> = frames.iter().map(|frame| frame.dts).collect();
    times.sort_unstable();
    decoding.sort_unstable();
    let mut slots: Vec<i64> = shown
        .iter()
        .map(|pts| {
            let rank = times.partition_point(|time| time < pts);
            decoding.get(rank).map_or(*pts, |&slot| slot.min(*pts))
        })
        .collect();
    let mut limit = before.unwrap_or(i64::MAX);
    for slot in slots.iter_mut().rev() {
        *slot = (*slot).min(limit.saturating_sub(1));
        limit = *slot;
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(dts: i64, pts: i64, entry: Entry) -> Coded {
        Coded {
            packet: Packet::new(),
            pts,
            dts,
            duration: 1,
            entry,
            disposable: false,
            hidden: false,
        }
    }

    #[test]
    fn a_gop_waits_for_the_leading_frames_of_the_next() {
        let mut gatherer = Gatherer::default();
        assert!(matches!(
            gatherer.push(frame(-1, 0, Entry::None)),
            Pushed::Orphan
        ));
        assert!(matches!(
            gatherer.push(frame(0, 1, Entry::Closed)),
            Pushed::Held
        ));
        assert!(matches!(
            gatherer.push(frame(1, 2, Entry::None)),
            Pushed::Held
        ));
        assert!(matches!(
            gatherer.push(frame(2, 4, Entry::Open)),
            Pushed::Held
        ));
        assert!(matches!(
            gatherer.push(frame(3, 3, Entry::None)),
            Pushed::Held
        ));
        let Pushed::Whole(whole) = gatherer.push(frame(4, 5, Entry::None)) else {
            panic!("no GOP");
        };
        assert_eq!(
            (whole.gop.frames.len(), whole.until, whole.borrowed),
            (2, 4, 2)
        );
        assert_eq!(gatherer.borrowed(&whole)[1].pts, 3);
        let last = gatherer.finish().expect("the last GOP");
        assert_eq!(
            (last.gop.frames.len(), last.until, last.borrowed),
            (3, i64::MAX, 0)
        );
        assert!(gatherer.finish().is_none());
    }

    #[test]
    fn slots_follow_the_source_and_stay_before_the_copied_part() {
        // I P b b, decoded one frame time ahead.
        let frames = [
            frame(-1, 0, Entry::Closed),
            frame(0, 3, Entry::None),
            frame(1, 1, Entry::None),
            frame(2, 2, Entry::None),
        ];
        let all: Vec<_> = frames.iter().collect();
        assert_eq!(slots(&all, &[1, 2, 3], None), [0, 1, 2]);
        assert_eq!(slots(&all, &[1, 2, 3], Some(2)), [-1, 0, 1]);
    }
}
