//! Overlaps, gaps, and segments that know when they were taken (case 11).

use flatbed_media::cut::{Gaps, Mode, Options, Position, Segment, Selection, Timeline, Until};
use flatbed_media::{Input, Span, Timestamp};

use super::{IN_STEP, Made, cut, frames, join};
use crate::fixture::{Fixture, Source};
use crate::observe;

/// 10:00:00 as seconds since midnight.
const TEN: f64 = 36_000.0;

fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_micros((seconds * 1e6).round() as i64)
}

/// 100 frames from each of these numbers on.
fn parts(firsts: &[u32], container: &str) -> Vec<Fixture> {
    let part = |&first: &u32| {
        let source = Source::new().first(first).container(container);
        source.audio("aac").build()
    };
    firsts.iter().map(part).collect()
}

/// Joins segments, each with the time at which it was taken: that of its first frame's number.
fn by_the_clock(parts: &[Fixture], container: &str, options: &Options) -> Made {
    let segment = |part: &Fixture| {
        let at = TEN + f64::from(part.numbers().start) / 25.0;
        Segment::at(Input::path(&part.path), seconds(at))
    };
    cut(parts.iter().map(segment).collect(), container, options)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn gaps(options: Options, gaps: Gaps) -> Options {
    Options { gaps, ..options }
}

/// Every frame is shown at its number's time after the first one.
fn at_their_own_times(made: &Made) {
    let shown = made.shown();
    for frame in shown {
        let due = f64::from(frame.number - shown[0].number) / 25.0;
        assert!(
            (frame.pts - shown[0].pts - due).abs() < 0.002,
            "frame {} at {}, due {due}",
            frame.number,
            frame.pts
        );
    }
}

#[test]
fn what_overlaps_is_shown_once() {
    for container in ["mp4", "ts"] {
        // By ten frames, by a whole GOP, by most of it.
        for second in [90, 75, 13] {
            let parts = parts(&[0, second], container);
            let made = by_the_clock(&parts, "mp4", &Options::default());
            made.shows(0..second + 100);
            made.is_even((25, 1));
            made.is_in_step(&[0, 60, 88, 100, second + 92], 2, IN_STEP);
        }
    }
}

#[test]
fn a_segment_inside_another_adds_nothing() {
    let mut parts = parts(&[0, 20, 100], "mp4");
    parts[1] = Source::new().first(20).frames(50).audio("aac").build();
    let made = by_the_clock(&parts, "mp4", &Options::default());
    made.shows(0..200);
    made.is_even((25, 1));
    made.is_in_step(&[0, 15, 65, 92, 100, 192], 2, IN_STEP);
}

#[test]
fn a_gap_is_closed() {
    for container in ["mp4", "mkv", "ts"] {
        let parts = parts(&[0, 150, 280], container);
        let made = by_the_clock(&parts, "mp4", &Options::default());
        made.shows((0..100).chain(150..250).chain(280..380));
        made.is_even((25, 1));
        made.is_in_step(&[0, 92, 150, 242, 280, 372], 2, IN_STEP);
    }
}

#[test]
fn a_gap_is_kept_when_asked() {
    for container in ["mp4", "mkv", "ts"] {
        let parts = parts(&[0, 150, 280], "mp4");
        let options = gaps(Options::default(), Gaps::Keep);
        let made = by_the_clock(&parts, container, &options);
        made.shows((0..100).chain(150..250).chain(280..380));
        at_their_own_times(&made);
        observe::check_order(&made.packets());
        let most = if container == "ts" {
            super::AAC_FRAME
        } else {
            IN_STEP
        };
        made.is_in_step(&[0, 92, 150, 242, 280, 372], 2, most);
        assert_eq!(made.report.duration, seconds(380.0 / 25.0));
    }
}

#[test]
fn a_selection_counts_a_kept_gap_and_not_a_closed_one() {
    let parts = parts(&[0, 150], "mp4");
    let kept = by_the_clock(&parts, "mp4", &gaps(frames(60, 180), Gaps::Keep));
    kept.shows((60..100).chain(150..180));
    at_their_own_times(&kept);
    let closed = by_the_clock(&parts, "mp4", &gaps(frames(60, 130), Gaps::Close));
    closed.shows((60..100).chain(150..180));
    closed.is_even((25, 1));
    // From inside the gap on: the first frame behind it begins the result.
    let late = by_the_clock(&parts, "mp4", &gaps(frames(120, 180), Gaps::Keep));
    late.shows(150..180);
    late.is_in_step(&[150, 160, 172], 2, IN_STEP);
    // Up to inside the gap.
    let early = by_the_clock(&parts, "mp4", &gaps(frames(60, 120), Gaps::Keep));
    early.shows(60..100);
}

#[test]
fn clocks_that_jitter_lose_no_frame() {
    let parts = parts(&[0, 100, 200], "mp4");
    for jitter in [-0.012, 0.012] {
        let segment = |(index, part): (usize, &Fixture)| {
            let at = TEN + 4.0 * index as f64 + if index == 1 { jitter } else { 0.0 };
            Segment::at(Input::path(&part.path), seconds(at))
        };
        let segments = parts.iter().enumerate().map(segment).collect();
        let made = cut(segments, "mp4", &gaps(Options::default(), Gaps::Keep));
        let made = made.unwrap_or_else(|error| panic!("{error}"));
        made.shows(0..300);
        made.is_even((25, 1));
    }
}

/// From frame `from` up to `to`, by the clock.
fn clock(from: u32, to: u32, options: Options) -> Options {
    let reading = |frame: u32| Position::Clock(seconds(TEN + f64::from(frame) / 25.0));
    Options {
        selection: Selection {
            start: Some(reading(from)),
            end: Until::At(reading(to)),
        },
        ..options
    }
}

#[test]
fn what_is_shown_of_the_clock_is_reported() {
    let span = |(from, to): (u32, u32)| Span {
        start: seconds(TEN + f64::from(from) / 25.0),
        end: seconds(TEN + f64::from(to) / 25.0),
    };
    for mode in [Mode::Exact, Mode::Copy, Mode::Reencode] {
        // The second follows the first, the third comes after a gap.
        let parts = parts(&[0, 100, 250], "mp4");
        for gaps in [Gaps::Close, Gaps::Keep] {
            let options = Options {
                mode,
                gaps,
                ..Options::default()
            };
            let made = by_the_clock(&parts, "mp4", &clock(60, 280, options));
            // A copy begins with its keyframe.
            let first = if mode == Mode::Copy { 50 } else { 60 };
            made.shows((first..200).chain(250..280));
            let expected = [span((first, 200)), span((250, 280))];
            assert_eq!(made.report.shown, expected, "{mode:?}, {gaps:?}");
        }
        // What was asked for before and behind all of it is not.
        let options = Options {
            mode,
            ..Options::default()
        };
        let made = by_the_clock(&parts[1..], "mp4", &clock(0, 500, options));
        assert_eq!(made.report.shown, [span((100, 200)), span((250, 350))]);
    }
    let made = by_the_clock(&parts(&[0], "mp4"), "mp4", &Options::default());
    assert_eq!(made.report.shown, []);
}

#[test]
fn a_clock_of_whole_seconds_loses_no_frame() {
    let parts = parts(&[0, 100, 200], "mp4");
    for told in [[0.0, 4.0, 7.0], [0.0, 3.04, 8.0], [0.0, 5.0, 8.96]] {
        let segments = parts.iter().zip(told).map(|(part, told)| {
            let input = Input::path(&part.path);
            Segment::at(input, seconds(TEN + told))
        });
        let options = Options {
            clock_step: seconds(1.0),
            gaps: Gaps::Keep,
            ..Options::default()
        };
        let made = cut(segments.collect(), "mp4", &clock(10, 290, options));
        let made = made.unwrap_or_else(|error| panic!("{error}"));
        made.shows(10..290);
        made.is_even((25, 1));
        assert_eq!(made.report.shown.len(), 1);
    }
}

#[test]
fn the_streams_own_clock_finds_overlaps_and_gaps() {
    let source = |first: u32, offset: f64| {
        let source = Source::new().first(first).container("ts").audio("aac");
        source.offset(offset).build()
    };
    let with = |gaps| Options {
        timeline: Timeline::Source,
        gaps,
        ..Options::default()
    };
    let overlap = [source(0, 50.0), source(80, 53.2)];
    let made = join(&overlap, "mp4", &with(Gaps::Keep));
    made.shows(0..180);
    made.is_even((25, 1));
    made.is_in_step(&[0, 72, 92, 100, 172], 2, IN_STEP);
    let gap = [source(0, 50.0), source(150, 56.0)];
    let made = join(&gap, "mp4", &with(Gaps::Keep));
    made.shows((0..100).chain(150..250));
    at_their_own_times(&made);
    let made = join(&gap, "mp4", &with(Gaps::Close));
    made.shows((0..100).chain(150..250));
    made.is_even((25, 1));
}

#[test]
fn a_start_that_is_not_zero() {
    // An MP4's times are on its own timeline; a stream's count from its first frame.
    for (container, from, to) in [("mp4", 3.0, 5.0), ("ts", 1.0, 3.0), ("mkv", 1.0, 3.0)] {
        let parts = [
            Source::new()
                .container(container)
                .audio("aac")
                .offset(2.0)
                .build(),
            Source::new()
                .container(container)
                .audio("aac")
                .offset(7.0)
                .first(100)
                .build(),
        ];
        let options = Options {
            selection: Selection::between(seconds(from), seconds(to + 4.0)),
            ..Options::default()
        };
        let made = join(&parts, "mp4", &options);
        made.shows(25..175);
        made.is_even((25, 1));
        made.is_in_step(&[25, 92, 100, 167], 2, IN_STEP);
    }
}
