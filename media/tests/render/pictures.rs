//! `thumbnail`: alone by the shortest decode, in a list from the same decode; either way the frame
//! shown at its time.

use super::workshop::{make, numbers, refused, run, size};
use crate::fixture::Source;

#[test]
fn alone_and_in_a_list_they_are_the_same_frames() {
    let source = Source::new().frames(100).build();
    let shots = r#"{"type":"thumbnail","options":{"timestamps":[0,"00:00:01","50%",2.5,"100%"],
        "format":"jpeg"}}"#;
    let encode = r#"{"type":"transcode","options":{"preset":"ultrafast"}}"#;
    let copy = r#"{"type":"convert","options":{"format":"mkv"}}"#;
    for list in [
        format!("[{shots}]"),
        format!("[{shots},{encode}]"),
        format!("[{encode},{shots}]"),
        format!("[{copy},{shots}]"),
    ] {
        let done = run(&source.path, &list);
        let seen: Vec<u32> = (1..=5)
            .map(|n| numbers(&done.picture(n, "jpg"))[0])
            .collect();
        assert_eq!(seen, [0, 25, 50, 62, 99], "{list}");
    }
}

#[test]
fn sizes_and_formats_are_as_asked() {
    let source = Source::new().size(160, 120).frames(10).build();
    for (format, extension) in [("jpeg", "jpg"), ("png", "png"), ("webp", "webp")] {
        for (fit, expected) in [
            ("contain", (80, 60)),
            ("cover", (80, 80)),
            ("stretch", (80, 80)),
        ] {
            let list = format!(
                r#"[{{"type":"transcode","options":{{"preset":"ultrafast"}}}},{{"type":"thumbnail",
                    "options":{{"count":2,"size":"80x80","fit":"{fit}","format":"{format}",
                    "quality":90}}}}]"#
            );
            let done = run(&source.path, &list);
            for number in [1, 2] {
                assert_eq!(
                    size(&done.picture(number, extension)),
                    expected,
                    "{format} {fit}"
                );
            }
        }
    }
}

#[test]
fn black_frames_are_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = make(
        folder.path(),
        "dark.mp4",
        "-f lavfi -i color=black:s=64x48:r=10:d=3,drawbox=0:0:64:48:white:fill:enable='gte(t,1.2)' \
         -c:v libx264",
    );
    let shot =
        r#"{"type":"thumbnail","options":{"timestamps":[0.5],"skipBlack":true,"format":"jpeg"}}"#;
    for list in [
        format!("[{shot}]"),
        format!(r#"[{{"type":"transcode","options":{{}}}},{shot}]"#),
    ] {
        let done = run(&source, &list);
        let light = super::workshop::lumas(&done.picture(1, "jpg"))[0].pixels[100];
        assert!(light > 200, "{list}: {light}");
    }
}

#[test]
fn black_frames_are_not_skipped_past_a_trim() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = make(
        folder.path(),
        "dark.mp4",
        "-f lavfi -i color=black:s=64x48:r=10:d=3,drawbox=0:0:64:48:white:fill:enable='gte(t,1.2)' \
         -c:v libx264",
    );
    let shot =
        r#"{"type":"thumbnail","options":{"timestamps":[0.5],"skipBlack":true,"format":"jpeg"}}"#;
    let trim = |end| format!(r#"{{"type":"trim","options":{{"end":{end}}}}}"#);
    let (first, second) = (trim("1.1"), trim("0.4"));
    // Beside a copy, in the chain, and behind the end of a later trim.
    for list in [
        format!("[{first},{shot}]"),
        format!(r#"[{{"type":"transcode","options":{{}}}},{first},{shot}]"#),
        format!(r#"[{{"type":"transcode","options":{{}}}},{first},{shot},{second}]"#),
    ] {
        let done = run(&source, &list);
        let light = super::workshop::lumas(&done.picture(1, "jpg"))[0].pixels[100];
        assert!(light < 50, "{list}: {light}");
    }
}

#[test]
fn what_is_transparent_beside_the_pictures_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = make(
        folder.path(),
        "clear.webm",
        "-f lavfi -i color=red@0.5:s=64x48:r=10:d=1,format=yuva420p -c:v libvpx-vp9 -pix_fmt yuva420p",
    );
    let done = run(&source, r#"[{"type":"transcode","options":{}}]"#);
    let told = |note: &String| note.contains("transparent");
    assert!(
        done.report.notes.iter().any(told),
        "{:?}",
        done.report.notes
    );
}

#[test]
fn behind_the_end_there_is_none() {
    let source = Source::new().frames(30).build();
    for list in [
        r#"[{"type":"thumbnail","options":{"timestamps":[9]}}]"#,
        r#"[{"type":"transcode","options":{}},{"type":"thumbnail","options":{"timestamps":[9]}}]"#,
        r#"[{"type":"trim","options":{"end":1}},{"type":"thumbnail","options":{"timestamps":[1.1]}}]"#,
    ] {
        refused(&source.path, list);
    }
}
