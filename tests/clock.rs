//! Times of day: `--at`.

use crate::support::{Folder, shown_frames};

/// Two recordings of six seconds, which begin at ten and six seconds later.
const HOURS: &str = "recording.mp4 recording.ts --at 10:00:00 --at 10:00:06";

#[test]
fn a_clip_is_named_by_the_clock() {
    let folder = Folder::with(&["recording.mp4", "recording.ts"]);
    let cut = format!("cut {HOURS} --start 10:00:05.2 --end 10:00:07.4 -o clip.mp4");
    let report = folder.json(&cut);
    assert_eq!(report["frames"], 55, "{report}");
    assert_eq!(report["start"], 36_005.2, "{report}");
    assert_eq!(report["end"], 36_007.4, "{report}");
    assert_eq!(shown_frames(&folder.path("clip.mp4")), 55);

    let run = folder.flatbed(&format!("{cut} --force"));
    run.succeeded();
    assert!(
        run.stderr.contains("10:00:05.200 to 10:00:07.400"),
        "{}",
        run.stderr
    );
}

#[test]
fn recordings_without_a_time_follow_on() {
    let folder = Folder::with(&["recording.mp4", "recording.ts"]);
    let files = "recording.mp4 recording.ts --at 10:00:00";
    let report = folder.json(&format!(
        "cut {files} --start 10:00:05.2 --duration 2s -o clip.mp4"
    ));
    assert_eq!(report["frames"], 50, "{report}");
    assert_eq!(report["start"], 36_005.2, "{report}");
}

#[test]
fn a_gap_does_not_shift_the_clock() {
    let folder = Folder::with(&["recording.mp4", "recording.ts"]);
    let files = "recording.mp4 recording.ts --at 23:59:50 --at 24:00:10";
    let report = folder.json(&format!(
        "cut {files} --start 24:00:11 --end 24:00:12 -o clip.mp4"
    ));
    assert_eq!(report["frames"], 25, "{report}");
    assert_eq!(report["start"], 86_411.0, "{report}");
}

#[test]
fn a_closed_gap_does_not_shift_the_clock() {
    let folder = Folder::with(&["recording.mp4", "recording.ts"]);
    let files = "recording.mp4 recording.ts --at 10:00:00 --at 10:00:30 --gaps close";
    let report = folder.json(&format!(
        "cut {files} --start 10:00:05 --end 10:00:32 -o clip.mp4"
    ));
    // A second of the first recording and two of the other.
    assert_eq!(report["frames"], 75, "{report}");
    assert_eq!(report["start"], 36_005.0, "{report}");
    assert_eq!(report["end"], 36_032.0, "{report}");
    assert_eq!(report["duration"], 3.0, "{report}");
}

#[test]
fn by_the_clock_nothing_is_guessed() {
    let folder = Folder::with(&["recording.mp4", "recording.ts"]);
    let refuses = |arguments: &str, words: &[&str]| {
        folder.refuses(&format!("cut {arguments} -o clip.mp4"), 2, words);
    };
    refuses(
        "recording.mp4 --at 10:00",
        &["10:00:00 or 00:10:00", "hours or minutes"],
    );
    refuses(
        "recording.mp4 --at 10:00:00 --start 10:03",
        &["--start", "hours or minutes"],
    );
    refuses(
        "recording.mp4 --at 10:00:00 --end 9:59:59",
        &["--end", "before the first"],
    );
    refuses(
        "recording.mp4 --at 10:00:00 --at 11:00:00",
        &["2 times for 1"],
    );
    refuses(
        "recording.mp4 recording.ts --at 23:00:00 --at 00:00:00",
        &["00:00:00.000 is not later", "24:00:00"],
    );
    refuses(
        "recording.mp4 --at 10:00:00 --timeline source",
        &["--at", "--timeline source"],
    );
}
