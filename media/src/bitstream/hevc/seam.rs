//! The first copied picture behind an encoded one.

use super::cra::to_bla;
use super::sets::ParameterSets;
use super::slice_edit::clear_no_output_of_prior_pics;
use super::unit::{NalHeader, NalType};
use crate::bitstream::bits::{Result, SyntaxError};
use crate::bitstream::nal::push_prefixed;

/// The access unit `units` of a random access point, each unit behind its
/// length in four bytes, made ready to follow encoded pictures: the source's
/// own sets come first, a CRA becomes a BLA, and no shown picture is thrown
/// away. The delimiter goes, for it would have to stand in front of the sets.
///
/// The caller drops the leading pictures of a CRA or BLA and has shown them
/// encoded; those of an IDR picture may stay, for they need nothing before it.
pub fn resume_copy<'a>(
    sets: &ParameterSets,
    units: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>> {
    let mut out = sets.prefixed();
    let mut irap = false;
    for unit in units {
        let header = NalHeader::parse(unit)?;
        if header.kind == NalType::ACCESS_UNIT_DELIMITER {
            continue;
        }
        let at = out.len() + 4;
        push_prefixed(&mut out, unit);
        if !header.kind.is_vcl() || header.layer_id != 0 {
            continue;
        }
        if !header.kind.is_irap() {
            return Err(SyntaxError(
                "copying resumes at a picture that is no random access point",
            ));
        }
        irap = true;
        let copied = out.get_mut(at..).unwrap_or_default();
        if !to_bla(copied) {
            clear_no_output_of_prior_pics(copied);
        }
    }
    if irap {
        Ok(out)
    } else {
        Err(SyntaxError(
            "copying resumes at an access unit without a picture",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::samples::{PPS, SPS, VPS};
    use crate::bitstream::nal::prefixed;

    #[test]
    fn sets_come_first_and_the_delimiter_goes() {
        let mut sets = ParameterSets::new();
        sets.insert_all([PPS, SPS, VPS]).expect("sets");
        let sei = &[0x4e, 0x01, 5][..];
        let units = [&[0x46, 0x01, 0x50][..], sei, &[0x2a, 0x01, 0xec, 0x12]];
        let out = resume_copy(&sets, units).expect("resume");
        let units: Result<Vec<_>> = prefixed(&out, 4).collect();
        assert_eq!(
            units,
            Ok(vec![VPS, SPS, PPS, sei, &[0x24, 0x01, 0xac, 0x12]])
        );
    }

    #[test]
    fn an_idr_keeps_its_type_and_others_are_refused() {
        let sets = ParameterSets::new();
        let out = resume_copy(&sets, [&[0x28, 0x01, 0xec, 0x12][..]]);
        assert_eq!(out, Ok(vec![0, 0, 0, 4, 0x28, 0x01, 0xac, 0x12]));
        assert!(resume_copy(&sets, [&[0x02, 0x01, 0xd0][..]]).is_err());
        assert!(resume_copy(&sets, [SPS]).is_err());
    }
}
