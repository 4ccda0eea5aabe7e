//! The picture format in a sequence parameter set, ITU-T H.265 section 7.4.3.2.1.

use super::fields::limited;
use crate::bitstream::bits::{BitReader, Result, SyntaxError};

/// Wider and higher pictures than level 6.2 allows are refused.
const MAX_SIDE: u32 = 16_888;

/// Samples: the same in two streams that can be spliced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// `chroma_format_idc`: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format_idc: u8,
    /// `separate_colour_plane_flag`: 4:4:4 as three grey pictures.
    pub separate_colour_planes: bool,
    /// In bits, 8 to 16.
    pub bit_depth_luma: u8,
    /// In bits, 8 to 16.
    pub bit_depth_chroma: u8,
    /// In luma samples, as coded.
    pub coded: (u32, u32),
    /// In luma samples, inside the conformance window: what is shown.
    pub shown: (u32, u32),
}

impl Format {
    /// Reads from `chroma_format_idc` to `bit_depth_chroma_minus8`.
    pub(super) fn parse(reader: &mut BitReader<'_>) -> Result<Self> {
        let chroma_format_idc = limited(reader, 3, "chroma_format_idc")?;
        let separate_colour_planes = chroma_format_idc == 3 && reader.flag()?;
        let (width, height) = (reader.ue()?, reader.ue()?);
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(SyntaxError("the picture size"));
        }
        let mut shown = (width, height);
        if reader.flag()? {
            let (x_unit, y_unit) = match chroma_format_idc {
                1 => (2, 2),
                2 => (2, 1),
                _ => (1, 1),
            };
            let mut side = |side: u32, unit: u32| {
                let before = reader.ue()?;
                let after = reader.ue()?;
                let hidden = (u64::from(before) + u64::from(after)) * u64::from(unit);
                u32::try_from(hidden)
                    .ok()
                    .and_then(|hidden| side.checked_sub(hidden))
                    .filter(|&left| left > 0)
                    .ok_or(SyntaxError("the conformance window"))
            };
            shown = (side(width, x_unit)?, side(height, y_unit)?);
        }
        Ok(Self {
            chroma_format_idc,
            separate_colour_planes,
            bit_depth_luma: limited(reader, 8, "bit_depth_luma_minus8")? + 8,
            bit_depth_chroma: limited(reader, 8, "bit_depth_chroma_minus8")? + 8,
            coded: (width, height),
            shown,
        })
    }

    /// `ChromaArrayType` is not 0: the slices carry chroma beside luma.
    pub(super) fn has_chroma(&self) -> bool {
        self.chroma_format_idc != 0 && !self.separate_colour_planes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::bits::BitWriter;

    fn coded(chroma: u32, side: u32, window: [u32; 4]) -> Vec<u8> {
        let mut writer = BitWriter::new();
        writer.ue(chroma);
        if chroma == 3 {
            writer.flag(false);
        }
        writer.ue(side);
        writer.ue(side);
        writer.flag(true);
        for offset in window {
            writer.ue(offset);
        }
        writer.ue(0);
        writer.ue(2);
        writer.trailing();
        writer.into_bytes()
    }

    #[test]
    fn the_window_counts_in_chroma_samples() {
        for (chroma, shown) in [(0, (97, 93)), (1, (94, 86)), (2, (94, 93)), (3, (97, 93))] {
            let data = coded(chroma, 100, [1, 2, 3, 4]);
            let format = Format::parse(&mut BitReader::new(&data)).expect("parse");
            assert_eq!(
                (format.coded, format.shown),
                ((100, 100), shown),
                "{chroma}"
            );
            assert_eq!((format.bit_depth_luma, format.bit_depth_chroma), (8, 10));
        }
    }

    #[test]
    fn impossible_sizes_are_errors() {
        for (side, window) in [
            (0, [0; 4]),
            (MAX_SIDE + 1, [0; 4]),
            (100, [25, 25, 0, 0]),
            (100, [u32::MAX - 1, u32::MAX - 1, 0, 0]),
        ] {
            let data = coded(1, side, window);
            assert!(
                Format::parse(&mut BitReader::new(&data)).is_err(),
                "{side} {window:?}"
            );
        }
    }
}
