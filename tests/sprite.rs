//! `flatbed sprite`.

use std::fs;

use crate::support::{Folder, picture_size};

#[test]
fn sheets_and_their_list() {
    let folder = Folder::with(&["recording.mp4"]);
    let report = folder.json("sprite recording.mp4 --every 1s --tile 2x2 --width 80 -o out");
    assert_eq!(report["output"], "out");
    assert_eq!(report["list"], "out/sprites.vtt");
    assert_eq!(
        (report["tiles"].as_u64(), report["keyframes"].as_u64()),
        (Some(6), Some(6))
    );
    assert_eq!(report["duration"].as_f64(), Some(6.0));
    assert_eq!(report["sheets"][1]["file"], "out/sprite-2.jpg");
    assert_eq!(
        picture_size(&folder.path("out/sprite-1.jpg")),
        "mjpeg,160,120"
    );
    assert_eq!(
        picture_size(&folder.path("out/sprite-2.jpg")),
        "mjpeg,160,60"
    );
    let list = fs::read_to_string(folder.path("out/sprites.vtt")).expect("the list");
    assert!(
        list.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nsprite-1.jpg#xywh=0,0,80,60\n")
    );
    assert!(list.ends_with("\n00:00:05.000 --> 00:00:06.000\nsprite-2.jpg#xywh=80,0,80,60\n"));
}

#[test]
fn people_are_told_and_nothing_is_overwritten_unasked() {
    let folder = Folder::with(&["recording.ts"]);
    let command = "sprite recording.ts --every 2s --format webp -o out";
    let run = folder.flatbed(command);
    run.succeeded();
    let last = run.stderr.lines().last().expect("a line");
    assert!(last.starts_with("out/sprites.vtt: 3 pictures of 160x120, 3 of them keyframes, over "));
    folder
        .flatbed(command)
        .failed(2, &["out/sprites.vtt", "--force"]);
    folder.flatbed(&format!("{command} --force -q")).succeeded();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = Folder::with(&["recording.mp4"]);
    for (arguments, code, words) in [
        ("--every 0 -o out", 2, &["--every", "1 ms"][..]),
        ("--every 0.000001s -o out", 2, &["--every", "1 ms"]),
        ("--tile 5 -o out", 2, &["--tile", "5x5"]),
        ("--tile 5x101 -o out", 2, &["--tile"]),
        ("--width 1 -o out", 2, &["--width"]),
        ("--format png -o out", 2, &["--format"]),
        ("-o -", 2, &["folder"]),
        ("-o none/out", 5, &["none/out"]),
    ] {
        folder.refuses(&format!("sprite recording.mp4 {arguments}"), code, words);
    }
}
