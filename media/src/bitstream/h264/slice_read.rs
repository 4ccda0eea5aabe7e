//! The reading of a slice header (ITU-T H.264, section 7.3.3).

use crate::bitstream::bits::{BitReader, Result, SyntaxError};

use super::pps::Pps;
use super::ref_lists::{Marking, read_list};
use super::slice::{Deblocking, SliceHeader, SliceType, Structure, slice_type};
use super::sps::Sps;
use super::unit::{self, Header};

/// Reads the header of a slice from its RBSP, which may be cut off behind it.
pub(super) fn read(rbsp: &[u8], sps: &Sps, pps: &Pps) -> Result<SliceHeader> {
    Fields::new(rbsp, sps, pps)?.read()
}

impl Pps {
    /// Whether slices of this type carry `pred_weight_table()`.
    pub(super) fn has_weights(&self, slice_type: SliceType) -> bool {
        match slice_type {
            SliceType::P | SliceType::Sp => self.weighted_pred,
            SliceType::B => self.weighted_bipred_idc == 1,
            SliceType::I | SliceType::Si => false,
        }
    }
}

/// The reading of one header, under its parameter sets.
struct Fields<'a> {
    reader: BitReader<'a>,
    unit: Header,
    sps: &'a Sps,
    pps: &'a Pps,
}

impl<'a> Fields<'a> {
    fn new(rbsp: &'a [u8], sps: &'a Sps, pps: &'a Pps) -> Result<Self> {
        let mut reader = BitReader::new(rbsp);
        reader.skip(Header::BITS)?;
        let unit = Header::of(rbsp).ok_or(SyntaxError("not a slice"))?;
        Ok(Self {
            reader,
            unit,
            sps,
            pps,
        })
    }

    fn read(mut self) -> Result<SliceHeader> {
        let (sps, pps) = (self.sps, self.pps);
        let idr = self.unit.kind == unit::IDR;
        let first_mb = self.reader.ue()?;
        let raw_type = self.reader.ue()?;
        let kind = slice_type(raw_type)?;
        let mut header = SliceHeader {
            unit: self.unit,
            first_mb,
            slice_type: kind,
            whole_picture: raw_type >= 5,
            pps_id: unit::ranged(self.reader.ue()?, 255, "pic_parameter_set_id")?,
            colour_plane: 0,
            frame_num: 0,
            structure: Structure::Frame,
            idr_pic_id: 0,
            poc_lsb: 0,
            delta_poc_bottom: 0,
            delta_poc: [0; 2],
            redundant_pic_cnt: 0,
            direct_spatial: false,
            refs_overridden: false,
            active_refs: [0; 2],
            lists: [Vec::new(), Vec::new()],
            pred_weights: 0..0,
            marking: Marking::NotReference,
            cabac_init_idc: 0,
            qp_delta: 0,
            qp: 0,
            sp_for_switch: false,
            qs_delta: 0,
            deblocking: None,
            slice_group_change_cycle: 0,
            data_at: 0,
        };
        if sps.separate_colour_plane {
            header.colour_plane = self.reader.bits(2)?;
        }
        header.frame_num = self.reader.bits(sps.log2_max_frame_num)?;
        if !sps.frame_mbs_only && self.reader.flag()? {
            header.structure = if self.reader.flag()? {
                Structure::BottomField
            } else {
                Structure::TopField
            };
        }
        if idr {
            header.idr_pic_id =
                u16::try_from(self.reader.ue()?).map_err(|_| SyntaxError("idr_pic_id"))?;
        }
        self.picture_order(&mut header)?;
        if pps.redundant_pic_cnt {
            header.redundant_pic_cnt = self.reader.ue()?;
        }
        if kind == SliceType::B {
            header.direct_spatial = self.reader.flag()?;
        }
        self.references(&mut header)?;
        if self.unit.ref_idc != 0 {
            header.marking = Marking::read(&mut self.reader, idr)?;
        }
        if pps.cabac && kind.is_inter() {
            header.cabac_init_idc = unit::ranged(self.reader.ue()?, 2, "cabac_init_idc")?;
        }
        self.quantiser_and_filter(&mut header)?;
        header.slice_group_change_cycle = self.reader.bits(pps.slice_group_change_bits)?;
        header.data_at = self.reader.position();
        Ok(header)
    }

    fn picture_order(&mut self, header: &mut SliceHeader) -> Result<()> {
        let both_fields = self.pps.bottom_field_pic_order && header.structure == Structure::Frame;
        match self.sps.poc_type {
            0 => {
                header.poc_lsb = self.reader.bits(self.sps.log2_max_poc_lsb)?;
                if both_fields {
                    header.delta_poc_bottom = self.reader.se()?;
                }
            }
            1 if !self.sps.delta_pic_order_always_zero => {
                header.delta_poc[0] = self.reader.se()?;
                if both_fields {
                    header.delta_poc[1] = self.reader.se()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn references(&mut self, header: &mut SliceHeader) -> Result<()> {
        let lists = header.slice_type.lists();
        header.active_refs[..lists].copy_from_slice(&self.pps.default_active_refs[..lists]);
        if lists > 0 && self.reader.flag()? {
            header.refs_overridden = true;
            for count in &mut header.active_refs[..lists] {
                let minus1 = unit::ranged(self.reader.ue()?, 31, "num_ref_idx_active_minus1")?;
                *count = u32::from(minus1) + 1;
            }
        }
        for list in &mut header.lists[..lists] {
            *list = read_list(&mut self.reader)?;
        }
        if self.pps.has_weights(header.slice_type) {
            let from = self.reader.position();
            self.weights(&header.active_refs[..lists])?;
            header.pred_weights = from..self.reader.position();
        }
        Ok(())
    }

    /// Passes over `pred_weight_table()` (7.3.3.2).
    fn weights(&mut self, active_refs: &[u32]) -> Result<()> {
        let colour = self.sps.chroma_array_type() != 0;
        unit::ranged(self.reader.ue()?, 7, "luma_log2_weight_denom")?;
        if colour {
            unit::ranged(self.reader.ue()?, 7, "chroma_log2_weight_denom")?;
        }
        for _ in 0..active_refs.iter().sum() {
            for values in [2, 4].into_iter().take(if colour { 2 } else { 1 }) {
                if self.reader.flag()? {
                    for _ in 0..values {
                        self.reader.se()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn quantiser_and_filter(&mut self, header: &mut SliceHeader) -> Result<()> {
        header.qp_delta = self.reader.se()?;
        header.qp = self.pps.init_qp.saturating_add(header.qp_delta);
        let lowest = -6 * (i32::from(self.sps.bit_depth_luma) - 8);
        if !(lowest..=51).contains(&header.qp) {
            return Err(SyntaxError("slice_qp_delta"));
        }
        if matches!(header.slice_type, SliceType::Sp | SliceType::Si) {
            if header.slice_type == SliceType::Sp {
                header.sp_for_switch = self.reader.flag()?;
            }
            header.qs_delta = self.reader.se()?;
        }
        if self.pps.deblocking_control {
            let mut deblocking = Deblocking {
                disable_idc: unit::ranged(self.reader.ue()?, 2, "disable_deblocking_filter_idc")?,
                ..Deblocking::default()
            };
            if deblocking.disable_idc != 1 {
                deblocking.alpha_offset_div2 = self.reader.se()?;
                deblocking.beta_offset_div2 = self.reader.se()?;
            }
            header.deblocking = Some(deblocking);
        }
        Ok(())
    }
}
