//! The picture parameter set, ITU-T H.265 section 7.3.2.3.

use super::fields::{limited, skip_codes, skip_scaling_lists, small};
use super::unit::{NalHeader, NalType};
use crate::bitstream::bits::{BitReader, BitWriter, Result, SyntaxError, stop_bit};
use crate::bitstream::nal::{escape, unescape};

/// Where `pps_pic_parameter_set_id`, `ue(v)`, stands in the unit.
const ID_AT: usize = 16;

/// What a cutter needs of a picture parameter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pps {
    /// `pps_pic_parameter_set_id`, 0 to 63.
    pub id: u8,
    /// `pps_seq_parameter_set_id`, 0 to 15.
    pub sps_id: u8,
    /// `dependent_slice_segments_enabled_flag`.
    pub dependent_slice_segments: bool,
    /// `output_flag_present_flag`.
    pub output_flag_present: bool,
    /// `num_extra_slice_header_bits`, 0 to 7.
    pub num_extra_slice_header_bits: u8,
    /// `init_qp_minus26` + 26: what the slices' QP is counted from.
    pub init_qp: i32,
    pub(super) cabac_init_present: bool,
    /// `num_ref_idx_l0_default_active_minus1` + 1, and that of list 1.
    pub(super) default_references: [u8; 2],
    pub(super) weighted_pred: bool,
    pub(super) weighted_bipred: bool,
    pub(super) lists_modification_present: bool,
}

impl Pps {
    /// Reads a NAL unit of type 34, emulation prevention bytes included.
    pub fn parse(unit: &[u8]) -> Result<Self> {
        NalHeader::expect(
            unit,
            NalType::PPS,
            SyntaxError("not a picture parameter set"),
        )?;
        let rbsp = unescape(unit);
        let reader = &mut BitReader::new(&rbsp);
        let (id, sps_id) = read_ids(reader)?;
        let dependent_slice_segments = reader.flag()?;
        let output_flag_present = reader.flag()?;
        let num_extra_slice_header_bits = small(reader, 3)?;
        reader.skip(1)?; // sign_data_hiding_enabled_flag
        let cabac_init_present = reader.flag()?;
        let default_references = [
            limited(reader, 14, "num_ref_idx_l0_default_active_minus1")? + 1,
            limited(reader, 14, "num_ref_idx_l1_default_active_minus1")? + 1,
        ];
        let init_qp = match reader.se()? {
            // Down to -(26 + QpBdOffset), which is 48 at 16 bits.
            value @ -74..=25 => value + 26,
            _ => return Err(SyntaxError("init_qp_minus26")),
        };
        reader.skip(2)?; // constrained_intra_pred_flag, transform_skip_enabled_flag
        if reader.flag()? {
            skip_codes(reader, 1)?; // diff_cu_qp_delta_depth
        }
        skip_codes(reader, 2)?; // chroma QP offsets
        reader.skip(1)?; // pps_slice_chroma_qp_offsets_present_flag
        let weighted_pred = reader.flag()?;
        let weighted_bipred = reader.flag()?;
        skip_to_lists_modification(reader)?;
        Ok(Self {
            id,
            sps_id,
            dependent_slice_segments,
            output_flag_present,
            num_extra_slice_header_bits,
            init_qp,
            cabac_init_present,
            default_references,
            weighted_pred,
            weighted_bipred,
            lists_modification_present: reader.flag()?,
        })
    }

    /// `unit` under another id, pointing at another SPS; everything else keeps
    /// its bits.
    pub fn rewrite(unit: &[u8], id: u8, sps_id: u8) -> Result<Vec<u8>> {
        NalHeader::expect(
            unit,
            NalType::PPS,
            SyntaxError("not a picture parameter set"),
        )?;
        if id > 63 || sps_id > 15 {
            return Err(SyntaxError("a PPS id over 63 or an SPS id over 15"));
        }
        let rbsp = unescape(unit);
        let mut reader = BitReader::new(&rbsp);
        read_ids(&mut reader)?;
        let rest = reader.position();
        let stop = stop_bit(&rbsp)
            .filter(|&stop| stop >= rest)
            .ok_or(SyntaxError("a PPS without trailing bits"))?;
        let mut writer = BitWriter::with_capacity(rbsp.len() + 4);
        writer.copy(&rbsp, 0, ID_AT);
        writer.ue(id.into());
        writer.ue(sps_id.into());
        writer.copy(&rbsp, rest, stop);
        writer.trailing();
        Ok(escape(&writer.into_bytes()))
    }
}

