//! Exact cuts by splicing: every frame is there, in order, and copied frames
//! are the source's bit for bit.

use super::cut::{Source, exact, start_codes};
use super::ffmpeg::{EIGHT_BIT, FULL_RANGE, TEN_BIT, decode_loudly};
use super::stream::keyframes;
use crate::bitstream::hevc::cra::to_bla;
use crate::bitstream::hevc::{NalHeader, NalType};
use crate::bitstream::nal::{prefixed, push_prefixed};

const CLOSED: &str = "keyint=20:min-keyint=20:scenecut=0:open-gop=0:bframes=4:b-pyramid=1";
const OPEN: &str = "keyint=20:min-keyint=20:scenecut=0:open-gop=1:bframes=4:b-pyramid=1";

#[test]
fn closed_gops_are_copied_from_an_idr() {
    let source = Source::new(EIGHT_BIT, CLOSED);
    let cut = exact(&source, 7, 53, "");
    assert!(cut.copied.iter().filter(|&&copied| copied).count() >= 30);
    // On the keyframe, and to the end.
    let cut = exact(&source, 20, 60, "");
    assert!(cut.copied.iter().all(|&copied| copied));
}

#[test]
fn open_gops_are_copied_from_a_cra_turned_bla() {
    let source = Source::new(EIGHT_BIT, OPEN);
    assert_eq!(
        keyframes(&source.stream),
        [NalType::IDR_N_LP, NalType::CRA, NalType::CRA]
    );
    let cut = exact(&source, 7, 53, "");
    let kinds: Vec<_> = prefixed(&cut.stream, 4)
        .filter_map(|unit| NalHeader::parse(unit.expect("unit")).ok())
        .map(|header| header.kind)
        .collect();
    assert!(kinds.contains(&NalType::BLA_N_LP));
    // The next CRA keeps its type and its leading pictures.
    assert!(kinds.contains(&NalType::CRA) && kinds.iter().any(|kind| kind.is_rasl()));
    // Without a head, and the end between a CRA's leading pictures.
    exact(&source, 20, 38, "");
}

#[test]
fn ten_bit_open_gops() {
    exact(&Source::new(TEN_BIT, OPEN), 3, 57, "");
}

#[test]
fn decodable_leading_pictures_are_copied_with_their_idr() {
    let params = "radl=2:open-gop=0:keyint=20:min-keyint=20:scenecut=0:bframes=4:b-adapt=0";
    let source = Source::new(EIGHT_BIT, params);
    assert!(keyframes(&source.stream).contains(&NalType::IDR_W_RADL));
    exact(&source, 9, 55, "");
}

#[test]
fn several_slices_and_a_deep_pyramid() {
    let params = format!("{OPEN}:slices=2:ref=5:weightb=1:bframes=8:b-adapt=0");
    exact(&Source::new(EIGHT_BIT, &params), 11, 52, "slices=2");
}

#[test]
fn full_range() {
    let source = Source::new(FULL_RANGE, CLOSED);
    assert!(
        source
            .stream
            .sets
            .sps(0)
            .is_some_and(|sps| sps.vui.full_range)
    );
    exact(&source, 1, 59, "");
}

#[test]
fn temporal_sub_layers() {
    let source = Source::new(EIGHT_BIT, &format!("{OPEN}:temporal-layers=1"));
    assert_eq!(
        source.stream.sets.sps(0).map(|sps| sps.max_sub_layers),
        Some(2)
    );
    exact(&source, 7, 53, "");
}

#[test]
fn a_source_without_reordering() {
    exact(
        &Source::new(EIGHT_BIT, "keyint=20:min-keyint=20:scenecut=0:bframes=0"),
        7,
        53,
        "",
    );
}

/// The flag that C.5.2.2 obeys would cost the head's last frames; at the seam
/// it is cleared, both for an IDR and for a CRA.
#[test]
fn frames_before_the_seam_survive_a_flag_to_drop_them() {
    for params in [CLOSED, OPEN] {
        let mut source = Source::new(EIGHT_BIT, params);
        for packet in &mut source.stream.packets {
            if packet.facts.irap.is_some() && packet.shown == 20 {
                set_no_output_flag(&mut packet.units);
            }
        }
        let cut = exact(&source, 7, 30, "");
        // The counter-check: with the flag left in place, frames are missing.
        let mut damaged: Vec<Vec<u8>> = prefixed(&cut.stream[cut.seam..], 4)
            .map(|unit| unit.expect("unit").to_vec())
            .collect();
        let first_behind = damaged
            .iter()
            .position(|unit| unit[0] >> 1 < 16)
            .expect("another picture");
        set_no_output_flag(&mut damaged[..first_behind]);
        let mut stream = cut.stream[..cut.seam].to_vec();
        for unit in &damaged {
            push_prefixed(&mut stream, unit);
        }
        let (frames, _) = decode_loudly(&start_codes(&stream), source.samples);
        assert!(frames.len() < 23, "{params}: {} frames", frames.len());
    }
}

fn set_no_output_flag(units: &mut [Vec<u8>]) {
    for unit in units {
        if NalHeader::parse(unit).is_ok_and(|header| header.kind.is_irap()) {
            unit[2] |= 0x40;
        }
    }
}

/// What [`to_bla`] is for: the CRA as it is, behind an end of sequence, makes
/// the decoder infer the flag and drop the head's last frames.
#[test]
fn a_cra_left_as_it_is_loses_frames() {
    let source = Source::new(EIGHT_BIT, OPEN);
    let cut = exact(&source, 7, 30, "");
    let mut stream = cut.stream[..cut.seam].to_vec();
    push_prefixed(&mut stream, &[NalType::END_OF_SEQUENCE.0 << 1, 1]);
    for unit in prefixed(&cut.stream[cut.seam..], 4) {
        let mut unit = unit.expect("unit").to_vec();
        if NalHeader::parse(&unit).is_ok_and(|header| header.kind == NalType::BLA_N_LP) {
            unit[0] = NalType::CRA.0 << 1;
            assert!(to_bla(&mut unit.clone()));
        }
        push_prefixed(&mut stream, &unit);
    }
    let (frames, _) = decode_loudly(&start_codes(&stream), source.samples);
    assert!(frames.len() < 23, "{} frames", frames.len());
}
