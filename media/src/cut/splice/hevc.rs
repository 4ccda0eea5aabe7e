//! HEVC: encoded edges under parameter sets of their own, which stand beside
//! the source's in the header and again at each seam.

use crate::Context;
use crate::av::encode::{Encoder, Rate, Video};
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::av::scale::format_number;
use crate::bitstream::hevc::{
    EdgeRewriter, Hvcc, Inserted, NalHeader, NalType, ParameterSets, Sps, inspect, resume_copy,
};
use crate::bitstream::nal;
use crate::output::Container;
use crate::time::TimeBase;

use super::super::gop::{Coded, Entry};
use super::{Copied, Edge, Facts, Refused, Result, Trouble, edge_qp};

pub(in crate::cut) struct Hevc {
    /// Width of the lengths in the source's samples; `None` for start codes.
    prefix: Option<usize>,
    sets: ParameterSets,
    /// Whether the sets are written to the output's header already.
    sealed: bool,
    /// Parameter sets stay in the packets, for receivers that join late.
    keep_sets: bool,
    rewriter: Option<EdgeRewriter>,
    /// Whether the next encoded packet begins an edge.
    edge_begins: bool,
    /// Whether an edge was written since the last copied frame.
    after_edge: bool,
}

impl Hevc {
    pub(super) fn new(parameters: &Parameters, container: Container) -> Result<Self> {
        let mut splicer = Self {
            prefix: None,
            sets: ParameterSets::new(),
            sealed: false,
            keep_sets: container == Container::Ts,
            rewriter: None,
            edge_begins: false,
            after_edge: false,
        };
        splicer
            .segment(parameters.extradata())
            .map_err(|_| Refused("its parameter sets are broken".into()))?;
        Ok(splicer)
    }

    pub(super) fn segment(&mut self, extradata: &[u8]) -> Result<(), Trouble> {
        if extradata.is_empty() {
            self.prefix = None;
            return Ok(());
        }
        let record = Hvcc::from_extradata(extradata, true).map_err(broken)?;
        self.prefix = (extradata[0] == 1).then_some(usize::from(record.length_size));
        for unit in record.units() {
            self.learn(unit)?;
        }
        Ok(())
    }

    /// Takes note of a parameter set.
    fn learn(&mut self, unit: &[u8]) -> Result<(), Trouble> {
        if !NalHeader::parse(unit)
            .map_err(broken)?
            .kind
            .is_parameter_set()
        {
            return Ok(());
        }
        if self.sealed {
            let known = self.sets.units().any(|(_, known)| known == unit);
            return if known {
                Ok(())
            } else {
                Err(Trouble::Parameters)
            };
        }
        match self.sets.insert(unit).map_err(broken)? {
            Inserted::Changed => Err(Trouble::Parameters),
            _ => Ok(()),
        }
    }

    pub(super) fn seal(&mut self) {
        self.sealed = true;
    }

    pub(super) fn take(&mut self, packet: &mut Packet) -> Result<Facts, Trouble> {
        let keep_sets = self.keep_sets;
        let unwanted = |kind: NalType| {
            kind == NalType::ACCESS_UNIT_DELIMITER
                || kind == NalType::FILLER
                || kind == NalType::END_OF_SEQUENCE
                || kind == NalType::END_OF_BITSTREAM
                || kind.is_parameter_set() && !keep_sets
        };
        let data = packet.data();
        let source: Vec<&[u8]> = match self.prefix {
            None => nal::annex_b(data).collect(),
            Some(width) => nal::prefixed(data, width)
                .collect::<std::result::Result<_, _>>()
                .map_err(broken)?,
        };
        let mut changes = self.prefix != Some(4);
        let mut wanted = Vec::with_capacity(source.len());
        for unit in source {
            let header = NalHeader::parse(unit).map_err(broken)?;
            if header.kind.is_parameter_set() {
                self.learn(unit)?;
            }
            if unwanted(header.kind) {
                changes = true;
            } else {
                wanted.push(unit);
            }
        }
        let facts = inspect(wanted.iter().copied(), &self.sets).map_err(broken)?;
        if facts.slices == 0 {
            return Err(Trouble::Broken("a packet without a picture".into()));
        }
        if facts.pictures > 1 {
            return Err(Trouble::Several);
        }
        let entry = match facts.irap {
            Some(kind) if kind.is_idr() => Entry::Closed,
            Some(_) => Entry::Open,
            None => Entry::None,
        };
        if changes {
            let mut out = Vec::with_capacity(data.len() + 16);
            for unit in wanted {
                nal::push_prefixed(&mut out, unit);
            }
            packet
                .set_data(&out)
                .map_err(|code| Trouble::Broken(code.message()))?;
        }
        packet.set_key(entry != Entry::None);
        Ok(Facts {
            entry,
            disposable: facts.disposable,
        })
    }

    fn sps(&self) -> Result<&Sps> {
        self.sets
            .all_sps()
            .next()
            .ok_or(Refused("it has no SPS".into()))
    }

    pub(super) fn format(&self) -> Option<i32> {
        Some(format_number(pixel_format(self.sps().ok()?).ok()?))
    }

    pub(super) fn reorder_frames(&self) -> u32 {
        self.sps()
            .map_or(0, |sps| u32::from(sps.ordering.highest().max_num_reorder))
    }

