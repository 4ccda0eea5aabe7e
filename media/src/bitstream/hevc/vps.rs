//! The video parameter set, ITU-T H.265 section 7.3.2.1.

use super::fields::small;
use super::ordering::{Floor, Ordering};
use super::profile::ProfileTierLevel;
use super::unit::{NalHeader, NalType};
use crate::bitstream::bits::{BitReader, BitWriter, Result, SyntaxError, stop_bit};
use crate::bitstream::nal::{escape, unescape};

/// Where `vps_video_parameter_set_id`, `u(4)`, stands in the unit.
const ID_AT: usize = 16;

/// Where `general_level_idc`, `u(8)`, stands.
const LEVEL_AT: usize = 136;

/// What a cutter needs of a video parameter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vps {
    /// `vps_video_parameter_set_id`, 0 to 15.
    pub id: u8,
    /// `vps_max_sub_layers_minus1` + 1, 1 to 7.
    pub max_sub_layers: u8,
    /// `vps_temporal_id_nesting_flag`.
    pub temporal_id_nesting: bool,
    /// What the whole stream asks of a decoder.
    pub profile: ProfileTierLevel,
    /// The stream's buffering limits.
    pub ordering: Ordering,
}

impl Vps {
    /// Reads a NAL unit of type 32, emulation prevention bytes included.
    pub fn parse(unit: &[u8]) -> Result<Self> {
        NalHeader::expect(unit, NalType::VPS, SyntaxError("not a video parameter set"))?;
        let rbsp = unescape(unit);
        Ok(Self::read(&mut BitReader::new(&rbsp))?.0)
    }

    /// The set, and where the ordering info starts.
    fn read(reader: &mut BitReader<'_>) -> Result<(Self, usize)> {
        reader.skip(ID_AT)?;
        let id = small(reader, 4)?;
        reader.skip(2 + 6)?; // base layer flags, vps_max_layers_minus1
        let max_sub_layers = small(reader, 3)? + 1;
        if max_sub_layers > 7 {
            return Err(SyntaxError("vps_max_sub_layers_minus1"));
        }
        let temporal_id_nesting = reader.flag()?;
        reader.skip(16)?; // vps_reserved_0xffff_16bits
        let profile = ProfileTierLevel::parse(reader, max_sub_layers)?;
        let each = reader.flag()?;
        let ordering_at = reader.position();
        let ordering = Ordering::parse(reader, each, max_sub_layers)?;
        let vps = Self {
            id,
            max_sub_layers,
            temporal_id_nesting,
            profile,
            ordering,
        };
        Ok((vps, ordering_at))
    }

    /// `unit` under another id, its level and buffering limits raised to
    /// `floor`; everything else keeps its bits.
    pub fn rewrite(unit: &[u8], id: u8, floor: &Floor) -> Result<Vec<u8>> {
        NalHeader::expect(unit, NalType::VPS, SyntaxError("not a video parameter set"))?;
        if id > 15 {
            return Err(SyntaxError("a VPS id over 15"));
        }
        let rbsp = unescape(unit);
        let mut reader = BitReader::new(&rbsp);
        let (vps, ordering_at) = Self::read(&mut reader)?;
        let rest = reader.position();
        let stop = stop_bit(&rbsp)
            .filter(|&stop| stop >= rest)
            .ok_or(SyntaxError("a VPS without trailing bits"))?;
        let mut writer = BitWriter::with_capacity(rbsp.len() + 8);
        writer.copy(&rbsp, 0, ID_AT);
        writer.bits(id.into(), 4);
        writer.copy(&rbsp, ID_AT + 4, LEVEL_AT);
        writer.bits(vps.profile.level_idc.max(floor.level_idc).into(), 8);
        writer.copy(&rbsp, LEVEL_AT + 8, ordering_at);
        vps.ordering.raised_to(floor.buffering).write(&mut writer);
        writer.copy(&rbsp, rest, stop);
        writer.trailing();
        Ok(escape(&writer.into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::ordering::SubLayer;
    use crate::bitstream::hevc::samples::{VPS, assert_no_panic};

    #[test]
    fn x265s_video_parameter_set_is_read() {
        let vps = Vps::parse(VPS).expect("parse");
        assert_eq!((vps.id, vps.max_sub_layers), (0, 1));
        assert_eq!(vps.profile.profile_idc, 1);
        assert_eq!(vps.profile.level_idc, 30);
        assert_eq!(vps.ordering.highest().max_num_reorder, 2);
    }

    #[test]
    fn rewriting_changes_the_id_and_the_limits_alone() {
        let before = Vps::parse(VPS).expect("parse");
        let same = Vps::rewrite(
            VPS,
            0,
            &Floor {
                buffering: before.ordering.highest(),
                level_idc: 0,
            },
        );
        assert_eq!(same.as_deref(), Ok(VPS));
        let buffering = SubLayer {
            dpb_pictures: 16,
            max_num_reorder: 9,
            max_latency_increase_plus1: 0,
        };
        let floor = Floor {
            buffering,
            level_idc: 120,
        };
        let there = Vps::rewrite(VPS, 7, &floor).expect("rewrite");
        let after = Vps::parse(&there).expect("parse again");
        assert_eq!(after.ordering.highest(), buffering);
        assert_eq!(after.profile.level_idc, 120);
        assert_eq!(
            Vps {
                id: 0,
                ordering: before.ordering.clone(),
                profile: before.profile,
                ..after
            },
            before
        );
        assert!(Vps::rewrite(VPS, 16, &floor).is_err());
    }

    #[test]
    fn broken_sets_are_errors() {
        assert_no_panic(VPS, |unit| {
            let _ = Vps::parse(unit);
            let _ = Vps::rewrite(unit, 3, &Floor::default());
        });
    }
}
