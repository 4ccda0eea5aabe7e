//! `flatbed thumbnail`.

use std::fs;

use crate::support::Folder;

/// The size of a picture as `ffprobe` sees it.
fn size(folder: &Folder, name: &str) -> String {
    crate::support::picture_size(&folder.path(name))
}

#[test]
fn one_picture_is_a_file() {
    let folder = Folder::with(&["recording.mp4"]);
    let report = folder.json("thumbnail recording.mp4 --at 1.5 --size 80x -o poster.webp");
    assert_eq!(report["output"], "poster.webp");
    let picture = &report["pictures"][0];
    assert_eq!(picture["file"], "poster.webp");
    assert_eq!(
        (picture["asked"].as_f64(), picture["time"].as_f64()),
        (Some(1.5), Some(1.48))
    );
    assert_eq!(picture["bytes"], folder.content()["poster.webp"]);
    assert!(report["elapsed_ms"].is_u64() && report["notes"].is_array());
    assert_eq!(size(&folder, "poster.webp"), "webp,80,60");
    assert_eq!(folder.names(), ["poster.webp", "recording.mp4"]);
}

#[test]
fn several_pictures_are_in_a_folder() {
    let folder = Folder::with(&["recording.mp4"]);
    let report =
        folder.json("thumbnail recording.mp4 --at 50% --at 1 --size 50x50 --fit cover -o out");
    let times: Vec<_> = report["pictures"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|picture| picture["time"].as_f64().expect("seconds"))
        .collect();
    assert_eq!(times, [3.0, 1.0]);
    assert_eq!(size(&folder, "out/thumbnail-1.jpg"), "mjpeg,50,50");
    assert_eq!(size(&folder, "out/thumbnail-2.jpg"), "mjpeg,50,50");
    let report = folder.json("thumbnail recording.mp4 --count 3 --format png -o more/");
    assert_eq!(report["pictures"].as_array().map(Vec::len), Some(3));
    assert_eq!(size(&folder, "more/thumbnail-3.png"), "png,160,120");
}

#[test]
fn a_name_without_an_extension_is_a_folder() {
    let folder = Folder::with(&["recording.mp4"]);
    folder.json("thumbnail recording.mp4 -o out");
    assert_eq!(size(&folder, "out/thumbnail-1.jpg"), "mjpeg,160,120");
    folder.json("thumbnail recording.mp4 --format png -o picture.bin");
    assert_eq!(size(&folder, "picture.bin"), "png,160,120");
}

#[test]
fn a_picture_can_go_to_standard_output() {
    let folder = Folder::with(&["recording.mp4"]);
    let run = folder.flatbed("thumbnail recording.mp4 --at 0 -o -");
    run.succeeded();
    assert!(run.stdout.starts_with(b"\xFF\xD8\xFF\xE0"));
    let two = "thumbnail recording.mp4 --count 2 -o -";
    folder.refuses(two, 2, &["one picture"]);
    folder.refuses("thumbnail recording.mp4 --json -o -", 2, &["--json"]);
}

#[test]
fn people_are_told_in_a_line_for_each_picture() {
    let folder = Folder::with(&["recording.mp4"]);
    let run = folder.flatbed("thumbnail recording.mp4 --count 2 -o out");
    run.succeeded();
    assert_eq!(run.text(), "");
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    assert!(
        run.stderr
            .starts_with("out/thumbnail-1.jpg: 00:00:02.000, 160x120, ")
    );
    let run = folder.flatbed("thumbnail recording.mp4 --count 2 -o quiet -q");
    run.succeeded();
    assert_eq!(run.stderr, "");
}

#[test]
fn nothing_is_overwritten_unasked() {
    let folder = Folder::with(&["recording.mp4"]);
    folder.write("a.jpg", "precious");
    let command = "thumbnail recording.mp4 --at 1 -o a.jpg";
    folder.refuses(command, 2, &["a.jpg: ", "--force"]);
    folder.refuses(
        "thumbnail recording.mp4 --at 1:00 -o a.jpg --force",
        3,
        &["recording.mp4: 00:01:00.000 is behind its end (00:00:06.000)"],
    );
    assert_eq!(
        fs::read(folder.path("a.jpg")).expect("the file"),
        b"precious"
    );
    folder.flatbed(&format!("{command} --force")).succeeded();
    assert_eq!(size(&folder, "a.jpg"), "mjpeg,160,120");
    for force in ["", "--force"] {
        let own = format!("thumbnail recording.mp4 --format png -o recording.mp4 {force}");
        folder.refuses(&own, 2, &["one of the inputs"]);
    }
    folder
        .flatbed("thumbnail recording.mp4 --count 2 -o out")
        .succeeded();
    let again = "thumbnail recording.mp4 --count 2 -o out";
    let run = folder.flatbed(again);
    run.failed(2, &["out/thumbnail-1.jpg", "--force"]);
    folder.flatbed(&format!("{again} --force")).succeeded();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = Folder::with(&["recording.mp4", "sound.m4a"]);
    for (arguments, code, words) in [
        ("--at 1 --count 2 -o out", 2, &["--count"][..]),
        ("--count 0 -o out", 2, &["--count"]),
        ("--at 101% -o out", 2, &["percentage"]),
        ("--at yesterday -o out", 2, &["--at"]),
        ("--size 320 -o out", 2, &["--size", "320x240"]),
        ("--quality 101 -o out", 2, &["--quality"]),
        ("--format gif -o out", 2, &["--format"]),
        ("--fit squeeze -o out", 2, &["--fit"]),
        ("--at 1", 2, &["--output"]),
        ("--size 20000x --format webp -o out", 3, &["16383"]),
        ("--at 1 -o none/out/a.jpg", 5, &["none/out/a.jpg"]),
    ] {
        folder.refuses(&format!("thumbnail recording.mp4 {arguments}"), code, words);
    }
    folder.refuses("thumbnail sound.m4a -o out", 3, &["sound.m4a: no video"]);
    folder.refuses("thumbnail none.mp4 -o out", 5, &["none.mp4: "]);
}

#[test]
fn a_recording_can_be_piped() {
    let folder = Folder::with(&["recording.ts"]);
    let arguments = "thumbnail - --at 1 --at 2 -o out --json";
    let mut command = folder.command(arguments);
    let file = fs::File::open(folder.path("recording.ts")).expect("the recording");
    let run = crate::support::Run::of(arguments, command.stdin(file));
    run.succeeded();
    assert_eq!(size(&folder, "out/thumbnail-2.jpg"), "mjpeg,160,120");
}
