//! Plain seams: every container in, every container out, cuts beside and across them.

use flatbed_media::cut::{Mode, Options};

use super::{cut, frames, join, segments};
use crate::fixture::{Fixture, Source};

/// 50 frames each, two GOPs.
fn four() -> Vec<Fixture> {
    Source::new().segments(&[50, 50, 50, 50])
}

/// Nothing is encoded: the frames are the source's, bit for bit.
fn joins_by_copying(parts: &[Fixture], container: &str) {
    let made = join(parts, container, &Options::default());
    made.shows(0..105);
    assert_eq!(made.report.frames_encoded, 0, "{container}");
    made.is_even((25, 1));
    for part in parts {
        made.has_copied(part, part.numbers());
    }
}

#[test]
fn segments_of_every_container_become_one() {
    for container in ["mp4", "mov", "mkv", "ts", "mpg", "avi"] {
        // AVI has no presentation times, ffmpeg's PS only some: with B-frames there would be
        // nothing to go by.
        let params = if ["avi", "mpg"].contains(&container) {
            "keyint=25:min-keyint=25:scenecut=0:bframes=0"
        } else {
            "keyint=25:min-keyint=25:scenecut=0:bframes=3:b-pyramid=normal:b-adapt=0"
        };
        let source = Source::new().container(container).params(params);
        let parts = source.segments(&[40, 30, 35]);
        joins_by_copying(&parts, "mp4");
    }
}

#[test]
fn a_join_goes_to_every_container() {
    for codec in ["libx264", "libx265"] {
        let parts = Source::new().codec(codec).segments(&[40, 30, 35]);
        for container in ["mp4", "mov", "mkv", "ts"] {
            joins_by_copying(&parts, container);
        }
    }
}

#[test]
fn a_cut_begins_and_ends_in_different_segments() {
    for (from, to, container) in [
        (30, 170, "mp4"),
        (70, 130, "mkv"),
        (1, 199, "ts"),
        (60, 140, "mov"),
    ] {
        let made = join(&four(), container, &frames(from, to));
        made.shows(from..to);
        made.is_even((25, 1));
        assert!(made.report.frames_encoded <= 50, "{:?}", made.report);
        // Whole GOPs between the edges are untouched, those at the seams too.
        for part in &four() {
            let whole = part.numbers().start.max(from.next_multiple_of(25))
                ..part.numbers().end.min(to / 25 * 25);
            made.has_copied(part, whole);
        }
    }
}

#[test]
fn a_cut_in_hevc_across_two_seams() {
    for container in ["mp4", "mkv", "ts"] {
        let parts = Source::new().codec("libx265").segments(&[50, 50, 50]);
        let made = join(&parts, container, &frames(30, 120));
        made.shows(30..120);
        made.is_even((25, 1));
        made.has_copied(&parts[1], 50..100);
    }
}

#[test]
fn a_cut_at_a_seam_encodes_nothing() {
    for (from, to) in [(0, 50), (50, 100), (50, 150), (100, 200)] {
        let made = join(&four(), "mp4", &frames(from, to));
        made.shows(from..to);
        made.is_even((25, 1));
        assert_eq!(made.report.frames_encoded, 0, "{from} to {to}");
    }
}

#[test]
fn single_frames_beside_a_seam() {
    for (from, to) in [(49, 50), (50, 51), (49, 51), (48, 53), (99, 151)] {
        for container in ["mp4", "ts"] {
            let made = join(&four(), container, &frames(from, to));
            made.shows(from..to);
            made.is_even((25, 1));
        }
    }
}

#[test]
fn the_other_modes_cross_seams_too() {
    let with = |mode| Options {
        mode,
        ..frames(30, 120)
    };
    let encoded = join(&four(), "mp4", &with(Mode::Reencode));
    encoded.shows(30..120);
    encoded.is_even((25, 1));
    assert_eq!(encoded.report.frames_copied, 0);
    let copied = join(&four(), "mp4", &with(Mode::Copy));
    // From the keyframe before, and to a little behind the end: decoding order decides.
    assert_eq!(copied.report.frames_encoded, 0);
    let last = 25 + u32::try_from(copied.report.frames).expect("few");
    assert!((120..=123).contains(&last), "{:?}", copied.report);
    copied.shows(25..last);
}

#[test]
fn the_report_tells_where_the_result_lies() {
    let made = join(&four(), "mp4", &frames(30, 170));
    let report = &made.report;
    assert_eq!(report.start, super::frame_time(30));
    assert_eq!(report.end, super::frame_time(170));
    assert_eq!(report.duration, super::frame_time(140));
    let bytes = made.path.metadata().expect("the result").len();
    assert_eq!(report.bytes, bytes);
}

#[test]
fn percentages_count_over_all_segments() {
    use flatbed_media::cut::{Position, Selection, Until};
    for container in ["mp4", "mkv", "ts", "mpg"] {
        let parts = Source::new().container(container).segments(&[50, 100, 50]);
        let options = Options {
            selection: Selection {
                start: Some(Position::Percent(20.0)),
                end: Until::At(Position::Percent(80.0)),
            },
            ..Options::default()
        };
        let made = cut(segments(&parts), "mp4", &options)
            .unwrap_or_else(|error| panic!("{container}: {error}"));
        made.shows(40..160);
    }
}
