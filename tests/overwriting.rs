//! What is there is not lost.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Folder, shown_frames};

#[test]
fn an_existing_file_is_replaced_only_by_force() {
    let folder = Folder::with(&["recording.mp4"]);
    folder.write("clip.mp4", "precious");
    let cut = "cut recording.mp4 --end 1 -o clip.mp4";
    folder.refuses(cut, 2, &["clip.mp4: ", "exists", "--force"]);
    folder.flatbed(&format!("{cut} --force")).succeeded();
    assert_eq!(shown_frames(&folder.path("clip.mp4")), 25);
}

#[test]
fn what_fails_leaves_the_file_that_it_was_to_replace() {
    let folder = Folder::with(&["recording.mp4"]);
    folder.write("clip.mp4", "precious");
    folder.refuses(
        "cut recording.mp4 --start 1:00 -o clip.mp4 --force",
        3,
        &["recording.mp4: "],
    );
    folder.refuses(
        "concat recording.mp4 none.mp4 -o clip.mp4 --force",
        5,
        &["none.mp4: "],
    );
    assert_eq!(
        fs::read(folder.path("clip.mp4")).expect("the file"),
        b"precious"
    );
}

#[test]
fn an_input_is_never_the_output() {
    let folder = Folder::with(&["recording.mp4"]);
    symlink("recording.mp4", folder.path("link.mp4")).expect("a link");
    fs::hard_link(folder.path("recording.mp4"), folder.path("hard.mp4")).expect("a hard link");
    for output in ["recording.mp4", "./recording.mp4", "link.mp4", "hard.mp4"] {
        for force in ["", "--force"] {
            let arguments = format!("cut recording.mp4 --end 1 -o {output} {force}");
            folder.refuses(&arguments, 2, &[output, "one of the inputs"]);
        }
    }
}

#[test]
fn devices_and_pipes_are_written_to_as_they_are() {
    let folder = Folder::with(&["recording.mp4"]);
    let run = folder.flatbed("cut recording.mp4 --end 1 -o /dev/null --format ts");
    run.succeeded();
}

#[test]
fn a_full_disk_is_named() {
    let folder = Folder::with(&["recording.mp4"]);
    for format in ["mp4", "mkv", "ts"] {
        let arguments = format!("concat recording.mp4 -o /dev/full --format {format}");
        folder.refuses(&arguments, 5, &["/dev/full: No space left on device"]);
    }
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let folder = Folder::with(&["recording.mp4"]);
    fs::create_dir(folder.path("clips.mp4")).expect("a folder");
    let refuses = |output: &str, code: i32, words: &[&str]| {
        let arguments = format!("cut recording.mp4 --end 1 -o {output}");
        folder.refuses(&arguments, code, words);
    };
    refuses("clips.mp4", 2, &["clips.mp4: ", "directory"]);
    refuses(
        "none/clip.mp4",
        5,
        &["none/clip.mp4: ", "No such file or directory"],
    );
    refuses(
        "recording.mp4/clip.mp4",
        5,
        &["recording.mp4/clip.mp4: ", "Not a directory"],
    );
    // Nobody may write there, not even root.
    refuses("/proc/clip.mp4", 5, &["/proc/clip.mp4: "]);
    refuses("clip.xyz", 2, &["clip.xyz: ", ".mp4", "--format"]);
    refuses("clip", 2, &["clip: ", ".mp4", "--format"]);
}
