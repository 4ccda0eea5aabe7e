//! How many bits: quality, rates, passes, sizes, likeness.

use super::workshop::{HARMLESS, refused, run};
use crate::fixture::{Fixture, Source};

fn grainy() -> Fixture {
    Source::new().frames(75).grain(20).audio("aac").build()
}

fn bytes(source: &Fixture, options: &str) -> u64 {
    let done = run(
        &source.path,
        &format!(r#"[{{"type":"compress","options":{options}}}]"#),
    );
    assert_eq!(done.numbers().len(), 75);
    done.report.bytes()
}

#[test]
fn better_takes_more() {
    let source = grainy();
    let [low, medium, high] = ["low", "medium", "high"].map(|word| {
        bytes(
            &source,
            &format!(r#"{{"quality":"{word}","preset":"veryfast"}}"#),
        )
    });
    assert!(low < medium && medium < high, "{low} {medium} {high}");
    let bound = bytes(
        &source,
        r#"{"crf":10,"maxBitrate":"400k","preset":"veryfast"}"#,
    );
    let free = bytes(&source, r#"{"crf":10,"preset":"veryfast"}"#);
    assert!(bound * 2 < free, "{bound} {free}");
}

#[test]
fn a_rate_is_kept() {
    let source = Source::new().size(160, 120).frames(100).grain(20).build();
    for options in [
        r#"{"bitrate":"200k","preset":"veryfast"}"#,
        r#"{"bitrate":"200k","preset":"veryfast","twoPass":true}"#,
        r#"{"bitrate":"200k","preset":"ultrafast","twoPass":true,"codec":"hevc"}"#,
        r#"{"bitrate":"200k","preset":"superfast","twoPass":true,"codec":"vp9"}"#,
    ] {
        let done = run(
            &source.path,
            &format!(r#"[{{"type":"transcode","options":{options}}}]"#),
        );
        let rate = done.report.bytes() as f64 * 8.0 / 4.0;
        assert!((150e3..250e3).contains(&rate), "{options}: {rate}");
        let passes = if options.contains("twoPass") { 2 } else { 1 };
        assert_eq!(done.report.passes, passes, "{options}");
    }
}

/// A camera that gives 30 frames in the first second, and 5 a second from then on
/// (what doorbells and screen recorders do): 15 seconds of 100 frames.
fn slowing(container: &str) -> Fixture {
    let fast = (0..30).map(|frame| frame * 1_000_000 / 30);
    let slow = (0..70).map(|frame| 1_000_000 + frame * 200_000);
    let times: Vec<u64> = fast.chain(slow).collect();
    Source::new()
        .size(160, 120)
        .grain(20)
        .times(&times)
        .container(container)
        .build()
}

fn keeps_a_rate_at_uneven_times(from: &str, to: &str, asked: f64, options: &[&str]) {
    let source = slowing(from);
    let times = |path: &std::path::Path| -> Vec<f64> {
        let frames = crate::observe::shown_despite(path, HARMLESS);
        frames
            .iter()
            .map(|frame| frame.pts - frames[0].pts)
            .collect()
    };
    let before = times(&source.path);
    let mut wrong = Vec::new();
    for options in options {
        let list = format!(
            r#"[{{"type":"convert","options":{{"format":"{to}"}}}},
                {{"type":"transcode","options":{options}}}]"#
        );
        let done = run(&source.path, &list);
        let rate = done.report.bytes() as f64 * 8.0 / 15.0;
        // A transport stream's own packets are a part of it.
        let most = if to == "ts" { 1.6 } else { 1.25 };
        if !(0.75 * asked..most * asked).contains(&rate) {
            wrong.push(format!("{to} {options}: {rate}"));
        }
        assert_eq!(done.numbers(), (0..100).collect::<Vec<_>>(), "{options}");
        for (before, shown) in before.iter().zip(times(&done.video())) {
            assert!(
                (before - shown).abs() < 0.002,
                "{options}: {before} {shown}"
            );
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn a_rate_is_kept_at_uneven_times() {
    keeps_a_rate_at_uneven_times(
        "mp4",
        "mp4",
        100e3,
        &[
            r#"{"bitrate":"100k","preset":"veryfast"}"#,
            r#"{"bitrate":"100k","preset":"veryfast","twoPass":true}"#,
            r#"{"bitrate":"100k","preset":"ultrafast","codec":"hevc"}"#,
            r#"{"bitrate":"100k","preset":"ultrafast","twoPass":true,"codec":"hevc"}"#,
            r#"{"bitrate":"100k","preset":"fast","codec":"vp9"}"#,
            r#"{"bitrate":"100k","preset":"fast","twoPass":true,"codec":"vp9"}"#,
            r#"{"bitrate":"100k","preset":"veryfast","codec":"av1"}"#,
        ],
    );
    // Of these pictures it cannot make more than 64 kb/s.
    let mpeg4 = r#"{"bitrate":"50k","codec":"mpeg4"}"#;
    keeps_a_rate_at_uneven_times("mp4", "mp4", 50e3, &[mpeg4]);
}

#[test]
fn a_rate_is_kept_at_uneven_times_in_other_containers() {
    let h264 = r#"{"bitrate":"100k","preset":"veryfast"}"#;
    for container in ["mkv", "mov", "ts"] {
        keeps_a_rate_at_uneven_times("mkv", container, 100e3, &[h264]);
    }
    let vp8 = r#"{"bitrate":"100k","preset":"fast","codec":"vp8"}"#;
    let twice = r#"{"bitrate":"100k","preset":"fast","codec":"vp8","twoPass":true}"#;
    keeps_a_rate_at_uneven_times("mkv", "webm", 100e3, &[vp8, twice]);
}

#[test]
fn a_size_is_reached_at_uneven_times() {
    let source = slowing("mkv");
    for codec in ["h264", "hevc", "vp9"] {
        let list = format!(
            r#"[{{"type":"transcode","options":{{"codec":"{codec}","preset":"ultrafast"}}}},
                {{"type":"compress","options":{{"targetBytes":150000}}}}]"#
        );
        let done = run(&source.path, &list);
        let size = done.report.bytes();
        assert!((135_000..=150_000).contains(&size), "{codec}: {size}");
    }
}

#[test]
fn an_encoder_that_counts_frames_says_what_it_could_not_know() {
    let source = slowing("mkv");
    let once = r#"[{"type":"transcode","options":{"codec":"hevc","bitrate":"100k","preset":"ultrafast"}}]"#;
    let notes = run(&source.path, once).report.notes;
    let told =
        |note: &String| note.contains("libx265 counts frames") && note.contains("two passes");
    assert!(notes.iter().any(told), "{notes:?}");
    // The container counts its frames here.
    let source = slowing("mp4");
    let notes = run(&source.path, once).report.notes;
    assert!(!notes.iter().any(told), "{notes:?}");
}

#[test]
fn a_size_is_reached_and_never_exceeded() {
    let source = grainy();
    for target in [120_000, 300_000] {
        let size = bytes(
            &source,
            &format!(r#"{{"targetBytes":{target},"preset":"veryfast"}}"#),
        );
        assert!(
            size <= target && size * 100 >= target * 92,
            "{size} of {target}"
        );
    }
}

#[test]
fn a_size_that_cannot_be_is_refused() {
    let source = grainy();
    let error = refused(
        &source.path,
        r#"[{"type":"compress","options":{"targetBytes":5000}}]"#,
    );
    assert!(error.to_string().contains("targetBytes"), "{error}");
}

#[test]
fn a_likeness_is_reached() {
    let source = Source::new().size(160, 120).frames(40).grain(12).build();
    let mut last = 0;
    for target in [0.90, 0.97] {
        let json = format!(
            r#"[{{"type":"compress","options":{{"targetSsim":{target},"preset":"veryfast"}}}}]"#
        );
        let done = run(&source.path, &json);
        let scores = crate::observe::similarity(&source.path, &done.video(), &[]);
        let mean = scores.values().sum::<f64>() / scores.len() as f64;
        assert!(mean > target - 0.015, "{mean} for {target}");
        assert!(done.report.bytes() > last);
        last = done.report.bytes();
    }
}
