//! The two header bytes of a NAL unit (ITU-T H.265 section 7.3.1.2) and what
//! the unit types of table 7-1 mean to a cutter.

use crate::bitstream::bits::{Result, SyntaxError};

/// `nal_unit_type`, table 7-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NalType(pub u8);

#[allow(missing_docs)] // The names are those of table 7-1.
impl NalType {
    pub const RADL_N: Self = Self(6);
    pub const RADL_R: Self = Self(7);
    pub const RASL_N: Self = Self(8);
    pub const RASL_R: Self = Self(9);
    pub const BLA_N_LP: Self = Self(18);
    pub const IDR_W_RADL: Self = Self(19);
    pub const IDR_N_LP: Self = Self(20);
    pub const CRA: Self = Self(21);
    pub const VPS: Self = Self(32);
    pub const SPS: Self = Self(33);
    pub const PPS: Self = Self(34);
    pub const ACCESS_UNIT_DELIMITER: Self = Self(35);
    pub const END_OF_SEQUENCE: Self = Self(36);
    pub const END_OF_BITSTREAM: Self = Self(37);
    pub const FILLER: Self = Self(38);
}

impl NalType {
    /// A slice segment of a picture; everything else only describes pictures.
    pub const fn is_vcl(self) -> bool {
        self.0 < 32
    }

    /// An intra random access point. Types 22 and 23 are reserved for more of them.
    pub const fn is_irap(self) -> bool {
        self.0 >= 16 && self.0 <= 23
    }

    /// An IDR picture: order counts and references start anew.
    pub const fn is_idr(self) -> bool {
        self.0 == Self::IDR_W_RADL.0 || self.0 == Self::IDR_N_LP.0
    }

    /// A clean random access picture: the usual keyframe of an open GOP.
    pub const fn is_cra(self) -> bool {
        self.0 == Self::CRA.0
    }

    /// A leading picture that may refer to pictures before its IRAP: it cannot
    /// be decoded when decoding starts there.
    pub const fn is_rasl(self) -> bool {
        self.0 == Self::RASL_N.0 || self.0 == Self::RASL_R.0
    }

    /// A leading picture that refers to nothing before its IRAP.
    pub const fn is_radl(self) -> bool {
        self.0 == Self::RADL_N.0 || self.0 == Self::RADL_R.0
    }

    /// A sub-layer non-reference picture: no picture of its own temporal
    /// sub-layer refers to it (those of higher sub-layers may).
    pub const fn is_sub_layer_non_reference(self) -> bool {
        self.0 < 16 && self.0.is_multiple_of(2)
    }

    /// A video, sequence or picture parameter set.
    pub const fn is_parameter_set(self) -> bool {
        self.0 >= Self::VPS.0 && self.0 <= Self::PPS.0
    }
}

/// `nal_unit_header()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NalHeader {
    /// What the unit carries.
    pub kind: NalType,
    /// `nuh_layer_id`: 0 is the base layer, the only one that an ordinary
    /// decoder shows; depth and second-eye layers have others.
    pub layer_id: u8,
    /// The temporal sub-layer, 0 being the lowest.
    pub temporal_id: u8,
}

impl NalHeader {
    /// Reads the first two bytes of `unit`.
    pub fn parse(unit: &[u8]) -> Result<Self> {
        let &[first, second, ..] = unit else {
            return Err(SyntaxError("a NAL unit shorter than its header"));
        };
        if first & 0x80 != 0 {
            return Err(SyntaxError("forbidden_zero_bit is set"));
        }
        let Some(temporal_id) = (second & 7).checked_sub(1) else {
            return Err(SyntaxError("nuh_temporal_id_plus1 is zero"));
        };
        Ok(Self {
            kind: NalType(first >> 1 & 0x3f),
            layer_id: (first & 1) << 5 | second >> 3,
            temporal_id,
        })
    }

    /// The header of a unit that must be of type `kind` and of the base layer.
    pub(super) fn expect(unit: &[u8], kind: NalType, error: SyntaxError) -> Result<Self> {
        let header = Self::parse(unit)?;
        if header.kind != kind || header.layer_id != 0 {
            return Err(error);
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_bit_by_bit() {
        let header = NalHeader::parse(&[0x2a, 0x01]);
        assert_eq!(
            header,
            Ok(NalHeader {
                kind: NalType::CRA,
                layer_id: 0,
                temporal_id: 0
            })
        );
        let header = NalHeader::parse(&[0x41, 0x0b]);
        assert_eq!(
            header,
            Ok(NalHeader {
                kind: NalType::VPS,
                layer_id: 33,
                temporal_id: 2
            })
        );
        for broken in [&[][..], &[0x2a], &[0x2a, 0], &[0xaa, 1]] {
            assert!(NalHeader::parse(broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn each_type_belongs_to_its_classes() {
        let of = |test: fn(NalType) -> bool| -> Vec<u8> {
            (0..64).filter(|&n| test(NalType(n))).collect()
        };
        assert_eq!(of(NalType::is_irap), (16..=23).collect::<Vec<_>>());
        assert_eq!(of(NalType::is_idr), [19, 20]);
        assert_eq!(of(NalType::is_cra), [21]);
        assert_eq!(of(NalType::is_radl), [6, 7]);
        assert_eq!(of(NalType::is_rasl), [8, 9]);
        assert_eq!(of(NalType::is_vcl), (0..32).collect::<Vec<_>>());
        assert_eq!(
            of(NalType::is_sub_layer_non_reference),
            [0, 2, 4, 6, 8, 10, 12, 14]
        );
        assert_eq!(of(NalType::is_parameter_set), [32, 33, 34]);
    }
}
