//! What a time means: percentages, spread, ends, black, keyframes.

use flatbed_media::cut::Position;
use flatbed_media::still::{self, Moments, Options, Place, Style};
use flatbed_media::{Context, Error, Input};

use super::studio::{Taken, at, take};
use crate::fixture::{Fixture, Source};
use crate::io::Folder;

fn taken(fixture: &Fixture, options: &Options) -> Result<Taken, Error> {
    take(Input::path(&fixture.path), options, &Context::new())
}

fn options(positions: Vec<Position>) -> Options {
    Options {
        moments: Moments::At(positions),
        ..Options::default()
    }
}

fn numbers(fixture: &Fixture, positions: Vec<Position>) -> Vec<u32> {
    taken(fixture, &options(positions))
        .expect("pictures")
        .numbers()
}

#[test]
fn percentages_are_parts_of_the_whole() {
    for container in ["mp4", "ts", "mkv"] {
        let fixture = Source::new().container(container).build();
        let percents = [0.0, 50.0, 99.9, 100.0].map(Position::Percent);
        assert_eq!(numbers(&fixture, percents.into()), [0, 50, 99, 99]);
    }
}

#[test]
fn pictures_are_spread_evenly() {
    let fixture = Source::new().build();
    for (count, expected) in [(1, &[50][..]), (3, &[25, 50, 75]), (4, &[20, 40, 60, 80])] {
        let options = Options {
            moments: Moments::Spread(count),
            ..Options::default()
        };
        assert_eq!(
            taken(&fixture, &options).expect("pictures").numbers(),
            expected
        );
    }
}

#[test]
fn a_frame_is_shown_from_its_own_time_on() {
    let ntsc = Source::new().fps("30000/1001").build();
    // As ffprobe prints frame 20's time, a microsecond before, and after.
    let positions = vec![at(0.667_333), at(0.667_332), at(0.667_334)];
    assert_eq!(numbers(&ntsc, positions), [20, 19, 20]);
}

#[test]
fn the_end_is_the_last_frame_and_behind_it_is_nothing() {
    for container in ["mp4", "ts", "mkv"] {
        let fixture = Source::new().container(container).build();
        assert_eq!(numbers(&fixture, vec![at(4.0)]), [99], "{container}");
        let error = taken(&fixture, &options(vec![at(1.0), at(4.5)])).err();
        let error = error.expect("a time behind the end").to_string();
        assert!(
            error.contains("00:00:04.500 is behind its end (00:00:04.0"),
            "{error}"
        );
    }
}

#[test]
fn before_the_first_frame_is_the_first() {
    let late = Source::new().offset(5.0).build();
    assert_eq!(numbers(&late, vec![at(0.0), at(4.9)]), [0, 0]);
}

#[test]
fn keyframes_are_those_at_or_before_each_time() {
    for container in ["mp4", "ts", "mkv"] {
        let fixture = Source::new().container(container).build();
        let options = Options {
            keyframes: true,
            ..options([0.0, 0.9, 1.0, 2.5, 3.99].map(at).into())
        };
        let taken = taken(&fixture, &options).expect("pictures");
        assert_eq!(taken.numbers(), [0, 0, 25, 50, 75], "{container}");
        let times: Vec<f64> = taken
            .report
            .pictures
            .iter()
            .map(|p| p.time.as_secs_f64())
            .collect();
        assert_eq!(times, [0.0, 0.0, 1.0, 2.0, 3.0]);
    }
}

/// A recording whose first frames, so many, are black.
fn leader(black: u32) -> Source {
    Source::new()
        .arg("-vf")
        .arg(&format!("drawbox=c=black:t=fill:enable=lt(n\\,{black})"))
}

#[test]
fn black_is_passed_over() {
    let fixture = leader(40).build();
    let at_start = || options(vec![at(0.0), at(3.0)]);
    let plain = taken(&fixture, &at_start()).expect("pictures").seen();
    assert!(plain[0].mean(1) < 2.0, "the leader is black");
    let skipping = Options {
        skip_black: true,
        ..at_start()
    };
    let taken = taken(&fixture, &skipping).expect("pictures");
    // 0.5, 1.125 and 1.906 s are looked at.
    assert_eq!(taken.numbers(), [47, 75]);
    assert!(taken.report.notes.is_empty());
}

#[test]
fn where_all_is_black_black_is_shown() {
    let fixture = leader(1000).build();
    let skipping = Options {
        skip_black: true,
        ..options(vec![at(1.0)])
    };
    let taken = taken(&fixture, &skipping).expect("pictures");
    assert!(taken.seen()[0].mean(1) < 2.0);
    assert_eq!(taken.report.notes, ["all is black from 00:00:01.000 on"]);
}

#[test]
fn frames_lie_as_densely_as_they_like() {
    for source in [
        Source::new().params("keyint=30:scenecut=0:bframes=3:open-gop=1"),
        Source::new()
            .codec("mpeg2video")
            .container("ts")
            .args("-g 12 -bf 2"),
    ] {
        let fixture = source.build();
        let times = (30..70).map(|number| at(fixture.time_of(number) + 0.02));
        let folder = Folder::new();
        let report = still::frames(
            Input::path(&fixture.path),
            times.collect(),
            Style {
                size: "160x".parse().ok(),
                ..Style::default()
            },
            Place::folder(folder.path(), "frame"),
            &Context::new(),
        )
        .expect("frames");
        let shown: Vec<u32> = report
            .pictures
            .iter()
            .enumerate()
            .inspect(|(number, picture)| {
                let name = format!("frame-{}.jpg", number + 1);
                assert_eq!(picture.name, folder.file(&name).display().to_string());
            })
            .map(|(_, picture)| super::seen::seen(picture.name.as_ref()).number())
            .collect();
        assert_eq!(shown, (30..70).collect::<Vec<_>>());
    }
}

#[test]
fn times_close_to_each_other_have_the_same_keyframe() {
    for container in ["mp4", "ts", "mkv", "avi"] {
        let fixture = Source::new()
            .params("keyint=25:scenecut=0:bframes=0")
            .container(container)
            .build();
        let options = Options {
            keyframes: true,
            ..options([0.1, 0.2, 0.3, 1.1, 1.2].map(at).into())
        };
        let taken = taken(&fixture, &options).expect("pictures");
        assert_eq!(taken.numbers(), [0, 0, 0, 25, 25], "{container}");
    }
}

#[test]
fn frames_without_times_are_timed_by_the_decoder() {
    // AVI has no presentation times.
    let fixture = Source::new().container("avi").build();
    let shown = crate::observe::shown(&fixture.path);
    let wanted = [0, 1, 10, 24, 25, 60, 98];
    let times = wanted.map(|place: usize| at(shown[place].pts + 0.001));
    let taken = taken(&fixture, &options(times.into())).expect("pictures");
    let expected: Vec<u32> = wanted.iter().map(|&place| shown[place].number).collect();
    assert_eq!(taken.numbers(), expected);
}
