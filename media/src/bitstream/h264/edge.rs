//! Encoded edges under the source's own SPS: the encoder's SPS is dropped, its
//! PPS gets a free id and points at the source's SPS, and each slice header is
//! rewritten to fit ("way 5" of the design notes; ITU-T H.264, section 7.3.3).
//!
//! Every decoder then sees one sequence, without a change of parameters.

use crate::bitstream::bits::SyntaxError;
use crate::bitstream::nal::{push_prefixed, unescape};

use super::pps::Pps;
use super::ref_lists::{ListOp, Marking, Mmco};
use super::sets::ParameterSets;
use super::slice::{SliceHeader, SliceType, Structure};
use super::sps::Sps;
use super::unit::Header;
use super::unsuitable::{self, Unsuitable};

/// Rewrites the access units of an encoder that makes no B pictures (x264 with
/// `bframes=0`), in decoding order.
#[derive(Debug, Clone)]
pub struct EdgeRewriter {
    source: Sps,
    encoder: ParameterSets,
    encoder_max_frame_num: u32,
    pps: Pps,
    pps_nal: Vec<u8>,
    bottom_field_first: bool,
    /// `idr_pic_id`s that are taken: those of the source's IDR pictures beside
    /// the edge, and the edge's last one.
    taken_ids: [Option<u16>; 3],
    position: Option<Position>,
}

/// Where in its coded video sequence a picture stands.
#[derive(Debug, Clone, Copy)]
struct Position {
    /// Pictures since the IDR, which is 0.
    picture: u32,
    /// `frame_num` before it wraps: reference pictures since the IDR.
    frame_num: u32,
    /// Whether the picture is a reference.
    reference: bool,
    idr_pic_id: u16,
}

impl EdgeRewriter {
    /// A rewriter from the encoder's sets (one SPS, one PPS) to the SPS `sps_id`
    /// of the source. The encoder's PPS gets the id `pps_id`, which the source
    /// must not use ([`ParameterSets::free_pps_id`]).
    pub fn new(
        source: &ParameterSets,
        sps_id: u8,
        encoder: &ParameterSets,
        pps_id: u8,
    ) -> Result<Self, Unsuitable> {
        let sps = source.sps(sps_id).ok_or(Unsuitable::MissingSets)?;
        let theirs = single(encoder.all_sps())?;
        let their_pps = single(encoder.all_pps())?;
        let their_pps_nal = single(encoder.pps_units())?;
        if source.pps(pps_id).is_some() {
            return Err(Unsuitable::IdsTaken);
        }
        unsuitable::check(source, sps, theirs, their_pps)?;
        let flat = unsuitable::needs_flat_scaling(sps, theirs, their_pps)?;
        let pps_nal = Pps::rewrite(their_pps_nal, theirs, pps_id, sps_id, flat)?;
        Ok(Self {
            source: sps.clone(),
            encoder: encoder.clone(),
            encoder_max_frame_num: 1 << theirs.log2_max_frame_num,
            pps: Pps::parse(&pps_nal, |_| Some(sps))?,
            pps_nal,
            bottom_field_first: false,
            taken_ids: [None; 3],
            position: None,
        })
    }

    /// The PPS that the decoder needs beside the source's sets: a NAL unit.
    pub fn pps(&self) -> &[u8] {
        &self.pps_nal
    }

    /// Starts an edge. `before` and `after` are the `idr_pic_id`s of the source's
    /// IDR pictures on either side: two IDR pictures in a row must differ in it
    /// (7.4.3). For interlaced video, `bottom_field_first` is the field order.
    pub fn begin(&mut self, before: Option<u16>, after: Option<u16>, bottom_field_first: bool) {
        self.taken_ids = [before, after, None];
        self.bottom_field_first = bottom_field_first;
        self.position = None;
    }

    /// One access unit of the encoder as an MP4 sample: its slices, rewritten,
    /// each behind its length in four bytes. All other units are dropped.
    pub fn rewrite<'a>(
        &mut self,
        units: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<u8>, Unsuitable> {
        let mut out = Vec::new();
        let mut position = None;
        for nal in units {
            if !Header::of(nal).is_some_and(Header::is_slice) {
                continue;
            }
            let rbsp = unescape(nal);
            let header = SliceHeader::parse_rbsp(&rbsp, &self.encoder)?;
            let position = match position {
                Some(position) => position,
                None => *position.insert(self.advance(&header)?),
            };
            let slice = self
                .renumber(header, position)?
                .write(&rbsp, &self.source, &self.pps)?;
            push_prefixed(&mut out, &slice);
        }
        if out.is_empty() {
            return Err(SyntaxError("an access unit without slices").into());
        }
        Ok(out)
    }

