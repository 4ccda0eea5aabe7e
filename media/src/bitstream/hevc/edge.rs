//! The encoder's pictures at the edges of a cut, in the source's stream.
//!
//! libx265 numbers its parameter sets from 0, as nearly every source does.
//! Here they get ids of their own, so that both streams' sets live beside each
//! other in one `hvcC` and in one decoder, and buffering limits that let the
//! decoder keep its delay across the seam.

use super::format::Format;
use super::ordering::Floor;
use super::pps::Pps;
use super::sets::ParameterSets;
use super::slice_edit::{clear_no_output_of_prior_pics, with_pps_id};
use super::sps::Sps;
use super::unit::{NalHeader, NalType};
use super::unsuitable::Unsuitable;
use super::vps::Vps;
use super::vui::Vui;
use crate::bitstream::bits::{Result, SyntaxError};
use crate::bitstream::nal::push_prefixed;

/// Rewrites the output of one encoder for one source.
#[derive(Debug, Clone)]
pub struct EdgeRewriter {
    /// As the encoder writes them, to notice when they change.
    originals: [Vec<u8>; 3],
    vps: Vec<u8>,
    sps: Vec<u8>,
    pps: Vec<u8>,
    pps_id: u8,
}

impl EdgeRewriter {
    /// Fits the encoder's sets, among `encoder_units` (its extradata or first
    /// packet; other units are passed over), beside all sets of the source.
    pub fn new<'a>(
        source: &ParameterSets,
        encoder_units: impl IntoIterator<Item = &'a [u8]>,
    ) -> std::result::Result<Self, Unsuitable> {
        let (floor, format, vui) = source_facts(source)?;
        let [vps, sps, pps] = one_of_each(encoder_units)?;
        let encoder = Sps::parse(sps)?;
        let encoder_pps = Pps::parse(pps)?;
        if Vps::parse(vps)?.id != encoder.vps_id || encoder_pps.sps_id != encoder.id {
            return Err(Unsuitable::EncoderSets);
        }
        if encoder_pps.id != 0 {
            return Err(Unsuitable::EncoderPpsId(encoder_pps.id));
        }
        if !same_picture(&encoder.format, &format) {
            return Err(Unsuitable::Format {
                source: format,
                encoder: encoder.format,
            });
        }
        if !same_display(&encoder.vui, &vui) {
            return Err(Unsuitable::Display {
                source: vui,
                encoder: encoder.vui,
            });
        }
        let vps_id = source
            .free_vps_id()
            .ok_or(Unsuitable::NoFreeId(NalType::VPS))?;
        let sps_id = source
            .free_sps_id()
            .ok_or(Unsuitable::NoFreeId(NalType::SPS))?;
        let pps_id = source
            .free_pps_id(15..31)
            .ok_or(Unsuitable::NoFreeId(NalType::PPS))?;
        Ok(Self {
            vps: Vps::rewrite(vps, vps_id, &floor)?,
            sps: Sps::rewrite(sps, vps_id, sps_id, &floor)?,
            pps: Pps::rewrite(pps, pps_id, sps_id)?,
            pps_id,
            originals: [vps.to_vec(), sps.to_vec(), pps.to_vec()],
        })
    }

    /// The rewritten sets: VPS, SPS, PPS. In `hvcC` they come behind the source's.
    pub fn sets(&self) -> [(NalType, &[u8]); 3] {
        [
            (NalType::VPS, &self.vps),
            (NalType::SPS, &self.sps),
            (NalType::PPS, &self.pps),
        ]
    }

    /// The rewritten sets, each behind its length in four bytes: to stand in
    /// front of an encoded random access picture.
    pub fn in_band(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.vps.len() + self.sps.len() + self.pps.len() + 12);
        for (_, unit) in self.sets() {
            push_prefixed(&mut out, unit);
        }
        out
    }

    /// The slices of an encoded access unit under the rewritten sets, each
    /// behind its length in four bytes; delimiter, SEI and sets are left out.
    /// The encoder must not have changed its sets in between.
    pub fn rewrite<'a>(&self, units: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for unit in units {
            let header = NalHeader::parse(unit)?;
            if header.kind.is_parameter_set() && !self.originals.iter().any(|each| each == unit) {
                return Err(SyntaxError("the encoder changed its parameter sets"));
            }
            if header.kind.is_vcl() && header.layer_id == 0 {
                let mut slice = with_pps_id(unit, self.pps_id)?;
                clear_no_output_of_prior_pics(&mut slice);
                push_prefixed(&mut out, &slice);
            }
        }
        if out.is_empty() {
            return Err(SyntaxError("an encoded access unit without a picture"));
        }
        Ok(out)
    }
}

