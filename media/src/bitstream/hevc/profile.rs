//! `profile_tier_level()`, ITU-T H.265 section 7.3.3.

use super::fields::small;
use crate::bitstream::bits::{BitReader, Result, SyntaxError};

/// What a decoder must be capable of: the `general_*` fields, as they also
/// stand in the MP4 sample entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProfileTierLevel {
    /// `general_profile_space`, 0 in all streams known so far.
    pub space: u8,
    /// `general_tier_flag`: the High tier, whose bit rates are larger.
    pub high_tier: bool,
    /// `general_profile_idc`: 1 Main, 2 Main 10, 3 Main Still Picture, 4 and on
    /// the extensions.
    pub profile_idc: u8,
    /// `general_profile_compatibility_flag[j]`, j = 0 in the highest bit.
    pub compatibility: u32,
    /// The 48 bits from `general_progressive_source_flag` on.
    pub constraints: u64,
    /// `general_level_idc`: 30 times the level.
    pub level_idc: u8,
}

impl ProfileTierLevel {
    /// Reads the general part and passes over those of the sub-layers.
    pub(super) fn parse(reader: &mut BitReader<'_>, max_sub_layers: u8) -> Result<Self> {
        let general = Self::parse_general(reader)?;
        let lower = usize::from(max_sub_layers.saturating_sub(1));
        let mut lengths = [0; 7];
        for length in lengths.get_mut(..lower).unwrap_or_default() {
            let profile_present = reader.flag()?;
            let level_present = reader.flag()?;
            *length = usize::from(profile_present) * 88 + usize::from(level_present) * 8;
        }
        if lower > 0 {
            reader.skip(2 * 8usize.saturating_sub(lower))?; // reserved_zero_2bits
        }
        for length in lengths {
            reader.skip(length)?;
        }
        Ok(general)
    }

    /// The twelve bytes that `hvcC` starts with too.
    pub(super) fn parse_general(reader: &mut BitReader<'_>) -> Result<Self> {
        Ok(Self {
            space: small(reader, 2)?,
            high_tier: reader.flag()?,
            profile_idc: small(reader, 5)?,
            compatibility: reader.bits(32)?,
            constraints: u64::from(reader.bits(32)?) << 16 | u64::from(reader.bits(16)?),
            level_idc: small(reader, 8)?,
        })
    }

    /// The opposite of [`Self::parse_general`].
    pub(super) fn write_general(&self, out: &mut Vec<u8>) {
        out.push(self.space << 6 | u8::from(self.high_tier) << 5 | self.profile_idc & 0x1f);
        out.extend_from_slice(&self.compatibility.to_be_bytes());
        out.extend_from_slice(&self.constraints.to_be_bytes()[2..]);
        out.push(self.level_idc);
    }

    /// Whether a decoder for profile `idc` decodes this stream.
    pub fn is_compatible_with(&self, idc: u8) -> bool {
        self.profile_idc == idc
            || (idc < 32 && self.compatibility >> (31 - u32::from(idc)) & 1 == 1)
    }

    /// What covers both streams, by the rules of ISO/IEC 14496-15 section
    /// 8.3.3.1.3: a promise stands only where both make it, tier and level are
    /// the higher ones, the profile one that both are compatible with.
    pub fn covering(&self, other: &Self) -> Result<Self> {
        if self.space != other.space {
            return Err(SyntaxError("parameter sets of different profile spaces"));
        }
        let profile_idc = if other.is_compatible_with(self.profile_idc) {
            self.profile_idc
        } else if self.is_compatible_with(other.profile_idc) {
            other.profile_idc
        } else {
            // Neither covers the other; larger numbers are the wider profiles.
            self.profile_idc.max(other.profile_idc)
        };
        Ok(Self {
            space: self.space,
            high_tier: self.high_tier || other.high_tier,
            profile_idc,
            compatibility: self.compatibility & other.compatibility,
            constraints: self.constraints & other.constraints,
            level_idc: self.level_idc.max(other.level_idc),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: ProfileTierLevel = ProfileTierLevel {
        space: 0,
        high_tier: false,
        profile_idc: 1,
        compatibility: 0x6000_0000,
        constraints: 0x9000_0000_0000,
        level_idc: 93,
    };

    #[test]
    fn the_general_part_survives_a_round_trip() {
        let mut bytes = Vec::new();
        MAIN.write_general(&mut bytes);
        assert_eq!(bytes, [1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93]);
        let parsed = ProfileTierLevel::parse(&mut BitReader::new(&bytes), 1);
        assert_eq!(parsed, Ok(MAIN));
    }

    #[test]
    fn sub_layers_are_passed_over() {
        let mut bytes = Vec::new();
        MAIN.write_general(&mut bytes);
        // Three sub-layers: the lowest with both parts, the next with a level.
        bytes.extend_from_slice(&[0b1101_0000, 0]);
        bytes.extend_from_slice(&[0; 13]);
        let mut reader = BitReader::new(&bytes);
        assert_eq!(ProfileTierLevel::parse(&mut reader, 3), Ok(MAIN));
        assert_eq!(reader.remaining(), 0);
        assert!(ProfileTierLevel::parse(&mut BitReader::new(&bytes[..20]), 3).is_err());
    }

    #[test]
    fn covering_keeps_only_what_both_promise() {
        let main10 = ProfileTierLevel {
            profile_idc: 2,
            compatibility: 0x2000_0000,
            constraints: 0x8000_0000_0000,
            level_idc: 120,
            ..MAIN
        };
        assert!(MAIN.is_compatible_with(2));
        assert!(!main10.is_compatible_with(1));
        for covering in [MAIN.covering(&main10), main10.covering(&MAIN)] {
            assert_eq!(covering, Ok(main10));
        }
    }
}
