//! What goes wrong, and that nothing is left then; and what a call tells on its way.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use flatbed_media::render::{self, Operation, Options, Outputs};
use flatbed_media::{Cancel, Container, Context, Error, Input, Output};

use super::workshop::{attempt, refused};
use crate::fixture::Source;

const LIST: &str = r#"[{"type":"transcode","options":{"preset":"ultrafast"}},
                       {"type":"thumbnail","options":{"timestamps":[0.5]}}]"#;

#[test]
fn operations_that_are_none() {
    let source = Source::new().frames(10).build();
    assert!(
        refused(&source.path, "[]")
            .to_string()
            .contains("no operation")
    );
    let error = refused(&source.path, r#"[{"type":"trim","options":{"from":1}}]"#);
    assert!(matches!(error, Error::Malformed { .. }) && error.to_string().contains("`from`"));
    let missing = r#"[{"type":"watermark","options":{"image":"/nowhere/logo.png"}}]"#;
    assert!(matches!(refused(&source.path, missing), Error::Io { .. }));
    let no_picture = format!(
        r#"[{{"type":"watermark","options":{{"image":"{}"}}}}]"#,
        source.path.display()
    );
    assert!(
        refused(&source.path, &no_picture)
            .to_string()
            .contains("PNG")
    );
}

#[test]
fn broken_inputs_are_errors_or_play_as_far_as_they_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let garbage = folder.path().join("garbage.mp4");
    std::fs::write(&garbage, vec![0x5a; 5000]).expect("written");
    assert!(matches!(refused(&garbage, LIST), Error::Malformed { .. }));
    let cut_short = Source::new().frames(100).container("mkv").keep(0.6).build();
    let done = super::workshop::run(&cut_short.path, LIST);
    assert!((20..100).contains(&done.numbers().len()));
    let no_index = Source::new().frames(100).keep(0.6).build();
    refused(&no_index.path, LIST);
}

#[test]
fn damage_in_the_middle_is_passed_over() {
    let source = Source::new().frames(100).container("ts").build();
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = std::fs::read(&source.path).expect("read");
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 900] {
        *byte = byte.wrapping_mul(31).wrapping_add(7);
    }
    let damaged = folder.path().join("damaged.ts");
    std::fs::write(&damaged, bytes).expect("written");
    let report = attempt(&damaged, LIST, &folder.path().join("out")).expect("a result");
    assert!(report.frames > 60, "{report:?}");
}

fn cancelled_at(source: &Path, json: &str, frames: i64) {
    let folder = tempfile::tempdir().expect("a folder");
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let context = Context::new()
        .with_cancel(cancel)
        .with_progress(move |progress| {
            if progress.done.as_micros() >= frames * 40_000 {
                stop.cancel();
            }
        });
    let operations = Operation::list(json).expect("a list");
    let outputs = Outputs::folder(folder.path());
    let input = Input::path(source);
    let result = render::render(input, &operations, outputs, &Options::default(), &context);
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 0);
}

#[test]
fn cancel_ends_it_and_leaves_nothing() {
    let source = Source::new().frames(100).audio("aac").build();
    cancelled_at(&source.path, LIST, 0);
    cancelled_at(&source.path, LIST, 30);
    let passes = r#"[{"type":"transcode","options":{"bitrate":"200k","twoPass":true}}]"#;
    cancelled_at(&source.path, passes, 10);
}

#[test]
fn progress_tells_percent_operation_and_timemark() {
    let source = Source::new().frames(100).build();
    let folder = tempfile::tempdir().expect("a folder");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = seen.clone();
    let context = Context::new().with_progress(move |progress| {
        list.lock().expect("a list").push(progress);
    });
    let json = r#"[{"type":"transcode","options":{"bitrate":"300k","twoPass":true}}]"#;
    let operations = Operation::list(json).expect("a list");
    let outputs = Outputs::folder(folder.path());
    render::render(
        Input::path(&source.path),
        &operations,
        outputs,
        &Options::default(),
        &context,
    )
    .expect("a result");
    let seen = seen.lock().expect("a list");
    let percents: Vec<f64> = seen
        .iter()
        .filter_map(flatbed_media::Progress::percent)
        .collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert!(percents.first().is_some_and(|&first| first < 20.0));
    assert!(
        percents.last().is_some_and(|&last| last > 90.0),
        "{percents:?}"
    );
    assert!(
        seen.iter()
            .all(|progress| progress.operation == Some("transcode"))
    );
    assert_eq!(
        seen.last().map(flatbed_media::Progress::timemark),
        Some("00:00:03".to_owned())
    );
}

