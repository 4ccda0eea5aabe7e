//! Parameter sets: two encoders' in one stream, with ids that do not collide, where each container
//! expects them.

use std::collections::BTreeSet;

use super::clip::Clip;
use super::original::{Original, streams};
use super::units::{annex_b, samples};
use crate::fixture::Source;
use crate::observe::Movie;

fn h264(more: &str) -> Source {
    Source::new().params(&format!(
        "keyint=20:min-keyint=20:scenecut=0:bframes=2:{more}"
    ))
}

fn hevc(more: &str) -> Source {
    let params = format!("keyint=20:min-keyint=20:scenecut=0:bframes=2:open-gop=0:{more}");
    Source::new().codec("libx265").params(&params)
}

/// NAL unit types in the samples of the clip, without what its header holds.
fn types_in_samples(clip: &Clip<'_>, hevc: bool) -> BTreeSet<u8> {
    let kind = |unit: &&[u8]| {
        if hevc {
            unit[0] >> 1 & 0x3F
        } else {
            unit[0] & 0x1F
        }
    };
    let samples = samples(clip);
    let units = samples.iter().flat_map(|sample| annex_b(sample));
    units
        .filter(|unit| !unit.is_empty())
        .map(|unit| kind(&unit))
        .collect()
}

#[test]
fn avc1_holds_both_pps_and_no_sets_are_in_band() {
    // The source's sets stand in its header, or in front of each keyframe.
    for source in [
        h264(""),
        h264("repeat-headers=1:aud=1"),
        h264("sps-id=3"),
        h264("").container("ts"),
    ] {
        let original = Original::of(&source);
        for output in ["mp4", "mov"] {
            let clip = original.cut(13..67, output);
            clip.check();
            let movie = Movie::open(&clip.path);
            let video = movie.track("vide");
            assert_eq!((video.entry(), video.entries.len()), ("avc1", 1));
            let config = &video.config("avcC").expect("avcC").body;
            let (sps, pps) = avc_sets(config);
            assert_eq!(sps.len(), 1, "the source's SPS alone: {sps:?}");
            assert_eq!(pps.len(), 2, "the source's PPS and the encoder's: {pps:?}");
            assert_ne!(pps[0], pps[1]);
            // SPS, PPS and delimiters.
            let found = types_in_samples(&clip, false);
            assert!(
                [7, 8, 9].iter().all(|kind| !found.contains(kind)),
                "{found:?}"
            );
        }
    }
}

#[test]
fn a_source_that_uses_a_scaling_list_gets_a_second_sps() {
    let original = Original::of(&h264("cqm=jvt"));
    let clip = original.cut(13..67, "mp4");
    clip.check();
    let movie = Movie::open(&clip.path);
    let (sps, pps) = avc_sets(&movie.track("vide").config("avcC").expect("avcC").body);
    assert!(sps.len() <= 2 && pps.len() == 2, "{sps:?} {pps:?}");
}

#[test]
fn hvc1_holds_both_sets() {
    for source in [
        hevc(""),
        hevc("repeat-headers=1:aud=1"),
        hevc("").container("ts"),
    ] {
        let original = Original::of(&source);
        let clip = original.cut(13..67, "mp4");
        clip.check();
        let movie = Movie::open(&clip.path);
        let video = movie.track("vide");
        assert_eq!((video.entry(), video.entries.len()), ("hvc1", 1));
        let config = &video.config("hvcC").expect("hvcC").body;
        // Arrays of VPS, SPS and PPS with two units each.
        let counts = hevc_arrays(config);
        for kind in [32, 33, 34] {
            let count = counts
                .iter()
                .find(|array| array.0 == kind)
                .map(|array| array.1);
            assert_eq!(count, Some(2), "type {kind}: {counts:?}");
        }
    }
}

#[test]
fn a_stream_in_ts_can_be_entered_at_each_keyframe() {
    for (source, hevc) in [(h264(""), false), (hevc(""), true)] {
        let original = Original::of(&source);
        let clip = original.cut(13..67, "ts");
        clip.check();
        let found = types_in_samples(&clip, hevc);
        let sets: &[u8] = if hevc { &[32, 33, 34] } else { &[7, 8] };
        assert!(sets.iter().all(|kind| found.contains(kind)), "{found:?}");
    }
}

#[test]
fn profile_level_and_decoder_size_are_the_sources() {
    for params in ["level=31:ref=2", "level=51:ref=4"] {
        let original = Original::of(&h264(params));
        let clip = original.cut(13..67, "mp4");
        clip.check();
        let facts = &streams(&clip.path, "v")[0];
        assert_eq!(
            facts["level"],
            if params.starts_with("level=31") {
                31
            } else {
                51
            }
        );
    }
}

/// The SPS and PPS of an `avcC` (ISO/IEC 14496-15, 5.3.3.1).
fn avc_sets(config: &[u8]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (sps, rest) = length_prefixed(&config[6..], config[5] & 0x1F);
    let (pps, _) = length_prefixed(&rest[1..], rest[0]);
    (sps, pps)
}

fn length_prefixed(mut bytes: &[u8], count: u8) -> (Vec<Vec<u8>>, &[u8]) {
    let mut units = Vec::new();
    for _ in 0..count {
        let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        units.push(bytes[2..2 + length].to_vec());
        bytes = &bytes[2 + length..];
    }
    (units, bytes)
}

/// Type and number of units of each array of an `hvcC` (ISO/IEC 14496-15, 8.3.3.1).
fn hevc_arrays(config: &[u8]) -> Vec<(u8, u16)> {
    let mut rest = &config[23..];
    let mut arrays = Vec::new();
    for _ in 0..config[22] {
        let count = u16::from_be_bytes([rest[1], rest[2]]);
        arrays.push((rest[0] & 0x3F, count));
        let units = u8::try_from(count).expect("few units");
        rest = length_prefixed(&rest[3..], units).1;
    }
    arrays
}
