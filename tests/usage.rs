//! A wrong command line: exit code 2 and one line.

use crate::support::Folder;

#[test]
fn times_that_make_no_sense() {
    let folder = Folder::with(&["recording.mp4"]);
    let refuses = |times: &str, words: &[&str]| {
        folder.refuses(&format!("cut recording.mp4 {times} -o clip.mp4"), 2, words);
    };
    refuses(
        "--end 5 --duration 3",
        &["'--end <TIME>'", "'--duration <TIME>'"],
    );
    refuses(
        "--start 5 --end 3",
        &["--end 00:00:03.000", "--start 00:00:05.000"],
    );
    refuses("--start 3 --end 3", &["--end 00:00:03.000"]);
    refuses("--start 50% --end 10%", &["--end 10%", "--start 50%"]);
    refuses("--duration 0", &["--duration"]);
    refuses("--start soon", &["'soon'", "--start", "00:01:02.500"]);
    refuses("--start -5", &["'-5'", "--start"]);
    refuses("--start 101%", &["101%"]);
}

#[test]
fn arguments_that_are_not_there() {
    let folder = Folder::with(&["recording.mp4"]);
    folder.refuses("cut recording.mp4", 2, &["required", "--output <OUT>"]);
    folder.refuses("cut -o clip.mp4", 2, &["required", "<FILE>..."]);
    folder.refuses("probe", 2, &["required", "<FILE>"]);
    folder.refuses(
        "cut recording.mp4 -o clip.mp4 --stat 5",
        2,
        &["'--stat'", "'--start'"],
    );
    folder.refuses(
        "cut recording.mp4 -o clip.mp4 --mode fast",
        2,
        &["exact, copy, reencode"],
    );
    folder.refuses(
        "cut recording.mp4 -o clip.mp4 --threads 0",
        2,
        &["--threads"],
    );
    folder.refuses("trim recording.mp4", 2, &["'trim'"]);
}

#[test]
fn a_log_that_cannot_be() {
    let folder = Folder::empty();
    let mut command = folder.command("version");
    let run = crate::support::Run::of("version", command.env("FLATBED_LOG", "flatbed=loud"));
    run.failed(2, &["FLATBED_LOG: "]);
}
