//! `trim`: alone it copies, in a list it is exact, and trims add up.

use super::workshop::{refused, run};
use crate::fixture::Source;

fn check(json: &str, expected: std::ops::Range<u32>, most_encoded: u64) {
    let source = Source::new().frames(100).audio("aac").build();
    let done = run(&source.path, json);
    assert_eq!(
        done.numbers(),
        expected.clone().collect::<Vec<_>>(),
        "{json}"
    );
    assert!(
        done.report.frames_encoded <= most_encoded,
        "{json}: {:?}",
        done.report
    );
    assert_eq!(done.report.frames, u64::from(expected.end - expected.start));
}

#[test]
fn alone_it_encodes_only_the_edges() {
    check(
        r#"[{"type":"trim","options":{"start":0.4,"end":3.2}}]"#,
        10..80,
        25,
    );
    check(
        r#"[{"type":"trim","options":{"start":"25%","duration":"1s"}}]"#,
        25..50,
        0,
    );
}

#[test]
fn a_copy_begins_with_the_keyframe_before() {
    check(
        r#"[{"type":"trim","options":{"start":1.5,"end":3,"mode":"copy"}}]"#,
        25..75,
        0,
    );
}

#[test]
fn trims_add_up() {
    check(
        r#"[{"type":"trim","options":{"start":1}},{"type":"trim","options":{"start":1,"end":1.6}}]"#,
        50..65,
        25,
    );
    // A percentage is of what is left by then.
    check(
        r#"[{"type":"trim","options":{"start":2}},{"type":"trim","options":{"start":"50%"}}]"#,
        75..100,
        0,
    );
}

#[test]
fn with_an_encode_it_is_exact() {
    let ops = r#",{"type":"transcode","options":{"preset":"ultrafast"}}]"#;
    let exact = r#"[{"type":"trim","options":{"start":0.44,"duration":1.2}}"#;
    check(&format!("{exact}{ops}"), 11..41, 30);
    // A copy's start is at a keyframe, whatever comes behind it.
    let copy = r#"[{"type":"trim","options":{"start":1.5,"end":2,"mode":"copy"}}"#;
    check(&format!("{copy}{ops}"), 25..50, 25);
}

#[test]
fn nothing_left_is_an_error() {
    let source = Source::new().frames(50).build();
    let two = r#"[{"type":"trim","options":{"end":1}},{"type":"trim","options":{"start":2}}]"#;
    assert!(
        refused(&source.path, two)
            .to_string()
            .contains("operation 2")
    );
    for behind in [
        r#"[{"type":"trim","options":{"start":9}}]"#,
        r#"[{"type":"trim","options":{"start":9}},{"type":"transcode","options":{}}]"#,
    ] {
        refused(&source.path, behind);
    }
}
