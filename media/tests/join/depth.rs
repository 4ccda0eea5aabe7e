//! Segments that decode by different delays: the decoding times at the seam.

use flatbed_media::cut::{OnMismatch, Options};

use super::{frames, join};
use crate::fixture::{Fixture, Source};

const PYRAMID: &str = "keyint=50:min-keyint=50:scenecut=0:bframes=3:b-pyramid=normal:b-adapt=0";

/// The parameter sets of a stream with B-frames; its decoding times `frames` frames earlier or
/// later than the encoder's, as other muxers have them.
fn delayed(first: u32, frames: i32) -> Fixture {
    let source = Source::new().first(first).frames(50).params(PYRAMID);
    let filter = format!("-bsf:v setts=pts=PTS:dts=DTS-({frames})*1000");
    source.timescale(25_000).args(&filter).build()
}

#[test]
fn segments_that_decode_earlier_or_later() {
    for (first, second) in [(0, 3), (3, 0), (2, 5)] {
        let parts = [delayed(0, first), delayed(50, second), delayed(100, first)];
        for container in ["mp4", "mkv", "ts"] {
            let made = join(&parts, container, &Options::default());
            made.shows(0..150);
            made.is_even((25, 1));
        }
        let made = join(&parts, "mp4", &frames(20, 120));
        made.shows(20..120);
        made.is_even((25, 1));
    }
}

#[test]
fn tiny_segments_that_never_reorder() {
    // One and two frames are too few for a B-frame, but the SPS allows for some.
    let tiny = |first, frames| {
        Source::new()
            .params(PYRAMID)
            .first(first)
            .frames(frames)
            .build()
    };
    let parts = [
        tiny(0, 50),
        tiny(50, 1),
        tiny(51, 2),
        tiny(53, 47),
        tiny(100, 1),
    ];
    for container in ["mp4", "mkv", "ts"] {
        let made = join(&parts, container, &Options::default());
        made.shows(0..101);
        made.is_even((25, 1));
        assert_eq!(made.report.frames_encoded, 0);
    }
}

#[test]
fn a_stranger_without_reordering_between_others() {
    let parts = [
        Source::new().params(PYRAMID).frames(50).build(),
        Source::new()
            .first(50)
            .frames(50)
            .params("keyint=25:bframes=0")
            .build(),
        Source::new().params(PYRAMID).first(100).frames(50).build(),
    ];
    let options = |base| Options {
        on_mismatch: OnMismatch::Reencode,
        ..base
    };
    for container in ["mp4", "mkv", "ts"] {
        let made = join(&parts, container, &options(Options::default()));
        made.shows(0..150);
        made.is_even((25, 1));
        let turned = [parts[1].clone(), parts[0].clone(), parts[2].clone()];
        let made = join(&turned, container, &options(Options::default()));
        made.shows((50..100).chain(0..50).chain(100..150));
        made.is_even((25, 1));
    }
    let made = join(&parts, "mp4", &options(frames(40, 110)));
    made.shows(40..110);
    made.is_even((25, 1));
}
