//! The order of a list is honoured: one pass gives what one operation after another gives.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::workshop::{lumas, make, operation, run};
use crate::fixture::Source;
use crate::observe::ssim;

/// Runs groups of operations one after another, and all of them as one list; compares the frames.
fn check(source: &Path, groups: &[Vec<Value>]) {
    let all: Vec<Value> = groups.iter().flatten().cloned().collect();
    let once = run(source, &json!(all).to_string());
    assert_eq!(once.report.passes, 1);
    let mut steps = Vec::new();
    let mut path = source.to_owned();
    for group in groups {
        let step = run(&path, &json!(group).to_string());
        path = step.video();
        steps.push(step);
    }
    let (one, other) = (lumas(&once.video()), lumas(&path));
    assert_eq!(one.len(), other.len(), "{all:?}");
    for (number, (one, other)) in one.iter().zip(&other).enumerate() {
        let like = ssim(one, other);
        assert!(like >= 0.99, "frame {number}: {like} with {all:?}");
    }
}

/// An operation, and so many bits that encoding it twice hardly shows.
fn fine(operation: Value) -> Vec<Value> {
    vec![operation, fine_bits()]
}

fn fine_bits() -> Value {
    operation("compress", json!({"crf": 4, "preset": "ultrafast"}))
}

fn image(folder: &Path) -> PathBuf {
    make(
        folder,
        "mark.png",
        "-f lavfi -i testsrc2=s=60x40,format=rgba,colorchannelmixer=aa=0.8 -frames:v 1",
    )
}

fn scaled(resolution: &str) -> Vec<Value> {
    fine(operation("transcode", json!({"resolution": resolution})))
}

#[test]
fn a_watermark_before_and_behind_a_change_of_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = image(folder.path());
    let source = Source::new().frames(20).build();
    let mark = || {
        fine(operation(
            "watermark",
            json!({"image": image, "position": "bottom-left"}),
        ))
    };
    check(&source.path, &[mark(), scaled("160x")]);
    check(&source.path, &[scaled("160x"), mark()]);
    check(&source.path, &[scaled("160x"), scaled("x240"), mark()]);
}

#[test]
fn a_trim_before_and_behind_a_watermark() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = image(folder.path());
    let source = Source::new().frames(60).audio("aac").build();
    let options = json!({"image": image, "start": 0.4, "end": "80%"});
    let mark = || fine(operation("watermark", options.clone()));
    let trim = || vec![operation("trim", json!({"start": 0.52, "end": 2.0}))];
    check(&source.path, &[trim(), mark()]);
    check(&source.path, &[mark(), trim()]);
    let copy = vec![operation("trim", json!({"start": 1.3, "mode": "copy"}))];
    check(&source.path, &[copy, mark()]);
}

#[test]
fn a_trim_before_and_behind_a_change_of_rate() {
    let source = Source::new().frames(60).build();
    let slower = || fine(operation("transcode", json!({"fps": 10})));
    let trim = || vec![operation("trim", json!({"start": 0.36, "end": 1.9}))];
    check(&source.path, &[trim(), slower()]);
    check(&source.path, &[slower(), trim()]);
}

#[test]
fn a_long_list() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = image(folder.path());
    let source = Source::new().frames(80).audio("aac").build();
    check(
        &source.path,
        &[
            vec![operation("trim", json!({"start": 0.4}))],
            fine(operation(
                "watermark",
                json!({"image": image, "scale": 0.3, "end": 1}),
            )),
            scaled("240x"),
            vec![operation("trim", json!({"start": "25%", "duration": 1.2}))],
            vec![operation("convert", json!({"format": "mkv"}))],
        ],
    );
}

#[test]
fn a_thumbnail_is_of_the_timeline_and_the_pictures_at_its_place() {
    let source = Source::new().frames(100).build();
    let shot = operation("thumbnail", json!({"timestamps": [1.0], "format": "jpeg"}));
    let list = json!([
        shot,
        operation("trim", json!({"start": 1})),
        shot,
        operation(
            "transcode",
            json!({"resolution": "160x", "preset": "ultrafast"})
        ),
        operation("trim", json!({"start": 1})),
        shot,
    ]);
    let done = run(&source.path, &list.to_string());
    let number = |picture: usize| super::workshop::numbers(&done.picture(picture, "jpg"))[0];
    assert_eq!([number(1), number(2), number(3)], [25, 50, 75]);
    let wide = |picture: usize| super::workshop::size(&done.picture(picture, "jpg")).0;
    assert_eq!([wide(1), wide(2), wide(3)], [320, 320, 160]);
    assert_eq!(done.numbers(), (50..100).collect::<Vec<_>>());
}

#[test]
fn what_follows_a_trim_counts_from_its_first_frame() {
    // 0.41 s lies between two frames of 40 ms: the first one left is at 0.44.
    let source = Source::new().frames(60).build();
    let first = || fine(operation("trim", json!({"start": 0.41, "end": 2.0})));
    let second = || fine(operation("trim", json!({"start": 0.31, "duration": 0.5})));
    check(&source.path, &[first(), second()]);
    let slower = || fine(operation("transcode", json!({"fps": 10})));
    check(&source.path, &[first(), slower()]);
    check(&source.path, &[slower(), first(), second()]);
}

#[test]
fn a_thumbnail_between_trims_shows_a_frame_that_was_left() {
    let source = Source::new().frames(100).build();
    let shots = operation("thumbnail", json!({"timestamps": [0, "100%"]}));
    let trim = |start, end| operation("trim", json!({"start": start, "end": end}));
    let encode = operation("transcode", json!({"preset": "ultrafast"}));
    for list in [
        json!([trim(0.41, 3.0), shots]),
        json!([trim(0.41, 3.0), shots, encode]),
        json!([trim(0.41, 3.0), shots, trim(1.0, 2.0), encode]),
    ] {
        let done = run(&source.path, &list.to_string());
        let number = |picture| super::workshop::numbers(&done.picture(picture, "jpg"))[0];
        assert_eq!([number(1), number(2)], [11, 74], "{list}");
    }
}

#[test]
fn a_thumbnail_before_a_trim_shows_a_frame_however_long_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let slow = make(
        folder.path(),
        "slow.mp4",
        "-f lavfi -i testsrc2=s=64x48:r=1/5:d=30 -c:v libx264",
    );
    let list = json!([
        operation("thumbnail", json!({"timestamps": [7]})),
        operation("trim", json!({"start": 16, "end": 26})),
        operation("transcode", json!({"preset": "ultrafast"})),
    ]);
    let done = run(&slow, &list.to_string());
    let times: Vec<_> = done
        .report
        .outputs
        .iter()
        .filter_map(|made| made.time)
        .collect();
    assert_eq!(times, [flatbed_media::Timestamp::from_micros(5_000_000)]);
}
