//! What becomes of a GOP: copied if all of it is wanted, else partly encoded.

use crate::{Context, Result};

use crate::av::code::Code;

use super::super::edge::{Plan, Shown};
use super::super::gop::{Coded, Whole, slots};
use super::super::options::Mode;
use super::super::report::Report;
use super::super::splice::{Copied, Refused};
use super::{Splice, Window};

impl Splice {
    /// Writes what is wanted of a GOP: copied if all of it is, else partly
    /// encoded.
    pub(super) fn gop(
        &mut self,
        mut whole: Whole,
        context: &Context,
        report: &mut Report,
    ) -> Result<()> {
        context.check()?;
        let Some(key) = whole.gop.key().map(|key| key.pts) else {
            return Ok(());
        };
        let Window { from, to } = self.segment.window;
        if whole.until <= from {
            return Ok(());
        }
        if key >= to {
            self.segment.done = true;
            return Ok(());
        }
        if self.mode == Mode::Copy && !self.segment.foreign {
            return self.copy_gop(whole, report);
        }
        if self.segment.foreign || key < from {
            let range = Window {
                from,
                to: to.min(whole.until),
            };
            self.encode(&whole, range, context, report)?;
            self.segment.contiguous = false;
        } else if whole.until < to || whole.until == to && whole.borrowed == 0 {
            let fresh = !self.segment.contiguous;
            match self.splicer.copy(&whole.gop.frames, fresh) {
                Ok(copied) => {
                    let frames = std::mem::take(&mut whole.gop.frames);
                    self.write_copied(frames, copied, report)?;
                }
                Err(refused) => self.encode_instead(&whole, refused, context, report)?,
            }
        } else {
            self.tail(&whole, context, report)?;
        }
        if whole.until >= to {
            self.segment.done = true;
        }
        Ok(())
    }

    /// Encodes what is wanted of a GOP that cannot be copied.
    fn encode_instead(
        &mut self,
        whole: &Whole,
        Refused(reason): Refused,
        context: &Context,
        report: &mut Report,
    ) -> Result<()> {
        report.note(format!(
            "{}: a GOP was encoded, {reason}",
            self.segment.name
        ));
        let Window { from, to } = self.segment.window;
        let key = whole.gop.key().map_or(from, |key| key.pts);
        let to = to.min(whole.until);
        self.encode(whole, Window { from: key, to }, context, report)?;
        self.segment.contiguous = false;
        Ok(())
    }

    /// The GOP in which the window ends: copied as far as every frame shown so
    /// far is in, and the few frames that are left encoded.
    fn tail(&mut self, whole: &Whole, context: &Context, report: &mut Report) -> Result<()> {
        let count = self.complete_prefix(whole);
        let frames = &whole.gop.frames[..count];
        if count > 0 {
            let fresh = !self.segment.contiguous;
            match self.splicer.copy(frames, fresh) {
                Ok(copied) => {
                    let shared = frames
                        .iter()
                        .map(Coded::share)
                        .collect::<std::result::Result<_, Code>>();
                    let shared =
                        shared.map_err(|code| code.failed(&self.segment.name, "copying"))?;
                    self.write_copied(shared, copied, report)?;
                }
                Err(refused) => return self.encode_instead(whole, refused, context, report),
            }
        }
        let last = frames.iter().map(|frame| frame.pts).max();
        let from = last.map_or(i64::MIN, |last| last + 1);
        let to = self.segment.window.to;
        self.encode(whole, Window { from, to }, context, report)
    }

    /// The most frames of a GOP, in decoding order, that are all wanted and
    /// leave out none that is shown before one of them.
    fn complete_prefix(&self, whole: &Whole) -> usize {
        let to = self.segment.window.to;
        let contiguous = self.segment.contiguous;
        let frames = &whole.gop.frames;
        // Leading frames of the next GOP come later than all of these.
        let mut earliest_left = i64::MAX;
        let mut prefix = 0;
        let ends: Vec<i64> = frames
            .iter()
            .scan(i64::MIN, |latest, frame| {
                *latest = (*latest).max(frame.pts);
                Some(*latest)
            })
            .collect();
        for (at, frame) in frames.iter().enumerate().rev() {
            let latest = ends[at];
            if latest < to && latest < earliest_left {
                prefix = at + 1;
                break;
            }
            let counts = frame.pts < to && (contiguous || !whole.gop.is_leading(frame));
            if counts {
                earliest_left = earliest_left.min(frame.pts);
            }
        }
        prefix
    }

