//! Scaling lists, the quantiser matrices of the high profiles (ITU-T H.264,
//! section 7.3.2.1.1.1). Nothing here uses their values: they are passed over,
//! compared bit by bit, or written flat.

use crate::bitstream::bits::{BitReader, BitWriter, Result};

/// How many lists are for 4x4 blocks; the rest are for 8x8 blocks.
const LISTS_4X4: u32 = 6;

fn coefficients(list: u32) -> u32 {
    if list < LISTS_4X4 { 16 } else { 64 }
}

/// Passes over `lists` lists, each behind its presence flag.
pub(super) fn skip(reader: &mut BitReader, lists: u32) -> Result<()> {
    for list in 0..lists {
        if !reader.flag()? {
            continue;
        }
        let mut last = 8;
        for _ in 0..coefficients(list) {
            // The value after the delta, modulo 256; 0 repeats the last one to
            // the end of the list (or means the default list, at its start).
            let next = (last + reader.se()?.rem_euclid(256)) % 256;
            if next == 0 {
                break;
            }
            last = next;
        }
    }
    Ok(())
}

/// Writes `lists` lists with 16 for each coefficient, which is what a stream
/// without scaling lists uses (`Flat_4x4_16`, `Flat_8x8_16`).
pub(super) fn write_flat(writer: &mut BitWriter, lists: u32) {
    for list in 0..lists {
        writer.flag(true);
        writer.se(8); // a list starts from 8
        for _ in 1..coefficients(list) {
            writer.se(0);
        }
    }
}
