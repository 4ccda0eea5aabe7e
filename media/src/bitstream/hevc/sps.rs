//! The sequence parameter set, ITU-T H.265 section 7.3.2.2.

use super::coding::SliceCoding;
use super::fields::{limited, small};
use super::format::Format;
use super::ordering::{Floor, Ordering};
use super::profile::ProfileTierLevel;
use super::unit::{NalHeader, NalType};
use super::vui::Vui;
use crate::bitstream::bits::{BitReader, BitWriter, Result, SyntaxError, stop_bit};
use crate::bitstream::nal::{escape, unescape};

/// Where `sps_video_parameter_set_id`, `u(4)`, stands in the unit.
const VPS_ID_AT: usize = 16;
/// Where `general_level_idc`, `u(8)`, stands.
const LEVEL_AT: usize = 112;

/// What a cutter needs of a sequence parameter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sps {
    /// `sps_video_parameter_set_id`, 0 to 15.
    pub vps_id: u8,
    /// `sps_seq_parameter_set_id`, 0 to 15.
    pub id: u8,
    /// `sps_max_sub_layers_minus1` + 1, 1 to 7.
    pub max_sub_layers: u8,
    /// `sps_temporal_id_nesting_flag`.
    pub temporal_id_nesting: bool,
    /// What the stream asks of a decoder.
    pub profile: ProfileTierLevel,
    /// How the pictures are sampled.
    pub format: Format,
    /// `log2_max_pic_order_cnt_lsb_minus4` + 4.
    pub log2_max_poc_lsb: u8,
    /// The stream's buffering limits.
    pub ordering: Ordering,
    /// How the pictures are shown. Unspecified where the VUI is absent or
    /// broken, as some cameras write it: no decoder needs it.
    pub vui: Vui,
    /// What the slice headers depend on.
    pub(super) coding: SliceCoding,
}

/// The part in front of the coding tools, and where its fields stand, in bits.
struct Front {
    sps: Sps,
    id: (usize, usize),
    ordering: (usize, usize),
}

impl Sps {
    /// Reads a NAL unit of type 33, emulation prevention bytes included.
    pub fn parse(unit: &[u8]) -> Result<Self> {
        NalHeader::expect(
            unit,
            NalType::SPS,
            SyntaxError("not a sequence parameter set"),
        )?;
        let rbsp = unescape(unit);
        let reader = &mut BitReader::new(&rbsp);
        let mut sps = Self::read_front(reader)?.sps;
        sps.coding = SliceCoding::parse(reader, sps.format.coded, sps.log2_max_poc_lsb)?;
        if reader.flag()? {
            sps.vui = Vui::parse(reader).unwrap_or_default();
        }
        Ok(sps)
    }

    fn read_front(reader: &mut BitReader<'_>) -> Result<Front> {
        reader.skip(VPS_ID_AT)?;
        let vps_id = small(reader, 4)?;
        let max_sub_layers = small(reader, 3)? + 1;
        if max_sub_layers > 7 {
            return Err(SyntaxError("sps_max_sub_layers_minus1"));
        }
        let temporal_id_nesting = reader.flag()?;
        let profile = ProfileTierLevel::parse(reader, max_sub_layers)?;
        let id_at = reader.position();
        let id = limited(reader, 15, "sps_seq_parameter_set_id")?;
        let id_end = reader.position();
        let format = Format::parse(reader)?;
        let log2_max_poc_lsb = limited(reader, 12, "log2_max_pic_order_cnt_lsb_minus4")? + 4;
        let each = reader.flag()?;
        let ordering_at = reader.position();
        let ordering = Ordering::parse(reader, each, max_sub_layers)?;
        let sps = Self {
            vps_id,
            id,
            max_sub_layers,
            temporal_id_nesting,
            profile,
            format,
            log2_max_poc_lsb,
            ordering,
            vui: Vui::default(),
            coding: SliceCoding::default(),
        };
        Ok(Front {
            sps,
            id: (id_at, id_end),
            ordering: (ordering_at, reader.position()),
        })
    }

