//! NAL units: the two ways of packing them, and emulation prevention
//! (ITU-T H.264 section 7.3.1 and annex B; ISO/IEC 14496-15 for the prefixed form).

use std::ops::Range;

use memchr::memmem;

use super::bits::{Result, SyntaxError};

/// The NAL units of a byte stream with start codes (annex B), without the
/// start codes and the zero bytes that pad them.
pub fn annex_b(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    annex_b_ranges(data).map(|range| &data[range])
}

/// Where the NAL units of a byte stream lie.
fn annex_b_ranges(data: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut starts = memmem::find_iter(data, &[0, 0, 1])
        .map(|at| at + 3)
        .peekable();
    std::iter::from_fn(move || {
        let start = starts.next()?;
        let end = starts.peek().map_or(data.len(), |next| next - 3);
        // A NAL unit never ends in a zero byte: what follows the last set bit
        // is trailing_zero_8bits or the zero_byte of the next start code.
        let unit = &data[start..end];
        let length = unit
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        Some(start..start + length)
    })
    .filter(|range| !range.is_empty())
}

/// Puts lengths of four bytes in place of start codes, where the units lie, and
/// leaves out those that `keep` does not want. Answers which part of `data` the
/// units take now; nothing, and `data` is unchanged, where there is no room.
///
/// The last unit, which is the largest, stays where it is; those before it move
/// towards the front, into the room of what is left out there.
pub fn prefix_in_place(data: &mut [u8], keep: impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let units: Vec<Range<usize>> = annex_b_ranges(data)
        .filter(|unit| keep(&data[unit.clone()]))
        .collect();
    let end = units.last()?.end;
    let mut targets = vec![0; units.len()];
    let mut next = end;
    for (unit, target) in units.iter().zip(&mut targets).rev() {
        *target = next.checked_sub(unit.len())?;
        if *target > unit.start {
            return None;
        }
        next = target.checked_sub(4)?;
    }
    for (unit, &target) in units.iter().zip(&targets) {
        data.copy_within(unit.clone(), target);
    }
    for (unit, &target) in units.iter().zip(&targets) {
        let length = u32::try_from(unit.len()).unwrap_or(u32::MAX);
        data[target - 4..target].copy_from_slice(&length.to_be_bytes());
    }
    Some(next..end)
}

/// The NAL units of an MP4 sample, each behind its length in `width` bytes
/// (1, 2 or 4: `lengthSizeMinusOne` + 1 of the sample entry).
pub fn prefixed(data: &[u8], width: usize) -> impl Iterator<Item = Result<&[u8]>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((prefix, tail)) = rest.split_at_checked(width) else {
            rest = &[];
            return Some(Err(SyntaxError("a NAL unit's length is cut off")));
        };
        let length = prefix
            .iter()
            .fold(0usize, |sum, &byte| sum << 8 | usize::from(byte));
        let Some((unit, tail)) = tail.split_at_checked(length) else {
            rest = &[];
            return Some(Err(SyntaxError("a NAL unit is longer than its sample")));
        };
        rest = tail;
        Some(Ok(unit))
    })
}

/// Appends `unit` to `out` behind its length in four bytes.
pub fn push_prefixed(out: &mut Vec<u8>, unit: &[u8]) {
    // A NAL unit comes out of an AVPacket, whose size is a C int.
    let length = u32::try_from(unit.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(unit);
}

/// A NAL unit without its emulation prevention bytes: the RBSP, header included.
pub fn unescape(unit: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(unit.len());
    let mut from = 0;
    for at in memmem::find_iter(unit, &[0, 0, 3]) {
        out.extend_from_slice(&unit[from..at + 2]);
        from = at + 3;
    }
    out.extend_from_slice(&unit[from..]);
    out
}

/// Inserts the emulation prevention bytes that `rbsp` (header included) needs.
pub fn escape(rbsp: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rbsp.len() + rbsp.len() / 64 + 4);
    let mut from = 0;
    let mut search = 0;
    while let Some(found) = memmem::find(&rbsp[search..], &[0, 0]) {
        let at = search + found + 2;
        match rbsp.get(at) {
            // At the very end too: a NAL unit must not end in a zero byte.
            None | Some(0..=3) => {
                out.extend_from_slice(&rbsp[from..at]);
                out.push(3);
                from = at;
                search = at;
            }
            Some(_) => search = at,
        }
    }
    out.extend_from_slice(&rbsp[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_between_three_and_four_byte_start_codes() {
        let data = [
            0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 0, 1, 0x65, 9,
        ];
        let units: Vec<_> = annex_b(&data).collect();
        assert_eq!(units, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 9]]);
        assert_eq!(annex_b(&[]).count(), 0);
        assert_eq!(annex_b(&[0, 0, 1, 0, 0, 1]).count(), 0);
    }

    #[test]
    fn lengths_take_the_place_of_start_codes() {
        let delimiter = [0, 0, 0, 1, 9, 0xf0];
        let keep = |unit: &[u8]| unit[0] != 9;
        let units: [&[u8]; 3] = [&[6, 1, 2], &[0x65, 7, 8, 9, 10], &[0x65, 3]];
        for codes in [[3, 3, 3], [4, 3, 3], [4, 4, 4], [3, 4, 3]] {
            let mut data = delimiter.to_vec();
            for (unit, code) in units.iter().zip(codes) {
                data.extend(&[0, 0, 0, 1][4 - code..]);
                data.extend(*unit);
            }
            data.push(0);
            let kept = prefix_in_place(&mut data, keep).expect("room");
            let found: Result<Vec<_>> = prefixed(&data[kept], 4).collect();
            assert_eq!(found, Ok(units.to_vec()), "{codes:?}");
        }
        let mut tight = vec![0, 0, 1, 0x65, 7];
        assert_eq!(prefix_in_place(&mut tight, keep), None);
        assert_eq!(tight, [0, 0, 1, 0x65, 7]);
    }

    #[test]
    fn prefixed_units_survive_and_broken_lengths_are_errors() {
        let mut data = Vec::new();
        push_prefixed(&mut data, &[1, 2, 3]);
        push_prefixed(&mut data, &[4]);
        let units: Result<Vec<_>> = prefixed(&data, 4).collect();
        assert_eq!(units, Ok(vec![&[1, 2, 3][..], &[4]]));
        assert!(prefixed(&data[..6], 4).any(|unit| unit.is_err()));
        assert!(prefixed(&data[..2], 4).any(|unit| unit.is_err()));
    }

    #[test]
    fn escaping_is_undone_by_unescaping() {
        for rbsp in [
            &[1, 0, 0, 0, 0, 0, 0, 1][..],
            &[0x65, 0, 0, 3, 0, 0, 2, 0, 0, 4],
            &[0, 0],
            &[0, 0, 0],
            &[5, 0, 0, 0],
            &[],
        ] {
            let escaped = escape(rbsp);
            assert!(memmem::find(&escaped, &[0, 0, 0]).is_none());
            assert!(memmem::find(&escaped, &[0, 0, 1]).is_none());
            assert_eq!(unescape(&escaped), rbsp, "{rbsp:?}");
        }
    }
}