    pub(super) fn extradata(&self, with_edges: bool) -> Result<Vec<u8>> {
        // Sets stand in band at the seams too, so the arrays are not complete.
        let units = self.sets.units().map(|(_, unit)| unit);
        let rewriter = self.rewriter.as_ref().filter(|_| with_edges);
        let complete = rewriter.is_none() && !self.keep_sets;
        let mut record = Hvcc::from_units(units, complete).map_err(Refused::because)?;
        for (_, unit) in rewriter.iter().flat_map(|rewriter| rewriter.sets()) {
            record.push(unit, complete).map_err(Refused::because)?;
        }
        record.to_bytes().map_err(Refused::because)
    }

    pub(super) fn prepare_edges(
        &mut self,
        like: &Parameters,
        frame: TimeBase,
        context: &Context,
    ) -> Result<()> {
        if self.rewriter.is_some() {
            return Ok(());
        }
        let format = format_number(pixel_format(self.sps()?)?);
        let encoder = self.encoder(like, format, frame, 26, context)?;
        self.rewriter = Some(self.rewriter_of(&encoder)?);
        Ok(())
    }

    fn rewriter_of(&self, encoder: &Encoder) -> Result<EdgeRewriter> {
        let parameters = encoder.parameters().map_err(Refused::because)?;
        EdgeRewriter::new(&self.sets, nal::annex_b(parameters.extradata()))
            .map_err(Refused::because)
    }

    pub(super) fn begin_edge(&mut self, edge: &Edge<'_>, context: &Context) -> Result<Encoder> {
        let qps = edge.source.iter().filter_map(|frame| {
            let facts = inspect(units(frame.packet.data()), &self.sets).ok()?;
            facts.qp.map(f64::from)
        });
        let qp = edge_qp(qps, edge.like);
        let encoder = self.encoder(edge.like, edge.first.format(), edge.frame, qp, context)?;
        let rewriter = self.rewriter_of(&encoder)?;
        let prepared = self.rewriter.as_ref();
        if prepared.is_none_or(|prepared| prepared.sets() != rewriter.sets()) {
            return Err(Refused("the encoder changed its parameter sets".into()));
        }
        self.edge_begins = true;
        self.after_edge = true;
        Ok(encoder)
    }

    pub(super) fn encoded(&mut self, packet: &Packet) -> Result<Vec<u8>> {
        let rewriter = self
            .rewriter
            .as_ref()
            .ok_or(Refused("no edge was prepared for".into()))?;
        let slices = rewriter
            .rewrite(nal::annex_b(packet.data()))
            .map_err(Refused::because)?;
        if std::mem::take(&mut self.edge_begins) {
            let mut data = rewriter.in_band();
            data.extend(slices);
            return Ok(data);
        }
        Ok(slices)
    }

    pub(super) fn copy(&mut self, frames: &[Coded], fresh: bool) -> Result<Vec<Copied>> {
        let Some(key) = frames.first() else {
            return Ok(Vec::new());
        };
        let seam = std::mem::take(&mut self.after_edge) || fresh && key.entry == Entry::Open;
        frames
            .iter()
            .enumerate()
            .map(|(at, frame)| {
                if fresh && frame.pts < key.pts {
                    return Ok(Copied::Left);
                }
                if at > 0 || !seam {
                    return Ok(Copied::AsIs);
                }
                resume_copy(&self.sets, units(frame.packet.data()))
                    .map(Copied::Changed)
                    .map_err(Refused::because)
            })
            .collect()
    }

    /// An encoder whose pictures are described as the source's are: by the
    /// source's SPS, as not every container repeats it.
    fn encoder(
        &self,
        like: &Parameters,
        format: i32,
        frame: TimeBase,
        qp: i32,
        context: &Context,
    ) -> Result<Encoder> {
        let failed = |code: crate::av::code::Code| Refused(code.message());
        let vui = &self.sps()?.vui;
        let mut like = like.try_clone().map_err(failed)?;
        like.set_aspect(vui.sample_aspect_ratio);
        let colour = vui.colour;
        let params = format!(
            "bframes=0:ref=1:keyint=-1:scenecut=0:open-gop=0:repeat-headers=0:aud=0:info=0:\
             rc-lookahead=0:lookahead-slices=0:log-level=none:qp={qp}:pools={}:\
             range={}:colorprim={}:transfer={}:colormatrix={}",
            context.threads(),
            if vui.full_range { "full" } else { "limited" },
            colour.primaries,
            colour.transfer,
            colour.matrix,
        );
        let options = [("preset", "veryfast".to_owned()), ("x265-params", params)];
        let video = Video {
            encoder: "libx265",
            like: &like,
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

fn broken(error: crate::bitstream::bits::SyntaxError) -> Trouble {
    Trouble::Broken(error.to_string())
}

/// The units of a packet in the output's form.
fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    nal::prefixed(data, 4).flatten()
}

/// FFmpeg's name of the SPS's sample format.
fn pixel_format(sps: &Sps) -> Result<&'static str> {
    let format = &sps.format;
    Ok(match (format.chroma_format_idc, format.bit_depth_luma) {
        (0, 8) => "gray",
        (0, 10) => "gray10le",
        (1, 8) => "yuv420p",
        (1, 10) => "yuv420p10le",
        (1, 12) => "yuv420p12le",
        (2, 8) => "yuv422p",
        (2, 10) => "yuv422p10le",
        (3, 8) => "yuv444p",
        (3, 10) => "yuv444p10le",
        (_, depth) => {
            return Err(Refused(format!(
                "x265 has no {depth} bit pictures of this kind"
            )));
        }
    })
}
