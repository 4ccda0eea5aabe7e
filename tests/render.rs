//! `flatbed render`, and the commands that do one thing to a video.

use std::fs;

use serde_json::{Value, json};

use crate::support::{FRAMES, Folder, container, shown_frames};

fn number(report: &Value, key: &str) -> u64 {
    report[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key} in {report}"))
}

/// A folder with a recording, a mark, and the operations in `ops.json`.
fn folder(operations: &Value) -> Folder {
    let folder = Folder::with(&["recording.mp4", "mark.png"]);
    folder.write("ops.json", operations.to_string());
    folder
}

fn everything() -> Value {
    json!([
        {"type": "trim", "options": {"start": 1, "duration": "2s"}},
        {"type": "watermark", "options": {"image": "mark.png", "position": "top-left"}},
        {"type": "transcode", "options": {"resolution": "80x", "preset": "ultrafast"}},
        {"type": "thumbnail", "options": {"timestamps": ["50%", 1.5], "format": "png"}},
    ])
}

#[test]
fn a_list_becomes_a_video_and_pictures() {
    let folder = folder(&everything());
    let report = folder.json("render recording.mp4 --ops ops.json -o out");
    assert_eq!(shown_frames(&folder.path("out/video.mp4")), 50);
    assert_eq!(report["output"], "out");
    assert_eq!(number(&report, "frames"), 50);
    assert_eq!(number(&report, "frames_encoded"), 50);
    assert_eq!(number(&report, "passes"), 1);
    assert_eq!(report["duration"], 2.0);
    let files = report["files"].as_array().expect("files");
    let names: Vec<_> = files.iter().map(|file| &file["file"]).collect();
    assert_eq!(
        names,
        [
            "out/video.mp4",
            "out/thumbnail-1.png",
            "out/thumbnail-2.png"
        ]
    );
    for file in files {
        let path = folder.path(file["file"].as_str().expect("a name"));
        let bytes = fs::metadata(path).expect("the file").len();
        assert_eq!(number(file, "bytes"), bytes);
        assert_eq!(number(file, "width"), 80, "{file}");
        assert_eq!(number(file, "height"), 60, "{file}");
    }
}

#[test]
fn a_plan_is_told_and_not_carried_out() {
    let folder = folder(&everything());
    let before = folder.content();
    let run = folder.flatbed("render recording.mp4 --ops ops.json --explain");
    run.succeeded();
    for word in ["decode", "watermark", "80x60", "libx264", "2 thumbnails"] {
        assert!(run.text().contains(word), "{word}: {}", run.text());
    }
    let plan = folder.json("render recording.mp4 --ops ops.json --explain");
    let steps = plan["stages"].as_array().expect("stages");
    assert_eq!(
        steps
            .iter()
            .filter(|stage| stage["step"] == "encode")
            .count(),
        1
    );
    let run = folder.flatbed("convert recording.mp4 --explain -o copy.mkv");
    run.succeeded();
    assert!(run.text().contains("copy     pictures"), "{}", run.text());
    assert_eq!(folder.content(), before);
}

#[test]
fn operations_come_from_standard_input_too() {
    let folder = folder(&json!([]));
    folder.write(
        "in.json",
        json!([{"type": "trim", "options": {"end": 1}}]).to_string(),
    );
    let mut command = folder.command("render recording.mp4 --ops - -o out --quiet");
    command.stdin(fs::File::open(folder.path("in.json")).expect("the list"));
    assert!(command.status().expect("it starts").success());
    assert_eq!(shown_frames(&folder.path("out/video.mp4")), 25);
}

#[test]
fn wrong_operations_are_named() {
    for (operations, words) in [
        (json!([]), vec!["no operation"]),
        (json!({"type": "trim"}), vec!["array"]),
        (
            json!([{"type": "shrink"}]),
            vec!["operation 1", "shrink", "compress"],
        ),
        (
            json!([{"type": "trim", "options": {"start": 1}},
                   {"type": "transcode", "options": {"bitRate": "1M"}}]),
            vec!["operation 2", "transcode", "bitRate"],
        ),
        (
            json!([{"type": "trim", "options": {"start": 3, "end": 2}}]),
            vec!["operation 1", "end", "start"],
        ),
        (
            json!([{"type": "transcode", "options": {"bitrate": "fast"}}]),
            vec!["fast", "1000k"],
        ),
    ] {
        let folder = folder(&operations);
        let mut all = vec!["ops.json: "];
        all.extend(words);
        folder.refuses("render recording.mp4 --ops ops.json -o out", 2, &all);
    }
    let folder = folder(&everything());
    folder.write("broken.json", "[{");
    folder.refuses(
        "render recording.mp4 --ops broken.json -o out",
        2,
        &["broken.json: "],
    );
    folder.refuses(
        "render recording.mp4 --ops none.json -o out",
        2,
        &["none.json: "],
    );
    folder.refuses("render - --ops - -o out", 2, &["--ops"]);
}