/// The limits that cover all of the source, and what all its sets agree on.
fn source_facts(source: &ParameterSets) -> std::result::Result<(Floor, Format, Vui), Unsuitable> {
    let mut all = source.all_sps();
    let first = all.next().ok_or(Unsuitable::NoSourceSps)?;
    let mut floor = Floor {
        buffering: first.ordering.highest(),
        level_idc: first.profile.level_idc,
    };
    for sps in all {
        if !same_picture(&sps.format, &first.format) || !same_display(&sps.vui, &first.vui) {
            return Err(Unsuitable::SourceFormatsDiffer);
        }
        floor.buffering = floor.buffering.covering(sps.ordering.highest());
        floor.level_idc = floor.level_idc.max(sps.profile.level_idc);
    }
    if source.all_sps().any(|sps| sps.vui.field_seq) {
        return Err(Unsuitable::Fields);
    }
    Ok((floor, first.format, first.vui))
}

/// The one VPS, SPS and PPS among the units; repetitions do not count.
fn one_of_each<'a>(
    units: impl IntoIterator<Item = &'a [u8]>,
) -> std::result::Result<[&'a [u8]; 3], Unsuitable> {
    let mut found: [Option<&[u8]>; 3] = [None; 3];
    for unit in units {
        let kind = NalHeader::parse(unit)?.kind;
        let slot = match kind {
            NalType::VPS => &mut found[0],
            NalType::SPS => &mut found[1],
            NalType::PPS => &mut found[2],
            _ => continue,
        };
        if slot.is_some_and(|known| known != unit) {
            return Err(Unsuitable::EncoderSets);
        }
        *slot = Some(unit);
    }
    match found {
        [Some(vps), Some(sps), Some(pps)] => Ok([vps, sps, pps]),
        _ => Err(Unsuitable::EncoderSets),
    }
}

/// Whether both show pictures of the same size and sampling. The coded size may
/// differ, for encoders pad to different multiples.
fn same_picture(a: &Format, b: &Format) -> bool {
    Format {
        coded: b.coded,
        ..*a
    } == *b
}

