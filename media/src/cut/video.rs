//! Which frames are copied, and which encoded.

use std::collections::VecDeque;

use crate::av::code::Code;
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::time::TimeBase;
use crate::{Context, Error, Result};

use super::edge::{Decoding, Plan, Shown};
use super::gop::{Coded, Entry, Gatherer, Pushed, Whole, slots};
use super::options::Mode;
use super::report::Report;
use super::splice::{Copied, Facts, Refused, Splicer, Trouble};

/// The part of a segment that is wanted, in ticks of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// The first time inside.
    pub(super) from: i64,
    /// The first time behind.
    pub(super) to: i64,
}

/// The pictures of a spliced output.
pub(super) struct Splice {
    splicer: Splicer,
    mode: Mode,
    /// What the first segment's pictures are like; encoded ones become so.
    like: Parameters,
    frame: TimeBase,
    clock: TimeBase,
    segment: Segment,
    gatherer: Gatherer,
    /// Written, in decoding order.
    pub(super) ready: VecDeque<Packet>,
    /// When the last frame written has been shown.
    pub(super) shown_to: i64,
}

/// What changes from segment to segment.
struct Segment {
    name: String,
    window: Window,
    /// For a decoder of this segment's packets.
    decoding: Decoding,
    /// It does not fit the first one, and all of it is encoded.
    foreign: bool,
    /// Whether the GOP before was written to its end.
    contiguous: bool,
    /// Whether anything was written.
    begun: bool,
    done: bool,
    last_dts: Option<i64>,
    /// Frames before the first keyframe, where they are missed.
    orphans: Option<u64>,
}

impl Splice {
    pub(super) fn new(
        splicer: Splicer,
        mode: Mode,
        like: Parameters,
        frame: TimeBase,
        clock: TimeBase,
    ) -> Result<Self> {
        let decoding = Decoding::of(&like, clock).map_err(|code| code.failed("video", "setting up"))?;
        Ok(Self {
            splicer,
            mode,
            like,
            frame,
            clock,
            segment: Segment {
                name: String::new(),
                window: Window {
                    from: i64::MIN,
                    to: i64::MAX,
                },
                decoding,
                foreign: false,
                contiguous: false,
                begun: false,
                done: false,
                last_dts: None,
                orphans: Some(0),
            },
            gatherer: Gatherer::default(),
            ready: VecDeque::new(),
            shown_to: i64::MIN,
        })
    }

    /// Begins a segment. With `reencode`, one that does not fit the first is
    /// encoded; without, it is an error.
    pub(super) fn begin(
        &mut self,
        name: &str,
        parameters: &Parameters,
        window: Window,
        reencode: bool,
        report: &mut Report,
    ) -> Result<()> {
        let failed = |code: Code| code.failed(name, "setting up");
        let fits = parameters.codec() == self.like.codec()
            && self.splicer.segment(parameters) != Err(Trouble::Parameters)
            && self.splicer.same_picture(&self.like, parameters);
        if !fits && !reencode {
            return Err(mismatch(name, &self.like, parameters));
        }
        let decoding = if fits {
            let mut own = self.like.try_clone().map_err(failed)?;
            if let Ok(Some(extradata)) = self.splicer.extradata(false) {
                own.set_extradata(&extradata).map_err(failed)?;
            }
            Decoding::of(&own, self.clock).map_err(failed)?
        } else {
            report.note(format!("{name}: encoded whole, its video is not like the first segment's"));
            Decoding::of(parameters, self.clock).map_err(failed)?
        };
        self.segment = Segment {
            name: name.to_owned(),
            window,
            decoding,
            foreign: !fits,
            contiguous: false,
            begun: false,
            done: false,
            last_dts: None,
            orphans: Some(0),
        };
        Ok(())
    }

    /// Reading begins inside the segment: what comes before the first keyframe
    /// is not missed.
    pub(super) fn enter_midway(&mut self) {
        self.segment.orphans = None;
    }

