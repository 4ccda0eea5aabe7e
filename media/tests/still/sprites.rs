//! Sprite sheets: what each tile shows, and what the list says of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use flatbed_media::still::{self, Format, SpriteOptions, SpriteReport};
use flatbed_media::{Context, Error, Input, Timestamp};

use super::seen::{Seen, seen};
use crate::fixture::{Fixture, Source};
use crate::io::Folder;

fn options(seconds: f64) -> SpriteOptions {
    SpriteOptions {
        every: Timestamp::from_micros((seconds * 1e6) as i64),
        columns: 3,
        rows: 2,
        ..SpriteOptions::default()
    }
}

/// One cue: its times in seconds, and what its tile shows.
#[derive(Debug)]
struct Cue {
    start: f64,
    end: f64,
    tile: Seen,
}

/// Reads the list, as a player does.
fn cues(folder: &Path) -> Vec<Cue> {
    let text = fs::read_to_string(folder.join("sprites.vtt")).expect("the list");
    let mut blocks = text.split("\n\n");
    assert_eq!(blocks.next(), Some("WEBVTT"));
    let seconds = |time: &str| {
        let parts: Vec<f64> = time
            .split(':')
            .map(|part| part.parse().expect("a number"))
            .collect();
        assert_eq!(
            (parts.len(), time.len()),
            (3, "00:00:00.000".len()),
            "{time}"
        );
        parts[0] * 3600.0 + parts[1] * 60.0 + parts[2]
    };
    let mut sheets = BTreeMap::new();
    blocks
        .map(|block| {
            let (times, place) = block.trim_end().split_once('\n').expect("two lines");
            let (start, end) = times.split_once(" --> ").expect("two times");
            let (name, part) = place.split_once("#xywh=").expect("a part");
            let part: Vec<usize> = part
                .split(',')
                .map(|n| n.parse().expect("a number"))
                .collect();
            let sheet = sheets
                .entry(name.to_owned())
                .or_insert_with(|| seen(&folder.join(name)));
            Cue {
                start: seconds(start),
                end: seconds(end),
                tile: sheet.part((part[0], part[1], part[2], part[3])),
            }
        })
        .collect()
}

fn make(fixture: &Fixture, options: &SpriteOptions) -> (SpriteReport, Vec<Cue>) {
    let folder = Folder::new();
    let out = folder.file("out");
    let input = Input::path(&fixture.path);
    let report = still::sprites(input, options, &out, &Context::new()).expect("sprites");
    let cues = cues(&out);
    assert_eq!(report.tiles, cues.len() as u64);
    let names = fs::read_dir(&out).expect("list").count();
    assert_eq!(names, report.sheets.len() + 1);
    let last = report.sheets.last().expect("a sheet");
    let size = seen(Path::new(&last.name)).size();
    assert_eq!(size, (last.width as usize, last.height as usize));
    (report, cues)
}

fn numbers(cues: &[Cue]) -> Vec<u32> {
    cues.iter().map(|cue| cue.tile.number()).collect()
}

#[test]
fn keyframes_are_taken_where_there_are_enough() {
    for container in ["mp4", "mkv", "ts"] {
        // A keyframe every second, 7.2 s.
        let fixture = Source::new().frames(180).container(container).build();
        let (report, cues) = make(&fixture, &options(1.0));
        assert_eq!(
            numbers(&cues),
            [0, 25, 50, 75, 100, 125, 150, 175],
            "{container}"
        );
        assert_eq!((report.tiles, report.keyframes), (8, 8), "{container}");
        assert_eq!((report.tile_width, report.tile_height), (160, 120));
        let sizes: Vec<_> = report.sheets.iter().map(|s| (s.width, s.height)).collect();
        assert_eq!(sizes, [(480, 240), (320, 120)]);
        for (number, cue) in cues.iter().enumerate() {
            let end = if number == 7 {
                7.2
            } else {
                number as f64 + 1.0
            };
            assert!((cue.start - number as f64).abs() < 1e-6);
            assert!((cue.end - end).abs() < 0.0011, "{container}: {cue:?}");
        }
    }
}

#[test]
fn the_nearest_keyframe_counts() {
    for container in ["mp4", "mkv"] {
        let fixture = Source::new().frames(180).container(container).build();
        // Tiles at 0, 1.8, 3.6, 5.4 s; keyframes at each whole second.
        let (report, cues) = make(&fixture, &options(1.8));
        assert_eq!(numbers(&cues), [0, 50, 100, 125]);
        assert_eq!(report.keyframes, 4);
    }
}

#[test]
fn between_keyframes_far_apart_the_very_frame_is_shown() {
    for container in ["mp4", "mkv", "ts"] {
        let fixture = Source::new()
            .frames(180)
            .params("keyint=120:min-keyint=120:scenecut=0:bframes=3")
            .container(container)
            .build();
        let (report, cues) = make(&fixture, &options(1.0));
        // Keyframes at 0 and 4.8 s.
        assert_eq!(
            numbers(&cues),
            [0, 25, 50, 75, 100, 120, 150, 175],
            "{container}"
        );
        assert_eq!(report.keyframes, 2, "{container}");
    }
}

#[test]
fn sheets_can_be_webp_and_tiles_of_another_shape() {
    let fixture = Source::new().args("-vf setsar=4/3").build();
    let webp = SpriteOptions {
        format: Format::WebP,
        width: 213,
        ..options(0.5)
    };
    let (report, cues) = make(&fixture, &webp);
    // 427x240 as seen; both sides of a tile are even.
    assert_eq!((report.tile_width, report.tile_height), (214, 120));
    assert_eq!(numbers(&cues), [0, 12, 25, 37, 50, 62, 75, 87]);
    assert!(report.sheets[0].name.ends_with("sprite-1.webp"));
}

#[test]
fn a_late_start_and_a_short_end() {
    let fixture = Source::new()
        .container("ts")
        .offset(3600.0)
        .frames(51)
        .build();
    let (report, cues) = make(&fixture, &options(1.0));
    assert_eq!(numbers(&cues), [0, 25, 50]);
    assert!((cues[2].end - 2.04).abs() < 0.0011, "{cues:?}");
    assert!((report.duration.as_secs_f64() - 2.04).abs() < 0.0011);
}

#[test]
fn sprites_that_make_no_sense() {
    let fixture = Source::new().build();
    let refused = |options: SpriteOptions| {
        let folder = Folder::new();
        let input = Input::path(&fixture.path);
        let error = still::sprites(input, &options, folder.file("out"), &Context::new());
        assert!(folder.names().is_empty());
        error.expect_err("refused")
    };
    for wrong in [
        SpriteOptions {
            every: Timestamp::ZERO,
            ..options(1.0)
        },
        SpriteOptions {
            columns: 0,
            ..options(1.0)
        },
        SpriteOptions {
            rows: 101,
            ..options(1.0)
        },
        SpriteOptions {
            width: 1,
            ..options(1.0)
        },
        SpriteOptions {
            format: Format::Png,
            ..options(1.0)
        },
        SpriteOptions {
            width: 65_000,
            ..options(1.0)
        },
    ] {
        let error = refused(wrong);
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    }
    let hundred = SpriteOptions {
        columns: 100,
        rows: 100,
        width: 650,
        ..options(0.001)
    };
    assert!(matches!(refused(hundred), Error::Limit { .. }));
}
