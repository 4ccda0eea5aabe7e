//! A path, a stream that seeks, a stream that does not: the same frames by each way.

use std::fs;

use flatbed_media::cut::{self, Options, Segment};
use flatbed_media::{Context, Input, Output};

use super::{Folder, Pipe, Shared, container, frames};
use crate::fixture::{Fixture, Source};
use crate::observe::{self, Movie};

fn cut_to(fixture: &Fixture, output: Output, options: &Options) {
    let name = output.name().to_owned();
    let segments = vec![Segment::new(Input::path(&fixture.path))];
    let report = cut::cut(segments, output, options, &Context::new())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(report.frames, 51, "{name}");
}

fn shown(path: &std::path::Path) -> Vec<(u32, String)> {
    let frames = observe::shown(path);
    frames
        .into_iter()
        .map(|frame| (frame.number, frame.md5))
        .collect()
}

#[test]
fn every_way_out_gives_the_same_frames() {
    let fixture = Source::new().audio("aac").build();
    for extension in ["mp4", "mov", "mkv", "ts"] {
        let folder = Folder::new();
        let [path, seekable, live] =
            ["path", "seekable", "live"].map(|way| folder.file(way).with_extension(extension));
        cut_to(
            &fixture,
            Output::path(&path).expect("a name"),
            &frames(37, 88),
        );
        let (first, second) = (Shared::default(), Shared::default());
        let kind = container(extension);
        cut_to(
            &fixture,
            Output::seekable("seekable", kind, first.clone()),
            &frames(37, 88),
        );
        cut_to(
            &fixture,
            Output::live("live", kind, second.clone()),
            &frames(37, 88),
        );
        fs::write(&seekable, first.bytes()).expect("it can be written");
        fs::write(&live, second.bytes()).expect("it can be written");
        let expected = shown(&path);
        assert!(expected.iter().map(|frame| frame.0).eq(37..88));
        assert_eq!(expected, shown(&seekable), "{extension}");
        assert_eq!(expected, shown(&live), "{extension}");
        for step in observe::in_step(&fixture.path, &live, &[37, 60, 80]) {
            let most = if extension == "ts" { 21.4 } else { 5.0 };
            assert!(
                step.ms.abs() <= most && step.peak > 0.8,
                "{extension}: {step:?}"
            );
        }
    }
}

#[test]
fn a_live_mp4_is_fragmented_and_a_seekable_one_starts_fast() {
    let fixture = Source::new().audio("aac").build();
    let folder = Folder::new();
    for (live, extension) in [(true, "mp4"), (true, "mov"), (false, "mp4"), (false, "mov")] {
        let (shared, kind) = (Shared::default(), container(extension));
        let output = if live {
            Output::live("live", kind, shared.clone())
        } else {
            Output::seekable("seekable", kind, shared.clone())
        };
        cut_to(&fixture, output, &frames(37, 88));
        let path = folder.file("clip").with_extension(extension);
        fs::write(&path, shared.bytes()).expect("it can be written");
        let movie = Movie::open(&path);
        assert!(movie.fast_start());
        assert_eq!(movie.find("moof").is_some(), live);
    }
}

#[test]
fn a_pipe_to_a_pipe() {
    let fixture = Source::new().container("ts").audio("aac").build();
    let shared = Shared::default();
    let input = Input::live("in", Pipe(fs::File::open(&fixture.path).expect("it opens")));
    let output = Output::live("out", container("ts"), shared.clone());
    let segments = vec![Segment::new(input)];
    cut::cut(segments, output, &frames(37, 88), &Context::new()).expect("a cut");
    let folder = Folder::new();
    let path = folder.file("clip.ts");
    fs::write(&path, shared.bytes()).expect("it can be written");
    assert!(shown(&path).iter().map(|frame| frame.0).eq(37..88));
}

#[test]
fn what_was_there_is_replaced_only_by_a_whole_result() {
    let folder = Folder::new();
    let path = folder.file("clip.mp4");
    fs::write(&path, b"before").expect("it can be written");
    let broken = Input::bytes("broken", *b"no video at all, only a line of text");
    let output = Output::path(&path).expect("a name");
    let failed = cut::cut(
        vec![Segment::new(broken)],
        output,
        &frames(0, 1),
        &Context::new(),
    );
    assert!(failed.is_err());
    assert_eq!(fs::read(&path).expect("it is there"), b"before");
    assert_eq!(folder.names(), ["clip.mp4"]);
    let fixture = Source::new().build();
    cut_to(
        &fixture,
        Output::path(&path).expect("a name"),
        &frames(37, 88),
    );
    assert!(shown(&path).iter().map(|frame| frame.0).eq(37..88));
    assert_eq!(folder.names(), ["clip.mp4"]);
}

#[test]
fn a_file_cut_into_itself() {
    let fixture = Source::new().audio("aac").build();
    let folder = Folder::new();
    let path = folder.file("clip.mp4");
    fs::copy(&fixture.path, &path).expect("it can be copied");
    let segments = vec![Segment::new(Input::path(&path))];
    let output = Output::path(&path).expect("a name");
    cut::cut(segments, output, &frames(37, 88), &Context::new()).expect("a cut");
    assert!(shown(&path).iter().map(|frame| frame.0).eq(37..88));
}

#[test]
fn a_fragmented_mp4_can_be_a_live_input_again() {
    let fixture = Source::new().container("ts").audio("aac").build();
    let shared = Shared::default();
    cut_to(
        &fixture,
        Output::live("live", container("mp4"), shared.clone()),
        &frames(37, 88),
    );
    let folder = Folder::new();
    let input = Input::live("live", Pipe(std::io::Cursor::new(shared.bytes())));
    folder
        .cut(input, "again.ts", &Options::default())
        .expect("a copy");
    assert!(
        shown(&folder.file("again.ts"))
            .iter()
            .map(|frame| frame.0)
            .eq(37..88)
    );
}

#[test]
fn an_end_far_behind_the_recordings_keeps_no_room_for_it() {
    let fixture = Source::new().audio("aac").build();
    let folder = Folder::new();
    let input = Input::path(&fixture.path);
    folder
        .cut(input, "clip.mp4", &frames(25, 90_000_000))
        .expect("a clip");
    let length = |path: &std::path::Path| path.metadata().expect("a length").len();
    let (clip, source) = (length(&folder.file("clip.mp4")), length(&fixture.path));
    assert!(clip < source + 64 * 1024, "{clip} of {source} bytes");
}
