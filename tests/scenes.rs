//! `flatbed scenes`, `frames` and `normalize`.

use std::fs;

use crate::support::Folder;

#[test]
fn scenes_as_json() {
    let folder = Folder::with(&["three-scenes.mp4"]);
    for detector in ["adaptive", "content"] {
        let told = folder.json(&format!("scenes three-scenes.mp4 --detector {detector}"));
        assert_eq!(told["file"], "three-scenes.mp4");
        assert_eq!(told["frames"], 75);
        let scenes = told["scenes"].as_array().expect("scenes");
        let starts: Vec<_> = scenes.iter().map(|scene| &scene["first_frame"]).collect();
        assert_eq!(starts, [0, 25, 50], "{detector}");
        assert_eq!(scenes[1]["start"], 1.0);
        assert_eq!(scenes[1]["end"], 2.0);
        assert_eq!(scenes[2]["frames"], 25);
    }
}

#[test]
fn scenes_for_people_are_lines() {
    let folder = Folder::with(&["three-scenes.mp4"]);
    let run = folder.flatbed("scenes three-scenes.mp4");
    run.succeeded();
    assert_eq!(
        run.text(),
        "1  00:00:00.000  00:00:01.000  25 frames\n\
         2  00:00:01.000  00:00:02.000  25 frames\n\
         3  00:00:02.000  00:00:03.000  25 frames\n"
    );
}