    /// The position of the picture that starts with this slice.
    fn advance(&mut self, header: &SliceHeader) -> Result<Position, Unsuitable> {
        let position = if header.is_idr() {
            let idr_pic_id = (0..=u16::MAX)
                .find(|&id| !self.taken_ids.contains(&Some(id)))
                .ok_or(Unsuitable::Numbering)?;
            self.taken_ids[2] = Some(idr_pic_id);
            Position {
                picture: 0,
                frame_num: 0,
                reference: true,
                idr_pic_id,
            }
        } else {
            let last = self.position.ok_or(Unsuitable::NoIdr)?;
            Position {
                picture: last.picture.wrapping_add(1),
                frame_num: last.frame_num.wrapping_add(u32::from(last.reference)),
                reference: header.is_reference(),
                idr_pic_id: last.idr_pic_id,
            }
        };
        if position.frame_num % self.encoder_max_frame_num != header.frame_num {
            return Err(Unsuitable::Numbering);
        }
        self.position = Some(position);
        Ok(position)
    }

    /// The header with the source's numbering in place of the encoder's.
    fn renumber(
        &self,
        mut header: SliceHeader,
        position: Position,
    ) -> Result<SliceHeader, Unsuitable> {
        if header.slice_type == SliceType::B {
            return Err(Unsuitable::BSlice);
        }
        if header.structure != Structure::Frame {
            return Err(Unsuitable::FieldPicture);
        }
        let max_frame_num = 1 << self.source.log2_max_frame_num;
        header.lists[0] = relist(&header.lists[0], self.encoder_max_frame_num, max_frame_num)?;
        header.marking = remark(header.marking)?;
        header.pps_id = self.pps.id;
        header.frame_num = position.frame_num % max_frame_num;
        header.idr_pic_id = position.idr_pic_id;
        // Two fields' worth of picture order a frame; the bottom field of
        // interlaced video is one away from the top field.
        let interlaced = self.pps.bottom_field_pic_order;
        let bottom_first = interlaced && self.bottom_field_first;
        let count = position
            .picture
            .wrapping_mul(2)
            .wrapping_add(u32::from(bottom_first));
        header.poc_lsb = count % (1 << self.source.log2_max_poc_lsb);
        header.delta_poc_bottom = match (interlaced, bottom_first) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => -1,
        };
        Ok(header)
    }
}

fn single<T>(mut items: impl Iterator<Item = T>) -> Result<T, Unsuitable> {
    match (items.next(), items.next()) {
        (Some(item), None) => Ok(item),
        _ => Err(Unsuitable::MissingSets),
    }
}

/// List modifications for another width of `frame_num`. Differences count modulo
/// `MaxPicNum` (8.2.4.3.1), so each is turned into a distance back from the
/// current picture, which stays the same, and back into differences.
fn relist(list: &[ListOp], from_max: u32, to_max: u32) -> Result<Vec<ListOp>, Unsuitable> {
    let mut out = Vec::with_capacity(list.len());
    let (mut from, mut to) = (0, 0);
    for step in list {
        from = match *step {
            ListOp::Subtract(difference) => from + difference % from_max,
            ListOp::Add(difference) => from + from_max - difference % from_max,
            ListOp::LongTerm(_) => return Err(Unsuitable::Marking),
        } % from_max;
        if from >= to_max {
            return Err(Unsuitable::References);
        }
        out.push(difference(to, from, to_max));
        to = from;
    }
    Ok(out)
}

/// The step from the picture `from` back to the one `to` back. None is written
/// as a whole turn, for a list that names a picture twice in a row.
pub(super) fn difference(from: u32, to: u32, max_frame_num: u32) -> ListOp {
    match to.checked_sub(from) {
        Some(0) => ListOp::Subtract(max_frame_num),
        Some(back) => ListOp::Subtract(back),
        None => ListOp::Add(from - to),
    }
}

/// The marking, provided that it means the same in a larger buffer.
fn remark(marking: Marking) -> Result<Marking, Unsuitable> {
    match &marking {
        Marking::NotReference | Marking::SlidingWindow => Ok(marking),
        Marking::Idr {
            long_term: false, ..
        } => Ok(Marking::Idr {
            no_output_of_prior_pics: false,
            long_term: false,
        }),
        Marking::Adaptive(steps)
            if steps
                .iter()
                .all(|step| matches!(step, Mmco::DropShortTerm(_))) =>
        {
            Ok(marking)
        }
        Marking::Idr { .. } | Marking::Adaptive(_) => Err(Unsuitable::Marking),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_steps_keep_their_pictures_in_another_width() {
        // One back, the same again (a whole turn of 16), two back, one back.
        let list = [
            ListOp::Subtract(1),
            ListOp::Subtract(16),
            ListOp::Subtract(1),
            ListOp::Add(1),
        ];
        let wider = relist(&list, 16, 256);
        assert_eq!(
            wider,
            Ok(vec![
                ListOp::Subtract(1),
                ListOp::Subtract(256),
                ListOp::Subtract(1),
                ListOp::Add(1)
            ])
        );
        // An addition may stand for a distance back, one turn on.
        assert_eq!(
            relist(&[ListOp::Add(15)], 16, 32),
            Ok(vec![ListOp::Subtract(1)])
        );
        assert_eq!(
            relist(&[ListOp::Subtract(20)], 32, 16),
            Err(Unsuitable::References)
        );
        assert_eq!(
            relist(&[ListOp::LongTerm(0)], 16, 16),
            Err(Unsuitable::Marking)
        );
    }
}
