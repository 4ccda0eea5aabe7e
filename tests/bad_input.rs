//! Inputs at fault: one line that names the file and the reason.

use std::fs;

use crate::support::Folder;

/// All commands refuse it alike.
fn refused_by_all(folder: &Folder, name: &str, code: i32, words: &[&str]) {
    let words = [&[name], words].concat();
    folder.refuses(&format!("probe {name}"), code, &words);
    folder.refuses(&format!("concat {name} -o out.mp4"), code, &words);
    folder.refuses(
        &format!("cut {name} --start 1 --end 2 -o out.mp4"),
        code,
        &words,
    );
}

#[test]
fn a_file_that_is_not_there() {
    refused_by_all(
        &Folder::empty(),
        "none.mp4",
        5,
        &["none.mp4: No such file or directory"],
    );
}

#[test]
fn a_folder() {
    let folder = Folder::empty();
    fs::create_dir(folder.path("day.mp4")).expect("a folder");
    refused_by_all(&folder, "day.mp4", 5, &["day.mp4: is a directory"]);
}

#[test]
fn an_empty_file() {
    let folder = Folder::empty();
    folder.write("empty.mp4", "");
    refused_by_all(&folder, "empty.mp4", 3, &["empty.mp4: the file is empty"]);
}

#[test]
fn a_text_file() {
    let folder = Folder::empty();
    folder.write("notes.mp4", "Remember the milk.\n".repeat(100));
    refused_by_all(&folder, "notes.mp4", 3, &["notes.mp4: "]);
}

#[test]
fn a_playlist() {
    let folder = Folder::with(&["recording.ts"]);
    folder.write(
        "list.m3u8",
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nrecording.ts\n",
    );
    folder.write("list.ffconcat", "ffconcat version 1.0\nfile recording.ts\n");
    refused_by_all(&folder, "list.m3u8", 3, &[]);
    refused_by_all(&folder, "list.ffconcat", 3, &[]);
}

#[test]
fn an_address_is_a_name_of_a_file() {
    let folder = Folder::with(&["recording.ts"]);
    for name in [
        "http://127.0.0.1:9/a.mp4",
        "concat:recording.ts",
        "file:recording.ts",
    ] {
        folder.refuses(
            &format!("probe {name}"),
            5,
            &[name, "No such file or directory"],
        );
    }
}

#[test]
fn a_recording_cut_off_in_front_of_its_index() {
    let folder = Folder::with(&["recording.mp4"]);
    let bytes = fs::read(folder.path("recording.mp4")).expect("a recording");
    folder.write("cut-off.mp4", &bytes[..bytes.len() / 2]);
    folder.write("header.mp4", &bytes[..32]);
    refused_by_all(&folder, "cut-off.mp4", 3, &["cut-off.mp4: "]);
    refused_by_all(&folder, "header.mp4", 3, &["header.mp4: "]);
}

#[test]
fn sound_alone() {
    let folder = Folder::with(&["sound.m4a"]);
    folder.flatbed("probe sound.m4a").succeeded();
    let words = ["sound.m4a: no video", "aac"];
    folder.refuses("concat sound.m4a -o out.mp4", 3, &words);
    folder.refuses("cut sound.m4a --end 1 -o out.mp4", 3, &words);
}

#[test]
fn one_bad_recording_among_good_ones() {
    let folder = Folder::with(&["recording.mp4"]);
    folder.write("empty.mp4", "");
    folder.refuses(
        "concat recording.mp4 empty.mp4 recording.mp4 -o out.mp4",
        3,
        &["empty.mp4: "],
    );
}

#[test]
fn a_start_past_the_end() {
    let folder = Folder::with(&["recording.mp4", "recording.ts"]);
    for name in ["recording.mp4", "recording.ts"] {
        let cut = format!("cut {name} --start 1:00 -o out.mp4");
        folder.refuses(&cut, 3, &[&format!("{name}: "), "00:01:00.000"]);
    }
}

#[test]
fn more_streams_than_the_limit() {
    let folder = Folder::with(&["many-streams.mkv"]);
    refused_by_all(
        &folder,
        "many-streams.mkv",
        4,
        &["many-streams.mkv: ", "64"],
    );
}

#[test]
fn more_recordings_than_the_limit() {
    let folder = Folder::empty();
    folder.write("list", "none.ts\n".repeat(200_001));
    folder.refuses(
        "concat --files-from list -o out.mp4",
        4,
        &["200001 inputs", "200000"],
    );
}

#[test]
fn a_name_with_a_line_break_stays_in_one_line() {
    let folder = Folder::empty();
    let mut command = folder.command("probe");
    command.arg("two\nlines.mp4");
    crate::support::Run::of("probe", &mut command).failed(5, &["two\\nlines.mp4: No such file"]);
}
