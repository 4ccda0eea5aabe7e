//! H.264: encoded edges under the source's own SPS, or where that cannot be,
//! under an SPS of their own.

mod edges;

use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::bitstream::h264::{
    AvcConfig, Inserted, OpenGopRewriter, ParameterSets, Rewritten, SlicePeek, Sps, recovery_point,
    unit,
};
use crate::bitstream::nal;
use crate::output::Container;

use super::super::gop::{Coded, Entry};
use super::{Copied, Facts, Refused, Result, Trouble};
use edges::Edges;

/// The `idr_pic_id` of an I picture that is made an IDR picture; encoded edges
/// take the lowest free ones.
const REBASED_ID: u16 = 255;

pub(in crate::cut) struct H264 {
    /// Width of the lengths in the source's samples; `None` for start codes.
    prefix: Option<usize>,
    sets: ParameterSets,
    extensions: Vec<Vec<u8>>,
    /// Whether the sets are written to the output's header already.
    sealed: bool,
    /// Parameter sets stay in the packets, for receivers that join late.
    keep_sets: bool,
    /// The SPS of the first picture.
    active: Option<u8>,
    edges: Option<Edges>,
    /// Whether the next encoded packet begins an edge.
    edge_begins: bool,
    open: Option<OpenGopRewriter>,
    last_idr_id: Option<u16>,
}

impl H264 {
    pub(super) fn new(parameters: &Parameters, container: Container) -> Result<Self> {
        let mut splicer = Self {
            prefix: None,
            sets: ParameterSets::new(),
            extensions: Vec::new(),
            sealed: false,
            keep_sets: container == Container::Ts,
            active: None,
            edges: None,
            edge_begins: false,
            open: None,
            last_idr_id: None,
        };
        splicer
            .segment(parameters.extradata())
            .map_err(|_| Refused("its parameter sets are broken".into()))?;
        Ok(splicer)
    }

    pub(super) fn segment(&mut self, extradata: &[u8]) -> Result<(), Trouble> {
        self.open = None;
        if extradata.is_empty() {
            self.prefix = None;
            return Ok(());
        }
        let config = AvcConfig::from_extradata(extradata)?;
        self.prefix = (extradata[0] == 1).then_some(config.length_width);
        if !self.sealed {
            self.extensions.clone_from(&config.sps_extensions);
        }
        for unit in config.sps.iter().chain(&config.pps) {
            self.learn(unit)?;
        }
        Ok(())
    }

    /// Takes note of a parameter set.
    fn learn(&mut self, unit: &[u8]) -> Result<(), Trouble> {
        if self.sealed {
            let known = if unit::kind(unit) == unit::SPS {
                self.sets.sps_units().any(|known| known == unit)
            } else {
                self.sets.pps_units().any(|known| known == unit)
            };
            return if known {
                Ok(())
            } else {
                Err(Trouble::Parameters)
            };
        }
        match self.sets.insert(unit)? {
            Inserted::New | Inserted::Same => Ok(()),
            Inserted::SpsChanged(_) | Inserted::PpsChanged(_) => Err(Trouble::Parameters),
        }
    }

    pub(super) fn seal(&mut self) {
        self.sealed = true;
    }

    pub(super) fn take(&mut self, packet: &mut Packet) -> Result<Facts, Trouble> {
        let keep_sets = self.keep_sets;
        let unwanted = |kind| match kind {
            unit::SPS | unit::PPS | unit::SPS_EXTENSION => !keep_sets,
            unit::AUD | unit::END_OF_SEQUENCE | unit::END_OF_STREAM | unit::FILLER => true,
            _ => false,
        };
        let mut found = Found::default();
        let mut rewritten = None;
        match self.prefix {
            None => {
                for unit in nal::annex_b(packet.data()) {
                    self.look_at(unit, &mut found)?;
                }
                let wanted = |unit: &[u8]| !unwanted(unit::kind(unit));
                if !packet.edit(|data| nal::prefix_in_place(data, wanted)) {
                    let mut out = Vec::with_capacity(packet.data().len() + 16);
                    for unit in nal::annex_b(packet.data()).filter(|unit| wanted(unit)) {
                        nal::push_prefixed(&mut out, unit);
                    }
                    rewritten = Some(out);
                }
            }
            Some(width) => {
                let data = packet.data();
                let mut changes = width != 4;
                for unit in nal::prefixed(data, width) {
                    let unit = unit?;
                    self.look_at(unit, &mut found)?;
                    changes |= unwanted(unit::kind(unit));
                }
                if changes {
                    let mut out = Vec::with_capacity(data.len() + 16);
                    for unit in nal::prefixed(data, width).flatten() {
                        if !unwanted(unit::kind(unit)) {
                            nal::push_prefixed(&mut out, unit);
                        }
                    }
                    rewritten = Some(out);
                }
            }
        }
        if found.slices == 0 {
            return Err(Trouble::Broken("a packet without a picture".into()));
        }
        // Two fields may share a packet, two frames may not.
        let frames_only = self.sps().is_some_and(|sps| sps.frame_mbs_only);
        if found.pictures > 1 && frames_only {
            return Err(Trouble::Several);
        }
        let intra = found.inter == 0;
        let entry = if found.idr {
            Entry::Closed
        } else if intra && (found.recovers || packet.is_key()) {
            Entry::Open
        } else {
            Entry::None
        };
        if let Some(data) = rewritten {
            packet
                .set_data(&data)
                .map_err(|code| Trouble::Broken(code.message()))?;
        }
        packet.set_key(entry != Entry::None);
        Ok(Facts {
            entry,
            disposable: !found.reference,
        })
    }

