//! Open GOPs at a segment's start: frames there lean on a GOP that is not in the file.

use flatbed_media::cut::{Gaps, OnMismatch, Options, Timeline};

use super::{frames, join};
use crate::fixture::{Fixture, Source};
use crate::observe;

const X264: &str = "keyint=25:min-keyint=25:scenecut=0:bframes=3:b-adapt=0:open-gop=1";
const X265: &str = "keyint=25:min-keyint=25:scenecut=0:bframes=3:b-adapt=0:open-gop=1";

fn source(codec: &str, container: &str) -> Source {
    let params = if codec == "libx265" { X265 } else { X264 };
    Source::new()
        .codec(codec)
        .container(container)
        .params(params)
}

/// A recording that begins within a GOP, and the number of its first whole frame: the one with
/// the first keyframe, for what is shown before that cannot be decoded.
fn headless(codec: &str, container: &str, first: u32) -> (Fixture, u32) {
    let fixture = source(codec, container)
        .first(first)
        .drop_packets(10)
        .build();
    // Packets and frames of Matroska and TS alike are in presentation order up to the key.
    let packets = observe::packets(&fixture.path);
    let key = packets
        .iter()
        .find(|packet| packet.key)
        .expect("a keyframe");
    let later = packets
        .iter()
        .filter(|packet| packet.pts >= key.pts)
        .count() as u32;
    let end = fixture.numbers().end;
    (fixture, end - later)
}

#[test]
fn joined_open_gops_are_copied() {
    for codec in ["libx264", "libx265"] {
        for container in ["mp4", "ts"] {
            let parts = source(codec, container).segments(&[60, 60]);
            let made = join(&parts, "mp4", &Options::default());
            made.shows(0..120);
            made.is_even((25, 1));
            let made = join(&parts, "mkv", &frames(30, 100));
            made.shows(30..100);
            made.is_even((25, 1));
        }
    }
}

#[test]
fn a_recording_that_begins_within_a_gop_follows_another() {
    for codec in ["libx264", "libx265"] {
        for container in ["mkv", "ts"] {
            let whole = source(codec, container).build();
            let (cut_off, first) = headless(codec, container, 100);
            assert!((101..130).contains(&first), "{first}");
            for result in ["mp4", "mkv", "ts"] {
                let parts = [whole.clone(), cut_off.clone()];
                let made = join(&parts, result, &Options::default());
                made.shows((0..100).chain(first..200));
                made.is_even((25, 1));
            }
        }
    }
}

#[test]
fn a_recording_that_begins_within_a_gop_comes_first() {
    for codec in ["libx264", "libx265"] {
        let (cut_off, first) = headless(codec, "mkv", 0);
        let next = source(codec, "mkv").first(100).build();
        let made = join(&[cut_off, next], "mp4", &Options::default());
        made.shows(first..200);
        made.is_even((25, 1));
    }
}

#[test]
fn behind_a_kept_gap() {
    for codec in ["libx264", "libx265"] {
        let whole = source(codec, "ts").offset(10.0).build();
        let second = source(codec, "ts")
            .first(125)
            .offset(15.0)
            .drop_packets(10)
            .build();
        let (_, first) = headless(codec, "ts", 125);
        let options = Options {
            timeline: Timeline::Source,
            gaps: Gaps::Keep,
            ..Options::default()
        };
        let made = join(&[whole, second], "mp4", &options);
        let shown = made.shows((0..100).chain(first..225));
        for frame in shown {
            let due = f64::from(frame.number) / 25.0;
            assert!((frame.pts - shown[0].pts - due).abs() < 0.002, "{frame:?}");
        }
    }
}

#[test]
fn an_overlap_that_ends_before_an_open_gop() {
    for codec in ["libx264", "libx265"] {
        let whole = source(codec, "ts").offset(10.0).build();
        for second in [90, 80, 70] {
            let offset = 10.0 + f64::from(second) / 25.0;
            let part = source(codec, "ts").first(second).offset(offset).build();
            let options = Options {
                timeline: Timeline::Source,
                ..Options::default()
            };
            let made = join(&[whole.clone(), part], "mp4", &options);
            made.shows(0..second + 100);
            made.is_even((25, 1));
        }
    }
}

#[test]
fn a_stranger_with_open_gops_is_encoded() {
    let first = Source::new().frames(50).build();
    for codec in ["libx264", "libx265"] {
        let stranger = source(codec, "mkv").first(50).size(640, 480).build();
        let options = Options {
            on_mismatch: OnMismatch::Reencode,
            ..Options::default()
        };
        let made = join(&[first.clone(), stranger], "mp4", &options);
        made.shows(0..150);
        made.is_even((25, 1));
    }
}