fn read_ids(reader: &mut BitReader<'_>) -> Result<(u8, u8)> {
    reader.skip(ID_AT)?;
    let id = limited(reader, 63, "pps_pic_parameter_set_id")?;
    let sps_id = limited(reader, 15, "pps_seq_parameter_set_id")?;
    Ok((id, sps_id))
}

/// From `transquant_bypass_enabled_flag` to the last scaling list.
fn skip_to_lists_modification(reader: &mut BitReader<'_>) -> Result<()> {
    reader.skip(1)?; // transquant_bypass_enabled_flag
    let tiles = reader.flag()?;
    reader.skip(1)?; // entropy_coding_sync_enabled_flag
    if tiles {
        // Level 6.2 allows 20 columns and 22 rows.
        let columns = limited(reader, 63, "num_tile_columns_minus1")?;
        let rows = limited(reader, 63, "num_tile_rows_minus1")?;
        if !reader.flag()? {
            skip_codes(reader, usize::from(columns) + usize::from(rows))?;
        }
        reader.skip(1)?; // loop_filter_across_tiles_enabled_flag
    }
    reader.skip(1)?; // pps_loop_filter_across_slices_enabled_flag
    if reader.flag()? {
        reader.skip(1)?; // deblocking_filter_override_enabled_flag
        if !reader.flag()? {
            skip_codes(reader, 2)?; // pps_beta_offset_div2, pps_tc_offset_div2
        }
    }
    if reader.flag()? {
        skip_scaling_lists(reader)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::samples::{PPS, assert_no_panic};

    #[test]
    fn x265s_set_is_read() {
        let pps = Pps::parse(PPS).expect("parse");
        assert_eq!((pps.id, pps.sps_id, pps.init_qp), (0, 0, 26));
        assert_eq!(pps.num_extra_slice_header_bits, 0);
        assert!(!pps.dependent_slice_segments && !pps.output_flag_present);
        assert!(pps.weighted_pred && !pps.weighted_bipred);
        assert!(!pps.lists_modification_present && !pps.cabac_init_present);
    }

    #[test]
    fn tiles_and_deblocking_are_passed() {
        let mut writer = BitWriter::new();
        writer.bits(0x4401, 16);
        writer.ue(2);
        writer.ue(1);
        writer.bits(0b11, 2); // dependent slices, output flag
        writer.bits(3, 3); // extra bits
        writer.bits(0b11, 2); // sign hiding, cabac_init
        writer.ue(1);
        writer.ue(0);
        writer.se(-4);
        writer.bits(0b001, 3);
        writer.ue(1);
        writer.se(-2);
        writer.se(3);
        writer.bits(0b011, 3);
        writer.bits(0b010, 3); // tiles
        writer.ue(1);
        writer.ue(2);
        writer.flag(false);
        (0..3).for_each(|_| writer.ue(4));
        writer.bits(0b11, 2);
        writer.bits(0b100, 3); // deblocking control
        writer.se(2);
        writer.se(-2);
        writer.bits(0b01, 2); // no lists; modification
        writer.trailing();
        let pps = Pps::parse(&escape(&writer.into_bytes())).expect("parse");
        let expected = Pps {
            id: 2,
            sps_id: 1,
            dependent_slice_segments: true,
            output_flag_present: true,
            num_extra_slice_header_bits: 3,
            init_qp: 22,
            cabac_init_present: true,
            default_references: [2, 1],
            weighted_pred: true,
            weighted_bipred: true,
            lists_modification_present: true,
        };
        assert_eq!(pps, expected);
    }

    #[test]
    fn rewriting_changes_the_ids_alone() {
        assert_eq!(Pps::rewrite(PPS, 0, 0).as_deref(), Ok(PPS));
        let before = Pps::parse(PPS).expect("parse");
        let there = Pps::rewrite(PPS, 30, 15).expect("rewrite");
        let after = Pps::parse(&there).expect("parse again");
        assert_eq!(
            after,
            Pps {
                id: 30,
                sps_id: 15,
                ..before
            }
        );
        assert_eq!(Pps::rewrite(&there, 0, 0).as_deref(), Ok(PPS));
        assert!(Pps::rewrite(PPS, 64, 0).is_err());
        assert!(Pps::rewrite(PPS, 0, 16).is_err());
    }

    #[test]
    fn broken_sets_are_errors() {
        assert_no_panic(PPS, |unit| {
            let _ = Pps::parse(unit);
            let _ = Pps::rewrite(unit, 30, 9);
        });
    }
}
