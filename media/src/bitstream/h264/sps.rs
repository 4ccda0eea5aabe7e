//! Sequence parameter sets (ITU-T H.264, section 7.3.2.1.1).

use crate::bitstream::bits::{BitReader, Result, SyntaxError};
use crate::bitstream::nal::unescape;

use super::scaling;
use super::unit::{self, Header};
use super::vui::Vui;

/// An SPS: every field that slice headers depend on, that decides whether two
/// streams can share it, or that the caller shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // flags of the syntax, named as there
pub struct Sps {
    /// `seq_parameter_set_id`, 0 to 31.
    pub id: u8,
    /// `profile_idc`.
    pub profile_idc: u8,
    /// `constraint_set0_flag` (the top bit) to `constraint_set5_flag`, and two
    /// reserved bits.
    pub constraints: u8,
    /// `level_idc`: ten times the level, or 9 for level 1b.
    pub level_idc: u8,
    /// `chroma_format_idc`: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format_idc: u8,
    /// `separate_colour_plane_flag`.
    pub separate_colour_plane: bool,
    /// Bits of a luma sample, 8 to 14.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample, 8 to 14.
    pub bit_depth_chroma: u8,
    /// `qpprime_y_zero_transform_bypass_flag`: quantiser 0 means lossless.
    pub lossless_bypass: bool,
    /// `seq_scaling_matrix_present_flag`.
    pub has_scaling_matrix: bool,
    /// The bits of the scaling lists as they stand, to compare two SPS.
    pub(super) scaling_bits: Vec<bool>,
    /// Width of `frame_num` in bits, 4 to 16.
    pub log2_max_frame_num: u32,
    /// `pic_order_cnt_type`, 0 to 2.
    pub poc_type: u8,
    /// Width of `pic_order_cnt_lsb` in bits, 4 to 16 (POC type 0 only).
    pub log2_max_poc_lsb: u32,
    /// `delta_pic_order_always_zero_flag` (POC type 1 only).
    pub delta_pic_order_always_zero: bool,
    /// `max_num_ref_frames`.
    pub max_num_ref_frames: u32,
    /// `gaps_in_frame_num_value_allowed_flag`.
    pub gaps_allowed: bool,
    /// Width in macroblocks.
    pub width_in_mbs: u32,
    /// Height in slice group map units: macroblocks of a frame when
    /// `frame_mbs_only`, else of a field.
    pub height_in_map_units: u32,
    /// `frame_mbs_only_flag`: no field pictures, no field macroblocks.
    pub frame_mbs_only: bool,
    /// `mb_adaptive_frame_field_flag`.
    pub mbaff: bool,
    /// `direct_8x8_inference_flag`.
    pub direct_8x8_inference: bool,
    /// The cropping offsets left, right, top, bottom, in crop units.
    pub crop: [u32; 4],
    /// Video usability information.
    pub vui: Option<Vui>,
    /// Where `vui_parameters_present_flag` stands, in bits.
    pub(super) vui_at: usize,
}

/// Profiles whose SPS carries the chroma format and the bit depths.
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// The widest and highest picture of any level, in macroblocks (A.3.1: the
/// square root of eight times `MaxFS` of level 6.2).
const MAX_SIDE_IN_MBS: u32 = 1055;

impl Sps {
    /// Reads the SPS of a NAL unit: the header byte included, still escaped.
    pub fn parse(nal: &[u8]) -> Result<Self> {
        Self::parse_rbsp(&unescape(nal))
    }

    pub(super) fn parse_rbsp(rbsp: &[u8]) -> Result<Self> {
        unit::expect(rbsp, unit::SPS, "not a sequence parameter set")?;
        let mut reader = BitReader::new(rbsp);
        reader.skip(Header::BITS)?;
        let profile_idc = byte(reader.bits(8)?)?;
        let constraints = byte(reader.bits(8)?)?;
        let level_idc = byte(reader.bits(8)?)?;
        let id = unit::ranged(reader.ue()?, 31, "seq_parameter_set_id")?;
        let mut sps = Self {
            id,
            profile_idc,
            constraints,
            level_idc,
            chroma_format_idc: 1,
            separate_colour_plane: false,
            bit_depth_luma: 8,
            bit_depth_chroma: 8,
            lossless_bypass: false,
            has_scaling_matrix: false,
            scaling_bits: Vec::new(),
            log2_max_frame_num: 4,
            poc_type: 0,
            log2_max_poc_lsb: 4,
            delta_pic_order_always_zero: false,
            max_num_ref_frames: 0,
            gaps_allowed: false,
            width_in_mbs: 0,
            height_in_map_units: 0,
            frame_mbs_only: true,
            mbaff: false,
            direct_8x8_inference: false,
            crop: [0; 4],
            vui: None,
            vui_at: 0,
        };
        if HIGH_PROFILES.contains(&profile_idc) {
            sps.read_format(&mut reader)?;
        }
        sps.read_numbering(&mut reader)?;
        sps.read_size(&mut reader)?;
        sps.vui_at = reader.position();
        if reader.flag()? {
            sps.vui = Some(Vui::read(&mut reader)?);
        }
        Ok(sps)
    }

