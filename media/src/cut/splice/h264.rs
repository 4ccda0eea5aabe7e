//! H.264: encoded edges under the source's own SPS, or where that cannot be,
//! under an SPS of their own.

use crate::Context;
use crate::av::encode::{Encoder, Video};
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::av::scale::format_number;
use crate::bitstream::h264::{
    AccessUnit, AvcConfig, EdgeRewriter, Inserted, OpenGopRewriter, ParameterSets, Rewritten,
    SecondSets, SlicePeek, Sps, recovery_point, second_sets, slices_only, unit,
};
use crate::bitstream::nal;
use crate::output::Container;
use crate::time::TimeBase;

use super::super::gop::{Coded, Entry};
use super::{Copied, Edge, Facts, Refused, Result, Trouble, edge_qp};

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
    open: Option<OpenGopRewriter>,
    last_idr_id: Option<u16>,
}

/// How encoded frames get into the stream.
enum Edges {
    /// Under the source's SPS.
    Shared(Box<EdgeRewriter>),
    /// Under an SPS with this id.
    Own(SecondSets, u8),
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
        let config = AvcConfig::from_extradata(extradata).map_err(broken)?;
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
            return if known { Ok(()) } else { Err(Trouble::Parameters) };
        }
        match self.sets.insert(unit).map_err(broken)? {
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
                    let unit = unit.map_err(broken)?;
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
                let peek = SlicePeek::parse(unit).map_err(broken)?;
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

    pub(super) fn prepare_edges(
        &mut self,
        like: &Parameters,
        frame: TimeBase,
        context: &Context,
    ) -> Result<()> {
        if self.edges.is_some() {
            return Ok(());
        }
        let sps = self.sps().ok_or(Refused("it has no SPS".into()))?;
        let sps_id = sps.id;
        let format = format_number(pixel_format(sps)?);
        let pps_id = self.sets.free_pps_id();
        let sets = encoder_sets(&self.encoder(like, format, frame, 26, None, context)?)?;
        let shared = pps_id
            .ok_or(Refused("it uses every PPS id".into()))
            .and_then(|pps_id| {
                EdgeRewriter::new(&self.sets, sps_id, &sets, pps_id).map_err(Refused::because)
            });
        self.edges = Some(match shared {
            Ok(rewriter) => Edges::Shared(Box::new(rewriter)),
            Err(refused) => {
                tracing::debug!(reason = refused.0, "edges get an SPS of their own");
                let id = self.sets.free_id().ok_or(refused)?;
                let own = self.encoder(like, format, frame, 26, Some(id), context)?;
                let sets = second_sets(&self.sets, sps_id, &encoder_sets(&own)?)
                    .map_err(Refused::because)?;
                Edges::Own(sets, id)
            }
        });
        Ok(())
    }

    pub(super) fn begin_edge(&mut self, edge: &Edge<'_>, context: &Context) -> Result<Encoder> {
        let source = edge.source.iter();
        let source: Vec<_> = source
            .map(|frame| AccessUnit::inspect(units(frame.packet.data()), &self.sets))
            .collect();
        let qp = edge_qp(source.iter().filter_map(AccessUnit::mean_qp));
        // The order of the fields stands in the slices; not every container
        // repeats it.
        let bottom_first = source
            .iter()
            .filter_map(|unit| unit.first.as_ref())
            .any(|slice| slice.delta_poc_bottom < 0);
        let format = edge.first.format();
        let after = edge.after.and_then(|frame| self.idr_id(frame));
        let id = match &mut self.edges {
            Some(Edges::Shared(rewriter)) => {
                rewriter.begin(self.last_idr_id, after, bottom_first);
                None
            }
            Some(Edges::Own(_, id)) => Some(*id),
            None => return Err(Refused("no edge was prepared for".into())),
        };
        let encoder = self.encoder(edge.like, format, edge.frame, qp, id, context)?;
        // The header is written: an encoder with other sets cannot follow it.
        let sets = encoder_sets(&encoder)?;
        let fits = match &self.edges {
            Some(Edges::Own(own, _)) => sets.pps_units().eq(own.pps.iter().map(Vec::as_slice)),
            _ => true,
        };
        fits.then_some(encoder)
            .ok_or(Refused("the encoder changed its parameter sets".into()))
    }

    /// The `idr_pic_id` that a copied entry will have.
    fn idr_id(&self, frame: &Coded) -> Option<u16> {
        if frame.entry == Entry::Open {
            return Some(REBASED_ID);
        }
        AccessUnit::inspect(units(frame.packet.data()), &self.sets)
            .first
            .and_then(|slice| slice.idr_pic_id)
    }

    pub(super) fn encoded(&mut self, packet: &Packet) -> Result<Vec<u8>> {
        let units = nal::annex_b(packet.data());
        match &mut self.edges {
            Some(Edges::Shared(rewriter)) => rewriter.rewrite(units).map_err(Refused::because),
            Some(Edges::Own(..)) => Ok(slices_only(units)),
            None => Err(Refused("no edge was prepared for".into())),
        }
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
                if fresh && frame.pts < key.pts { Copied::Left } else { Copied::AsIs }
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

    /// An encoder whose slices fit the source: the same entropy coder, the
    /// transforms that its profile has, one reference, no B pictures.
    fn encoder(
        &self,
        like: &Parameters,
        format: i32,
        frame: TimeBase,
        qp: i32,
        sps_id: Option<u8>,
        context: &Context,
    ) -> Result<Encoder> {
        let sps = self.sps().ok_or(Refused("it has no SPS".into()))?;
        let cabac = self
            .sets
            .all_pps()
            .any(|pps| pps.sps_id == sps.id && pps.cabac);
        let high = !matches!(sps.profile_idc, 66 | 77 | 88);
        let keyint = if sps.max_num_ref_frames == 0 { "1" } else { "infinite" };
        let mut params = format!(
            "bframes=0:ref=1:keyint={keyint}:scenecut=0:weightp=0:aud=0:stitchable=1:\
             rc-lookahead=0:mbtree=0:qp={qp}:cabac={}:8x8dct={}:fullrange={}",
            u8::from(cabac),
            u8::from(high),
            if sps.vui.as_ref().is_some_and(|vui| vui.full_range) { "on" } else { "off" },
        );
        if !sps.frame_mbs_only {
            params.push_str(if sps.mbaff { ":interlaced=1" } else { ":fake-interlaced=1" });
        }
        if sps.mbaff && like.is_interlaced() && !like.is_top_field_first() {
            params.push_str(":bff=1");
        }
        if let Some(id) = sps_id {
            use std::fmt::Write as _;
            let _ = write!(params, ":sps-id={id}:level={}", sps.level_idc);
        }
        let options = [("preset", "veryfast".to_owned()), ("x264-params", params)];
        let video = Video {
            encoder: "libx264",
            like,
            pixel_format: format,
            time_base: frame,
            frame,
            options: &options,
        };
        Encoder::video(&video, "the edge", context).map_err(Refused::because)
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

fn broken(error: crate::bitstream::bits::SyntaxError) -> Trouble {
    Trouble::Broken(error.to_string())
}

/// The units of a packet in the output's form.
fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    nal::prefixed(data, 4).flatten()
}

fn encoder_sets(encoder: &Encoder) -> Result<ParameterSets> {
    let parameters = encoder.parameters().map_err(Refused::because)?;
    ParameterSets::from_units(nal::annex_b(parameters.extradata())).map_err(Refused::because)
}

/// FFmpeg's name of the SPS's sample format.
fn pixel_format(sps: &Sps) -> Result<&'static str> {
    let depths = (sps.bit_depth_luma, sps.bit_depth_chroma);
    let full = sps.vui.as_ref().is_some_and(|vui| vui.full_range);
    Ok(match (sps.chroma_format_idc, depths, full) {
        (0, (8, _), _) => "gray",
        (0, (10, _), _) => "gray10le",
        (1, (8, 8), false) => "yuv420p",
        (1, (8, 8), true) => "yuvj420p",
        (2, (8, 8), false) => "yuv422p",
        (2, (8, 8), true) => "yuvj422p",
        (3, (8, 8), false) => "yuv444p",
        (3, (8, 8), true) => "yuvj444p",
        (1, (10, 10), _) => "yuv420p10le",
        (2, (10, 10), _) => "yuv422p10le",
        (3, (10, 10), _) => "yuv444p10le",
        (_, (luma, chroma), _) => {
            return Err(Refused(format!("x264 has no {luma}/{chroma} bit pictures")));
        }
    })
}
