//! Picture parameter sets (ITU-T H.264, section 7.3.2.2).

use crate::bitstream::bits::{BitReader, BitWriter, Result, SyntaxError, stop_bit};
use crate::bitstream::nal::{escape, unescape};

use super::scaling;
use super::sps::Sps;
use super::unit::{self, Header};

/// A PPS: every field that slice headers depend on, or that decides whether two
/// streams go together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // flags of the syntax, named as there
pub struct Pps {
    /// `pic_parameter_set_id`.
    pub id: u8,
    /// `seq_parameter_set_id`, 0 to 31.
    pub sps_id: u8,
    /// `entropy_coding_mode_flag`: CABAC, else CAVLC.
    pub cabac: bool,
    /// `bottom_field_pic_order_in_frame_present_flag`.
    pub bottom_field_pic_order: bool,
    /// `slice_group_change_cycle` in slice headers, its width in bits; 0 when absent.
    pub slice_group_change_bits: u32,
    /// `num_slice_groups_minus1` is not 0: flexible macroblock ordering.
    pub slice_groups: bool,
    /// `num_ref_idx_l0_default_active_minus1` + 1 and the same of list 1.
    pub default_active_refs: [u32; 2],
    /// `weighted_pred_flag`.
    pub weighted_pred: bool,
    /// `weighted_bipred_idc`.
    pub weighted_bipred_idc: u8,
    /// 26 + `pic_init_qp_minus26`; below 0 for high bit depths.
    pub init_qp: i32,
    /// `deblocking_filter_control_present_flag`.
    pub deblocking_control: bool,
    /// `redundant_pic_cnt_present_flag`.
    pub redundant_pic_cnt: bool,
    /// `transform_8x8_mode_flag`.
    pub transform_8x8: bool,
    /// `pic_scaling_matrix_present_flag`.
    pub has_scaling_matrix: bool,
    /// Where things stand, in bits, for rewriting.
    at: Places,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Places {
    /// Behind the two ids.
    ids_end: usize,
    /// Behind `redundant_pic_cnt_present_flag`.
    base_end: usize,
    /// `second_chroma_qp_index_offset`; 0 when the fields of the high profiles
    /// are absent.
    second_offset: usize,
    /// `chroma_qp_index_offset`, which stands in for the second when absent.
    chroma_offset: i32,
}

impl Pps {
    /// Reads the PPS of a NAL unit: the header byte included, still escaped.
    /// `sps` finds an SPS by its id: the number of scaling lists and the width of
    /// one field depend on it. Without one, 4:2:0 is taken.
    pub fn parse<'a>(nal: &[u8], sps: impl FnOnce(u8) -> Option<&'a Sps>) -> Result<Self> {
        Self::parse_rbsp(&unescape(nal), sps)
    }

