//! What the slices of an access unit say (ITU-T H.264, section 7.4.1.2), from
//! their first bytes.

use crate::bitstream::nal::push_prefixed;

use super::sets::ParameterSets;
use super::slice::SliceHeader;
use super::unit::{self, Header};

/// What was found in an access unit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessUnit {
    /// The first slice's facts; nothing when no slice could be read.
    pub first: Option<FirstSlice>,
    /// How many slices were read.
    slices: u32,
    qp_sum: i64,
}

/// What the header of the first slice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstSlice {
    /// `idr_pic_id`, of an IDR picture.
    pub idr_pic_id: Option<u16>,
    /// `delta_pic_order_cnt_bottom`: negative when the bottom field is first.
    pub delta_poc_bottom: i32,
}

impl AccessUnit {
    /// Looks through the units of one access unit. The sets must already be in
    /// `sets`, those inside this access unit too; slices without them, and
    /// broken ones, are passed over.
    ///
    /// Only the start of each slice is read.
    pub fn inspect<'a>(units: impl IntoIterator<Item = &'a [u8]>, sets: &ParameterSets) -> Self {
        let mut found = Self::default();
        for nal in units {
            if !Header::of(nal).is_some_and(Header::is_slice) {
                continue;
            }
            if let Ok(slice) = SliceHeader::parse(nal, sets) {
                found.slices += 1;
                found.qp_sum += i64::from(slice.qp);
                found.first.get_or_insert_with(|| FirstSlice {
                    idr_pic_id: slice.is_idr().then_some(slice.idr_pic_id),
                    delta_poc_bottom: slice.delta_poc_bottom,
                });
            }
        }
        found
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
