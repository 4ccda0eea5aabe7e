//! The 33-bit clock of MPEG streams begins anew: inside a segment and between two (case 8).

use flatbed_media::cut::{Options, Timeline};

use super::{AAC_FRAME, IN_STEP, frames, join};
use crate::fixture::{Fixture, Recorder, Source};

/// 2^33 ticks of 90 kHz, in seconds.
const WRAP: f64 = 95_443.717_688;

/// Three segments of 75 frames whose clock runs on; the first begins at `start`.
fn running(start: f64, recorder: bool) -> Vec<Fixture> {
    let source = Source::new().audio("aac").offset(start);
    let source = if recorder {
        source.recorder(Recorder::default())
    } else {
        source.container("ts")
    };
    source.running_segments(&[75, 75, 75])
}

fn options(options: Options, timeline: Timeline) -> Options {
    Options {
        timeline,
        ..options
    }
}

fn check(start: f64) {
    for recorder in [false, true] {
        let parts = running(start, recorder);
        for (container, timeline, most) in [
            ("mp4", Timeline::Follow, IN_STEP),
            ("ts", Timeline::Source, AAC_FRAME),
        ] {
            let made = join(&parts, container, &options(Options::default(), timeline));
            made.shows(0..225);
            made.is_even((25, 1));
            made.is_in_step(&[0, 67, 75, 142, 150, 217], 2, most);
        }
        let made = join(&parts, "mp4", &options(frames(40, 190), Timeline::Source));
        made.shows(40..190);
        made.is_even((25, 1));
    }
}

#[test]
fn inside_the_first_segment() {
    check(WRAP - 1.5);
}

#[test]
fn inside_the_second_segment() {
    check(WRAP - 4.5);
}

#[test]
fn between_two_segments() {
    check(WRAP - 3.0);
}

#[test]
fn within_reordering_distance_of_a_seam() {
    // The decoding times still lie before the wrap, the presentation times behind it.
    check(WRAP - 3.06);
}

#[test]
fn inside_the_gop_that_is_cut() {
    for recorder in [false, true] {
        let parts = &running(WRAP - 1.5, recorder)[..1];
        for (from, to) in [(30, 50), (38, 39), (10, 37)] {
            let made = join(parts, "mp4", &frames(from, to));
            made.shows(from..to);
            made.is_even((25, 1));
        }
    }
}
