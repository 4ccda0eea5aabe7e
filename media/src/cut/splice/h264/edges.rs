//! The encoder of edges, and how its frames get into the stream.

use crate::Context;
use crate::av::encode::{Encoder, Rate, Video};
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::av::scale::format_number;
use crate::bitstream::h264::{
    AccessUnit, EdgeRewriter, ParameterSets, SecondSets, Sps, second_sets, slices_only,
};
use crate::bitstream::nal;
use crate::time::TimeBase;

use super::super::super::gop::{Coded, Entry};
use super::super::{Edge, Refused, Result, edge_qp};
use super::{H264, REBASED_ID, units};

/// How encoded frames get into the stream.
pub(super) enum Edges {
    /// Under the source's SPS.
    Shared(Box<EdgeRewriter>),
    /// Under an SPS with this id.
    Own(SecondSets, u8),
}

impl H264 {
    pub(in crate::cut::splice) fn format(&self) -> Option<i32> {
        Some(format_number(pixel_format(self.sps()?).ok()?))
    }

    pub(in crate::cut::splice) fn prepare_edges(
        &mut self,
        like: &Parameters,
        frame: TimeBase,
        context: &Context,
    ) -> Result<()> {
        if self.edges.is_some() {
            return Ok(());
        }
        let sps = self.sps().ok_or(Refused("it has no SPS".into()))?;
        if sps.lossless_bypass {
            // Its blocks at quantiser 0 are coded in another way, which an
            // encoder of edges would have to match (7.4.2.1.1).
            return Err(Refused("it is lossless".into()));
        }
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

    pub(in crate::cut::splice) fn begin_edge(
        &mut self,
        edge: &Edge<'_>,
        context: &Context,
    ) -> Result<Encoder> {
        let source = edge.source.iter();
        let source: Vec<_> = source
            .map(|frame| AccessUnit::inspect(units(frame.packet.data()), &self.sets))
            .collect();
        let qp = edge_qp(source.iter().filter_map(AccessUnit::mean_qp), edge.like);
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
        self.edge_begins = true;
        fits.then_some(encoder)
            .ok_or(Refused("the encoder changed its parameter sets".into()))
    }

    /// The `idr_pic_id` that a copied entry will have.
    pub(super) fn idr_id(&self, frame: &Coded) -> Option<u16> {
        if frame.entry == Entry::Open {
            return Some(REBASED_ID);
        }
        AccessUnit::inspect(units(frame.packet.data()), &self.sets)
            .first
            .and_then(|slice| slice.idr_pic_id)
    }

    pub(in crate::cut::splice) fn encoded(&mut self, packet: &Packet) -> Result<Vec<u8>> {
        let units = nal::annex_b(packet.data());
        let begins = std::mem::take(&mut self.edge_begins);
        let slices = match &mut self.edges {
            Some(Edges::Shared(rewriter)) => rewriter.rewrite(units).map_err(Refused::because)?,
            Some(Edges::Own(..)) => slices_only(units),
            None => return Err(Refused("no edge was prepared for".into())),
        };
        if begins && self.keep_sets {
            let mut data = self.in_band();
            data.extend(slices);
            return Ok(data);
        }
        Ok(slices)
    }

    /// All sets in front of an encoded picture, where the source's are in its
    /// packets too: FFmpeg then adds none of its own (`h264_mp4toannexb`).
    fn in_band(&self) -> Vec<u8> {
        let (own_sps, edge_pps) = match &self.edges {
            Some(Edges::Shared(rewriter)) => (None, vec![rewriter.pps()]),
            Some(Edges::Own(sets, _)) => {
                let pps = sets.pps.iter().map(Vec::as_slice).collect();
                (Some(sets.sps.as_slice()), pps)
            }
            None => (None, Vec::new()),
        };
        let mut out = Vec::new();
        let sets = self
            .sets
            .sps_units()
            .chain(own_sps)
            .chain(self.sets.pps_units());
        for unit in sets.chain(edge_pps) {
            nal::push_prefixed(&mut out, unit);
        }
        out
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
        let keyint = if sps.max_num_ref_frames == 0 {
            "1"
        } else {
            "infinite"
        };
        let mut params = format!(
            "bframes=0:ref=1:keyint={keyint}:scenecut=0:weightp=0:aud=0:stitchable=1:\
             rc-lookahead=0:mbtree=0:qp={qp}:cabac={}:8x8dct={}:fullrange={}",
            u8::from(cabac),
            u8::from(high),
            if sps.vui.as_ref().is_some_and(|vui| vui.full_range) {
                "on"
            } else {
                "off"
            },
        );
        if !sps.frame_mbs_only {
            params.push_str(if sps.mbaff {
                ":interlaced=1"
            } else {
                ":fake-interlaced=1"
            });
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
            rate: Rate::default(),
            header_apart: true,
            options: &options,
        };
        Encoder::video(&video, "the edge", context).map_err(Refused::because)
    }
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
