//! Slice headers (ITU-T H.264, section 7.3.3).

use std::ops::Range;

use crate::bitstream::bits::{BitReader, Result, SyntaxError};
use crate::bitstream::nal::unescape;

use super::ref_lists::{ListOp, Marking};
use super::sets::ParameterSets;
use super::slice_read;
use super::unit::{self, Header};

/// `slice_type` modulo 5 (table 7-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SliceType {
    /// Predicted from one list.
    P,
    /// Predicted from two lists.
    B,
    /// Intra.
    I,
    /// Switching P (Extended profile).
    Sp,
    /// Switching I (Extended profile).
    Si,
}

/// What a slice is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// A frame picture, be its macroblocks adaptive or not.
    Frame,
    /// A top field picture.
    TopField,
    /// A bottom field picture.
    BottomField,
}

/// The deblocking fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deblocking {
    /// `disable_deblocking_filter_idc`: 0 on, 1 off, 2 off across slices.
    pub disable_idc: u8,
    /// `slice_alpha_c0_offset_div2`.
    pub alpha_offset_div2: i32,
    /// `slice_beta_offset_div2`.
    pub beta_offset_div2: i32,
}

/// A slice header. Fields that are absent have the value that is inferred.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // flags of the syntax, named as there
pub struct SliceHeader {
    /// The header of its NAL unit.
    pub unit: Header,
    /// `first_mb_in_slice`.
    pub first_mb: u32,
    /// `slice_type` modulo 5.
    pub slice_type: SliceType,
    /// `slice_type` was 5 or more: all slices of the picture have this type.
    pub whole_picture: bool,
    /// `pic_parameter_set_id`.
    pub pps_id: u8,
    /// `colour_plane_id`.
    pub colour_plane: u32,
    /// `frame_num`.
    pub frame_num: u32,
    /// `field_pic_flag` and `bottom_field_flag`.
    pub structure: Structure,
    /// `idr_pic_id` (IDR pictures only).
    pub idr_pic_id: u16,
    /// `pic_order_cnt_lsb` (POC type 0).
    pub poc_lsb: u32,
    /// `delta_pic_order_cnt_bottom` (POC type 0).
    pub delta_poc_bottom: i32,
    /// `delta_pic_order_cnt` (POC type 1).
    pub delta_poc: [i32; 2],
    /// `redundant_pic_cnt`: 0 in the primary picture.
    pub redundant_pic_cnt: u32,
    /// `direct_spatial_mv_pred_flag`.
    pub direct_spatial: bool,
    /// `num_ref_idx_active_override_flag`.
    pub refs_overridden: bool,
    /// How many entries of each list are in use, overridden or by default.
    pub active_refs: [u32; 2],
    /// How each list is changed from its initial order.
    pub lists: [Vec<ListOp>; 2],
    /// Where `pred_weight_table()` stands, in bits of the RBSP; empty when
    /// absent. It is checked and copied, never changed.
    pub pred_weights: Range<usize>,
    /// `dec_ref_pic_marking()`.
    pub marking: Marking,
    /// `cabac_init_idc`.
    pub cabac_init_idc: u8,
    /// `slice_qp_delta`.
    pub qp_delta: i32,
    /// The luma quantiser that the slice starts with (7-30): the PPS's plus the
    /// delta.
    pub qp: i32,
    /// `sp_for_switch_flag`.
    pub sp_for_switch: bool,
    /// `slice_qs_delta`.
    pub qs_delta: i32,
    /// The deblocking fields, when the PPS has them in slices.
    pub deblocking: Option<Deblocking>,
    /// `slice_group_change_cycle`.
    pub slice_group_change_cycle: u32,
    /// The first bit of the slice data (or its CABAC alignment), in bits of the
    /// RBSP from the NAL unit's header on.
    pub data_at: usize,
}

/// The start of a slice header, for which no parameter set is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlicePeek {
    /// `first_mb_in_slice`: 0 starts a picture.
    pub first_mb: u32,
    /// `slice_type` modulo 5.
    pub slice_type: SliceType,
    /// `pic_parameter_set_id`.
    pub pps_id: u8,
}

/// Most headers fit in this many bytes, emulation prevention included.
const SHORT: usize = 64;
/// No header is longer: two lists of 32 weights of 111 bits, and 3 x 66 steps.
const LONG: usize = 4096;

impl SliceHeader {
    /// Reads the header of a slice: a NAL unit of type 1, 2 or 5, its header
    /// byte included, still escaped. Only its first bytes are looked at.
    pub fn parse(nal: &[u8], sets: &ParameterSets) -> Result<Self> {
        from_start(nal, |rbsp| Self::parse_rbsp(rbsp, sets))
    }

    /// Reads the header from a whole or cut-off RBSP, NAL header included.
    pub(super) fn parse_rbsp(rbsp: &[u8], sets: &ParameterSets) -> Result<Self> {
        let start = SlicePeek::parse_rbsp(rbsp)?;
        let (sps, pps) = sets.active(start.pps_id)?;
        slice_read::read(rbsp, sps, pps)
    }

    /// Whether the slice is of an IDR picture.
    pub fn is_idr(&self) -> bool {
        self.unit.kind == unit::IDR
    }

    /// Whether other pictures may refer to this one.
    pub fn is_reference(&self) -> bool {
        self.unit.ref_idc != 0
    }
}

impl SlicePeek {
    /// Reads the start of a slice, from its first few bytes.
    pub fn parse(nal: &[u8]) -> Result<Self> {
        from_start(nal, Self::parse_rbsp)
    }

    fn parse_rbsp(rbsp: &[u8]) -> Result<Self> {
        match Header::of(rbsp) {
            Some(header) if header.is_slice() => {}
            _ => return Err(SyntaxError("not a slice")),
        }
        let mut reader = BitReader::new(rbsp);
        reader.skip(Header::BITS)?;
        Ok(Self {
            first_mb: reader.ue()?,
            slice_type: slice_type(reader.ue()?)?,
            pps_id: unit::ranged(reader.ue()?, 255, "pic_parameter_set_id")?,
        })
    }
}

/// Runs a parser over the unescaped start of a unit, and once more over a longer
/// one if that was too short.
fn from_start<T>(nal: &[u8], parse: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
    let short = &nal[..nal.len().min(SHORT)];
    let escaped = memchr::memmem::find(short, &[0, 0, 3]).is_some();
    let first = if escaped {
        parse(&unescape(short))
    } else {
        parse(short)
    };
    if first.is_err() && nal.len() > SHORT {
        return parse(&unescape(&nal[..nal.len().min(LONG)]));
    }
    first
}

/// `slice_type` of a slice header.
pub(super) fn slice_type(value: u32) -> Result<SliceType> {
    Ok(match value {
        0 | 5 => SliceType::P,
        1 | 6 => SliceType::B,
        2 | 7 => SliceType::I,
        3 | 8 => SliceType::Sp,
        4 | 9 => SliceType::Si,
        _ => return Err(SyntaxError("slice_type")),
    })
}

impl SliceType {
    /// Whether list 0 is in use.
    pub fn is_inter(self) -> bool {
        matches!(self, Self::P | Self::B | Self::Sp)
    }

    /// Whether the slice refers to no other picture.
    pub fn is_intra(self) -> bool {
        !self.is_inter()
    }

    /// How many lists are in use.
    pub(super) fn lists(self) -> usize {
        match self {
            Self::P | Self::Sp => 1,
            Self::B => 2,
            Self::I | Self::Si => 0,
        }
    }
}
