//! The parts of a slice header that name reference pictures: which order the
//! lists have (ITU-T H.264, section 7.3.3.1) and which pictures stay
//! references (section 7.3.3.3).

use crate::bitstream::bits::{BitReader, BitWriter, Result, SyntaxError};

/// One step of `ref_pic_list_modification()`: it puts a picture at the next
/// place of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOp {
    /// The predicted picture number less this (`abs_diff_pic_num_minus1` + 1).
    Subtract(u32),
    /// The predicted picture number plus this.
    Add(u32),
    /// The long-term picture of this `long_term_pic_num`.
    LongTerm(u32),
}

/// `dec_ref_pic_marking()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marking {
    /// Absent: nothing refers to this picture.
    NotReference,
    /// The marking of an IDR picture.
    Idr {
        /// `no_output_of_prior_pics_flag`.
        no_output_of_prior_pics: bool,
        /// `long_term_reference_flag`.
        long_term: bool,
    },
    /// The oldest short-term reference makes way when the buffer is full.
    SlidingWindow,
    /// `adaptive_ref_pic_marking_mode_flag`, with its operations in order.
    Adaptive(Vec<Mmco>),
}

/// `memory_management_control_operation` 1 to 6 (table 7-9). Differences are
/// `difference_of_pic_nums_minus1` + 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mmco {
    /// 1: the short-term picture this far back is a reference no more.
    DropShortTerm(u32),
    /// 2: the long-term picture of this number is a reference no more.
    DropLongTerm(u32),
    /// 3: the short-term picture `back` becomes the long-term picture `index`.
    MakeLongTerm {
        /// The difference of picture numbers.
        back: u32,
        /// `long_term_frame_idx`.
        index: u32,
    },
    /// 4: `max_long_term_frame_idx_plus1`; 0 drops every long-term picture.
    LimitLongTerm(u32),
    /// 5: all references are dropped and the numbering starts over.
    Reset,
    /// 6: this picture becomes the long-term picture of this index.
    CurrentToLongTerm(u32),
}

/// No list and no marking may go on for longer than this: 32 entries for field
/// pictures, and as many again that undo them.
const MAX_STEPS: usize = 66;

fn plus_one(value: u32) -> Result<u32> {
    value
        .checked_add(1)
        .ok_or(SyntaxError("a difference of picture numbers"))
}

/// Reads the modifications of one list.
pub(super) fn read_list(reader: &mut BitReader) -> Result<Vec<ListOp>> {
    let mut list = Vec::new();
    if !reader.flag()? {
        return Ok(list);
    }
    while list.len() < MAX_STEPS {
        list.push(match reader.ue()? {
            0 => ListOp::Subtract(plus_one(reader.ue()?)?),
            1 => ListOp::Add(plus_one(reader.ue()?)?),
            2 => ListOp::LongTerm(reader.ue()?),
            3 => return Ok(list),
            _ => return Err(SyntaxError("modification_of_pic_nums_idc")),
        });
    }
    Err(SyntaxError("a reference list without end"))
}

/// Writes the modifications of one list.
pub(super) fn write_list(writer: &mut BitWriter, list: &[ListOp]) {
    writer.flag(!list.is_empty());
    for step in list {
        let (idc, value) = match *step {
            ListOp::Subtract(difference) => (0, difference.saturating_sub(1)),
            ListOp::Add(difference) => (1, difference.saturating_sub(1)),
            ListOp::LongTerm(number) => (2, number),
        };
        writer.ue(idc);
        writer.ue(value);
    }
    if !list.is_empty() {
        writer.ue(3);
    }
}

impl Marking {
    /// Reads the marking of a reference picture.
    pub(super) fn read(reader: &mut BitReader, idr: bool) -> Result<Self> {
        if idr {
            return Ok(Self::Idr {
                no_output_of_prior_pics: reader.flag()?,
                long_term: reader.flag()?,
            });
        }
        if !reader.flag()? {
            return Ok(Self::SlidingWindow);
        }
        let mut steps = Vec::new();
        while steps.len() < MAX_STEPS {
            steps.push(match reader.ue()? {
                0 => return Ok(Self::Adaptive(steps)),
                1 => Mmco::DropShortTerm(plus_one(reader.ue()?)?),
                2 => Mmco::DropLongTerm(reader.ue()?),
                3 => Mmco::MakeLongTerm {
                    back: plus_one(reader.ue()?)?,
                    index: reader.ue()?,
                },
                4 => Mmco::LimitLongTerm(reader.ue()?),
                5 => Mmco::Reset,
                6 => Mmco::CurrentToLongTerm(reader.ue()?),
                _ => return Err(SyntaxError("memory_management_control_operation")),
            });
        }
        Err(SyntaxError("a marking without end"))
    }

    /// Writes the marking; nothing for a picture that is no reference.
    pub(super) fn write(&self, writer: &mut BitWriter) {
        match self {
            Self::NotReference => {}
            Self::Idr {
                no_output_of_prior_pics,
                long_term,
            } => {
                writer.flag(*no_output_of_prior_pics);
                writer.flag(*long_term);
            }
            Self::SlidingWindow => writer.flag(false),
            Self::Adaptive(steps) => {
                writer.flag(true);
                for step in steps {
                    step.write(writer);
                }
                writer.ue(0);
            }
        }
    }
}

impl Mmco {
    fn write(self, writer: &mut BitWriter) {
        match self {
            Self::DropShortTerm(back) => {
                writer.ue(1);
                writer.ue(back.saturating_sub(1));
            }
            Self::DropLongTerm(number) => {
                writer.ue(2);
                writer.ue(number);
            }
            Self::MakeLongTerm { back, index } => {
                writer.ue(3);
                writer.ue(back.saturating_sub(1));
                writer.ue(index);
            }
            Self::LimitLongTerm(limit) => {
                writer.ue(4);
                writer.ue(limit);
            }
            Self::Reset => writer.ue(5),
            Self::CurrentToLongTerm(index) => {
                writer.ue(6);
                writer.ue(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_markings_survive_a_round_trip() {
        let list = [ListOp::Subtract(1), ListOp::Add(16), ListOp::LongTerm(0)];
        let markings = [
            Marking::SlidingWindow,
            Marking::Adaptive(vec![]),
            Marking::Adaptive(vec![
                Mmco::DropShortTerm(3),
                Mmco::DropLongTerm(1),
                Mmco::MakeLongTerm { back: 2, index: 1 },
                Mmco::LimitLongTerm(2),
                Mmco::CurrentToLongTerm(1),
                Mmco::Reset,
            ]),
        ];
        let mut writer = BitWriter::new();
        write_list(&mut writer, &list);
        write_list(&mut writer, &[]);
        for marking in &markings {
            marking.write(&mut writer);
        }
        writer.trailing();
        let data = writer.into_bytes();
        let mut reader = BitReader::new(&data);
        assert_eq!(read_list(&mut reader).as_deref(), Ok(&list[..]));
        assert_eq!(read_list(&mut reader), Ok(vec![]));
        for marking in &markings {
            assert_eq!(Marking::read(&mut reader, false).as_ref(), Ok(marking));
        }
    }

    #[test]
    fn a_list_without_end_is_an_error() {
        let mut writer = BitWriter::new();
        writer.flag(true);
        for _ in 0..100 {
            writer.ue(0);
            writer.ue(0);
        }
        let data = writer.into_bytes();
        assert!(read_list(&mut BitReader::new(&data)).is_err());
    }
}