    /// Encodes the frames of a GOP (and the leading ones of the next) that are
    /// shown within `range`.
    fn encode(
        &mut self,
        whole: &Whole,
        range: Window,
        context: &Context,
        report: &mut Report,
    ) -> Result<()> {
        let borrowed = self.gatherer.borrowed(whole);
        let frames: Vec<&Coded> = whole.gop.frames.iter().chain(borrowed).collect();
        let key = whole.gop.key().map_or(i64::MIN, |key| key.pts);
        let wanted = |frame: &Coded| {
            // The GOP's own leading frames were shown with the GOP before.
            (range.from..range.to).contains(&frame.pts) && frame.pts >= key && !frame.hidden
        };
        let mut wanted: Vec<&Coded> = frames
            .iter()
            .copied()
            .filter(|frame| wanted(frame))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        wanted.sort_unstable_by_key(|frame| frame.pts);
        let next = self
            .gatherer
            .next_entry()
            .filter(|next| next.pts < self.segment.window.to);
        let times: Vec<i64> = wanted.iter().map(|frame| frame.pts).collect();
        // The next entry point is decoded behind its leading frames, now that
        // they stand before it: see `write_copied`.
        let before = borrowed
            .iter()
            .map(|frame| frame.dts)
            .max()
            .filter(|_| next.is_some());
        let before = before.or(next.map(|next| next.dts));
        let slots = slots(&frames, &times, before);
        // Frames that are shown before the first entry point may need others
        // that are not here, and none behind it needs them.
        let frames: Vec<&Coded> = frames
            .into_iter()
            .filter(|frame| frame.pts >= key)
            .collect();
        let shown: Vec<Shown> = wanted
            .iter()
            .zip(slots)
            .map(|(frame, dts)| Shown {
                pts: frame.pts,
                duration: frame.duration,
                dts,
            })
            .collect();
        let name = &self.segment.name;
        let plan = Plan {
            name,
            decoding: &self.segment.decoding,
            frames: &frames,
            shown: &shown,
            after: next,
            like: &self.like,
            format: self
                .segment
                .foreign
                .then(|| self.splicer.format())
                .flatten(),
            frame: self.frame,
        };
        let (ready, shown_to) = (&mut self.ready, &mut self.shown_to);
        let encoded = plan.run(&mut self.splicer, context, &mut |packet| {
            *shown_to = (*shown_to).max(packet.pts().unwrap_or(i64::MIN) + packet.duration());
            ready.push_back(packet);
        })?;
        report.frames += encoded;
        report.frames_encoded += encoded;
        self.segment.begun = true;
        let missing = shown.len() as u64 - encoded;
        if missing > 0 {
            report.note(format!("{name}: {missing} frames could not be decoded"));
        }
        Ok(())
    }

    /// A GOP in the mode `copy`.
    fn copy_gop(&mut self, mut whole: Whole, report: &mut Report) -> Result<()> {
        let to = self.segment.window.to;
        if whole.until >= to {
            self.segment.done = true;
            let last = whole.gop.frames.iter().rposition(|frame| frame.pts < to);
            whole.gop.frames.truncate(last.map_or(0, |last| last + 1));
        }
        let frames = whole.gop.frames;
        let fresh = !self.segment.contiguous;
        let copied = self
            .splicer
            .copy(&frames, fresh)
            .unwrap_or_else(|Refused(reason)| {
                report.note(format!(
                    "{}: an open GOP stands as it is, {reason}",
                    self.segment.name
                ));
                frames.iter().map(|_| Copied::AsIs).collect()
            });
        self.write_copied(frames, copied, report)
    }

    fn write_copied(
        &mut self,
        frames: Vec<Coded>,
        copied: Vec<Copied>,
        report: &mut Report,
    ) -> Result<()> {
        let mut entry_dts = behind_leading(&frames, &copied);
        for (frame, copied) in frames.into_iter().zip(copied) {
            let Coded {
                mut packet,
                pts,
                duration,
                ..
            } = frame;
            match copied {
                Copied::Left => continue,
                Copied::AsIs => {}
                Copied::Changed(data) => packet
                    .set_data(&data)
                    .map_err(|code| code.failed(&self.segment.name, "copying"))?,
            }
            if let Some(dts) = entry_dts.take() {
                packet.set_dts(Some(dts));
            }
            packet.set_duration(duration);
            self.shown_to = self.shown_to.max(pts + duration);
            self.ready.push_back(packet);
            report.frames += 1;
            report.frames_copied += 1;
        }
        self.segment.begun = true;
        self.segment.contiguous = true;
        Ok(())
    }
}

/// When the entry point of frames to be copied is decoded if its leading frames
/// are left out: in the last one's place. They stand encoded before it, in its
/// own place and the others', so that frames are decoded evenly.
fn behind_leading(frames: &[Coded], copied: &[Copied]) -> Option<i64> {
    let mut behind = frames.iter().zip(copied).skip(1);
    let leading = behind
        .by_ref()
        .take_while(|(_, copied)| matches!(copied, Copied::Left));
    let last = leading.last()?.0.dts;
    Some(last.min(frames.first()?.pts))
}
