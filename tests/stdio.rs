//! `-`: standard input and output.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::support::{Folder, Run, shown_frames, shown_frames_of};

#[test]
fn a_clip_goes_to_standard_output() {
    let folder = Folder::with(&["recording.mp4"]);
    for format in ["mp4", "mov", "mkv", "ts"] {
        let arguments = format!("cut recording.mp4 --start 1.2 --end 3.4 -o - --format {format}");
        let run = folder.flatbed(&arguments);
        run.succeeded();
        assert_eq!(shown_frames_of(&run.stdout), 55, "{format}");
        assert!(
            run.stderr.starts_with("standard output: 00:00:01.200"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(folder.names(), ["recording.mp4"]);
}

#[test]
fn a_recording_comes_from_a_pipe() {
    let folder = Folder::with(&["recording.ts"]);
    let mut cat = Command::new("cat")
        .arg(folder.path("recording.ts"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("cat");
    let pipe = cat.stdout.take().expect("a pipe");
    let arguments = "cut - --start 1.2 --end 3.4 -o clip.mp4";
    Run::of(arguments, folder.command(arguments).stdin(pipe)).succeeded();
    assert_eq!(shown_frames(&folder.path("clip.mp4")), 55);
    // The rest is not read: cat may find its pipe closed.
    cat.wait().expect("cat ends");
}

#[test]
fn a_recording_comes_from_a_redirected_file() {
    let folder = Folder::with(&["recording.mp4"]);
    let file = File::open(folder.path("recording.mp4")).expect("a recording");
    let arguments = "cut - --start 50% -o - --format ts";
    let run = Run::of(arguments, folder.command(arguments).stdin(file));
    run.failed(3, &["standard input: ", "percentages"]);

    let file = File::open(folder.path("recording.mp4")).expect("a recording");
    let arguments = "cut - --start 1.2 --end 3.4 -o - --format ts";
    let run = Run::of(arguments, folder.command(arguments).stdin(file));
    run.succeeded();
    assert_eq!(shown_frames_of(&run.stdout), 55);
}

#[test]
fn standard_streams_are_used_once() {
    let folder = Folder::with(&["recording.mp4"]);
    folder.refuses("concat - - -o clip.mp4", 2, &["only once"]);
    folder.refuses("concat --files-from - -o clip.mp4", 2, &["no names"]);
    folder.refuses(
        "cut recording.mp4 -o - --format ts --json",
        2,
        &["--json", "standard output"],
    );
    folder.refuses("cut recording.mp4 -o -", 2, &["--format"]);
}

#[test]
fn an_empty_standard_input_is_named() {
    let folder = Folder::empty();
    folder.refuses("probe -", 3, &["standard input: ", "empty"]);
}

/// The read end is closed before anything is written.
fn without_reader(folder: &Folder, arguments: &str) -> Run {
    let mut child = folder
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    Run::ended(
        arguments,
        child.wait_with_output().expect("the program ends"),
    )
}

#[test]
fn a_reader_that_has_gone_is_no_news() {
    let folder = Folder::with(&["recording.mp4"]);
    for arguments in [
        "probe recording.mp4",
        "version",
        "completions bash",
        "--help",
    ] {
        let run = without_reader(&folder, arguments);
        run.succeeded();
        assert_eq!(run.stderr, "", "{arguments}");
    }
    // A clip that arrived nowhere is a failure all the same.
    let run = without_reader(&folder, "cut recording.mp4 -o - --format mp4");
    assert_eq!(run.code, Some(5));
    assert_eq!(run.stderr, "");
}