    /// Chroma format, bit depths and scaling lists of the high profiles.
    fn read_format(&mut self, reader: &mut BitReader) -> Result<()> {
        self.chroma_format_idc = unit::ranged(reader.ue()?, 3, "chroma_format_idc")?;
        if self.chroma_format_idc == 3 {
            self.separate_colour_plane = reader.flag()?;
        }
        self.bit_depth_luma = 8 + unit::ranged(reader.ue()?, 6, "bit_depth_luma_minus8")?;
        self.bit_depth_chroma = 8 + unit::ranged(reader.ue()?, 6, "bit_depth_chroma_minus8")?;
        self.lossless_bypass = reader.flag()?;
        self.has_scaling_matrix = reader.flag()?;
        if self.has_scaling_matrix {
            let mut lists = reader.clone();
            let lists_at = reader.position();
            scaling::skip(reader, if self.chroma_format_idc == 3 { 12 } else { 8 })?;
            for _ in lists_at..reader.position() {
                self.scaling_bits.push(lists.flag()?);
            }
        }
        Ok(())
    }

    /// `frame_num`, picture order count and references.
    fn read_numbering(&mut self, reader: &mut BitReader) -> Result<()> {
        let width = |value, what| unit::ranged(value, 12, what).map(|bits| u32::from(bits) + 4);
        self.log2_max_frame_num = width(reader.ue()?, "log2_max_frame_num_minus4")?;
        self.poc_type = unit::ranged(reader.ue()?, 2, "pic_order_cnt_type")?;
        match self.poc_type {
            0 => {
                self.log2_max_poc_lsb = width(reader.ue()?, "log2_max_pic_order_cnt_lsb_minus4")?;
            }
            1 => {
                self.delta_pic_order_always_zero = reader.flag()?;
                reader.se()?; // offset_for_non_ref_pic
                reader.se()?; // offset_for_top_to_bottom_field
                let cycle = reader.ue()?;
                if cycle > 255 {
                    return Err(SyntaxError("num_ref_frames_in_pic_order_cnt_cycle"));
                }
                for _ in 0..cycle {
                    reader.se()?; // offset_for_ref_frame
                }
            }
            _ => {}
        }
        self.max_num_ref_frames = reader.ue()?;
        if self.max_num_ref_frames > 16 {
            return Err(SyntaxError("max_num_ref_frames"));
        }
        self.gaps_allowed = reader.flag()?;
        Ok(())
    }

    /// Size, interlacing and cropping.
    fn read_size(&mut self, reader: &mut BitReader) -> Result<()> {
        let side = |value: u32, what| match value.checked_add(1) {
            Some(side) if side <= MAX_SIDE_IN_MBS => Ok(side),
            _ => Err(SyntaxError(what)),
        };
        self.width_in_mbs = side(reader.ue()?, "pic_width_in_mbs_minus1")?;
        self.height_in_map_units = side(reader.ue()?, "pic_height_in_map_units_minus1")?;
        self.frame_mbs_only = reader.flag()?;
        if !self.frame_mbs_only {
            self.mbaff = reader.flag()?;
        }
        self.direct_8x8_inference = reader.flag()?;
        if reader.flag()? {
            for offset in &mut self.crop {
                *offset = reader.ue()?;
            }
        }
        if self.width() == 0 || self.height() == 0 {
            return Err(SyntaxError("the cropping leaves no picture"));
        }
        Ok(())
    }

    /// `ChromaArrayType`: the chroma format, or 0 when the planes are coded apart.
    pub fn chroma_array_type(&self) -> u8 {
        if self.separate_colour_plane {
            0
        } else {
            self.chroma_format_idc
        }
    }

    /// Height of a frame in macroblocks: `FrameHeightInMbs`.
    pub fn height_in_mbs(&self) -> u32 {
        self.height_in_map_units * if self.frame_mbs_only { 1 } else { 2 }
    }

    /// Width of the shown picture in pixels.
    pub fn width(&self) -> u32 {
        let unit = match self.chroma_array_type() {
            1 | 2 => 2,
            _ => 1,
        };
        cropped(self.width_in_mbs * 16, unit, self.crop[0], self.crop[1])
    }

