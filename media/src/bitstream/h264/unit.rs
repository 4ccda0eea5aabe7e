//! What kinds of NAL unit there are, and their one-byte header (ITU-T H.264,
//! section 7.3.1 and table 7-1).

use crate::bitstream::bits::{Result, SyntaxError};

/// A slice of a picture that is not an IDR.
pub const SLICE: u8 = 1;
/// The first partition of a slice (Extended profile): it begins like a slice.
pub const PARTITION_A: u8 = 2;
/// The second partition of a slice.
pub const PARTITION_B: u8 = 3;
/// The third partition of a slice.
pub const PARTITION_C: u8 = 4;
/// A slice of an IDR picture.
pub const IDR: u8 = 5;
/// Supplemental enhancement information.
pub const SEI: u8 = 6;
/// A sequence parameter set.
pub const SPS: u8 = 7;
/// A picture parameter set.
pub const PPS: u8 = 8;
/// An access unit delimiter.
pub const AUD: u8 = 9;
/// The end of a coded video sequence.
pub const END_OF_SEQUENCE: u8 = 10;
/// The end of the stream.
pub const END_OF_STREAM: u8 = 11;
/// Filler data.
pub const FILLER: u8 = 12;
/// A sequence parameter set extension (alpha pictures).
pub const SPS_EXTENSION: u8 = 13;
/// A prefix of a slice in scalable and multiview streams.
pub const PREFIX: u8 = 14;
/// A slice extension (annexes F to H).
pub const SLICE_EXTENSION: u8 = 20;

/// The header byte of a NAL unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// `nal_ref_idc`, 0 to 3: 0 when nothing refers to it.
    pub ref_idc: u8,
    /// `nal_unit_type`, one of the constants of this module.
    pub kind: u8,
}

impl Header {
    /// How many bits it takes.
    pub(super) const BITS: usize = 8;

    /// The header of a NAL unit; nothing for an empty one.
    pub fn of(nal: &[u8]) -> Option<Self> {
        let byte = *nal.first()?;
        Some(Self {
            ref_idc: byte >> 5 & 3,
            kind: byte & 0x1f,
        })
    }

    /// The header as a byte.
    pub fn byte(self) -> u8 {
        self.ref_idc << 5 | self.kind
    }

    /// Whether the unit is a slice of a primary or redundant coded picture.
    pub fn is_slice(self) -> bool {
        matches!(self.kind, SLICE | PARTITION_A | IDR)
    }
}

/// The `nal_unit_type` of a unit, 0 (unspecified) for an empty one.
pub fn kind(nal: &[u8]) -> u8 {
    Header::of(nal).map_or(0, |header| header.kind)
}

/// Fails unless the unit is of this kind.
pub(super) fn expect(nal: &[u8], wanted: u8, otherwise: &'static str) -> Result<()> {
    if kind(nal) == wanted {
        Ok(())
    } else {
        Err(SyntaxError(otherwise))
    }
}

/// A small value that may not exceed `max`.
pub(super) fn ranged(value: u32, max: u8, what: &'static str) -> Result<u8> {
    match u8::try_from(value) {
        Ok(value) if value <= max => Ok(value),
        _ => Err(SyntaxError(what)),
    }
}
