//! Short-term reference picture sets, ITU-T H.265 sections 7.3.7 and 7.4.8.
//!
//! Their values are of no use to a cutter; but a set may be coded as the
//! difference from another one, and a slice header goes on behind its set.

use super::fields::limited;
use crate::bitstream::bits::{BitReader, Result, SyntaxError};

/// No stream keeps more pictures than this.
const MAX_PICTURES: usize = 16;

/// The pictures that stay in the decoder's buffer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ReferenceSet {
    /// Order count relative to the current picture, and whether that picture
    /// refers to it; first the earlier ones, nearest first, then the later ones.
    pictures: Vec<(i32, bool)>,
}

impl ReferenceSet {
    /// Reads `st_ref_pic_set(known.len())`. `in_slice` says that it stands in
    /// a slice header, where the set that it differs from is named.
    pub(super) fn parse(
        reader: &mut BitReader<'_>,
        known: &[Self],
        in_slice: bool,
    ) -> Result<Self> {
        let pictures = if !known.is_empty() && reader.flag()? {
            Self::parse_difference(reader, known, in_slice)?
        } else {
            Self::parse_list(reader)?
        };
        if pictures.len() > MAX_PICTURES {
            return Err(SyntaxError(
                "a reference picture set of more than 16 pictures",
            ));
        }
        Ok(Self { pictures })
    }

    fn parse_list(reader: &mut BitReader<'_>) -> Result<Vec<(i32, bool)>> {
        let earlier = limited(reader, 16, "num_negative_pics")?;
        let later = limited(reader, 16, "num_positive_pics")?;
        let mut pictures = Vec::with_capacity(MAX_PICTURES);
        for (count, sign) in [(earlier, -1), (later, 1)] {
            let mut delta = 0;
            for _ in 0..count {
                delta += sign * step(reader)?;
                pictures.push((delta, reader.flag()?));
            }
        }
        Ok(pictures)
    }

    fn parse_difference(
        reader: &mut BitReader<'_>,
        known: &[Self],
        in_slice: bool,
    ) -> Result<Vec<(i32, bool)>> {
        let back = if in_slice {
            limited(reader, 63, "delta_idx_minus1")?
        } else {
            0
        };
        let reference = known
            .len()
            .checked_sub(usize::from(back) + 1)
            .and_then(|index| known.get(index))
            .ok_or(SyntaxError("delta_idx_minus1"))?;
        let sign = if reader.flag()? { -1 } else { 1 };
        let shift = sign * step(reader)?;
        let mut pictures = Vec::with_capacity(MAX_PICTURES);
        // The picture that the other set belongs to comes last, at distance 0.
        let own = std::iter::once(0);
        for delta in reference
            .pictures
            .iter()
            .map(|&(delta, _)| delta)
            .chain(own)
        {
            let used = reader.flag()?;
            let kept = used || reader.flag()?;
            if kept && delta + shift != 0 {
                pictures.push((delta + shift, used));
            }
        }
        // The order of (7-61) and (7-62).
        pictures.sort_by_key(|&(delta, _)| (delta > 0, delta.abs()));
        Ok(pictures)
    }

    /// How many of the pictures the current one refers to.
    pub(super) fn used(&self) -> u32 {
        self.pictures.iter().map(|&(_, used)| u32::from(used)).sum()
    }
}

/// `delta_poc_s0_minus1` and its kin: 1 to 2^15.
fn step(reader: &mut BitReader<'_>) -> Result<i32> {
    match i32::try_from(reader.ue()?) {
        Ok(value) if value < 1 << 15 => Ok(value + 1),
        _ => Err(SyntaxError("an order count difference over 32768")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::bits::BitWriter;

    fn set(pictures: &[(i32, bool)]) -> ReferenceSet {
        ReferenceSet {
            pictures: pictures.to_vec(),
        }
    }

    #[test]
    fn a_list_is_read_outward_from_the_picture() {
        let mut writer = BitWriter::new();
        writer.ue(2); // earlier
        writer.ue(1); // later
        for (minus1, used) in [(0, true), (2, false), (3, true)] {
            writer.ue(minus1);
            writer.flag(used);
        }
        let end = writer.position();
        let data = writer.into_bytes();
        let mut reader = BitReader::new(&data);
        let parsed = ReferenceSet::parse(&mut reader, &[], false);
        assert_eq!(parsed, Ok(set(&[(-1, true), (-4, false), (4, true)])));
        assert_eq!(parsed.map(|set| set.used()), Ok(2));
        assert_eq!(reader.position(), end);
    }

    #[test]
    fn a_difference_shifts_drops_and_sorts() {
        let known = [set(&[(-1, true)]), set(&[(-4, true), (4, true)])];
        let mut writer = BitWriter::new();
        writer.flag(true); // inter_ref_pic_set_prediction_flag
        writer.ue(0); // delta_idx_minus1: the last one
        writer.flag(true); // negative,
        writer.ue(3); // 4
        writer.flag(true); // -4 - 4: used
        writer.flag(false); // 4 - 4 is the picture itself:
        writer.flag(true); // kept, and yet not listed
        writer.flag(false); // 0 - 4: not used,
        writer.flag(true); // but kept
        let end = writer.position();
        let data = writer.into_bytes();
        let mut reader = BitReader::new(&data);
        let parsed = ReferenceSet::parse(&mut reader, &known, true);
        assert_eq!(parsed, Ok(set(&[(-4, false), (-8, true)])));
        assert_eq!(reader.position(), end);
    }

    #[test]
    fn hostile_counts_and_indices_are_errors() {
        let mut writer = BitWriter::new();
        writer.ue(17);
        let data = writer.into_bytes();
        assert!(ReferenceSet::parse(&mut BitReader::new(&data), &[], false).is_err());
        let mut writer = BitWriter::new();
        writer.flag(true);
        writer.ue(1); // two back, where there is one
        writer.flag(false);
        writer.ue(0);
        writer.bits(u32::MAX, 32);
        let data = writer.into_bytes();
        assert!(ReferenceSet::parse(&mut BitReader::new(&data), &[set(&[])], true).is_err());
    }
}
