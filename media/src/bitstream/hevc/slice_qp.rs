//! The slice segment header from the order count to `slice_qp_delta` (ITU-T
//! H.265 sections 7.3.6.1 to 7.3.6.3): everything that stands in front of the QP.

use super::fields::{index_width, limited, skip_codes};
use super::pps::Pps;
use super::rps::ReferenceSet;
use super::slice::SliceType;
use super::sps::Sps;
use crate::bitstream::bits::{BitReader, Result, SyntaxError};

/// Profiles of screen content coding, whose slice headers have more fields.
const SCREEN_CONTENT: [u8; 2] = [9, 11];

/// Reads on from behind `slice_pic_order_cnt_lsb`; answers `SliceQpY`, or none
/// in a profile that is not followed.
pub(super) fn read(
    reader: &mut BitReader<'_>,
    slice_type: SliceType,
    idr: bool,
    sps: &Sps,
    pps: &Pps,
) -> Result<Option<i32>> {
    if SCREEN_CONTENT.contains(&sps.profile.profile_idc) {
        return Ok(None);
    }
    let mut references = 0; // NumPicTotalCurr (7-55)
    let mut temporal_mvp = false;
    if !idr {
        references = read_short_term(reader, sps)? + read_long_term(reader, sps)?;
        temporal_mvp = sps.coding.temporal_mvp && reader.flag()?;
    }
    if sps.coding.sample_adaptive_offset {
        reader.skip(if sps.format.has_chroma() { 2 } else { 1 })?;
    }
    if slice_type != SliceType::I {
        let predicted = Prediction {
            bi: slice_type == SliceType::B,
            references,
            temporal_mvp,
        };
        predicted.skip(reader, sps, pps)?;
    }
    match reader.se()? {
        delta @ -128..=128 => Ok(Some(pps.init_qp + delta)),
        _ => Err(SyntaxError("slice_qp_delta")),
    }
}

/// How many short-term pictures the slice refers to.
fn read_short_term(reader: &mut BitReader<'_>, sps: &Sps) -> Result<u32> {
    let known = &sps.coding.reference_sets;
    if !reader.flag()? {
        return Ok(ReferenceSet::parse(reader, known, true)?.used());
    }
    let count = u32::try_from(known.len()).unwrap_or(0);
    let index = reader.bits(index_width(count))?;
    usize::try_from(index)
        .ok()
        .and_then(|index| known.get(index))
        .map(ReferenceSet::used)
        .ok_or(SyntaxError("short_term_ref_pic_set_idx"))
}

/// How many long-term pictures the slice refers to.
fn read_long_term(reader: &mut BitReader<'_>, sps: &Sps) -> Result<u32> {
    if !sps.coding.long_term {
        return Ok(0);
    }
    let candidates = &sps.coding.long_term_used;
    let listed = match candidates.len() {
        0 => 0,
        _ => limited(reader, 32, "num_long_term_sps")?,
    };
    let own = limited(reader, 32, "num_long_term_pics")?;
    let mut references = 0;
    for number in 0..listed + own {
        let used = if number < listed {
            let count = u32::try_from(candidates.len()).unwrap_or(0);
            let index = reader.bits(index_width(count))?;
            usize::try_from(index)
                .ok()
                .and_then(|index| candidates.get(index).copied())
                .ok_or(SyntaxError("lt_idx_sps"))?
        } else {
            reader.skip(usize::from(sps.log2_max_poc_lsb))?; // poc_lsb_lt
            reader.flag()?
        };
        references += u32::from(used);
        if reader.flag()? {
            skip_codes(reader, 1)?; // delta_poc_msb_cycle_lt
        }
    }
    Ok(references)
}

/// What P and B slices carry.
struct Prediction {
    bi: bool,
    references: u32,
    temporal_mvp: bool,
}

