//! An open GOP made to start a sequence: its I picture becomes an IDR picture,
//! and all pictures up to the next real IDR are renumbered to it (ITU-T H.264,
//! sections 7.4.1.2.4, 8.2.1, 8.2.4 and 8.2.5).
//!
//! Pictures that lead the I picture in output order refer to what came before
//! it; they are left out, and the caller encodes them. What a decoder holds is
//! followed on both sides of the change, so that each slice's reference lists
//! name the same pictures as before.

use crate::bitstream::bits::SyntaxError;
use crate::bitstream::nal::{prefixed, push_prefixed, unescape};

use super::numbering::Numbering;
use super::ref_lists::Marking;
use super::references::{Buffer, Picture};
use super::refusal::Refusal;
use super::relist::{View, is_plain, remark, same_lists};
use super::sei::without_recovery_point;
use super::sets::ParameterSets;
use super::slice::{SliceHeader, Structure};
use super::sps::Sps;
use super::unit::{self, Header};

/// What became of an access unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewritten {
    /// It stays: the new sample, with four-byte lengths, without parameter sets
    /// and delimiters.
    Picture(Vec<u8>),
    /// It is shown before the first picture and refers to what is gone: leave it
    /// out, and show an encoded picture in its place.
    Leading,
    /// It is an IDR picture: copy it and all that follows as they are.
    Idr,
}

/// Rewrites the access units of an open GOP in decoding order.
#[derive(Debug, Clone)]
pub struct OpenGopRewriter {
    sets: ParameterSets,
    idr_pic_id: u16,
    next_key: u64,
    /// The stream as it is.
    source: Option<State>,
    /// The stream as it will be, from the new IDR picture on.
    target: Option<State>,
    /// What the new picture order counts are less than the old.
    base: i64,
}

/// What a decoder knows before a picture.
#[derive(Debug, Clone)]
struct State {
    numbering: Numbering,
    buffer: Buffer,
}

impl OpenGopRewriter {
    /// A rewriter for a stream with these sets. The new IDR picture gets
    /// `idr_pic_id`, which must differ from that of an IDR picture right before
    /// or after it.
    pub fn new(sets: ParameterSets, idr_pic_id: u16) -> Self {
        Self {
            sets,
            idr_pic_id,
            next_key: 0,
            source: None,
            target: None,
            base: 0,
        }
    }

    /// Rewrites the next access unit, a sample with four-byte lengths. The first
    /// one must be the I picture of the recovery point; none may be left out,
    /// leading pictures included.
    ///
    /// After an error the rewriter is of no further use.
    pub fn rewrite(&mut self, sample: &[u8]) -> Result<Rewritten, Refusal> {
        let mut slices = headers(sample, &self.sets)?;
        let first = slices.first().ok_or(NO_SLICES)?;
        if first.is_idr() {
            return Ok(Rewritten::Idr);
        }
        let marking = first.marking.clone();
        let (sps, _) = self.sets.active(first.pps_id)?;
        let (source, current, top) = State::enter(self.source.take(), sps, first, self.next_key)?;
        self.next_key += 1;

        let opens = self.target.is_none();
        let (target, after) = match self.target.take() {
            None => {
                self.base = current.order;
                State::open(
                    &mut slices,
                    sps,
                    current.key,
                    top - self.base,
                    self.idr_pic_id,
                )?
            }
            Some(target) if current.order < self.base => {
                self.target = Some(target);
                self.source = Some(source.leave(current, &marking));
                return Ok(Rewritten::Leading);
            }
            Some(target) => {
                let from = View {
                    buffer: &source.buffer,
                    current,
                };
                target.carry_on(&mut slices, sps, from, top - self.base, self.base)?
            }
        };
        let out = write(sample, &slices, &self.sets, opens)?;
        self.source = Some(source.leave(current, &marking));
        self.target = slices
            .first()
            .map(|first| target.leave(after, &first.marking));
        Ok(Rewritten::Picture(out))
    }
}

impl State {
    /// The state at this picture, its numbers, and the picture order count of its
    /// top field.
    fn enter(
        last: Option<Self>,
        sps: &Sps,
        first: &SliceHeader,
        key: u64,
    ) -> Result<(Self, Picture, i64), Refusal> {
        let (state, numbers) = if let Some(mut state) = last {
            let numbers = state.numbering.next(first).ok_or(Refusal::Gap)?;
            (state, numbers)
        } else {
            let (numbering, numbers) = Numbering::at(sps, first);
            let buffer = if first.is_idr() {
                Buffer::empty(sps.max_num_ref_frames)
            } else {
                Buffer::unknown(sps.max_num_ref_frames)
            };
            (Self { numbering, buffer }, numbers)
        };
        let bottom = numbers.top + i64::from(first.delta_poc_bottom);
        let picture = Picture {
            key,
            number: numbers.number,
            order: numbers.top.min(bottom),
        };
        Ok((state, picture, numbers.top))
    }

