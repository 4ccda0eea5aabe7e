//! `flatbed concat`.

use crate::support::{FRAMES, Folder, Run, shown_frames};

#[test]
fn recordings_are_joined_in_order() {
    let folder = Folder::with(&["recording.mp4", "recording.ts"]);
    let report = folder.json("concat recording.mp4 recording.ts recording.mp4 -o all.mp4");
    assert_eq!(report["frames"], 3 * FRAMES, "{report}");
    assert_eq!(report["start"], 0.0);
    assert_eq!(shown_frames(&folder.path("all.mp4")), 3 * FRAMES);
}

#[test]
fn the_names_may_come_from_a_list() {
    let folder = Folder::with(&["recording.mp4", "recording.ts"]);
    folder.write("list.txt", "recording.ts\r\n\nrecording.ts");
    let report = folder.json("concat --files-from list.txt -o from-file.ts");
    assert_eq!(report["frames"], 2 * FRAMES, "{report}");

    let list = std::fs::File::open(folder.path("list.txt")).expect("the list");
    let arguments = "concat --files-from - -o from-stdin.ts";
    Run::of(arguments, folder.command(arguments).stdin(list)).succeeded();
    assert_eq!(shown_frames(&folder.path("from-stdin.ts")), 2 * FRAMES);

    folder.write("empty.txt", "\n");
    folder.refuses(
        "concat --files-from empty.txt -o no.mp4",
        2,
        &["empty.txt", "no names"],
    );
    folder.refuses(
        "concat --files-from missing.txt -o no.mp4",
        5,
        &["missing.txt", "No such file"],
    );
    folder.refuses(
        "concat --files-from list.txt recording.mp4 -o no.mp4",
        2,
        &["cannot be used with"],
    );
}

#[test]
fn what_does_not_fit_is_refused_or_encoded() {
    let folder = Folder::with(&["recording.mp4", "larger-picture.mp4"]);
    let concat = "concat recording.mp4 larger-picture.mp4 -o both.mp4";
    folder.refuses(concat, 3, &["larger-picture.mp4: "]);
    let report = folder.json(&format!("{concat} --on-mismatch reencode"));
    assert_eq!(report["frames"], FRAMES + 25, "{report}");
    assert_eq!(report["frames_encoded"], 25, "{report}");
    assert_eq!(shown_frames(&folder.path("both.mp4")), FRAMES + 25);
}

#[test]
fn thousands_of_tiny_recordings_are_joined() {
    let folder = Folder::with(&["tiny.ts"]);
    folder.write("list", "tiny.ts\n".repeat(2000));
    let report = folder.json("concat --files-from list -o all.mp4");
    assert_eq!(report["frames"], 4000, "{report}");
    assert_eq!(shown_frames(&folder.path("all.mp4")), 4000);
}
