//! Inputs that are none: the error names the file and the reason, in one line.

use std::fs;

use flatbed_media::cut::{self, Options, Segment, Selection};
use flatbed_media::{Context, Error, Input, Output, Timestamp, probe};

use super::{Folder, bytes, frames};
use crate::fixture::Source;

/// Cuts what must not work; nothing is left, and the message is one line that begins with the
/// input's name.
fn refuse(input: Input) -> Error {
    let name = input.name().to_owned();
    let folder = Folder::new();
    let error = folder
        .cut(input, "clip.mp4", &Options::default())
        .expect_err(&name);
    let text = error.to_string();
    assert!(text.starts_with(&name), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    error
}

#[test]
fn what_is_no_media() {
    let text = "The quick brown fox jumps over the lazy dog.\n".repeat(2_000);
    let noise: Vec<u8> = (0..60_000u32)
        .map(|at| (at.wrapping_mul(at) >> 7) as u8)
        .collect();
    for data in [
        text.into_bytes(),
        noise,
        vec![0; 50_000],
        vec![0x47; 188 * 50],
        b"x".to_vec(),
    ] {
        let seekable = std::io::Cursor::new(data.clone());
        let live = std::io::Cursor::new(data.clone());
        for input in [
            Input::bytes("bytes", data),
            Input::seekable("seekable", seekable),
            Input::live("live", live),
        ] {
            let error = refuse(input);
            assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        }
    }
}

#[test]
fn what_is_empty() {
    let folder = Folder::new();
    let path = folder.file("empty.mp4");
    fs::write(&path, []).expect("it can be written");
    for input in [
        Input::path(&path),
        Input::bytes("bytes", []),
        Input::seekable("seekable", std::io::Cursor::new([])),
        Input::live("live", std::io::empty()),
        Input::path("/dev/null"),
    ] {
        let error = refuse(input);
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains("empty"), "{error}");
    }
}

#[test]
fn what_is_not_there() {
    let folder = Folder::new();
    let missing = folder.file("missing.mp4");
    for path in [missing, folder.path().to_owned()] {
        let error = refuse(Input::path(path));
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
    }
}

#[test]
fn what_has_no_video() {
    for (container, audio) in [("mp4", "aac"), ("mkv", "libopus"), ("ts", "mp2")] {
        let whole = Source::new().container(container).audio(audio).build();
        let folder = Folder::new();
        let path = folder.file("sound").with_extension(container);
        let made = std::process::Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(&whole.path)
            .args(["-map", "0:a", "-c", "copy"])
            .arg(&path)
            .status()
            .expect("ffmpeg starts");
        assert!(made.success());
        let error = refuse(Input::path(&path));
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains("no video"), "{error}");
    }
}

#[test]
fn a_bad_segment_among_good_ones_leaves_nothing() {
    let good = Source::new().audio("aac").build();
    let folder = Folder::new();
    let bad = || {
        Input::bytes(
            "the bad one",
            *b"nothing of the kind, and too short as well",
        )
    };
    for place in 0..3 {
        let segment = |index| {
            if index == place {
                Segment::new(bad())
            } else {
                Segment::new(Input::path(&good.path))
            }
        };
        let output = Output::path(folder.file("clip.mp4")).expect("a name");
        let segments = (0..3).map(segment).collect();
        let error = cut::cut(segments, output, &Options::default(), &Context::new());
        let text = error.expect_err("one segment is bad").to_string();
        assert!(text.starts_with("the bad one: "), "{text}");
        assert_eq!(folder.names(), [""; 0]);
    }
}

#[test]
fn selections_that_hold_nothing() {
    let fixture = Source::new().audio("aac").build();
    for container in ["mp4", "mkv", "ts"] {
        let fixture = Source::new().audio("aac").container(container).build();
        let folder = Folder::new();
        let input = Input::path(&fixture.path);
        let error = folder
            .cut(input, "clip.mp4", &frames(100, 200))
            .expect_err("behind the end");
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains("ends before"), "{error}");
    }
    for (from, to) in [(50, 50), (60, 50)] {
        let folder = Folder::new();
        let input = Input::path(&fixture.path);
        let error = folder
            .cut(input, "clip.mp4", &frames(from, to))
            .expect_err("no frame");
        assert!(
            error.to_string().contains("not behind its start"),
            "{error}"
        );
    }
    // Between two frames, and too short for any.
    let folder = Folder::new();
    let time = Timestamp::from_micros;
    let options = Options {
        selection: Selection::between(time(1_000_001), time(1_000_500)),
        ..Options::default()
    };
    let result = folder.cut(Input::path(&fixture.path), "clip.mp4", &options);
    assert!(matches!(result, Err(Error::Malformed { .. })), "{result:?}");
    let none = cut::cut(
        Vec::new(),
        Output::path(folder.file("clip.mp4")).expect("a name"),
        &Options::default(),
        &Context::new(),
    );
    assert!(matches!(none, Err(Error::Malformed { .. })), "{none:?}");
}

#[test]
fn places_that_cannot_be_written() {
    let fixture = Source::new().build();
    let folder = Folder::new();
    fs::create_dir(folder.file("taken.mp4")).expect("it can be made");
    for path in [folder.file("missing/clip.mp4"), folder.file("taken.mp4")] {
        let segments = vec![Segment::new(Input::path(&fixture.path))];
        let output = Output::path(&path).expect("a name");
        let result = cut::cut(segments, output, &frames(10, 20), &Context::new());
        let Err(Error::Io { what, .. }) = &result else {
            panic!("{result:?}")
        };
        assert_eq!(*what, path.display().to_string());
        assert_eq!(folder.names(), ["taken.mp4"]);
    }
    for name in ["clip", "clip.wmv", "clip.txt", ""] {
        assert!(
            matches!(Output::path(name), Err(Error::Unsupported { .. })),
            "{name}"
        );
    }
}

#[test]
fn a_probe_says_the_same() {
    let fixture = Source::new().build();
    let half = bytes(&fixture)[..2_000].to_vec();
    for input in [
        Input::bytes("half", half),
        Input::bytes("text", *b"hello, hello, hello"),
    ] {
        let name = input.name().to_owned();
        let error = probe(input, &Context::new()).expect_err(&name);
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        assert!(error.to_string().starts_with(&name), "{error}");
    }
}