/// Whether both look the same on the screen. The frame rate may differ: the
/// container says when a picture is shown.
fn same_display(a: &Vui, b: &Vui) -> bool {
    let aspect = |vui: &Vui| {
        let (width, height) = vui.sample_aspect_ratio.unwrap_or((1, 1));
        (u32::from(width), u32::from(height))
    };
    let ((a_width, a_height), (b_width, b_height)) = (aspect(a), aspect(b));
    a.full_range == b.full_range && a.colour == b.colour && a_width * b_height == b_width * a_height
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::ordering::SubLayer;
    use crate::bitstream::hevc::samples::{PPS, SPS, SPS_FULL, VPS};
    use crate::bitstream::hevc::slice::SliceStart;
    use crate::bitstream::nal::prefixed;

    const IDR: &[u8] = &[0x28, 0x01, 0xef, 0x1d, 0x80, 0x62, 0x76, 0xbf, 0x02, 0x3d];

    fn source(units: &[&[u8]]) -> ParameterSets {
        let mut sets = ParameterSets::new();
        sets.insert_all(units.iter().copied()).expect("sets");
        sets
    }

    #[test]
    fn sets_move_beside_the_sources_and_take_its_limits() {
        let buffering = SubLayer {
            dpb_pictures: 7,
            max_num_reorder: 4,
            max_latency_increase_plus1: 0,
        };
        let floor = Floor {
            buffering,
            level_idc: 93,
        };
        let deep = Sps::rewrite(SPS, 0, 0, &floor).expect("rewrite");
        let rewriter =
            EdgeRewriter::new(&source(&[VPS, &deep, PPS]), [VPS, SPS, PPS]).expect("new");
        let [vps, sps, pps] = rewriter.sets().map(|(_, unit)| unit);
        let sps = Sps::parse(sps).expect("SPS");
        let pps = Pps::parse(pps).expect("PPS");
        assert_eq!(
            (Vps::parse(vps).map(|vps| vps.id), sps.vps_id, sps.id),
            (Ok(1), 1, 1)
        );
        assert_eq!((pps.id, pps.sps_id), (15, 1));
        assert_eq!(sps.ordering.layers, [buffering]);
        assert_eq!(sps.profile.level_idc, 93);
        let in_band = rewriter.in_band();
        let units: Result<Vec<_>> = prefixed(&in_band, 4).collect();
        assert_eq!(units, Ok(rewriter.sets().map(|(_, unit)| unit).to_vec()));
    }

    #[test]
    fn only_slices_remain_of_an_access_unit() {
        let rewriter = EdgeRewriter::new(&source(&[VPS, SPS, PPS]), [VPS, SPS, PPS]).expect("new");
        let sei = &[0x4e, 0x01, 5][..];
        let out = rewriter
            .rewrite([VPS, SPS, PPS, sei, IDR, IDR])
            .expect("rewrite");
        let units: Vec<_> = prefixed(&out, 4).collect::<Result<_>>().expect("prefixed");
        assert_eq!(units.len(), 2);
        for unit in units {
            let start = SliceStart::parse(unit).expect("slice");
            assert_eq!((start.pps_id, start.no_output_of_prior_pics), (15, false));
        }
        assert!(rewriter.rewrite([sei]).is_err());
        let changed = Pps::rewrite(PPS, 0, 1).expect("rewrite");
        assert!(rewriter.rewrite([&changed[..], IDR]).is_err());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let new = |source: &ParameterSets, units: &[&[u8]]| {
            EdgeRewriter::new(source, units.iter().copied()).err()
        };
        let plain = source(&[VPS, SPS, PPS]);
        assert_eq!(new(&plain, &[VPS, SPS, PPS, SPS]), None);
        assert_eq!(new(&plain, &[VPS, SPS]), Some(Unsuitable::EncoderSets));
        let ids = Pps::rewrite(PPS, 3, 0).expect("rewrite");
        assert_eq!(
            new(&plain, &[VPS, SPS, &ids]),
            Some(Unsuitable::EncoderPpsId(3))
        );
        let ids = Pps::rewrite(PPS, 0, 2).expect("rewrite");
        assert_eq!(
            new(&plain, &[VPS, SPS, &ids]),
            Some(Unsuitable::EncoderSets)
        );
        assert_eq!(
            new(&ParameterSets::new(), &[VPS, SPS, PPS]),
            Some(Unsuitable::NoSourceSps)
        );
        let ten_bits = source(&[VPS, SPS_FULL, PPS]);
        let refused = new(&ten_bits, &[VPS, SPS, PPS]);
        assert!(
            matches!(refused, Some(Unsuitable::Format { .. })),
            "{refused:?}"
        );
        let moved = Sps::rewrite(SPS_FULL, 0, 1, &Floor::default()).expect("rewrite");
        let mixed = source(&[VPS, SPS, &moved, PPS]);
        assert_eq!(
            new(&mixed, &[VPS, SPS, PPS]),
            Some(Unsuitable::SourceFormatsDiffer)
        );

        let mut full = plain.clone();
        for id in 0..16 {
            let sps = Sps::rewrite(SPS, 0, id, &Floor::default()).expect("rewrite");
            full.insert(&sps).expect("insert");
        }
        assert_eq!(
            new(&full, &[VPS, SPS, PPS]),
            Some(Unsuitable::NoFreeId(NalType::SPS))
        );
        let mut full = plain;
        for id in 15..31 {
            full.insert(&Pps::rewrite(PPS, id, 0).expect("rewrite"))
                .expect("insert");
        }
        assert_eq!(
            new(&full, &[VPS, SPS, PPS]),
            Some(Unsuitable::NoFreeId(NalType::PPS))
        );
    }

    #[test]
    fn an_unspecified_aspect_ratio_is_square() {
        let plain = Vui::default();
        let square = Vui {
            sample_aspect_ratio: Some((1, 1)),
            ..plain
        };
        let wide = Vui {
            sample_aspect_ratio: Some((4, 3)),
            ..plain
        };
        assert!(same_display(&plain, &square) && !same_display(&plain, &wide));
        assert!(same_display(
            &wide,
            &Vui {
                sample_aspect_ratio: Some((8, 6)),
                ..plain
            }
        ));
        assert!(!same_display(
            &plain,
            &Vui {
                full_range: true,
                ..plain
            }
        ));
    }
}