    /// Height of the shown picture in pixels.
    pub fn height(&self) -> u32 {
        let unit = if self.chroma_array_type() == 1 { 2 } else { 1 };
        let unit = if self.frame_mbs_only { unit } else { unit * 2 };
        cropped(self.height_in_mbs() * 16, unit, self.crop[2], self.crop[3])
    }

    /// Whether the profile allows nothing but intra pictures (A.2.8 to A.2.11).
    pub fn is_intra_only(&self) -> bool {
        let constraint_set3 = self.constraints & 0x10 != 0;
        self.profile_idc == 44
            || matches!(self.profile_idc, 100 | 110 | 122 | 244) && constraint_set3
    }
}

fn cropped(size: u32, unit: u32, before: u32, after: u32) -> u32 {
    let cut = u64::from(unit) * (u64::from(before) + u64::from(after));
    u32::try_from(u64::from(size).saturating_sub(cut)).unwrap_or(0)
}

fn byte(value: u32) -> Result<u8> {
    u8::try_from(value).map_err(|_| SyntaxError("a byte"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bitstream::h264::vui::{Colour, Timing};

    /// x264, High, 1920x1080 interlaced, 4:3 pixels, BT.709, full range.
    pub const INTERLACED: &[u8] = &[
        0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x04, 0x4f, 0xde, 0x1c, 0xdc, 0x04, 0x04,
        0x05, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x32, 0x1f, 0x16, 0x2d, 0x96,
    ];
    /// x264, Baseline, 176x144.
    pub const BASELINE: &[u8] = &[
        0x67, 0x42, 0xc0, 0x0b, 0xd9, 0x02, 0xc4, 0xec, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40,
        0x00, 0x00, 0x0c, 0x83, 0xc5, 0x0a, 0x92,
    ];
    /// x264, High, 1280x720 with NAL HRD parameters.
    pub const HRD: &[u8] = &[
        0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03,
        0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x26, 0x02, 0x00, 0x1e, 0x84, 0x00, 0x07, 0xa1, 0x29,
        0x30, 0xc0, 0x1e, 0x30, 0x63, 0x2c,
    ];

    #[test]
    fn an_interlaced_sps_is_read_to_its_end() {
        let sps = Sps::parse(INTERLACED).expect("an SPS");
        assert_eq!((sps.id, sps.profile_idc, sps.level_idc), (0, 100, 40));
        assert_eq!((sps.width(), sps.height()), (1920, 1080));
        assert_eq!((sps.width_in_mbs, sps.height_in_mbs()), (120, 68));
        assert_eq!((sps.frame_mbs_only, sps.mbaff), (false, true));
        assert_eq!((sps.poc_type, sps.max_num_ref_frames), (0, 4));
        assert!(!sps.is_intra_only());
        let vui = sps.vui.as_ref().expect("a VUI");
        assert_eq!(vui.sar, (4, 3));
        assert!(vui.full_range && vui.pic_struct_present);
        let bt709 = Colour {
            primaries: 1,
            transfer: 1,
            matrix: 1,
        };
        assert_eq!(vui.colour, Some(bt709));
        let timing = Timing {
            num_units_in_tick: 1,
            time_scale: 50,
            fixed_frame_rate: false,
        };
        assert_eq!(vui.timing, Some(timing));
        assert_eq!((sps.reorder_frames(), sps.dpb_frames()), (2, 4));
    }

    #[test]
    fn baseline_and_hrd_parameters_are_read() {
        let sps = Sps::parse(BASELINE).expect("an SPS");
        assert_eq!((sps.width(), sps.height(), sps.poc_type), (176, 144, 2));
        assert_eq!((sps.profile_idc, sps.constraints), (66, 0xc0));
        assert_eq!(sps.reorder_frames(), 0);
        let sps = Sps::parse(HRD).expect("an SPS");
        assert_eq!((sps.width(), sps.height()), (1280, 720));
        let vui = sps.vui.as_ref().expect("a VUI");
        assert_eq!((vui.nal_hrd, vui.vcl_hrd), (true, false));
        assert_eq!(sps.reorder_frames(), 2);
    }

    #[test]
    fn what_is_cut_off_or_of_another_kind_is_an_error() {
        for end in 0..INTERLACED.len() - 1 {
            assert!(Sps::parse(&INTERLACED[..end]).is_err(), "{end}");
        }
        let mut other = BASELINE.to_vec();
        other[0] = 0x68;
        assert!(Sps::parse(&other).is_err());
    }
}
