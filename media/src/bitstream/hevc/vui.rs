//! Video usability information, ITU-T H.265 annex E.2.1: how to show the
//! pictures and at what rate.

use super::fields::{skip_codes, small, wide};
use crate::bitstream::aspect;
use crate::bitstream::bits::{BitReader, Result};

/// Colour as its three code points; 2 is "unspecified" in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// `colour_primaries`, table E.3.
    pub primaries: u8,
    /// `transfer_characteristics`, table E.4.
    pub transfer: u8,
    /// `matrix_coeffs`, table E.5.
    pub matrix: u8,
}

impl Default for Colour {
    fn default() -> Self {
        Self {
            primaries: 2,
            transfer: 2,
            matrix: 2,
        }
    }
}

/// The part of `vui_parameters()` up to the timing; what stands behind it
/// (HRD, bitstream restriction) is of no use to a cutter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vui {
    /// The shape of a sample, width to height; none when unspecified.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// `video_full_range_flag`: luma uses 0 to 255 instead of 16 to 235.
    pub full_range: bool,
    /// The colours; unspecified where absent.
    pub colour: Colour,
    /// `field_seq_flag`: each picture is a field.
    pub field_seq: bool,
    /// `vui_num_units_in_tick` and `vui_time_scale`: a picture lasts
    /// the first divided by the second, in seconds.
    pub timing: Option<(u32, u32)>,
}

impl Vui {
    /// Reads `vui_parameters()` up to `vui_time_scale`.
    pub(super) fn parse(reader: &mut BitReader<'_>) -> Result<Self> {
        let mut vui = Self::default();
        if reader.flag()? {
            vui.sample_aspect_ratio = match reader.bits(8)? {
                aspect::EXTENDED => Some((wide(reader)?, wide(reader)?)),
                idc => aspect::ratio(idc),
            }
            .filter(|&(width, height)| width > 0 && height > 0);
        }
        if reader.flag()? {
            reader.skip(1)?; // overscan_appropriate_flag
        }
        if reader.flag()? {
            reader.skip(3)?; // video_format
            vui.full_range = reader.flag()?;
            if reader.flag()? {
                vui.colour = Colour {
                    primaries: small(reader, 8)?,
                    transfer: small(reader, 8)?,
                    matrix: small(reader, 8)?,
                };
            }
        }
        if reader.flag()? {
            skip_codes(reader, 2)?; // chroma_sample_loc_type of both fields
        }
        reader.skip(1)?; // neutral_chroma_indication_flag
        vui.field_seq = reader.flag()?;
        reader.skip(1)?; // frame_field_info_present_flag
        if reader.flag()? {
            skip_codes(reader, 4)?; // default display window
        }
        if reader.flag()? {
            vui.timing = Some((reader.bits(32)?, reader.bits(32)?));
        }
        Ok(vui)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::bits::BitWriter;

    #[test]
    fn every_optional_part_is_passed_or_read() {
        let mut writer = BitWriter::new();
        writer.flag(true);
        writer.bits(255, 8);
        writer.bits(16, 16);
        writer.bits(15, 16);
        writer.bits(0b11, 2); // overscan
        writer.flag(true);
        writer.bits(0b1011, 4); // format 5, full range
        writer.flag(true);
        writer.bits(0x0009_1009, 24);
        writer.flag(true);
        writer.ue(2);
        writer.ue(2);
        writer.bits(0b010, 3); // field_seq_flag
        writer.flag(true);
        (0..4).for_each(|n| writer.ue(n));
        writer.flag(true);
        writer.bits(1001, 32);
        writer.bits(60_000, 32);
        let end = writer.position();
        let data = writer.into_bytes();
        let mut reader = BitReader::new(&data);
        let vui = Vui {
            sample_aspect_ratio: Some((16, 15)),
            full_range: true,
            colour: Colour {
                primaries: 9,
                transfer: 16,
                matrix: 9,
            },
            field_seq: true,
            timing: Some((1001, 60_000)),
        };
        assert_eq!(Vui::parse(&mut reader), Ok(vui));
        assert_eq!(reader.position(), end);
    }

    #[test]
    fn nothing_present_is_the_default() {
        assert_eq!(Vui::parse(&mut BitReader::new(&[0, 0])), Ok(Vui::default()));
        assert!(Vui::parse(&mut BitReader::new(&[0])).is_err());
    }
}
