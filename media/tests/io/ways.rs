//! The same frames, whichever way the bytes come and go.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use flatbed_media::cut::{self, Options, Segment, Selection};
use flatbed_media::{Container, Context, Input, Output};

use super::{clip, recording};
use crate::fixture::Source;
use crate::observe;

fn shows_the_clip(path: &Path) {
    let numbers = observe::numbers(&observe::shown(path));
    assert_eq!(numbers, (30..80).collect::<Vec<_>>(), "{}", path.display());
}

#[test]
fn inputs_of_every_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    for container in ["mp4", "mkv", "ts", "mpg"] {
        let source = match container {
            // ffmpeg's program streams have no time for each B-frame.
            "mpg" => Source::new()
                .params("keyint=25:min-keyint=25:scenecut=0:bframes=0")
                .audio("mp2")
                .container(container)
                .build(),
            _ => recording(container),
        };
        let bytes = std::fs::read(&source.path).expect("the recording");
        let open = || File::open(&source.path).expect("the recording");
        let mut inputs = vec![
            ("path", Input::path(&source.path)),
            ("bytes", Input::bytes("bytes", bytes)),
            ("seekable", Input::seekable("seekable", BufReader::new(open()))),
        ];
        // An MP4 from ffmpeg has its index at the end.
        if ["ts", "mpg", "mkv"].contains(&container) {
            inputs.push(("live", Input::live("live", open())));
        }
        for (way, input) in inputs {
            let path = folder.path().join(format!("{container}-{way}.mp4"));
            let output = Output::path(&path).expect("a container");
            clip(input, output, &Context::new())
                .unwrap_or_else(|error| panic!("{container}, {way}: {error}"));
            shows_the_clip(&path);
        }
    }
}

#[test]
fn outputs_of_every_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = recording("mp4");
    for (extension, container) in [
        ("mp4", Container::Mp4),
        ("mov", Container::Mov),
        ("mkv", Container::Mkv),
        ("ts", Container::Ts),
    ] {
        let seekable = folder.path().join("seekable").with_extension(extension);
        let live = folder.path().join("live").with_extension(extension);
        let create = |path: &Path| File::create(path).expect("a file");
        let outputs = [
            Output::seekable("seekable", container, create(&seekable)),
            // Behind a pipe nothing can be sought.
            Output::live("live", container, OnlyWrite(create(&live))),
        ];
        for output in outputs {
            let report = clip(Input::path(&source.path), output, &Context::new());
            let report = report.unwrap_or_else(|error| panic!("{extension}: {error}"));
            assert!(report.bytes > 0, "{extension}: {report:?}");
        }
        shows_the_clip(&seekable);
        shows_the_clip(&live);
    }
}

#[test]
fn an_mp4_to_a_pipe_can_be_a_live_input_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fragmented.mp4");
    let file = File::create(&path).expect("a file");
    let source = recording("ts");
    let output = Output::live("live", Container::Mp4, OnlyWrite(file));
    clip(Input::path(&source.path), output, &Context::new()).expect("a fragmented clip");
    let again = folder.path().join("again.ts");
    let input = Input::live("live", File::open(&path).expect("the clip"));
    let segments = vec![Segment::new(input)];
    let output = Output::path(&again).expect("a container");
    cut::cut(segments, output, &Options::default(), &Context::new()).expect("a copy");
    shows_the_clip(&again);
}

struct OnlyWrite(File);

impl Write for OnlyWrite {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn an_end_far_behind_the_recordings_keeps_no_room_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = recording("mp4");
    let path = folder.path().join("clip.mp4");
    let time = |text: &str| text.parse().expect("a time");
    let options = Options {
        selection: Selection::between(time("1"), time("1000h")),
        ..Options::default()
    };
    let segments = vec![Segment::new(Input::path(&source.path))];
    let output = Output::path(&path).expect("a container");
    cut::cut(segments, output, &options, &Context::new()).expect("a clip");
    let source = std::fs::metadata(&source.path).expect("the recording").len();
    let clip = std::fs::metadata(&path).expect("the clip").len();
    assert!(clip < source + 64 * 1024, "{clip} of {source} bytes");
}