#[test]
fn results_replace_nothing_unless_forced() {
    for precious in ["video.mp4", "thumbnail-2.png"] {
        let folder = folder(&everything());
        fs::create_dir(folder.path("out")).expect("a folder");
        fs::write(folder.path("out").join(precious), "precious").expect("a file");
        folder.refuses(
            "render recording.mp4 --ops ops.json -o out",
            2,
            &[precious, "exists already", "--force"],
        );
        let run = folder.flatbed("render recording.mp4 --ops ops.json -o out --force");
        run.succeeded();
        assert_eq!(shown_frames(&folder.path("out/video.mp4")), 50);
    }
}

#[test]
fn what_fails_midway_leaves_nothing() {
    let folder = folder(&json!([
        {"type": "watermark", "options": {"image": "none.png"}},
        {"type": "thumbnail", "options": {"timestamps": [1]}},
    ]));
    let run = folder.flatbed("render recording.mp4 --ops ops.json -o out");
    run.failed(5, &["none.png"]);
    let out = fs::read_dir(folder.path("out")).map_or(0, Iterator::count);
    assert_eq!(out, 0, "something is left");
}

#[test]
fn transcode_changes_codec_and_size() {
    let folder = Folder::with(&["recording.mp4"]);
    let report = folder.json(
        "transcode recording.mp4 --codec vp9 --resolution x60 --preset ultrafast \
         --audio-codec opus -o small.webm",
    );
    assert_eq!(number(&report, "frames_encoded"), FRAMES);
    assert_eq!(
        (number(&report, "width"), number(&report, "height")),
        (80, 60)
    );
    assert_eq!(report["output"], "small.webm");
    assert_eq!(number(&report, "bytes"), folder.content()["small.webm"]);
    assert!(container(&folder.path("small.webm")).contains("webm"));
    assert_eq!(shown_frames(&folder.path("small.webm")), FRAMES);
}

#[test]
fn convert_copies() {
    let folder = Folder::with(&["recording.mp4"]);
    for name in ["copy.mkv", "copy.ts", "copy.mov"] {
        let report = folder.json(&format!("convert recording.mp4 -o {name}"));
        assert_eq!(number(&report, "frames_copied"), FRAMES, "{name}");
        assert_eq!(number(&report, "frames_encoded"), 0, "{name}");
        assert_eq!(shown_frames(&folder.path(name)), FRAMES, "{name}");
    }
}

#[test]
fn compress_keeps_to_a_size() {
    let folder = Folder::with(&["recording.mp4"]);
    let most = 150_000;
    let report = folder.json(&format!(
        "compress recording.mp4 --target-bytes {most} --preset veryfast -o small.mp4"
    ));
    let bytes = number(&report, "bytes");
    assert!(bytes <= most && bytes > most * 8 / 10, "{bytes}");
    assert_eq!(shown_frames(&folder.path("small.mp4")), FRAMES);
}

#[test]
fn watermark_takes_an_image() {
    let folder = Folder::with(&["recording.mp4", "mark.png"]);
    let marked = "watermark recording.mp4 --image mark.png --position -4,4 --end 50%";
    let report = folder.json(&format!("{marked} -o marked.mp4"));
    assert_eq!(number(&report, "frames"), FRAMES);
    assert_eq!(shown_frames(&folder.path("marked.mp4")), FRAMES);
    folder.refuses(
        "watermark recording.mp4 --image mark.png -o mark.png --format mp4 --force",
        2,
        &["mark.png", "one of the inputs"],
    );
}

#[test]
fn options_that_go_ill_together_are_refused() {
    let folder = Folder::with(&["recording.mp4", "mark.png"]);
    for (arguments, word) in [
        (
            "transcode recording.mp4 --bitrate 1M --crf 20 -o out.mp4",
            "--crf",
        ),
        ("transcode recording.mp4 --two-pass -o out.mp4", "--bitrate"),
        ("transcode recording.mp4 --codec h266 -o out.mp4", "h266"),
        ("transcode recording.mp4 --resolution big -o out.mp4", "big"),
        (
            "compress recording.mp4 --quality low --crf 30 -o out.mp4",
            "--crf",
        ),
        (
            "compress recording.mp4 --target-ssim 2 -o out.mp4",
            "targetSsim",
        ),
        ("watermark recording.mp4 -o out.mp4", "--image"),
        (
            "watermark recording.mp4 --image mark.png --opacity 2 -o out.mp4",
            "opacity",
        ),
        ("convert recording.mp4 -o out.xyz", ".mp4"),
        ("convert recording.mp4 --json -o - --format mkv", "--json"),
    ] {
        folder.refuses(arguments, 2, &[word]);
    }
}

#[test]
fn a_pipe_goes_in_and_out() {
    let folder = Folder::with(&["recording.ts"]);
    let mut command = folder.command("convert - -o - --format mkv");
    command.stdin(fs::File::open(folder.path("recording.ts")).expect("the recording"));
    let output = command.output().expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    folder.write("piped.mkv", output.stdout);
    assert_eq!(shown_frames(&folder.path("piped.mkv")), FRAMES);
}