    fn parse_rbsp<'a>(rbsp: &[u8], sps: impl FnOnce(u8) -> Option<&'a Sps>) -> Result<Self> {
        unit::expect(rbsp, unit::PPS, "not a picture parameter set")?;
        let mut reader = BitReader::new(rbsp);
        reader.skip(Header::BITS)?;
        let id = unit::ranged(reader.ue()?, 255, "pic_parameter_set_id")?;
        let sps_id = unit::ranged(reader.ue()?, 31, "seq_parameter_set_id")?;
        let sps = sps(sps_id);
        let ids_end = reader.position();
        let cabac = reader.flag()?;
        let bottom_field_pic_order = reader.flag()?;
        let groups_minus1 = reader.ue()?;
        let slice_group_change_bits = if groups_minus1 > 0 {
            slice_groups(&mut reader, groups_minus1, sps)?
        } else {
            0
        };
        let mut default_active_refs = [0; 2];
        for count in &mut default_active_refs {
            *count = u32::from(unit::ranged(
                reader.ue()?,
                31,
                "num_ref_idx_default_active",
            )?) + 1;
        }
        let weighted_pred = reader.flag()?;
        let weighted_bipred_idc = unit::ranged(reader.bits(2)?, 2, "weighted_bipred_idc")?;
        let init_qp = reader.se()?;
        if !(-62..=25).contains(&init_qp) {
            return Err(SyntaxError("pic_init_qp_minus26"));
        }
        reader.se()?; // pic_init_qs_minus26
        let chroma_offset = reader.se()?;
        let deblocking_control = reader.flag()?;
        reader.skip(1)?; // constrained_intra_pred_flag
        let redundant_pic_cnt = reader.flag()?;
        let mut pps = Self {
            id,
            sps_id,
            cabac,
            bottom_field_pic_order,
            slice_group_change_bits,
            slice_groups: groups_minus1 > 0,
            default_active_refs,
            weighted_pred,
            weighted_bipred_idc,
            init_qp: 26 + init_qp,
            deblocking_control,
            redundant_pic_cnt,
            transform_8x8: false,
            has_scaling_matrix: false,
            at: Places {
                ids_end,
                base_end: reader.position(),
                second_offset: 0,
                chroma_offset,
            },
        };
        if reader.more_rbsp_data() {
            pps.transform_8x8 = reader.flag()?;
            pps.has_scaling_matrix = reader.flag()?;
            if pps.has_scaling_matrix {
                scaling::skip(&mut reader, scaling_lists(sps, pps.transform_8x8))?;
            }
            pps.at.second_offset = reader.position();
            reader.se()?;
        }
        Ok(pps)
    }

    /// The same PPS under another id and pointing at another SPS. `nal` is the
    /// NAL unit with its header, escaped, and so is the result; `sps` is the SPS
    /// that `nal` was written for.
    ///
    /// `flat_scaling` writes flat scaling lists, so that those of the new SPS
    /// do not apply to pictures that were coded without any.
    pub fn rewrite(
        nal: &[u8],
        sps: &Sps,
        id: u8,
        sps_id: u8,
        flat_scaling: bool,
    ) -> Result<Vec<u8>> {
        let rbsp = unescape(nal);
        let pps = Self::parse_rbsp(&rbsp, |_| Some(sps))?;
        let end = stop_bit(&rbsp)
            .filter(|&end| end >= pps.at.base_end.max(pps.at.second_offset))
            .ok_or(SyntaxError("the PPS ends early"))?;
        let mut writer = BitWriter::with_capacity(rbsp.len() + 64);
        writer.bits(u32::from(rbsp[0]), 8);
        writer.ue(u32::from(id));
        writer.ue(u32::from(sps_id));
        if flat_scaling {
            if pps.has_scaling_matrix {
                return Err(SyntaxError("the PPS has scaling lists of its own"));
            }
            writer.copy(&rbsp, pps.at.ids_end, pps.at.base_end);
            writer.flag(pps.transform_8x8);
            writer.flag(true); // pic_scaling_matrix_present_flag
            scaling::write_flat(&mut writer, scaling_lists(Some(sps), pps.transform_8x8));
            match pps.at.second_offset {
                0 => writer.se(pps.at.chroma_offset),
                at => writer.copy(&rbsp, at, end),
            }
        } else {
            writer.copy(&rbsp, pps.at.ids_end, end);
        }
        writer.trailing();
        Ok(escape(&writer.into_bytes()))
    }
}

/// How many scaling lists a PPS has.
fn scaling_lists(sps: Option<&Sps>, transform_8x8: bool) -> u32 {
    match (transform_8x8, sps) {
        (false, _) => 6,
        (true, Some(sps)) if sps.chroma_format_idc == 3 => 12,
        (true, _) => 8,
    }
}

