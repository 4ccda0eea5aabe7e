//! Frame numbers and picture order counts without their wraps (ITU-T H.264,
//! sections 7.4.3 and 8.2.1), for frame pictures.

use super::slice::SliceHeader;
use super::sps::Sps;

/// Follows the numbers of pictures in decoding order.
#[derive(Debug, Clone)]
pub(super) struct Numbering {
    max_frame_num: i64,
    /// Absent for POC type 2.
    max_poc_lsb: Option<i64>,
    /// The number of the last reference picture.
    reference: i64,
    /// The picture order count of the last reference picture's top field.
    order: i64,
}

/// The numbers of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    /// `frame_num` without its wraps.
    pub number: i64,
    /// The picture order count of the top field.
    pub top: i64,
}

impl Numbering {
    /// Starts at this picture.
    pub fn at(sps: &Sps, first: &SliceHeader) -> (Self, Numbers) {
        let number = i64::from(first.frame_num);
        let max_poc_lsb = (sps.poc_type == 0).then(|| 1 << sps.log2_max_poc_lsb);
        let mut numbering = Self {
            max_frame_num: 1 << sps.log2_max_frame_num,
            max_poc_lsb,
            reference: number,
            order: 0,
        };
        let top = match max_poc_lsb {
            Some(_) if first.is_idr() => numbering.unwrap_lsb(first.poc_lsb),
            Some(_) => i64::from(first.poc_lsb),
            None => type_2(number, first.is_reference()),
        };
        numbering.order = top;
        (numbering, Numbers { number, top })
    }

    /// The numbers of the next picture; nothing when a picture is missing
    /// between.
    pub fn next(&mut self, slice: &SliceHeader) -> Option<Numbers> {
        let number = self.reference + 1;
        if number.rem_euclid(self.max_frame_num) != i64::from(slice.frame_num) {
            return None;
        }
        let top = match self.max_poc_lsb {
            Some(_) => self.unwrap_lsb(slice.poc_lsb),
            None => type_2(number, slice.is_reference()),
        };
        if slice.is_reference() {
            self.reference = number;
            self.order = top;
        }
        Some(Numbers { number, top })
    }

    /// `frame_num` of a number.
    pub fn frame_num(&self, number: i64) -> u32 {
        u32::try_from(number.rem_euclid(self.max_frame_num)).unwrap_or(0)
    }

    /// `pic_order_cnt_lsb` of a top field's picture order count.
    pub fn poc_lsb(&self, top: i64) -> u32 {
        let max = self.max_poc_lsb.unwrap_or(1);
        u32::try_from(top.rem_euclid(max)).unwrap_or(0)
    }

    /// The number that the next picture gets.
    pub fn next_number(&self) -> i64 {
        self.reference + 1
    }

    /// The count with this lsb that is nearest to the last reference's (8.2.1.1).
    fn unwrap_lsb(&self, lsb: u32) -> i64 {
        let max = self.max_poc_lsb.unwrap_or(1);
        let ahead = (i64::from(lsb) - self.order).rem_euclid(max);
        let behind = ahead > max / 2;
        self.order + if behind { ahead - max } else { ahead }
    }
}

fn type_2(number: i64, reference: bool) -> i64 {
    2 * number - i64::from(!reference)
}
