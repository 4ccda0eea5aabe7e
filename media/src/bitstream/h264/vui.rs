//! Video usability information: the part of an SPS that says how to show the
//! pictures and how far they are reordered (ITU-T H.264, annex E).

use crate::bitstream::aspect;
use crate::bitstream::bits::{BitReader, Result, SyntaxError};

/// The VUI of an SPS (E.1.1), absent fields as the spec infers them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // flags of the syntax, named as there
pub struct Vui {
    /// The sample aspect ratio as width and height; 0:0 when unspecified.
    pub sar: (u16, u16),
    /// `video_full_range_flag`.
    pub full_range: bool,
    /// How to read the colours; absent without a colour description.
    pub colour: Option<Colour>,
    /// The time base that the encoder declares.
    pub timing: Option<Timing>,
    /// NAL HRD parameters are there.
    pub nal_hrd: bool,
    /// VCL HRD parameters are there.
    pub vcl_hrd: bool,
    /// Picture timing SEI messages carry `pic_struct`.
    pub pic_struct_present: bool,
    /// What the decoded picture buffer is told.
    pub restriction: Option<Restriction>,
    /// Where `bitstream_restriction_flag` stands, in bits.
    pub(super) restriction_at: usize,
}

/// The three code points of a colour description (tables E-3, E-4 and E-5,
/// the same as in ITU-T H.273).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// `colour_primaries`.
    pub primaries: u8,
    /// `transfer_characteristics`.
    pub transfer: u8,
    /// `matrix_coefficients`.
    pub matrix: u8,
}

/// `timing_info`: a field lasts `num_units_in_tick / time_scale` seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Units of the clock in one tick; a frame is two ticks.
    pub num_units_in_tick: u32,
    /// Units of the clock in one second.
    pub time_scale: u32,
    /// `fixed_frame_rate_flag`.
    pub fixed_frame_rate: bool,
}

/// `bitstream_restriction`, as far as the decoded picture buffer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restriction {
    /// `max_num_reorder_frames`: how many frames may precede one in decoding
    /// order and follow it in output order.
    pub reorder_frames: u32,
    /// `max_dec_frame_buffering`, in frames.
    pub dec_frame_buffering: u32,
    /// Where `max_num_reorder_frames` starts, in bits.
    pub(super) starts_at: usize,
}

impl Vui {
    /// Reads `vui_parameters()` up to its end.
    pub(super) fn read(reader: &mut BitReader) -> Result<Self> {
        let mut sar = (0, 0);
        if reader.flag()? {
            sar = sample_aspect_ratio(reader)?;
        }
        if reader.flag()? {
            reader.skip(1)?; // overscan_appropriate_flag
        }
        let (full_range, colour) = video_signal(reader)?;
        if reader.flag()? {
            reader.ue()?; // chroma_sample_loc_type_top_field
            reader.ue()?; // chroma_sample_loc_type_bottom_field
        }
        let mut timing = None;
        if reader.flag()? {
            timing = Some(Timing {
                num_units_in_tick: reader.bits(32)?,
                time_scale: reader.bits(32)?,
                fixed_frame_rate: reader.flag()?,
            });
        }
        let nal_hrd = hrd(reader)?;
        let vcl_hrd = hrd(reader)?;
        if nal_hrd || vcl_hrd {
            reader.skip(1)?; // low_delay_hrd_flag
        }
        let pic_struct_present = reader.flag()?;
        let restriction_at = reader.position();
        let restriction = restriction(reader)?;
        Ok(Self {
            sar,
            full_range,
            colour,
            timing,
            nal_hrd,
            vcl_hrd,
            pic_struct_present,
            restriction,
            restriction_at,
        })
    }
}

fn sample_aspect_ratio(reader: &mut BitReader) -> Result<(u16, u16)> {
    let idc = reader.bits(8)?;
    if idc == aspect::EXTENDED {
        return Ok((short(reader)?, short(reader)?));
    }
    Ok(aspect::ratio(idc).unwrap_or((0, 0)))
}

fn short(reader: &mut BitReader) -> Result<u16> {
    u16::try_from(reader.bits(16)?).map_err(|_| SyntaxError("sar_width or sar_height"))
}

fn byte(reader: &mut BitReader) -> Result<u8> {
    u8::try_from(reader.bits(8)?).map_err(|_| SyntaxError("a colour code point"))
}

fn video_signal(reader: &mut BitReader) -> Result<(bool, Option<Colour>)> {
    if !reader.flag()? {
        return Ok((false, None));
    }
    reader.skip(3)?; // video_format
    let full_range = reader.flag()?;
    if !reader.flag()? {
        return Ok((full_range, None));
    }
    let colour = Colour {
        primaries: byte(reader)?,
        transfer: byte(reader)?,
        matrix: byte(reader)?,
    };
    Ok((full_range, Some(colour)))
}

/// A presence flag and, when set, `hrd_parameters()` (E.1.2), passed over.
fn hrd(reader: &mut BitReader) -> Result<bool> {
    if !reader.flag()? {
        return Ok(false);
    }
    let cpb_cnt_minus1 = reader.ue()?;
    if cpb_cnt_minus1 > 31 {
        return Err(SyntaxError("cpb_cnt_minus1"));
    }
    reader.skip(4 + 4)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..=cpb_cnt_minus1 {
        reader.ue()?; // bit_rate_value_minus1
        reader.ue()?; // cpb_size_value_minus1
        reader.skip(1)?; // cbr_flag
    }
    reader.skip(4 * 5)?; // the widths of the delays in SEI messages
    Ok(true)
}

fn restriction(reader: &mut BitReader) -> Result<Option<Restriction>> {
    if !reader.flag()? {
        return Ok(None);
    }
    reader.skip(1)?; // motion_vectors_over_pic_boundaries_flag
    for _ in 0..4 {
        // max_bytes_per_pic_denom, max_bits_per_mb_denom, and the two
        // log2_max_mv_length
        reader.ue()?;
    }
    let starts_at = reader.position();
    Ok(Some(Restriction {
        reorder_frames: reader.ue()?,
        dec_frame_buffering: reader.ue()?,
        starts_at,
    }))
}
