//! Slices with a changed header: the header is written anew and the slice data
//! copied behind it (ITU-T H.264, sections 7.3.3 and 7.3.4).
//!
//! CABAC data starts at a byte and is copied as it is; CAVLC data is shifted to
//! wherever the new header ends.

use crate::bitstream::bits::{BitWriter, Result, SyntaxError, stop_bit};
use crate::bitstream::nal::escape;

use super::pps::Pps;
use super::ref_lists::write_list;
use super::slice::{SliceHeader, SliceType, Structure};
use super::sps::Sps;
use super::unit;

impl SliceHeader {
    /// The slice under this header, as an escaped NAL unit.
    ///
    /// `rbsp` is the whole unescaped unit that the header was parsed from, and
    /// `sps` and `pps` are what the new slice will be decoded with. Fails when
    /// they cannot express the header.
    pub fn write(&self, rbsp: &[u8], sps: &Sps, pps: &Pps) -> Result<Vec<u8>> {
        if self.unit.kind == unit::PARTITION_A {
            return Err(SyntaxError("a partitioned slice cannot be rewritten"));
        }
        let end = stop_bit(rbsp)
            .filter(|&end| end >= self.data_at)
            .ok_or(SyntaxError("a slice without data"))?;
        let mut writer = BitWriter::with_capacity(rbsp.len() + 16);
        self.start(&mut writer, sps)?;
        self.picture_order(&mut writer, sps, pps)?;
        self.references(&mut writer, rbsp, pps)?;
        self.marking.write(&mut writer);
        self.quantiser_and_filter(&mut writer, pps)?;
        writer.bits(self.slice_group_change_cycle, pps.slice_group_change_bits);
        if pps.cabac {
            writer.align_with_ones();
            // To the very end: trailing bits and cabac_zero_words included.
            writer.bytes(rbsp.get(self.data_at.div_ceil(8)..).unwrap_or_default());
        } else {
            writer.copy(rbsp, self.data_at, end);
            writer.trailing();
        }
        Ok(escape(&writer.into_bytes()))
    }

    fn start(&self, writer: &mut BitWriter, sps: &Sps) -> Result<()> {
        writer.bits(u32::from(self.unit.byte()), 8);
        writer.ue(self.first_mb);
        let slice_type = match self.slice_type {
            SliceType::P => 0,
            SliceType::B => 1,
            SliceType::I => 2,
            SliceType::Sp => 3,
            SliceType::Si => 4,
        };
        writer.ue(slice_type + if self.whole_picture { 5 } else { 0 });
        writer.ue(u32::from(self.pps_id));
        if sps.separate_colour_plane {
            writer.bits(self.colour_plane, 2);
        }
        fixed(writer, self.frame_num, sps.log2_max_frame_num, "frame_num")?;
        match (sps.frame_mbs_only, self.structure) {
            (true, Structure::Frame) => {}
            (true, _) => return Err(SyntaxError("a field picture in a progressive sequence")),
            (false, Structure::Frame) => writer.flag(false),
            (false, field) => {
                writer.flag(true);
                writer.flag(field == Structure::BottomField);
            }
        }
        if self.is_idr() {
            writer.ue(u32::from(self.idr_pic_id));
        }
        Ok(())
    }

    fn picture_order(&self, writer: &mut BitWriter, sps: &Sps, pps: &Pps) -> Result<()> {
        let both_fields = pps.bottom_field_pic_order && self.structure == Structure::Frame;
        match sps.poc_type {
            0 => {
                fixed(
                    writer,
                    self.poc_lsb,
                    sps.log2_max_poc_lsb,
                    "pic_order_cnt_lsb",
                )?;
                if both_fields {
                    writer.se(self.delta_poc_bottom);
                }
            }
            1 if !sps.delta_pic_order_always_zero => {
                writer.se(self.delta_poc[0]);
                if both_fields {
                    writer.se(self.delta_poc[1]);
                }
            }
            _ => {}
        }
        if pps.redundant_pic_cnt {
            writer.ue(self.redundant_pic_cnt);
        } else if self.redundant_pic_cnt != 0 {
            return Err(SyntaxError("a redundant picture without its PPS flag"));
        }
        Ok(())
    }

    fn references(&self, writer: &mut BitWriter, rbsp: &[u8], pps: &Pps) -> Result<()> {
        let lists = self.slice_type.lists();
        if self.slice_type == SliceType::B {
            writer.flag(self.direct_spatial);
        }
        if lists > 0 {
            let active = &self.active_refs[..lists];
            let overridden = self.refs_overridden || *active != pps.default_active_refs[..lists];
            writer.flag(overridden);
            if overridden {
                for count in active {
                    writer.ue(count.saturating_sub(1));
                }
            }
        }
        for list in &self.lists[..lists] {
            write_list(writer, list);
        }
        if pps.has_weights(self.slice_type) == self.pred_weights.is_empty() {
            return Err(SyntaxError("prediction weights without their PPS flag"));
        }
        writer.copy(rbsp, self.pred_weights.start, self.pred_weights.end);
        Ok(())
    }

    fn quantiser_and_filter(&self, writer: &mut BitWriter, pps: &Pps) -> Result<()> {
        if pps.cabac && self.slice_type.is_inter() {
            writer.ue(u32::from(self.cabac_init_idc));
        }
        writer.se(self.qp_delta);
        if self.slice_type == SliceType::Sp {
            writer.flag(self.sp_for_switch);
        }
        if matches!(self.slice_type, SliceType::Sp | SliceType::Si) {
            writer.se(self.qs_delta);
        }
        let deblocking = self.deblocking.unwrap_or_default();
        if pps.deblocking_control {
            writer.ue(u32::from(deblocking.disable_idc));
            if deblocking.disable_idc != 1 {
                writer.se(deblocking.alpha_offset_div2);
                writer.se(deblocking.beta_offset_div2);
            }
        } else if deblocking != super::slice::Deblocking::default() {
            return Err(SyntaxError("deblocking fields without their PPS flag"));
        }
        Ok(())
    }
}

/// A field of fixed width, which must hold the value.
fn fixed(writer: &mut BitWriter, value: u32, width: u32, what: &'static str) -> Result<()> {
    if value.checked_shr(width).unwrap_or(0) != 0 {
        return Err(SyntaxError(what));
    }
    writer.bits(value, width);
    Ok(())
}
