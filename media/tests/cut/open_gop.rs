//! Entry points that are no IDR pictures: recovery points of H.264, CRA pictures of HEVC, and the
//! leading pictures behind both.

use super::original::Original;
use crate::fixture::Source;

/// H.264 with one IDR picture at the start and recovery points every 20 frames. x264 writes the
/// SEI in front of the slices.
fn h264(more: &str) -> Source {
    let params = format!("keyint=20:min-keyint=20:scenecut=0:open-gop=1:bframes=3:{more}");
    Source::new().params(&params)
}

fn hevc(more: &str) -> Source {
    let params = format!("keyint=20:min-keyint=20:scenecut=0:open-gop=1:bframes=3:{more}");
    Source::new().codec("libx265").params(&params)
}

/// The numbers of the key frames but the first one, in the order shown.
fn entries(original: &Original) -> Vec<u32> {
    let keys = original
        .packets()
        .into_iter()
        .filter(|packet| packet.key)
        .skip(1);
    let number = |pts: f64| {
        let near = |time: f64| (time - pts).abs() < 0.000_05;
        original
            .frames
            .iter()
            .find(|frame| near(frame.pts))
            .map(|frame| frame.number)
    };
    keys.filter_map(|key| number(key.pts? as f64 * key.tick))
        .collect()
}

/// Cuts around the second entry: on it, among its leading frames, in the GOPs around it.
fn check_cuts_around_entries(source: &Source, container: &str) {
    let original = Original::of(source);
    let [first, second, third, ..] = entries(&original)[..] else {
        panic!("{source:?} has few entries")
    };
    for start in [first, second - 1, second + 7] {
        let encoded = original.cut(start..third + 5, container).check();
        // The start's GOP up to the next entry, the leading frames, the end's reordered frames.
        assert!(encoded < 30, "from {start}: {encoded} frames encoded");
    }
    for end in [second - 1, second + 1] {
        let encoded = original.cut(first + 3..end, container).check();
        assert!(encoded < 30, "up to {end}: {encoded} frames encoded");
    }
}

#[test]
fn h264_recovery_points() {
    check_cuts_around_entries(&h264(""), "mp4");
}

#[test]
fn h264_recovery_points_in_matroska_and_ts() {
    check_cuts_around_entries(&h264("").container("mkv"), "mkv");
    check_cuts_around_entries(&h264("ref=3").container("ts"), "ts");
}

#[test]
fn h264_recovery_points_with_a_pyramid_and_many_references() {
    check_cuts_around_entries(&h264("b-pyramid=normal:b-adapt=0:ref=5:weightp=2"), "mp4");
}

#[test]
fn h264_slices_and_a_delimiter_in_front_of_the_sei() {
    check_cuts_around_entries(&h264("slices=3:aud=1").container("ts"), "mp4");
}

#[test]
fn hevc_cra_with_leading_pictures() {
    check_cuts_around_entries(&hevc(""), "mp4");
}

#[test]
fn hevc_cra_in_matroska_and_ts() {
    check_cuts_around_entries(&hevc("ref=3").container("mkv"), "mkv");
    check_cuts_around_entries(&hevc("b-adapt=0").container("ts"), "ts");
}

#[test]
fn hevc_cra_with_decodable_leading_pictures() {
    check_cuts_around_entries(&hevc("radl=2"), "mp4");
}
