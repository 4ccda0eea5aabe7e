//! What an access unit is, from the first bytes of its slices (ITU-T H.264,
//! section 7.4.1.2): whether a cut may start there, and what it takes.

use std::borrow::Cow;

use crate::bitstream::bits::Result;
use crate::bitstream::nal::{prefixed, push_prefixed};

use super::sei::{RecoveryPoint, recovery_point};
use super::sets::ParameterSets;
use super::slice::{SliceHeader, Structure};
use super::unit::{self, Header};

/// What was found in an access unit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessUnit {
    /// An IDR picture: nothing after it refers to anything before it.
    pub idr: bool,
    /// A recovery point SEI message.
    pub recovery_point: Option<RecoveryPoint>,
    /// Every slice is an I slice.
    pub intra: bool,
    /// The first slice's facts; nothing when no slice could be read.
    pub first: Option<FirstSlice>,
    /// How many slices were read.
    pub slices: u32,
    /// Slices that could not be read: broken, or without their parameter sets.
    pub unreadable: u32,
    /// How many pictures start in here: two for a pair of fields.
    pub pictures: u32,
    /// A picture resets the numbering (memory management operation 5).
    pub resets: bool,
    /// What else is there.
    pub contents: Contents,
    qp_sum: i64,
}

/// The units beside the slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)] // one for each kind of unit
pub struct Contents {
    /// A sequence parameter set.
    pub sps: bool,
    /// A picture parameter set.
    pub pps: bool,
    /// An access unit delimiter.
    pub delimiter: bool,
    /// Supplemental enhancement information.
    pub sei: bool,
    /// Filler data.
    pub filler: bool,
    /// Units of scalable or multiview layers.
    pub layers: bool,
}

/// What the header of the first slice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstSlice {
    /// `pic_parameter_set_id`.
    pub pps_id: u8,
    /// The SPS which that PPS points at.
    pub sps_id: u8,
    /// `nal_ref_idc`: 0 when nothing refers to the picture.
    pub ref_idc: u8,
    /// `frame_num`.
    pub frame_num: u32,
    /// `idr_pic_id`, of an IDR picture.
    pub idr_pic_id: Option<u16>,
    /// `pic_order_cnt_lsb`, 0 unless POC type 0.
    pub poc_lsb: u32,
    /// `delta_pic_order_cnt_bottom`: negative when the bottom field is first.
    pub delta_poc_bottom: i32,
    /// How the picture is scanned.
    pub scan: Scan,
}

/// How a picture is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// The sequence has frames only.
    Progressive,
    /// A frame picture of a sequence that may have field pictures (PAFF).
    Frame,
    /// A frame picture whose macroblock pairs choose (MBAFF).
    AdaptiveFrame,
    /// A field picture.
    Field,
}

impl AccessUnit {
    /// Looks through the units of one access unit. The sets must already be in
    /// `sets`, those inside this access unit too.
    ///
    /// Only the start of each slice is read; nothing is copied but SEI.
    pub fn inspect<'a>(units: impl IntoIterator<Item = &'a [u8]>, sets: &ParameterSets) -> Self {
        let mut found = Self::default();
        let mut inter = false;
        for nal in units {
            let contents = &mut found.contents;
            match unit::kind(nal) {
                unit::SLICE | unit::PARTITION_A | unit::IDR => {
                    match SliceHeader::parse(nal, sets) {
                        Ok(slice) => {
                            inter |= slice.slice_type.is_inter();
                            found.add(&slice, sets);
                        }
                        Err(_) => found.unreadable += 1,
                    }
                }
                unit::SPS => contents.sps = true,
                unit::PPS => contents.pps = true,
                unit::AUD => contents.delimiter = true,
                unit::FILLER => contents.filler = true,
                unit::SEI => {
                    contents.sei = true;
                    found.recovery_point = found.recovery_point.or_else(|| recovery_point(nal));
                }
                unit::PREFIX | unit::SUBSET_SPS | unit::SLICE_EXTENSION => contents.layers = true,
                _ => {}
            }
        }
        found.intra = found.slices > 0 && found.unreadable == 0 && !inter;
        found
    }

    fn add(&mut self, slice: &SliceHeader, sets: &ParameterSets) {
        self.slices += 1;
        self.qp_sum += i64::from(slice.qp);
        self.idr |= slice.is_idr();
        self.resets |= slice.marking.resets();
        if slice.first_mb == 0 && slice.redundant_pic_cnt == 0 && slice.colour_plane == 0 {
            self.pictures += 1;
        }
        if self.first.is_some() {
            return;
        }
        let Ok((sps, _)) = sets.active(slice.pps_id) else {
            return;
        };
        self.first = Some(FirstSlice {
            pps_id: slice.pps_id,
            sps_id: sps.id,
            ref_idc: slice.unit.ref_idc,
            frame_num: slice.frame_num,
            idr_pic_id: slice.is_idr().then_some(slice.idr_pic_id),
            poc_lsb: slice.poc_lsb,
            delta_poc_bottom: slice.delta_poc_bottom,
            scan: match slice.structure {
                Structure::TopField | Structure::BottomField => Scan::Field,
                Structure::Frame if sps.frame_mbs_only => Scan::Progressive,
                Structure::Frame if sps.mbaff => Scan::AdaptiveFrame,
                Structure::Frame => Scan::Frame,
            },
        });
    }

    /// The mean of the slices' quantisers.
    pub fn mean_qp(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // at most 51 times the slices
        let sum = self.qp_sum as f64;
        (self.slices > 0).then(|| sum / f64::from(self.slices))
    }
}

/// The slices of an access unit alone, as an MP4 sample with four-byte lengths.
pub fn slices_only<'a>(units: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for nal in units {
        let header = Header::of(nal);
        let partition = matches!(unit::kind(nal), unit::PARTITION_B | unit::PARTITION_C);
        if partition || header.is_some_and(Header::is_slice) {
            push_prefixed(&mut out, nal);
        }
    }
    out
}

/// An MP4 sample without parameter sets and access unit delimiters, which a
/// track with its sets in the sample entry (`avc1`) must not have, with four-byte
/// lengths. The sample itself when there is nothing to change.
pub fn without_sets(sample: &[u8], length_width: usize) -> Result<Cow<'_, [u8]>> {
    let unwanted = |nal: &[u8]| {
        matches!(
            unit::kind(nal),
            unit::SPS | unit::PPS | unit::AUD | unit::SPS_EXTENSION
        )
    };
    let mut unchanged = length_width == 4;
    for nal in prefixed(sample, length_width) {
        unchanged &= !unwanted(nal?);
    }
    if unchanged {
        return Ok(Cow::Borrowed(sample));
    }
    let mut out = Vec::with_capacity(sample.len());
    for nal in prefixed(sample, length_width) {
        let nal = nal?;
        if !unwanted(nal) {
            push_prefixed(&mut out, nal);
        }
    }
    Ok(Cow::Owned(out))
}