impl Prediction {
    fn skip(&self, reader: &mut BitReader<'_>, sps: &Sps, pps: &Pps) -> Result<()> {
        let lists = if self.bi { 2 } else { 1 };
        let mut active = pps.default_references;
        let active = active.get_mut(..lists).unwrap_or_default();
        if reader.flag()? {
            for count in active.iter_mut() {
                *count = limited(reader, 14, "num_ref_idx_active_minus1")? + 1;
            }
        }
        if pps.lists_modification_present && self.references > 1 {
            for &count in active.iter() {
                if reader.flag()? {
                    let width = index_width(self.references) as usize;
                    reader.skip(width * usize::from(count))?; // list_entry
                }
            }
        }
        if self.bi {
            reader.skip(1)?; // mvd_l1_zero_flag
        }
        if pps.cabac_init_present {
            reader.skip(1)?; // cabac_init_flag
        }
        if self.temporal_mvp {
            let list = usize::from(self.bi && !reader.flag()?); // collocated_from_l0_flag
            if active.get(list).is_some_and(|&count| count > 1) {
                skip_codes(reader, 1)?; // collocated_ref_idx
            }
        }
        if if self.bi {
            pps.weighted_bipred
        } else {
            pps.weighted_pred
        } {
            skip_weights(reader, active, sps.format.has_chroma())?;
        }
        skip_codes(reader, 1) // five_minus_max_num_merge_cand
    }
}

/// `pred_weight_table()`.
fn skip_weights(reader: &mut BitReader<'_>, active: &[u8], chroma: bool) -> Result<()> {
    skip_codes(reader, 1)?; // luma_log2_weight_denom
    if chroma {
        skip_codes(reader, 1)?; // delta_chroma_log2_weight_denom
    }
    for &count in active {
        let count = u32::from(count);
        let luma = reader.bits(count)?.count_ones();
        let chroma = if chroma {
            reader.bits(count)?.count_ones()
        } else {
            0
        };
        // A weight and an offset for luma, and the same for both chroma planes.
        // The flags come first, then the codes; which reference has them makes
        // no difference to their number.
        skip_codes(reader, luma as usize * 2 + chroma as usize * 4)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::bits::BitWriter;
    use crate::bitstream::hevc::samples::{PPS, SPS};

    #[test]
    fn every_optional_part_is_passed() {
        let mut sps = Sps::parse(SPS).expect("SPS");
        sps.coding.long_term = true;
        sps.coding.long_term_used = vec![true, false, true];
        sps.coding.temporal_mvp = true;
        sps.coding.sample_adaptive_offset = true;
        sps.coding.reference_sets.clear();
        let mut pps = Pps::parse(PPS).expect("PPS");
        pps.weighted_bipred = true;
        pps.lists_modification_present = true;
        pps.cabac_init_present = true;

        let mut writer = BitWriter::new();
        writer.flag(false); // its own set: one earlier, one later, both used
        writer.ue(1);
        writer.ue(1);
        writer.bits(0b1111, 4);
        writer.ue(1); // one long-term candidate: number 2
        writer.ue(1); // one of its own
        writer.bits(0b100, 3);
        writer.bits(0x55, 8);
        writer.bits(0b11, 2);
        writer.ue(4);
        writer.flag(true); // temporal MVP
        writer.bits(0b11, 2); // SAO
        writer.flag(true); // 3 and 2 references
        writer.ue(2);
        writer.ue(1);
        writer.flag(true); // 4 in all: entries of two bits
        writer.bits(0b00_0110, 6);
        writer.bits(0b0, 1);
        writer.bits(0b01, 2); // mvd_l1_zero, cabac_init
        writer.flag(false); // collocated in list 1
        writer.ue(1);
        writer.ue(6); // weights
        writer.se(-1);
        writer.bits(0x2a, 6); // luma of references 0 and 2, chroma of 1
        (0..2 * 2 + 4).for_each(|n| writer.se(n * 7 - 20));
        writer.bits(0b0001, 4);
        (0..4).for_each(|n| writer.se(n));
        writer.ue(2);
        writer.se(9);
        let end = writer.position();
        let data = writer.into_bytes();
        let mut reader = BitReader::new(&data);
        assert_eq!(
            read(&mut reader, SliceType::B, false, &sps, &pps),
            Ok(Some(35))
        );
        assert_eq!(reader.position(), end);

        sps.profile.profile_idc = 9;
        let mut reader = BitReader::new(&data);
        assert_eq!(read(&mut reader, SliceType::B, false, &sps, &pps), Ok(None));
    }
}