#[test]
fn the_options_change_what_is_found() {
    let folder = Folder::with(&["three-scenes.mp4"]);
    let count = |options: &str| {
        let told = folder.json(&format!("scenes three-scenes.mp4 {options}"));
        told["scenes"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(count("--min-length 1.5s"), 2);
    assert_eq!(count("--min-length 25f"), 3);
    assert_eq!(count("--detector content --threshold 250"), 1);
    // Red and green are as bright as one another.
    assert_eq!(count("--luma-only"), 2);
    folder.refuses("scenes three-scenes.mp4 --threshold 0", 2, &["--threshold"]);
    folder.refuses(
        "scenes three-scenes.mp4 --min-length soon",
        2,
        &["soon", "15f"],
    );
    folder.refuses("scenes three-scenes.mp4 --detector magic", 2, &["magic"]);
}

#[test]
fn measurements_are_a_table() {
    let folder = Folder::with(&["three-scenes.mp4"]);
    folder
        .flatbed("scenes three-scenes.mp4 --stats scores.csv")
        .succeeded();
    let table = fs::read_to_string(folder.path("scores.csv")).expect("a table");
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 76);
    assert!(lines[0].starts_with("frame,time,content_val,"));
    let fields: Vec<f64> = lines[26]
        .split(',')
        .map(|field| field.parse().expect("a number"))
        .collect();
    assert_eq!((fields[0], fields[1]), (25.0, 1.0));
    assert!(fields[2] > 27.0 && fields[6] > 3.0, "{fields:?}");
    folder.refuses(
        "scenes three-scenes.mp4 --stats scores.csv",
        2,
        &["scores.csv", "--force"],
    );
    folder
        .flatbed("scenes three-scenes.mp4 --stats scores.csv --force")
        .succeeded();
}

#[test]
fn a_recording_without_video_has_no_scenes() {
    let folder = Folder::with(&["sound.m4a"]);
    folder.refuses("scenes sound.m4a", 3, &["sound.m4a", "no video"]);
    folder.refuses("scenes nothing.mp4", 5, &["nothing.mp4"]);
    folder.refuses("frames sound.m4a -o frames", 3, &["sound.m4a", "no video"]);
}

#[test]
fn frames_are_the_first_the_last_and_some_between() {
    let folder = Folder::with(&["three-scenes.mp4"]);
    let told = folder.json("frames three-scenes.mp4 --max 2 -o frames");
    assert_eq!(told["scenes"], 3);
    let frames = told["frames"].as_array().expect("frames");
    let facts: Vec<_> = frames
        .iter()
        .map(|frame| (&frame["file"], &frame["scene"], &frame["time"]))
        .collect();
    assert_eq!(facts.len(), 2);
    assert_eq!(
        (facts[0].0.as_str(), facts[0].1.as_u64()),
        (Some("frames/frame-1.jpg"), Some(0))
    );
    assert_eq!(
        (facts[1].0.as_str(), facts[1].1.as_u64()),
        (Some("frames/frame-2.jpg"), Some(2))
    );
    // The frames that are seen in the middle of their scenes.
    assert_eq!(
        (facts[0].2.as_f64(), facts[1].2.as_f64()),
        (Some(0.48), Some(2.48))
    );
    assert!(folder.path("frames/frame-2.jpg").exists());
    folder.refuses(
        "frames three-scenes.mp4 --max 2 -o frames",
        2,
        &["frame-1.jpg", "--force"],
    );
    let all = folder.json("frames three-scenes.mp4 --format png -o all");
    assert_eq!(all["frames"].as_array().map(Vec::len), Some(3));
    assert!(folder.path("all/frame-3.png").exists());
}

#[test]
fn normalize_makes_a_proxy_and_sound() {
    let folder = Folder::with(&["recording.mp4"]);
    let told = folder.json("normalize recording.mp4 --scenes -o out");
    assert_eq!(told["proxy"]["file"], "out/proxy.mp4");
    assert_eq!(told["proxy"]["frames"], 150);
    assert_eq!(told["proxy"]["frame_rate"], 25.0);
    assert_eq!(told["proxy"]["width"], 160);
    assert_eq!(told["sound"]["file"], "out/sound.wav");
    assert_eq!(told["sound"]["silences"].as_array().map(Vec::len), Some(0));
    assert!(
        told["scenes"]
            .as_array()
            .is_some_and(|scenes| !scenes.is_empty())
    );
    assert_eq!(told["notes"].as_array().map(Vec::len), Some(0));
    let size = |name: &str| fs::metadata(folder.path(name)).expect("a file").len();
    assert_eq!(told["proxy"]["bytes"], size("out/proxy.mp4"));
    assert_eq!(told["sound"]["bytes"], size("out/sound.wav"));

    folder.refuses(
        "normalize recording.mp4 -o out",
        2,
        &["proxy.mp4", "--force"],
    );
    let again = folder.json("normalize recording.mp4 --no-proxy --force -o out");
    assert!(again["proxy"].is_null() && again["scenes"].is_null());
}

#[test]
fn normalize_makes_frames() {
    let folder = Folder::with(&["three-scenes.mp4"]);
    let told = folder.json("normalize three-scenes.mp4 --frames 2 -o out");
    assert_eq!(told["scenes"].as_array().map(Vec::len), Some(3));
    let frames = told["frames"].as_array().expect("frames");
    let facts: Vec<_> = frames
        .iter()
        .map(|frame| (frame["file"].as_str(), frame["scene"].as_u64()))
        .collect();
    assert_eq!(
        facts,
        [
            (Some("out/frame-1.jpg"), Some(0)),
            (Some("out/frame-2.jpg"), Some(2))
        ]
    );
    let size = |name: &str| fs::metadata(folder.path(name)).expect("a file").len();
    assert_eq!(frames[1]["bytes"], size("out/frame-2.jpg"));
    assert!(folder.path("out/proxy.mp4").exists());
    folder.refuses(
        "normalize three-scenes.mp4 --no-proxy --frames 2 -o out",
        2,
        &["frame-1.jpg", "--force"],
    );
    let run = folder.flatbed("normalize three-scenes.mp4 --no-proxy --frames 1 --force -o out");
    run.succeeded();
    assert!(
        run.stderr.contains("out/frame-1.jpg: scene 1, "),
        "{}",
        run.stderr
    );
    folder.refuses(
        "normalize three-scenes.mp4 --frames 0 -o out",
        2,
        &["--frames"],
    );
}

#[test]
fn normalize_that_fails_leaves_no_folder() {
    let folder = Folder::with(&["sound.m4a"]);
    folder.write("text.mp4", "not a recording".repeat(100));
    folder.refuses("normalize text.mp4 -o out", 3, &["text.mp4"]);
    folder.refuses("normalize sound.m4a --no-sound -o out", 3, &["no video"]);
    folder.refuses(
        "normalize sound.m4a --no-sound --no-proxy -o out",
        2,
        &["--no-proxy"],
    );
    folder.refuses(
        "normalize sound.m4a --silence-level 3 -o out",
        2,
        &["--silence-level"],
    );
    let told = folder.json("normalize sound.m4a -o out");
    assert!(told["proxy"].is_null());
    assert!(
        told["notes"][0]
            .as_str()
            .is_some_and(|note| note.contains("no video"))
    );
}
