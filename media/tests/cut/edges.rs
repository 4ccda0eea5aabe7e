//! Where a cut may lie: in and between GOPs, on a frame's printed time, around a single frame.

use flatbed_media::cut::{Mode, Options};

use super::original::Original;
use crate::fixture::Source;

/// Four closed GOPs of 25 frames, two B-frames.
fn closed() -> Source {
    Source::new().audio("aac")
}

#[test]
fn the_end_lies_inside_a_gop() {
    let original = Original::of(&closed());
    // The end behind each kind of frame: I, P and both B.
    for end in 50..55 {
        let encoded = original.cut(25..end, "mp4").check();
        assert!(encoded <= 3, "up to {end}: {encoded} frames encoded");
    }
    assert_eq!(original.cut(25..75, "mp4").check(), 0);
}

#[test]
fn the_start_lies_inside_a_gop() {
    let original = Original::of(&closed());
    for start in [26, 37, 49] {
        assert_eq!(
            original.cut(start..75, "mp4").check(),
            u64::from(50 - start)
        );
    }
}

#[test]
fn both_ends_lie_inside_gops() {
    let original = Original::of(&closed());
    let encoded = original.cut(13..88, "mp4").check();
    assert!((12..=15).contains(&encoded), "{encoded}");
}

#[test]
fn both_cuts_lie_in_one_gop() {
    let original = Original::of(&closed());
    for range in [26..49, 30..40, 1..24, 77..100] {
        let length = range.len() as u64;
        assert_eq!(original.cut(range, "mp4").check(), length);
    }
    // From a keyframe on, only what follows the end out of order is encoded.
    assert!(original.cut(25..44, "mp4").check() <= 2);
}

#[test]
fn a_single_frame() {
    let original = Original::of(&closed());
    for number in [0, 24, 25, 26, 60, 99] {
        for container in ["mp4", "mkv"] {
            original.cut(number..number + 1, container).check_frames();
        }
    }
    // One encoded frame between the cut and a GOP that is copied, and after one.
    assert_eq!(original.cut(24..75, "mp4").check(), 1);
    assert_eq!(original.cut(25..51, "mp4").check(), 0);
}

#[test]
fn all_of_a_file_is_copied() {
    let original = Original::of(&closed());
    assert_eq!(original.cut(0..100, "mp4").check(), 0);
}

#[test]
fn a_gop_longer_than_the_clip() {
    let source = Source::new()
        .frames(200)
        .params("keyint=1000:scenecut=0:bframes=2")
        .audio("aac");
    let original = Original::of(&source);
    assert_eq!(original.cut(60..110, "mp4").check(), 50);
    assert!(original.cut(0..110, "mp4").check() <= 2);
    assert_eq!(original.cut(150..200, "mkv").check(), 50);
}

#[test]
fn a_printed_time_names_its_frame() {
    // Ticks that no decimal fraction meets.
    for (fps, ticks) in [
        ("30000/1001", 30_000),
        ("24000/1001", 24_000),
        ("50", 12_800),
        ("7", 7),
    ] {
        let source = Source::new()
            .fps(fps)
            .timescale(ticks)
            .params("keyint=10:bframes=2");
        let original = Original::of(&source);
        for range in [7..53, 29..61, 31..62] {
            original.cut(range, "mp4").check();
        }
    }
    for container in ["mkv", "ts"] {
        let source = Source::new()
            .fps("30000/1001")
            .container(container)
            .params("keyint=10:bframes=2");
        let original = Original::of(&source);
        for range in [7..53, 29..61] {
            original.cut(range, "mp4").check();
        }
    }
}

#[test]
fn a_start_between_two_frames_takes_the_later_one() {
    let original = Original::of(&closed());
    let clip = original.cut_between(1.001, 2.001, "mp4");
    assert_eq!(clip, (26..51).collect::<Vec<_>>());
    let clip = original.cut_between(0.999, 1.999, "mp4");
    assert_eq!(clip, (25..50).collect::<Vec<_>>());
}

#[test]
fn the_mode_copy_starts_at_the_keyframe_before_and_says_so() {
    let original = Original::of(&closed());
    let clip = original.cut_with(
        40..75,
        "mp4",
        Options {
            mode: Mode::Copy,
            ..Options::default()
        },
    );
    assert_eq!(clip.frames[0].number, 25);
    assert_eq!(clip.frames.last().expect("frames").number, 74);
    assert_eq!(
        (clip.report.frames_copied, clip.report.frames_encoded),
        (50, 0)
    );
    assert_eq!(clip.report.start, original.time_of(25));
}

#[test]
fn the_mode_reencode_shows_the_same_frames() {
    let original = Original::of(&closed());
    let mode = |mode| Options {
        mode,
        ..Options::default()
    };
    for range in [0..100, 30..40, 13..88] {
        let clip = original.cut_with(range, "mp4", mode(Mode::Reencode));
        clip.check_frames();
        clip.check_times();
        clip.check_copied_and_encoded();
        clip.check_report();
    }
}
