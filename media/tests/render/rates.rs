//! How many bits: quality, rates, passes, sizes, likeness.

use super::workshop::{refused, run};
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