#[test]
fn a_place_of_its_own_decides_the_container() {
    let source = Source::new().frames(25).build();
    let folder = tempfile::tempdir().expect("a folder");
    let place =
        |name: &str| Outputs::video(Output::path(folder.path().join(name)).expect("a place"));
    let go = |name: &str, json: &str| {
        let operations = Operation::list(json).expect("a list");
        let input = Input::path(&source.path);
        render::render(
            input,
            &operations,
            place(name),
            &Options::default(),
            &Context::new(),
        )
    };
    let report = go("clip.mkv", r#"[{"type":"trim","options":{"end":0.4}}]"#).expect("a clip");
    assert_eq!(
        report.outputs[0].path.as_deref(),
        Some(&*folder.path().join("clip.mkv"))
    );
    let other = go(
        "clip.mp4",
        r#"[{"type":"convert","options":{"format":"mkv"}}]"#,
    );
    assert!(
        other
            .expect_err("a contradiction")
            .to_string()
            .contains("mp4")
    );
    let no_folder = go("clip.mp4", LIST);
    assert!(
        no_folder
            .expect_err("no folder")
            .to_string()
            .contains("folder")
    );
    assert!(!folder.path().join("clip.mp4").exists());
}

#[test]
fn a_stream_that_is_read_once_is_rendered_as_it_comes() {
    let source = Source::new()
        .frames(50)
        .audio("aac")
        .container("ts")
        .build();
    let file = std::fs::File::open(&source.path).expect("opens");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.mkv");
    let sink = std::fs::File::create(&out).expect("created");
    let operations = Operation::list(LIST).expect("a list");
    let outputs = Outputs::video(Output::live("out", Container::Mkv, sink))
        .with_pictures(folder.path().join("pictures"));
    let input = Input::live("in", file);
    let report = render::render(
        input,
        &operations,
        outputs,
        &Options::default(),
        &Context::new(),
    )
    .expect("a result");
    assert_eq!(report.frames, 50);
    assert_eq!(super::workshop::numbers(&out).len(), 50);
    assert!(folder.path().join("pictures/thumbnail-1.jpg").exists());
}

#[test]
fn a_plan_tells_what_is_copied_decoded_and_encoded() {
    let source = Source::new().frames(50).audio("aac").build();
    let told = |json: &str| {
        let operations = Operation::list(json).expect("a list");
        let input = Input::path(&source.path);
        let plan = render::plan(input, &operations, &Options::default(), &Context::new());
        plan.expect("a plan")
    };
    let steps = |json: &str| -> Vec<&'static str> {
        told(json).stages.iter().map(|stage| stage.step).collect()
    };
    assert_eq!(
        steps(r#"[{"type":"convert","options":{"format":"mov"}}]"#),
        ["copy", "copy", "write"]
    );
    let list = r#"[{"type":"trim","options":{"start":1}},
        {"type":"transcode","options":{"resolution":"x120","bitrate":"1M"}},
        {"type":"thumbnail","options":{"count":3}}]"#;
    assert_eq!(
        steps(list),
        ["decode", "filter", "encode", "copy", "picture", "write"]
    );
    let text = told(list).to_string();
    assert!(
        text.contains("scale to 160x120") && text.contains("same decode"),
        "{text}"
    );
    let json = serde_json::to_value(told(list)).expect("JSON");
    assert_eq!(json["stages"][1]["what"], "scale to 160x120");
}

