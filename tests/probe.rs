//! `flatbed probe`.

use std::fs::File;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Folder, Run};

#[test]
fn all_facts_as_json() {
    let folder = Folder::with(&["recording.mp4"]);
    let facts = folder.json("probe recording.mp4");
    assert_eq!(facts["file"], "recording.mp4");
    assert_eq!(facts["format"], "mov,mp4,m4a,3gp,3g2,mj2");
    assert_eq!(facts["bytes"], folder.content()["recording.mp4"]);
    let duration = facts["duration"].as_f64().expect("a duration");
    assert!((duration - 6.0).abs() < 0.05, "{duration}");

    let picture = &facts["streams"][0];
    let expected = json!({
        "index": 0, "type": "video", "codec": "h264", "profile": "High",
        "width": 160, "height": 120, "pixel_format": "yuv420p",
        "frame_rate": 25.0, "frame_rate_fraction": "25/1",
        "rotation": 0, "interlaced": false, "start": 0.0,
    });
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&picture[key], value, "{key}");
    }
    assert_eq!(picture["colour"]["primaries"], Value::Null);

    let sound = &facts["streams"][1];
    assert_eq!(sound["type"], "audio");
    assert_eq!(sound["codec"], "aac");
    assert_eq!(sound["sample_rate"], 44_100);
    assert_eq!(sound["channels"], 1);
    assert_eq!(sound.get("width"), None);
}

#[test]
fn a_table_for_people() {
    let folder = Folder::with(&["recording.mp4"]);
    let run = folder.flatbed("probe recording.mp4");
    run.succeeded();
    let text = run.text();
    assert!(text.starts_with("recording.mp4\n  format    mov"), "{text}");
    assert!(
        text.contains("\n  0  video  h264 (High)  00:00:06.000  160x120, yuv420p, 25 fps"),
        "{text}"
    );
    assert!(text.contains("\n  1  audio  aac (LC)"), "{text}");
    assert!(text.contains("44100 Hz, mono"), "{text}");
    assert_eq!(run.stderr, "");
}

#[test]
fn standard_input_is_read_as_a_stream_or_a_file() {
    let folder = Folder::with(&["recording.ts", "recording.mp4"]);
    // The index of recording.mp4 is at its end.
    for name in ["recording.ts", "recording.mp4"] {
        let file = File::open(folder.path(name)).expect("a recording");
        let run = Run::of(name, folder.command("probe - --json").stdin(file));
        run.succeeded();
        assert!(
            run.text().starts_with("{\"file\":\"standard input\""),
            "{}",
            run.text()
        );
    }
    let mut cat = std::process::Command::new("cat")
        .arg(folder.path("recording.ts"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("cat");
    let pipe = cat.stdout.take().expect("a pipe");
    let run = Run::of("a pipe", folder.command("probe -").stdin(pipe));
    run.succeeded();
    assert!(run.text().contains("mpegts"), "{}", run.text());
    cat.wait().expect("cat ends");
}