    /// Takes note of one unit. Slices of pictures that no entry can be are not
    /// looked into.
    fn look_at(&mut self, unit: &[u8], found: &mut Found) -> Result<(), Trouble> {
        let Some(header) = unit::Header::of(unit) else {
            return Ok(());
        };
        match header.kind {
            unit::SPS | unit::PPS => self.learn(unit)?,
            unit::SEI => {
                // A refresh over several frames is no clean entry.
                found.recovers |= recovery_point(unit).is_some_and(|point| point.frames == 0);
            }
            _ if header.is_slice() => {
                found.slices += 1;
                // first_mb_in_slice is 0, a single set bit.
                let begins = unit.get(1).is_some_and(|byte| byte & 0x80 != 0);
                found.pictures += u32::from(begins);
                found.reference |= header.ref_idc != 0;
                found.idr |= header.kind == unit::IDR;
                if found.idr && self.active.is_some() {
                    return Ok(());
                }
                let peek = SlicePeek::parse(unit)?;
                found.inter += u32::from(!peek.slice_type.is_intra());
                if self.active.is_none() {
                    self.active = self.sets.pps(peek.pps_id).map(|pps| pps.sps_id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn sps(&self) -> Option<&Sps> {
        match self.active {
            Some(id) => self.sets.sps(id),
            None => self.sets.all_sps().next(),
        }
    }

    pub(super) fn reorder_frames(&self) -> u32 {
        self.sps().map_or(0, Sps::reorder_frames)
    }

    pub(super) fn extradata(&self, with_edges: bool) -> Result<Vec<u8>> {
        let units = self.sets.sps_units().chain(self.sets.pps_units());
        let mut config = AvcConfig::from_units(units).map_err(Refused::because)?;
        config.length_width = 4;
        config.sps_extensions.clone_from(&self.extensions);
        match self.edges.as_ref().filter(|_| with_edges) {
            Some(Edges::Shared(rewriter)) => config.pps.push(rewriter.pps().to_vec()),
            Some(Edges::Own(sets, _)) => {
                config.sps.push(sets.sps.clone());
                config.pps.extend(sets.pps.iter().cloned());
            }
            None => {}
        }
        config.build().map_err(Refused::because)
    }

    pub(super) fn copy(&mut self, frames: &[Coded], fresh: bool) -> Result<Vec<Copied>> {
        let Some(key) = frames.first() else {
            return Ok(Vec::new());
        };
        if key.entry == Entry::Closed {
            self.open = None;
            self.last_idr_id = self.idr_id(key);
        } else if fresh {
            self.open = Some(OpenGopRewriter::new(self.sets.clone(), REBASED_ID));
        }
        let Some(rewriter) = &mut self.open else {
            let copied = |frame: &Coded| {
                if fresh && frame.pts < key.pts {
                    Copied::Left
                } else {
                    Copied::AsIs
                }
            };
            return Ok(frames.iter().map(copied).collect());
        };
        let rewritten = frames
            .iter()
            .map(|frame| match rewriter.rewrite(frame.packet.data()) {
                Ok(Rewritten::Picture(data)) => Ok(Copied::Changed(data)),
                Ok(Rewritten::Leading) => Ok(Copied::Left),
                Ok(Rewritten::Idr) => Ok(Copied::AsIs),
                Err(refusal) => Err(Refused::because(refusal)),
            })
            .collect();
        match &rewritten {
            Ok(_) => self.last_idr_id = Some(REBASED_ID),
            Err(_) => self.open = None,
        }
        rewritten
    }
}

/// What the units of a packet hold.
#[derive(Default)]
struct Found {
    slices: u32,
    pictures: u32,
    inter: u32,
    idr: bool,
    recovers: bool,
    reference: bool,
}
