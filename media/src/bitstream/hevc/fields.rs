//! Syntax elements with a range, so that no parser holds a value that its
//! specification forbids.

use crate::bitstream::bits::{BitReader, Result, SyntaxError};

/// `u(count)` for a count of at most 8.
pub(super) fn small(reader: &mut BitReader<'_>, count: u32) -> Result<u8> {
    u8::try_from(reader.bits(count)?).map_err(|_| SyntaxError("a field wider than 8 bits"))
}

/// `u(16)`.
pub(super) fn wide(reader: &mut BitReader<'_>) -> Result<u16> {
    u16::try_from(reader.bits(16)?).map_err(|_| SyntaxError("a field wider than 16 bits"))
}

/// `ue(v)` from 0 to `limit`; `what` names it when it is larger.
pub(super) fn limited(reader: &mut BitReader<'_>, limit: u8, what: &'static str) -> Result<u8> {
    match u8::try_from(reader.ue()?) {
        Ok(value) if value <= limit => Ok(value),
        _ => Err(SyntaxError(what)),
    }
}

/// Passes over `count` codes of `ue(v)` or `se(v)`: both are equally long.
pub(super) fn skip_codes(reader: &mut BitReader<'_>, count: usize) -> Result<()> {
    for _ in 0..count {
        reader.ue()?;
    }
    Ok(())
}

/// `Ceil(Log2(choices))`: the width of an index into `choices` things.
pub(super) fn index_width(choices: u32) -> u32 {
    u32::BITS - choices.saturating_sub(1).leading_zeros()
}

/// Passes over `scaling_list_data()`, section 7.3.4.
pub(super) fn skip_scaling_lists(reader: &mut BitReader<'_>) -> Result<()> {
    for size in 0..4u32 {
        let matrices = if size == 3 { 2 } else { 6 };
        for _ in 0..matrices {
            let coded = reader.flag()?;
            let codes = match (coded, size) {
                (false, _) => 1, // scaling_list_pred_matrix_id_delta
                (true, 0) => 16,
                (true, 1) => 64,
                (true, _) => 1 + 64, // scaling_list_dc_coef_minus8 in front
            };
            skip_codes(reader, codes)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::bits::BitWriter;

    #[test]
    fn an_index_is_as_wide_as_its_largest_value() {
        let widths = [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (4, 2),
            (5, 3),
            (64, 6),
            (65, 7),
        ];
        for (choices, width) in widths {
            assert_eq!(index_width(choices), width, "{choices}");
        }
    }

    #[test]
    fn a_value_over_its_limit_is_named() {
        let mut writer = BitWriter::new();
        writer.ue(7);
        writer.ue(300);
        let data = writer.into_bytes();
        let mut reader = BitReader::new(&data);
        assert_eq!(reader.clone().ue(), Ok(7));
        assert_eq!(limited(&mut reader, 7, "x"), Ok(7));
        assert_eq!(limited(&mut reader, 255, "y"), Err(SyntaxError("y")));
    }

    #[test]
    fn scaling_lists_are_passed_to_the_bit() {
        let mut writer = BitWriter::new();
        for size in 0..4 {
            for matrix in 0..if size == 3 { 2 } else { 6 } {
                let coded = matrix % 2 == 1;
                writer.flag(coded);
                let codes = match (coded, size) {
                    (false, _) => 1,
                    (true, 0) => 16,
                    (true, 1) => 64,
                    (true, _) => 65,
                };
                (0..codes).for_each(|n| writer.se(n % 5 - 2));
            }
        }
        let end = writer.position();
        let data = writer.into_bytes();
        let mut reader = BitReader::new(&data);
        assert_eq!(skip_scaling_lists(&mut reader), Ok(()));
        assert_eq!(reader.position(), end);
    }
}