/// Passes over the slice groups and answers how wide `slice_group_change_cycle`
/// is in slice headers (7.4.3).
fn slice_groups(reader: &mut BitReader, groups_minus1: u32, sps: Option<&Sps>) -> Result<u32> {
    if groups_minus1 > 7 {
        return Err(SyntaxError("num_slice_groups_minus1"));
    }
    match reader.ue()? {
        0 => {
            for _ in 0..=groups_minus1 {
                reader.ue()?; // run_length_minus1
            }
        }
        1 => {}
        2 => {
            for _ in 0..groups_minus1 {
                reader.ue()?; // top_left
                reader.ue()?; // bottom_right
            }
        }
        3..=5 => {
            reader.skip(1)?; // slice_group_change_direction_flag
            let rate = u64::from(reader.ue()?) + 1;
            let sps = sps.ok_or(SyntaxError("slice groups without their SPS"))?;
            let units = u64::from(sps.width_in_mbs) * u64::from(sps.height_in_map_units);
            // Ceil(Log2(PicSizeInMapUnits / SliceGroupChangeRate + 1))
            return Ok((units.div_ceil(rate) + 1)
                .next_power_of_two()
                .trailing_zeros());
        }
        6 => {
            let units = u64::from(reader.ue()?) + 1;
            let width = u64::from((groups_minus1 + 1).next_power_of_two().trailing_zeros());
            let bits = usize::try_from(units * width);
            reader.skip(bits.unwrap_or(usize::MAX))?;
        }
        _ => return Err(SyntaxError("slice_group_map_type")),
    }
    Ok(0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bitstream::h264::sps::tests::INTERLACED;

    /// x264's PPS to [`INTERLACED`]: CABAC, 8x8 transform.
    pub const HIGH: &[u8] = &[0x68, 0xf9, 0x28, 0xf2, 0xc8, 0xb0];
    /// x264's PPS of a Baseline stream.
    pub const BASELINE: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];

    #[test]
    fn high_and_baseline_are_read() {
        let sps = Sps::parse(INTERLACED).expect("an SPS");
        let pps = Pps::parse(HIGH, |_| Some(&sps)).expect("a PPS");
        assert!(pps.cabac && pps.transform_8x8 && pps.bottom_field_pic_order);
        assert!(pps.deblocking_control && !pps.weighted_pred && !pps.has_scaling_matrix);
        assert_eq!((pps.id, pps.sps_id, pps.init_qp), (0, 0, 23));
        assert_eq!(pps.default_active_refs, [4, 1]);
        let pps = Pps::parse(BASELINE, |_| None).expect("a PPS");
        assert!(!pps.cabac && !pps.transform_8x8 && !pps.redundant_pic_cnt);
        assert!(Pps::parse(&HIGH[..2], |_| None).is_err());
    }

    #[test]
    fn rewriting_changes_the_ids_alone() {
        let sps = Sps::parse(INTERLACED).expect("an SPS");
        for nal in [HIGH, BASELINE] {
            let before = Pps::parse(nal, |_| Some(&sps)).expect("a PPS");
            let moved = Pps::rewrite(nal, &sps, 200, 31, false).expect("a PPS");
            let after = Pps::parse(&moved, |_| Some(&sps)).expect("a PPS");
            assert_eq!((after.id, after.sps_id), (200, 31));
            let back = Pps::rewrite(&moved, &sps, before.id, before.sps_id, false);
            assert_eq!(back.as_deref(), Ok(nal));
        }
    }

    #[test]
    fn flat_lists_are_added_in_front_of_the_second_offset() {
        let sps = Sps::parse(INTERLACED).expect("an SPS");
        for (nal, transform_8x8) in [(HIGH, true), (BASELINE, false)] {
            let flat = Pps::rewrite(nal, &sps, 1, 0, true).expect("a PPS");
            let pps = Pps::parse(&flat, |_| Some(&sps)).expect("a PPS");
            assert!(pps.has_scaling_matrix);
            assert_eq!(pps.transform_8x8, transform_8x8);
            // A PPS that has lists already cannot get others.
            assert!(Pps::rewrite(&flat, &sps, 2, 0, true).is_err());
        }
    }
}