    /// `unit` under other ids, its level and buffering limits raised to `floor`;
    /// everything else keeps its bits.
    pub fn rewrite(unit: &[u8], vps_id: u8, id: u8, floor: &Floor) -> Result<Vec<u8>> {
        NalHeader::expect(
            unit,
            NalType::SPS,
            SyntaxError("not a sequence parameter set"),
        )?;
        if vps_id > 15 || id > 15 {
            return Err(SyntaxError("a VPS or SPS id over 15"));
        }
        let rbsp = unescape(unit);
        let front = Self::read_front(&mut BitReader::new(&rbsp))?;
        let stop = stop_bit(&rbsp)
            .filter(|&stop| stop >= front.ordering.1)
            .ok_or(SyntaxError("an SPS without trailing bits"))?;
        let mut writer = BitWriter::with_capacity(rbsp.len() + 8);
        writer.copy(&rbsp, 0, VPS_ID_AT);
        writer.bits(vps_id.into(), 4);
        writer.copy(&rbsp, VPS_ID_AT + 4, LEVEL_AT);
        writer.bits(front.sps.profile.level_idc.max(floor.level_idc).into(), 8);
        writer.copy(&rbsp, LEVEL_AT + 8, front.id.0);
        writer.ue(id.into());
        writer.copy(&rbsp, front.id.1, front.ordering.0);
        front
            .sps
            .ordering
            .raised_to(floor.buffering)
            .write(&mut writer);
        writer.copy(&rbsp, front.ordering.1, stop);
        writer.trailing();
        Ok(escape(&writer.into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::ordering::SubLayer;
    use crate::bitstream::hevc::samples::{SPS, SPS_FULL, assert_no_panic};
    use crate::bitstream::hevc::vui::Colour;

    fn layer(dpb: u8, reorder: u8, latency: u32) -> SubLayer {
        SubLayer {
            dpb_pictures: dpb,
            max_num_reorder: reorder,
            max_latency_increase_plus1: latency,
        }
    }

    /// At the lower one of the samples' levels.
    fn floor(buffering: SubLayer) -> Floor {
        Floor {
            buffering,
            level_idc: 30,
        }
    }

    #[test]
    fn a_plain_set_is_read() {
        let sps = Sps::parse(SPS).expect("parse");
        assert_eq!((sps.vps_id, sps.id, sps.max_sub_layers), (0, 0, 1));
        assert_eq!((sps.profile.profile_idc, sps.profile.level_idc), (1, 30));
        let format = sps.format;
        assert_eq!((format.coded, format.shown), ((160, 128), (160, 128)));
        assert_eq!((format.chroma_format_idc, format.bit_depth_luma), (1, 8));
        assert_eq!(sps.log2_max_poc_lsb, 8);
        assert_eq!(sps.ordering.layers, [layer(5, 2, 5)]);
        assert_eq!(sps.vui.timing, Some((1, 25)));
        assert!(!sps.vui.full_range && !sps.vui.field_seq);
    }

    #[test]
    fn a_full_set_is_read() {
        let sps = Sps::parse(SPS_FULL).expect("parse");
        assert_eq!((sps.profile.profile_idc, sps.profile.level_idc), (2, 60));
        assert_eq!(sps.max_sub_layers, 2);
        let format = sps.format;
        assert_eq!((format.coded, format.shown), ((160, 128), (158, 126)));
        assert_eq!((format.bit_depth_luma, format.bit_depth_chroma), (10, 10));
        assert_eq!(sps.ordering.layers, [layer(5, 2, 4), layer(5, 2, 4)]);
        assert_eq!(sps.vui.sample_aspect_ratio, Some((4, 3)));
        assert!(sps.vui.full_range);
        assert_eq!(
            sps.vui.colour,
            Colour {
                primaries: 1,
                transfer: 1,
                matrix: 1
            }
        );
        assert_eq!(sps.vui.timing, Some((1, 25)));
    }

    #[test]
    fn rewriting_changes_ids_and_limits_alone() {
        for unit in [SPS, SPS_FULL] {
            let before = Sps::parse(unit).expect("parse");
            let same = Sps::rewrite(unit, 0, 0, &floor(before.ordering.highest()));
            assert_eq!(same.as_deref(), Ok(unit));
            let there = Sps::rewrite(unit, 3, 11, &floor(layer(9, 4, 0))).expect("rewrite");
            let after = Sps::parse(&there).expect("parse again");
            assert_eq!((after.vps_id, after.id), (3, 11));
            assert_eq!(after.profile.level_idc, before.profile.level_idc);
            assert!(
                after
                    .ordering
                    .layers
                    .iter()
                    .all(|&each| each == layer(9, 4, 0))
            );
            let restored = Sps {
                vps_id: 0,
                id: 0,
                ordering: before.ordering.clone(),
                profile: before.profile,
                ..after
            };
            assert_eq!(restored, before);
        }
        let high = Floor {
            level_idc: 153,
            ..Floor::default()
        };
        let there = Sps::rewrite(SPS_FULL, 0, 0, &high).and_then(|unit| Sps::parse(&unit));
        assert_eq!(there.map(|sps| sps.profile.level_idc), Ok(153));
        assert!(Sps::rewrite(SPS, 16, 0, &Floor::default()).is_err());
        assert!(Sps::rewrite(SPS, 0, 16, &Floor::default()).is_err());
    }

    #[test]
    fn broken_sets_are_errors() {
        for unit in [SPS, SPS_FULL] {
            assert_no_panic(unit, |unit| {
                let _ = Sps::parse(unit);
                let _ = Sps::rewrite(unit, 3, 9, &Floor::default());
            });
        }
    }
}