    /// Whether no further frame of the segment is wanted.
    pub(super) fn is_done(&self) -> bool {
        self.segment.done
    }

    /// The splicer's header for the output.
    pub(super) fn parameters(&self, container: crate::Container) -> Result<Parameters> {
        let failed = |code: Code| code.failed("video", "setting up");
        let mut parameters = self.like.try_clone().map_err(failed)?;
        if !parameters.needs_tag() {
            parameters.set_tag(self.splicer.tag(container));
        }
        match self.splicer.extradata(true) {
            Ok(Some(extradata)) => parameters.set_extradata(&extradata).map_err(failed)?,
            Ok(None) => {}
            Err(Refused(reason)) => return Err(Error::malformed(&self.segment.name, reason)),
        }
        Ok(parameters)
    }

    /// No new parameter sets from here on: the header is written.
    pub(super) fn seal(&mut self) {
        self.splicer.seal();
    }

    /// Looks at the first packets, whose parameter sets the header must hold.
    pub(super) fn learn<'p>(
        &mut self,
        packets: impl Iterator<Item = &'p Packet>,
    ) -> std::result::Result<(), Refused> {
        for packet in packets {
            let mut copy = packet
                .share()
                .map_err(|code| Refused::because(code.message()))?;
            // A damaged packet is met again when its turn comes.
            let taken = self.splicer.take(&mut copy);
            if taken.is_ok_and(|facts| facts.entry != Entry::None) {
                break;
            }
        }
        Ok(())
    }

    /// Gets ready for encoded frames, before the header is written.
    pub(super) fn prepare_edges(&mut self, context: &Context) -> std::result::Result<(), Refused> {
        self.splicer.prepare_edges(&self.like, self.frame, context)
    }

    /// Takes the next packet of the segment, its times in ticks of the output.
    pub(super) fn push(
        &mut self,
        mut packet: Packet,
        context: &Context,
        report: &mut Report,
    ) -> Result<()> {
        if self.segment.done {
            return Ok(());
        }
        let facts = if self.segment.foreign {
            Ok(Facts {
                entry: if packet.is_key() { Entry::Closed } else { Entry::None },
                disposable: false,
            })
        } else {
            self.splicer.take(&mut packet)
        };
        let facts = match facts {
            Ok(facts) => facts,
            Err(Trouble::Parameters) => return Err(self.changed(&packet)),
            Err(Trouble::Several) => {
                return Err(Error::unsupported(
                    &self.segment.name,
                    "it packs several pictures together; use the mode reencode",
                ));
            }
            Err(Trouble::Broken(reason)) => {
                let name = &self.segment.name;
                report.note(format!("{name}: damaged packets were left out ({reason})"));
                return Ok(());
            }
        };
        let Some(frame) = self.timed(packet, facts) else {
            return Err(Error::unsupported(
                &self.segment.name,
                "its frames carry no presentation times; use the mode reencode",
            ));
        };
        if frame.hidden && self.segment.begun && frame.pts > self.segment.window.from {
            // The container's edit list ends here.
            self.segment.window.to = self.segment.window.to.min(frame.pts);
        }
        let (dts, to) = (frame.dts, self.segment.window.to);
        match self.gatherer.push(frame) {
            Pushed::Held => {}
            Pushed::Orphan => {
                self.segment.orphans = self.segment.orphans.map(|orphans| orphans + 1);
            }
            Pushed::Whole(whole) => self.gop(whole, context, report)?,
        }
        if self.gatherer.bytes() > context.limits().max_buffered_bytes {
            return Err(Error::limit(
                &self.segment.name,
                format!(
                    "more than {} bytes without a keyframe",
                    context.limits().max_buffered_bytes
                ),
            ));
        }
        // Later frames are decoded later, and no frame is shown before that.
        if dts >= to && !self.segment.done {
            self.finish(context, report)?;
        }
        Ok(())
    }

    /// The frames that the segment still holds.
    pub(super) fn finish(&mut self, context: &Context, report: &mut Report) -> Result<()> {
        while !self.segment.done {
            let Some(whole) = self.gatherer.finish() else {
                break;
            };
            self.gop(whole, context, report)?;
        }
        self.gatherer = Gatherer::default();
        self.segment.done = true;
        if let Some(orphans) = self.segment.orphans.filter(|&orphans| orphans > 0) {
            report.note(format!(
                "{}: {} frames before its first keyframe cannot be decoded",
                self.segment.name, orphans
            ));
        }
        Ok(())
    }

    /// The packet with all its times, made up where the container has none.
    fn timed(&mut self, mut packet: Packet, facts: Facts) -> Option<Coded> {
        let length = self.frame.convert(1, self.clock).max(1);
        let reorders = self.splicer.reorder_frames() > 0;
        let pts = match (packet.pts(), packet.dts()) {
            (Some(pts), _) => pts,
            (None, Some(dts)) if !reorders => dts,
            _ => return None,
        };
        let told = packet.dts().filter(|&dts| dts <= pts);
        let dts = match (told, self.segment.last_dts) {
            (Some(dts), None) => dts,
            (Some(dts), Some(last)) if dts > last => dts,
            (_, Some(last)) => (last + length).min(pts).max(last + 1),
            (None, None) => pts - i64::from(self.splicer.reorder_frames()) * length,
        };
        self.segment.last_dts = Some(dts);
        let hidden = packet.is_discarded();
        let duration = match packet.duration() {
            duration if duration > 0 => duration,
            _ => length,
        };
        packet.strip();
        packet.set_pts(Some(pts));
        packet.set_dts(Some(dts));
        Some(Coded {
            packet,
            pts,
            dts,
            duration,
            entry: facts.entry,
            disposable: facts.disposable,
            hidden,
        })
    }

    /// Writes what is wanted of a GOP: copied if all of it is, else partly
    /// encoded.
    fn gop(&mut self, mut whole: Whole, context: &Context, report: &mut Report) -> Result<()> {
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
        report.note(format!("{}: a GOP was encoded, {reason}", self.segment.name));
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
                    let shared = frames.iter().map(Coded::share).collect::<std::result::Result<_, Code>>();
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
        let mut wanted: Vec<&Coded> = frames.iter().copied().filter(|frame| wanted(frame)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        wanted.sort_unstable_by_key(|frame| frame.pts);
        let next = self
            .gatherer
            .next_entry()
            .filter(|next| next.pts < self.segment.window.to);
        let times: Vec<i64> = wanted.iter().map(|frame| frame.pts).collect();
        let slots = slots(&frames, &times, next.map(|next| next.dts));
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
        let copied = self.splicer.copy(&frames, fresh).unwrap_or_else(|Refused(reason)| {
            report.note(format!("{}: an open GOP stands as it is, {reason}", self.segment.name));
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

    fn changed(&self, packet: &Packet) -> Error {
        let time = self.clock.timestamp(packet.pts().or(packet.dts()).unwrap_or(0));
        Error::unsupported(
            &self.segment.name,
            format!(
                "the video's parameters change at {time}, which a copy cannot follow; \
                 use the mode reencode"
            ),
        )
    }
}

fn mismatch(name: &str, first: &Parameters, other: &Parameters) -> Error {
    let describe = |parameters: &Parameters| {
        let mut text = parameters.codec_name().to_owned();
        if parameters.width() > 0 {
            use std::fmt::Write as _;
            let _ = write!(text, " {}x{}", parameters.width(), parameters.height());
        }
        text
    };
    let (first, other) = (describe(first), describe(other));
    let difference = if first == other {
        format!("its video ({other}) has other parameters than the first segment's")
    } else {
        format!("its video ({other}) differs from the first segment's ({first})")
    };
    Error::unsupported(
        name,
        format!("{difference}; encode such segments with --on-mismatch reencode"),
    )
}
