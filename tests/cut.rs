//! `flatbed cut`.

use serde_json::Value;

use crate::support::{FRAMES, Folder, RATE, container, shown_frames};

fn frames(report: &Value) -> [u64; 3] {
    ["frames", "frames_copied", "frames_encoded"].map(|key| report[key].as_u64().expect(key))
}

#[track_caller]
fn is_near(value: &Value, seconds: f64) {
    let value = value.as_f64().expect("seconds");
    assert!(
        (value - seconds).abs() < 0.001,
        "{value} instead of {seconds}"
    );
}

#[test]
fn an_exact_cut_shows_exactly_its_frames() {
    let folder = Folder::with(&["recording.mp4"]);
    let report = folder.json("cut recording.mp4 --start 1.2 --end 3.4 -o clip.mp4");
    let [all, copied, encoded] = frames(&report);
    assert_eq!(all, 55);
    assert_eq!(copied + encoded, 55);
    assert!(copied >= 25, "a whole GOP is copied: {report}");
    assert_eq!(shown_frames(&folder.path("clip.mp4")), 55);

    assert_eq!(report["output"], "clip.mp4");
    is_near(&report["start"], 1.2);
    is_near(&report["end"], 3.4);
    is_near(&report["duration"], 55.0 / RATE);
    assert_eq!(report["bytes"], folder.content()["clip.mp4"]);
    assert!(report["elapsed_ms"].is_u64());
    assert!(report["notes"].is_array());
    let keys: Vec<_> = report.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys.len(),
        10,
        "the fields of the design and no more: {keys:?}"
    );
}

#[test]
fn a_cut_runs_from_one_recording_into_the_next() {
    let folder = Folder::with(&["recording.mp4", "recording.ts"]);
    let report = folder.json("cut recording.ts recording.mp4 --start 5 --duration 2s -o clip.mkv");
    assert_eq!(frames(&report)[0], 50);
    assert_eq!(shown_frames(&folder.path("clip.mkv")), 50);
}

#[test]
fn without_times_everything_is_copied() {
    let folder = Folder::with(&["recording.mp4"]);
    let report = folder.json("cut recording.mp4 -o clip.mp4");
    assert_eq!(frames(&report), [FRAMES, FRAMES, 0]);
    assert_eq!(shown_frames(&folder.path("clip.mp4")), FRAMES);
}

#[test]
fn percentages_are_parts_of_the_whole() {
    let folder = Folder::with(&["recording.mp4"]);
    let report = folder.json("cut recording.mp4 --start 50% -o clip.mp4");
    assert_eq!(frames(&report)[0], FRAMES / 2);
    let report = folder.json("cut recording.mp4 --end 10% -o start.mp4");
    assert_eq!(frames(&report)[0], FRAMES / 10);
}

#[test]
fn mode_copy_encodes_nothing_and_says_where_it_begins() {
    let folder = Folder::with(&["recording.mp4"]);
    let report = folder.json("cut recording.mp4 --start 1.2 --end 3.4 --mode copy -o clip.mp4");
    assert_eq!(frames(&report)[2], 0);
    is_near(&report["start"], 1.0);
    assert_eq!(shown_frames(&folder.path("clip.mp4")), frames(&report)[0]);
}

#[test]
fn mode_reencode_copies_nothing() {
    let folder = Folder::with(&["recording.mp4"]);
    let report = folder.json("cut recording.mp4 --start 1.2 --end 3.4 --mode reencode -o c.mp4");
    assert_eq!(frames(&report), [55, 0, 55]);
    assert_eq!(shown_frames(&folder.path("c.mp4")), 55);
}

#[test]
fn the_container_follows_the_extension_or_the_format() {
    let folder = Folder::with(&["recording.mp4"]);
    for (output, expected) in [
        ("clip.mov", "mov,"),
        ("clip.mkv", "matroska,"),
        ("clip.ts", "mpegts"),
        ("clip.bin --format mp4", "mov,"),
        ("other.mp4 --format mkv", "matroska,"),
    ] {
        let report = folder.json(&format!(
            "cut recording.mp4 --start 1.2 --end 3.4 -o {output}"
        ));
        assert_eq!(frames(&report)[0], 55, "{output}");
        let name = output.split(' ').next().expect("a name");
        let found = container(&folder.path(name));
        assert!(found.starts_with(expected), "{output}: {found}");
        assert_eq!(shown_frames(&folder.path(name)), 55, "{output}");
    }
}

#[test]
fn people_are_told_in_a_line_on_standard_error() {
    let folder = Folder::with(&["recording.mp4"]);
    let run = folder.flatbed("cut recording.mp4 --start 1.2 --end 3.4 -o clip.mp4");
    run.succeeded();
    assert_eq!(run.text(), "");
    let expected = "clip.mp4: 00:00:01.200 to 00:00:03.400, 00:00:02.200, 55 frames (";
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);

    let run = folder.flatbed("cut recording.mp4 --end 1 -o quiet.mp4 --quiet");
    run.succeeded();
    assert_eq!(run.text(), "");
    assert_eq!(run.stderr, "");
}

#[test]
fn threads_can_be_bounded_and_the_log_asked_for() {
    let folder = Folder::with(&["recording.mp4"]);
    let arguments = "cut recording.mp4 --start 1.2 --end 3.4 --threads 1 -o clip.mp4 --quiet";
    let mut command = folder.command(arguments);
    let run = crate::support::Run::of(arguments, command.env("FLATBED_LOG", "trace"));
    run.succeeded();
    assert_eq!(run.text(), "");
    assert_eq!(shown_frames(&folder.path("clip.mp4")), 55);
}
