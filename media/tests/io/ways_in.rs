//! A path, bytes, a stream that seeks, a stream that does not: the same frames by each way.

use std::fs::File;
use std::io::Cursor;

use flatbed_media::cut::Options;
use flatbed_media::{Context, Input, probe};

use super::{Folder, Pipe, bytes, frames};
use crate::fixture::{Fixture, Recorder, Source};
use crate::observe;

fn ways(fixture: &Fixture) -> Vec<(&'static str, Input)> {
    let data = bytes(fixture);
    let file = || File::open(&fixture.path).expect("the fixture opens");
    vec![
        ("a path", Input::path(&fixture.path)),
        ("bytes", Input::bytes("bytes", data.clone())),
        ("a file", Input::seekable("a file", file())),
        (
            "a cursor",
            Input::seekable("a cursor", Cursor::new(data.clone())),
        ),
        ("a pipe", Input::live("a pipe", Pipe(Cursor::new(data)))),
    ]
}

fn kinds() -> Vec<Fixture> {
    let source = || Source::new().audio("aac");
    let imkh = Recorder {
        map: true,
        imkh: true,
    };
    vec![
        source().args("-movflags +faststart").build(),
        source().container("mkv").build(),
        source().container("ts").build(),
        source().recorder(Recorder::default()).build(),
        // The front of this one is looked at, and put together anew.
        Source::new().audio("pcm_alaw").recorder(imkh).build(),
        Source::new()
            .audio("pcm_alaw")
            .recorder(Recorder::default())
            .build(),
    ]
}

/// The result of a cut, as the checksums of what is shown.
fn shown(input: Input, options: &Options) -> Vec<(u32, String)> {
    let folder = Folder::new();
    let name = input.name().to_owned();
    folder
        .cut(input, "result.mp4", options)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let frames = observe::shown(&folder.file("result.mp4"));
    frames
        .into_iter()
        .map(|frame| (frame.number, frame.md5))
        .collect()
}

#[test]
fn every_way_in_gives_the_same_frames() {
    for fixture in kinds() {
        let mut first = None;
        for (way, input) in ways(&fixture) {
            let frames = shown(input, &frames(37, 88));
            let numbers: Vec<u32> = frames.iter().map(|frame| frame.0).collect();
            assert_eq!(numbers, (37..88).collect::<Vec<_>>(), "{way}");
            assert_eq!(*first.get_or_insert(frames.clone()), frames, "{way}");
        }
    }
}

#[test]
fn every_way_in_is_probed_alike() {
    for fixture in kinds() {
        let mut first = None;
        for (way, input) in ways(&fixture) {
            let info = probe(input, &Context::new());
            let mut info = info.unwrap_or_else(|error| panic!("{way}: {error}"));
            // What only the file's end or its length tells.
            (info.duration, info.bytes, info.bit_rate) = (None, None, None);
            for stream in &mut info.streams {
                (stream.duration, stream.bit_rate) = (None, None);
            }
            assert_eq!(*first.get_or_insert(info.clone()), info, "{way}");
        }
    }
}

#[test]
fn an_mp4_with_its_index_behind_is_no_stream() {
    let fixture = Source::new().build();
    let folder = Folder::new();
    let pipe = Input::live("pipe", Pipe(Cursor::new(bytes(&fixture))));
    match folder.cut(pipe, "result.mp4", &Options::default()) {
        // If libavformat buffers its way to the index: well. But not a wrong result.
        Ok(report) => assert_eq!(report.frames, 100),
        Err(error) => assert!(error.to_string().starts_with("pipe: "), "{error}"),
    }
}

#[test]
fn several_live_segments_are_joined() {
    use flatbed_media::Output;
    use flatbed_media::cut::{self, Segment};
    let parts = Source::new()
        .container("ts")
        .audio("aac")
        .segments(&[50, 50, 50]);
    for (from, to) in [(0, 150), (30, 120), (60, 140), (110, 130)] {
        let pipe = |part: &Fixture| {
            let name = part.path.display().to_string();
            Segment::new(Input::live(name, Pipe(Cursor::new(bytes(part)))))
        };
        let folder = Folder::new();
        let output = Output::path(folder.file("result.mp4")).expect("a name");
        let pipes = parts.iter().map(pipe).collect();
        cut::cut(pipes, output, &frames(from, to), &Context::new())
            .unwrap_or_else(|error| panic!("{error}"));
        let seen = observe::numbers(&observe::shown(&folder.file("result.mp4")));
        assert_eq!(seen, (from as u32..to as u32).collect::<Vec<_>>());
    }
}

#[test]
fn a_live_stream_is_read_no_further_than_the_clip() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    struct Counted(Cursor<Vec<u8>>, Arc<AtomicUsize>);
    impl std::io::Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1.fetch_add(read, Ordering::Relaxed);
            Ok(read)
        }
    }
    let fixture = Source::new()
        .container("ts")
        .frames(250)
        .grain(20)
        .size(640, 480)
        .build();
    // What comes later is only there to be left unread.
    let data = bytes(&fixture).repeat(6);
    let (length, count) = (data.len(), Arc::new(AtomicUsize::new(0)));
    assert!(length > 12 << 20, "{length} bytes: too few to tell");
    let input = Input::live("stream", Counted(Cursor::new(data), Arc::clone(&count)));
    let folder = Folder::new();
    let report = folder
        .cut(input, "result.mp4", &frames(10, 60))
        .expect("a cut");
    assert_eq!(report.frames, 50);
    // The clip, a GOP behind it, and what the reading thread is ahead.
    let read = count.load(Ordering::Relaxed);
    assert!(read < length / 2, "{read} of {length}");
}