#[test]
fn a_codec_that_the_container_does_not_carry_is_refused_though_the_source_has_it() {
    let source = Source::new().frames(5).build();
    let error = refused(
        &source.path,
        r#"[{"type":"convert","options":{"format":"webm","videoCodec":"h264"}}]"#,
    );
    assert!(error.to_string().contains("webm does not carry"), "{error}");
}

#[test]
fn pictures_beyond_what_encoders_take_are_refused_before_they_are_made() {
    let source = Source::new().frames(5).build();
    let error = refused(
        &source.path,
        r#"[{"type":"transcode","options":{"resolution":"x16384"}}]"#,
    );
    assert!(
        matches!(error, flatbed_media::Error::Limit { .. }),
        "{error}"
    );
}

#[test]
fn sound_whose_times_leap_years_ahead_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let leaping = super::workshop::make(
        folder.path(),
        "leap.mkv",
        "-f lavfi -i testsrc2=s=64x48:r=25:d=1 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac \
         -bsf:a setts=ts='if(gt(N,10),TS+44100*86400*400,TS)'",
    );
    let error = refused(
        &leaping,
        r#"[{"type":"transcode","options":{"preset":"ultrafast","audioCodec":"flac"}}]"#,
    );
    assert!(error.to_string().contains("a gap of more than"), "{error}");
}

#[test]
fn a_picture_that_cannot_have_its_name_takes_the_video_along() {
    let source = Source::new().frames(60).build();
    let thumbnail = r#"{"type":"thumbnail","options":{"timestamps":[0,1]}}"#;
    // Copied and encoded.
    for first in [
        r#"{"type":"convert","options":{"format":"mkv"}}"#,
        r#"{"type":"transcode","options":{"preset":"ultrafast"}}"#,
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let video = folder.path().join("video.mp4");
        let place = folder.path().to_owned();
        fs::write(&video, b"of yesterday").expect("write");
        let context = Context::new().with_progress(move |_| {
            // The second picture's place is taken in the meantime.
            let _ = fs::create_dir(place.join("thumbnail-2.jpg"));
        });
        let operations = Operation::list(&format!("[{first},{thumbnail}]")).expect("a list");
        let outputs = Outputs::folder(folder.path());
        let input = Input::path(&source.path);
        let done = render::render(input, &operations, outputs, &Options::default(), &context);
        assert!(matches!(done, Err(Error::Io { .. })), "{first}: {done:?}");
        let names = fs::read_dir(folder.path()).expect("list");
        let mut names: Vec<_> = names
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["thumbnail-2.jpg", "video.mp4"], "{first}");
        assert_eq!(fs::read(&video).expect("read"), b"of yesterday", "{first}");
    }
}

#[test]
fn sound_that_fills_the_size_is_named_as_the_reason() {
    let source = Source::new().frames(50).audio("aac").build();
    for codec in ["h264", "av1"] {
        let list = format!(
            r#"[{{"type":"transcode","options":{{"codec":"{codec}","preset":"ultrafast"}}}},
                {{"type":"compress","options":{{"targetBytes":9000}}}}]"#
        );
        let error = refused(&source.path, &list).to_string();
        assert!(
            error.contains("sound alone") && error.contains("audioBitrate"),
            "{error}"
        );
    }
}

#[test]
fn two_passes_keep_their_statistics_where_they_are_told() {
    let source = Source::new().size(160, 120).frames(30).build();
    let list = r#"[{"type":"transcode","options":{"bitrate":"100k","twoPass":true}}]"#;
    let operations = Operation::list(list).expect("a list");
    let folder = tempfile::tempdir().expect("a folder");
    let place = tempfile::tempdir().expect("a folder");
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (counted, watched) = (seen.clone(), place.path().to_owned());
    let context = Context::new()
        .with_temp_dir(place.path())
        .with_progress(move |_| {
            let there = fs::read_dir(&watched).expect("list").count();
            counted.fetch_max(there, std::sync::atomic::Ordering::Relaxed);
        });
    let outputs = Outputs::folder(folder.path());
    let input = Input::path(&source.path);
    render::render(input, &operations, outputs, &Options::default(), &context).expect("done");
    assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(fs::read_dir(place.path()).expect("list").count(), 0);
}