    /// Makes the slices those of an IDR picture, whose top field has the picture
    /// order count `top`.
    fn open(
        slices: &mut [SliceHeader],
        sps: &Sps,
        key: u64,
        top: i64,
        idr_pic_id: u16,
    ) -> Result<(Self, Picture), Refusal> {
        let lsb = u32::try_from(top).map_err(|_| Refusal::PictureOrder)?;
        for slice in &mut *slices {
            if slice.slice_type.is_inter() || !slice.is_reference() {
                return Err(Refusal::NotIntra);
            }
            slice.unit.kind = unit::IDR;
            slice.idr_pic_id = idr_pic_id;
            slice.frame_num = 0;
            slice.poc_lsb = lsb;
            slice.marking = Marking::Idr {
                no_output_of_prior_pics: false,
                long_term: false,
            };
        }
        let first = slices.first().ok_or(NO_SLICES)?;
        let (state, picture, decoded) = Self::enter(None, sps, first, key)?;
        if sps.poc_type == 0 && decoded != top {
            return Err(Refusal::PictureOrder);
        }
        Ok((state, picture))
    }

    /// Renumbers the slices of a picture behind the new IDR picture. `from` is
    /// the picture in the source, `top` its new picture order count.
    fn carry_on(
        mut self,
        slices: &mut [SliceHeader],
        sps: &Sps,
        from: View,
        top: i64,
        base: i64,
    ) -> Result<(Self, Picture), Refusal> {
        let number = self.numbering.next_number();
        let frame_num = self.numbering.frame_num(number);
        let poc_lsb = self.numbering.poc_lsb(top);
        let to = View {
            buffer: &self.buffer,
            current: Picture {
                key: from.current.key,
                number,
                order: from.current.order - base,
            },
        };
        for slice in &mut *slices {
            slice.lists = same_lists(slice, 1 << sps.log2_max_frame_num, from, to)?;
            slice.marking = remark(&slice.marking, from, to);
            slice.frame_num = frame_num;
            slice.poc_lsb = poc_lsb;
        }
        let current = to.current;
        let first = slices.first().ok_or(NO_SLICES)?;
        let decoded = self.numbering.next(first).ok_or(Refusal::Gap)?;
        if decoded.top != top {
            return Err(Refusal::PictureOrder);
        }
        Ok((self, current))
    }

    /// The state behind a picture with this marking.
    fn leave(mut self, picture: Picture, marking: &Marking) -> Self {
        match marking {
            Marking::NotReference => {}
            Marking::Idr { .. } | Marking::SlidingWindow => self.buffer.slide(picture),
            Marking::Adaptive(steps) => self.buffer.apply(steps, picture),
        }
        self
    }
}

const NO_SLICES: SyntaxError = SyntaxError("an access unit without slices");

/// The slice headers of a sample, all of a kind that can be followed.
fn headers(sample: &[u8], sets: &ParameterSets) -> Result<Vec<SliceHeader>, Refusal> {
    let mut slices = Vec::new();
    for nal in prefixed(sample, 4) {
        let nal = nal?;
        if matches!(unit::kind(nal), unit::PREFIX | unit::SLICE_EXTENSION) {
            return Err(Refusal::Layers);
        }
        if !Header::of(nal).is_some_and(Header::is_slice) {
            continue;
        }
        let slice = SliceHeader::parse(nal, sets)?;
        if sets.active(slice.pps_id)?.0.poc_type == 1 {
            return Err(Refusal::PocType1);
        }
        if slice.structure != Structure::Frame {
            return Err(Refusal::FieldPicture);
        }
        if !is_plain(&slice.marking) {
            return Err(Refusal::Marking);
        }
        slices.push(slice);
    }
    Ok(slices)
}

/// The sample with these slice headers in place of its own.
fn write(
    sample: &[u8],
    slices: &[SliceHeader],
    sets: &ParameterSets,
    opens: bool,
) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::with_capacity(sample.len() + 64);
    let mut slices = slices.iter();
    for nal in prefixed(sample, 4) {
        let nal = nal?;
        match unit::kind(nal) {
            unit::SLICE | unit::PARTITION_A | unit::IDR => {
                let slice = slices.next().ok_or(NO_SLICES)?;
                let (sps, pps) = sets.active(slice.pps_id)?;
                push_prefixed(&mut out, &slice.write(&unescape(nal), sps, pps)?);
            }
            unit::SPS | unit::PPS | unit::AUD | unit::SPS_EXTENSION => {}
            unit::SEI if opens => {
                if let Some(rest) = without_recovery_point(nal)? {
                    push_prefixed(&mut out, &rest);
                }
            }
            _ => push_prefixed(&mut out, nal),
        }
    }
    Ok(out)
}
