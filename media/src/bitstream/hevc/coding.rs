//! The coding tools of a sequence parameter set that decide which fields its
//! slice headers have (ITU-T H.265 section 7.3.2.2.1).

use super::fields::{index_width, limited, skip_codes, skip_scaling_lists};
use super::rps::ReferenceSet;
use crate::bitstream::bits::{BitReader, Result, SyntaxError};

/// What a slice header cannot be read without.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SliceCoding {
    /// The width of `slice_segment_address`: `Ceil(Log2(PicSizeInCtbsY))`.
    pub(super) address_width: u32,
    pub(super) sample_adaptive_offset: bool,
    pub(super) reference_sets: Vec<ReferenceSet>,
    /// Whether slices list long-term references.
    pub(super) long_term: bool,
    /// `used_by_curr_pic_lt_sps_flag` of each candidate in the set.
    pub(super) long_term_used: Vec<bool>,
    pub(super) temporal_mvp: bool,
}

impl SliceCoding {
    /// Reads from `log2_min_luma_coding_block_size_minus3` to
    /// `strong_intra_smoothing_enabled_flag`.
    pub(super) fn parse(
        reader: &mut BitReader<'_>,
        coded: (u32, u32),
        log2_max_poc_lsb: u8,
    ) -> Result<Self> {
        let log2_min_block = limited(reader, 3, "log2_min_luma_coding_block_size_minus3")? + 3;
        let log2_ctb =
            log2_min_block + limited(reader, 3, "log2_diff_max_min_luma_coding_block_size")?;
        if log2_ctb > 6 {
            return Err(SyntaxError("a coding tree block over 64 samples"));
        }
        let ctb = 1u32 << log2_ctb;
        let ctbs = coded.0.div_ceil(ctb) * coded.1.div_ceil(ctb);
        skip_codes(reader, 4)?; // transform block sizes and hierarchy depths
        if reader.flag()? && reader.flag()? {
            skip_scaling_lists(reader)?;
        }
        reader.skip(1)?; // amp_enabled_flag
        let sample_adaptive_offset = reader.flag()?;
        if reader.flag()? {
            reader.skip(8)?; // PCM bit depths
            skip_codes(reader, 2)?;
            reader.skip(1)?; // pcm_loop_filter_disabled_flag
        }
        let mut reference_sets = Vec::new();
        for _ in 0..limited(reader, 64, "num_short_term_ref_pic_sets")? {
            let set = ReferenceSet::parse(reader, &reference_sets, false)?;
            reference_sets.push(set);
        }
        let long_term = reader.flag()?;
        let mut long_term_used = Vec::new();
        if long_term {
            for _ in 0..limited(reader, 32, "num_long_term_ref_pics_sps")? {
                reader.skip(usize::from(log2_max_poc_lsb))?; // lt_ref_pic_poc_lsb_sps
                long_term_used.push(reader.flag()?);
            }
        }
        let temporal_mvp = reader.flag()?;
        reader.skip(1)?; // strong_intra_smoothing_enabled_flag
        Ok(Self {
            address_width: index_width(ctbs),
            sample_adaptive_offset,
            reference_sets,
            long_term,
            long_term_used,
            temporal_mvp,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::bits::BitWriter;

    #[test]
    fn every_optional_part_is_passed_or_read() {
        let mut writer = BitWriter::new();
        writer.ue(0); // blocks of 8
        writer.ue(3); // to 64
        (0..4).for_each(|_| writer.ue(1));
        writer.bits(0b11, 2); // scaling lists, coded:
        for size in 0..4 {
            for _ in 0..if size == 3 { 2 } else { 6 } {
                writer.flag(false);
                writer.ue(0);
            }
        }
        writer.bits(0b011, 3); // amp, SAO, PCM
        writer.bits(0x77, 8);
        writer.ue(0);
        writer.ue(2);
        writer.flag(true);
        writer.ue(1); // one reference set, of no picture
        writer.ue(0);
        writer.ue(0);
        writer.flag(true); // two long-term candidates
        writer.ue(2);
        writer.bits(0x155, 9);
        writer.bits(0x0aa, 9);
        writer.bits(0b10, 2); // temporal MVP, strong smoothing
        let end = writer.position();
        let data = writer.into_bytes();
        let mut reader = BitReader::new(&data);
        let coding = SliceCoding {
            address_width: 9, // 30 x 17 = 510 blocks
            sample_adaptive_offset: true,
            reference_sets: vec![ReferenceSet::default()],
            long_term: true,
            long_term_used: vec![true, false],
            temporal_mvp: true,
        };
        assert_eq!(SliceCoding::parse(&mut reader, (1920, 1080), 8), Ok(coding));
        assert_eq!(reader.position(), end);
    }
}
