//! The few changes to a slice that a splice needs; none of them reads further
//! than the PPS id.

use super::slice::SliceStart;
use super::unit::{NalHeader, NalType};
use crate::bitstream::bits::{Result, SyntaxError};
use crate::bitstream::nal::{escape, unescape};

/// `no_output_of_prior_pics_flag` of an IRAP slice, in the third byte.
const NO_OUTPUT_OF_PRIOR_PICS: u8 = 0x40;

/// The slice `unit` under PPS id `id` (15 to 30) instead of 0.
///
/// Id 0 is one bit long and these are nine: the rest moves by one whole byte,
/// so that neither the header behind it has to be read, nor the alignment of
/// the slice data or its entry points change. (The header ends in a set bit,
/// so its zeros never run on into the data, whose emulation prevention bytes
/// the entry points count.)
pub fn with_pps_id(unit: &[u8], id: u8) -> Result<Vec<u8>> {
    if !(15..=30).contains(&id) {
        return Err(SyntaxError("a PPS id outside 15 to 30"));
    }
    let start = SliceStart::parse(unit)?;
    if start.pps_id != 0 {
        return Err(SyntaxError("a slice whose PPS id is not 0"));
    }
    let mut rbsp = unescape(unit);
    let Some(&third) = rbsp.get(2) else {
        return Err(SyntaxError("the data ends early"));
    };
    let flags = if start.header.kind.is_irap() { 2 } else { 1 };
    let behind = 8 - flags - 1;
    // flags, nine bits of ue(id), what followed the one bit of ue(0)
    let code = (u16::from(id) + 1) << behind;
    let kept =
        u16::from(third) >> (8 - flags) << (16 - flags) | u16::from(third) & ((1 << behind) - 1);
    rbsp.splice(2..3, (kept | code).to_be_bytes());
    Ok(escape(&rbsp))
}

/// Clears `no_output_of_prior_pics_flag`, in place, in a slice of an IRAP
/// picture; other units stay as they are. Answers whether it was set.
///
/// With the flag set, a decoder throws away what it has decoded and not shown
/// (C.5.2.2): right behind a splice, the last frames of the encoded head.
pub fn clear_no_output_of_prior_pics(unit: &mut [u8]) -> bool {
    let irap = NalHeader::parse(unit).is_ok_and(|header| header.kind.is_irap());
    match unit.get_mut(2) {
        // The byte does not become part of a start code: were it zero then, the
        // PPS id would have to begin with six zeros, and the next byte with a one.
        Some(third) if irap && *third & NO_OUTPUT_OF_PRIOR_PICS != 0 => {
            *third &= !NO_OUTPUT_OF_PRIOR_PICS;
            true
        }
        _ => false,
    }
}

/// Changes the type of a slice, in place, and keeps the rest of its header.
pub(super) fn set_type(unit: &mut [u8], kind: NalType) {
    if let Some(first) = unit.first_mut() {
        *first = *first & 0x81 | kind.0 << 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::samples::{IDR, TRAIL, assert_no_panic};

    #[test]
    fn the_pps_id_moves_the_rest_by_one_byte() {
        for unit in [IDR, TRAIL] {
            for id in 15..=30 {
                let there = with_pps_id(unit, id).expect("rewrite");
                let start = SliceStart::parse(&there).expect("parse");
                let before = SliceStart::parse(unit).expect("parse");
                assert_eq!(
                    start,
                    SliceStart {
                        pps_id: id,
                        ..before
                    }
                );
                let there = unescape(&there);
                assert_eq!(there[4..], unescape(unit)[3..]);
                let behind = if before.header.kind.is_irap() {
                    0x1f
                } else {
                    0x3f
                };
                assert_eq!(there[3] & behind, unit[2] & behind);
            }
            assert!(with_pps_id(unit, 14).is_err());
            assert!(with_pps_id(unit, 31).is_err());
            assert!(with_pps_id(&with_pps_id(unit, 15).expect("once"), 16).is_err());
        }
    }

    #[test]
    fn new_zeros_are_escaped() {
        // A P slice whose bits behind the id are zero for two bytes.
        let unit = [0x02, 0x01, 0xc0, 0x00, 0x01, 0x80];
        let there = with_pps_id(&unit, 15).expect("rewrite");
        assert_eq!(there, [0x02, 0x01, 0x84, 0x00, 0x00, 0x03, 0x01, 0x80]);
        let unit = [0x02, 0x01, 0xc0, 0x01, 0x80];
        let there = with_pps_id(&unit, 15).expect("rewrite");
        assert_eq!(there, [0x02, 0x01, 0x84, 0x00, 0x01, 0x80]);
        let unit = [0x02, 0x01, 0xc0, 0x00, 0x05, 0x80];
        let there = with_pps_id(&unit, 15).expect("rewrite");
        assert_eq!(there, [0x02, 0x01, 0x84, 0x00, 0x00, 0x05, 0x80]);
        let unit = [0x02, 0x01, 0xc0, 0x00, 0x00, 0x03, 0x01, 0x80];
        let there = with_pps_id(&unit, 15).expect("rewrite");
        assert_eq!(
            there,
            [0x02, 0x01, 0x84, 0x00, 0x00, 0x03, 0x00, 0x01, 0x80]
        );
    }

    #[test]
    fn the_prior_pictures_flag_is_cleared_in_irap_slices_alone() {
        let mut unit = IDR.to_vec();
        unit[2] |= NO_OUTPUT_OF_PRIOR_PICS;
        assert!(
            SliceStart::parse(&unit)
                .expect("parse")
                .no_output_of_prior_pics
        );
        assert!(clear_no_output_of_prior_pics(&mut unit));
        assert_eq!(unit, IDR);
        assert!(!clear_no_output_of_prior_pics(&mut unit));
        let mut trail = TRAIL.to_vec();
        assert!(!clear_no_output_of_prior_pics(&mut trail));
        assert_eq!(trail, TRAIL);
        assert!(!clear_no_output_of_prior_pics(&mut []));
    }

    #[test]
    fn broken_slices_are_errors() {
        for unit in [IDR, TRAIL] {
            assert_no_panic(unit, |unit| {
                let _ = with_pps_id(unit, 30);
                let _ = clear_no_output_of_prior_pics(&mut unit.to_vec());
            });
        }
    }
}
