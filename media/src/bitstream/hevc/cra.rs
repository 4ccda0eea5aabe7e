//! A clean random access picture as the first copied one.
//!
//! Pictures that lead a CRA may refer to what is before it; when that is cut
//! away they are encoded anew and dropped by the caller, and the
//! CRA becomes a BLA without leading pictures (ITU-T H.265 section 7.4.2.2):
//! its order count starts anew, references to the past are void.
//!
//! Shown pictures before it are safe. For a CRA that starts a sequence a decoder
//! infers `NoOutputOfPriorPicsFlag` = 1, whatever its slices say, and throws
//! away what it has not shown yet; for a BLA it takes the flag of the slice
//! header (section C.5.2.2), which [`to_bla`] clears.

use super::slice_edit::{clear_no_output_of_prior_pics, set_type};
use super::unit::{NalHeader, NalType};

/// Turns a slice of a CRA picture into one of a `BLA_N_LP` picture, in place;
/// other units stay as they are. Answers whether it was one. It must be called
/// on every unit of the access unit.
pub fn to_bla(unit: &mut [u8]) -> bool {
    match NalHeader::parse(unit) {
        Ok(header) if header.kind.is_cra() && header.layer_id == 0 => {
            set_type(unit, NalType::BLA_N_LP);
            clear_no_output_of_prior_pics(unit);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_changes_and_nothing_else() {
        let mut unit = [0x2a, 0x01, 0xac, 0x12];
        assert!(to_bla(&mut unit));
        assert_eq!(unit, [0x24, 0x01, 0xac, 0x12]);
        assert!(!to_bla(&mut unit), "it is one already");
    }

    #[test]
    fn the_prior_pictures_flag_goes() {
        let mut unit = [0x2a, 0x01, 0xec, 0x12];
        assert!(to_bla(&mut unit));
        assert_eq!(unit, [0x24, 0x01, 0xac, 0x12]);
    }

    #[test]
    fn other_units_stay() {
        for unit in [
            &[0x28, 0x01, 0xec][..],
            &[0x02, 0x01, 0xd0],
            &[0x40, 1, 2],
            &[0x2a],
            &[],
        ] {
            let mut copy = unit.to_vec();
            assert!(!to_bla(&mut copy));
            assert_eq!(copy, unit);
        }
    }
}
