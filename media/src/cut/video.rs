//! Which frames are copied, and which encoded.

mod timing;
mod whole;

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use crate::av::code::Code;
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::time::TimeBase;
use crate::{Context, Error, Result};

use super::edge::Decoding;
use super::gop::{Entry, Gatherer, Pushed};
use super::options::Mode;
use super::report::Report;
use super::splice::{Facts, Refused, Splicer, Trouble};

/// The part of a segment that is wanted, in ticks of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first time inside.
    pub(crate) from: i64,
    /// The first time behind.
    pub(crate) to: i64,
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
    /// A frame came whose order only a decoder can tell.
    pub(super) lacks_times: bool,
}

/// Why frames cannot be copied whose order only a decoder can tell.
pub(super) const NO_TIMES: &str = "frames in it carry no presentation times";

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
        let decoding =
            Decoding::of(&like, clock).map_err(|code| code.failed("video", "setting up"))?;
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
            lacks_times: false,
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
            report.note(format!(
                "{name}: encoded whole, its video is not like the first segment's"
            ));
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
        // This encoder tells its parameter sets and encodes nothing.
        let context = &context.at_most_threads(NonZeroUsize::MIN);
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
                entry: if packet.is_key() {
                    Entry::Closed
                } else {
                    Entry::None
                },
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
            self.lacks_times = true;
            return Err(Error::unsupported(
                &self.segment.name,
                format!("{NO_TIMES}; `cut --mode reencode` takes it"),
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

    fn changed(&self, packet: &Packet) -> Error {
        let time = self
            .clock
            .timestamp(packet.pts().or(packet.dts()).unwrap_or(0));
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
