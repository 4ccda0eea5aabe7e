//! What is not there, and what goes wrong.

use std::fs;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::process::Command;

use flatbed_media::normalize::{self, FrameOptions, FrameOutput, Options, Outputs};
use flatbed_media::{Cancel, Context, Error, Input, Output, scene};

use super::{make, make_with, outputs};
use crate::fixture::Source;

#[test]
fn no_sound_is_a_note() {
    let made = make(&Source::new().frames(20).build().path);
    assert!(made.report.sound.is_none());
    assert!(!made.sound.exists());
    assert!(made.proxy.exists());
    assert!(
        made.report.notes[0].contains("no sound in it"),
        "{:?}",
        made.report.notes
    );
}

#[test]
fn nothing_of_what_is_wanted_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let only_sound = Outputs {
        proxy: None,
        ..outputs(folder.path())
    };
    let source = Source::new().frames(20).build();
    let input = Input::path(&source.path);
    let error = normalize::normalize(input, only_sound, &Options::default(), &Context::new())
        .expect_err("no sound");
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    assert!(
        error.to_string().ends_with("no sound in it, only: h264"),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 0);
}

#[test]
fn a_pipe_is_as_good_as_a_file() {
    let source = Source::new()
        .frames(50)
        .audio("aac")
        .container("ts")
        .build();
    let bytes = fs::read(&source.path).expect("read");
    let made = make_with(Input::live("pipe", Cursor::new(bytes)), &Options::default());
    assert_eq!(made.report.proxy.expect("a proxy").frames, 50);
    assert!(made.report.sound.is_some());
}

#[test]
fn a_sound_that_cannot_have_its_name_takes_the_proxy_along() {
    let source = Source::new().frames(100).audio("aac").build();
    let folder = tempfile::tempdir().expect("a folder");
    let outputs = outputs(folder.path());
    fs::write(folder.path().join("proxy.mp4"), b"of yesterday").expect("write");
    let sound = folder.path().join("sound.wav");
    let taken = sound.clone();
    // The sound's place is taken while it is made.
    let context = Context::new().with_progress(move |_| {
        let _ = fs::create_dir(&taken);
    });
    let made = normalize::normalize(
        Input::path(&source.path),
        outputs,
        &Options::default(),
        &context,
    );
    assert!(matches!(made, Err(Error::Io { .. })), "{made:?}");
    let kept = fs::read(folder.path().join("proxy.mp4")).expect("the old proxy");
    assert_eq!(kept, b"of yesterday");
    let left = fs::read_dir(folder.path()).expect("list").count();
    assert_eq!(left, 2, "the old proxy and the folder in the sound's place");
}

#[test]
fn a_stream_that_seeks_has_its_index_in_front() {
    let source = Source::new().frames(100).build();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("proxy.mp4");
    let file = fs::File::create(&path).expect("create");
    let outputs = Outputs {
        proxy: Some(Output::seekable(
            "proxy",
            flatbed_media::Container::Mp4,
            file,
        )),
        ..Outputs::default()
    };
    let input = Input::path(&source.path);
    normalize::normalize(input, outputs, &Options::default(), &Context::new()).expect("made");
    let bytes = fs::read(&path).expect("read");
    let find = |name: &[u8]| bytes.windows(4).position(|four| four == name);
    assert!(
        find(b"moov") < find(b"mdat"),
        "{:?} {:?}",
        find(b"moov"),
        find(b"mdat")
    );
}

#[test]
fn cancelled_leaves_nothing() {
    let source = Source::new().frames(100).audio("aac").build();
    let folder = tempfile::tempdir().expect("a folder");
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let context = Context::new()
        .with_cancel(cancel)
        .with_progress(move |_| stop.cancel());
    let input = Input::path(&source.path);
    let result = normalize::normalize(input, outputs(folder.path()), &Options::default(), &context);
    // So short a recording may be read before the first progress is told.
    match result {
        Err(Error::Cancelled) => {
            assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 0);
        }
        other => assert_eq!(other.expect("normalised").notes.len(), 0),
    }
    let cancelled = Cancel::new();
    cancelled.cancel();
    let context = Context::new().with_cancel(cancelled);
    let empty = tempfile::tempdir().expect("a folder");
    let input = Input::path(&source.path);
    let result = normalize::normalize(input, outputs(empty.path()), &Options::default(), &context);
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    assert_eq!(fs::read_dir(empty.path()).expect("list").count(), 0);
}

#[test]
fn a_place_that_cannot_be_written_is_told_and_nothing_is_left() {
    let source = Source::new().frames(100).audio("aac").build();
    let folder = tempfile::tempdir().expect("a folder");
    let places = Outputs {
        proxy: Some(Output::path(folder.path().join("none/proxy.mp4")).expect("an output")),
        ..outputs(folder.path())
    };
    let input = Input::path(&source.path);
    let error = normalize::normalize(input, places, &Options::default(), &Context::new())
        .expect_err("no such folder");
    assert!(matches!(error, Error::Io { .. }), "{error}");
    assert!(error.to_string().contains("none/proxy.mp4"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 0);
}

#[test]
fn nonsense_is_refused() {
    let source = Source::new().frames(20).build();
    for options in [
        Options {
            short_side: 3,
            ..Options::default()
        },
        Options {
            quality: 52,
            ..Options::default()
        },
        frames(FrameOptions {
            most: 0,
            ..FrameOptions::default()
        }),
        frames(FrameOptions {
            longest: 5,
            ..FrameOptions::default()
        }),
        frames(FrameOptions {
            quality: 0,
            ..FrameOptions::default()
        }),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let input = Input::path(&source.path);
        let result = normalize::normalize(input, outputs(folder.path()), &options, &Context::new());
        assert!(
            matches!(result, Err(Error::Unsupported { .. })),
            "{result:?}"
        );
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 0);
    }
}

fn frames(frames: FrameOptions) -> Options {
    Options {
        frames,
        ..Options::default()
    }
}

/// The places of all results, frames included.
fn all(folder: &Path) -> Outputs {
    Outputs {
        frames: Some(FrameOutput::folder(folder.join("frames"))),
        ..outputs(folder)
    }
}

/// What is left in a folder, and in the one for temporary files.
fn left(folder: &Path, temporary: &Path) -> usize {
    let count = |folder: &Path| fs::read_dir(folder).expect("list").count();
    count(folder) + count(temporary)
}

#[test]
fn without_video_there_are_no_frames_and_a_note() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = Source::new().audio("aac").frames(20).build();
    let sound = folder.path().join("sound-only.m4a");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(&source.path)
        .args(["-vn", "-c:a", "copy"])
        .arg(&sound)
        .status();
    assert!(status.expect("ffmpeg starts").success());
    let out = tempfile::tempdir().expect("a folder");
    let made = normalize::normalize(
        Input::path(&sound),
        all(out.path()),
        &Options::default(),
        &Context::new(),
    );
    let report = made.expect("normalised");
    assert!(report.sound.is_some() && report.frames.is_none() && report.scenes.is_none());
    assert!(report.notes[0].contains("frames"), "{:?}", report.notes);
    assert!(!out.path().join("frames").exists());
    let only_frames = Outputs {
        frames: Some(FrameOutput::folder(out.path().join("frames"))),
        ..Outputs::default()
    };
    let options = Options::default();
    let made = normalize::normalize(Input::path(&sound), only_frames, &options, &Context::new());
    assert!(matches!(made, Err(Error::Unsupported { .. })), "{made:?}");
}

#[test]
fn damaged_video_has_frames_of_what_can_be_decoded() {
    let source = Source::new().frames(100).container("ts").build();
    let mut bytes = fs::read(&source.path).expect("read");
    let third = bytes.len() / 3;
    for byte in bytes[third..2 * third].iter_mut().skip(100).step_by(1880) {
        *byte ^= 0x55;
    }
    let options = Options {
        scenes: Some(scene::Options {
            detector: scene::Detector::CONTENT,
            ..scene::Options::default()
        }),
        ..Options::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let input = Input::bytes("damaged", bytes);
    let made = normalize::normalize(input, all(folder.path()), &options, &Context::new());
    let report = made.expect("normalised");
    let scenes = report.scenes.expect("scenes").scenes.len();
    assert_eq!(report.frames.expect("frames").len(), scenes.min(50));

    // Nothing of it can be decoded.
    let fixture = Source::new().frames(30).build();
    let mut bytes = fs::read(&fixture.path).expect("read");
    let begin = bytes
        .windows(4)
        .position(|four| four == b"mdat")
        .expect("mdat");
    let end = begin + 4;
    let moov = bytes
        .windows(4)
        .position(|four| four == b"moov")
        .expect("moov");
    let until = if moov > end { moov - 4 } else { bytes.len() };
    bytes[end..until].fill(0x80);
    let (folder, temporary) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let context = Context::new().with_temp_dir(temporary.path());
    let input = Input::bytes("broken", bytes);
    let made = normalize::normalize(input, all(folder.path()), &options, &context);
    assert!(matches!(made, Err(Error::Malformed { .. })), "{made:?}");
    assert_eq!(left(folder.path(), temporary.path()), 0);
}

/// Reads on until it is far enough, and cancels then.
struct Cancelling {
    bytes: Cursor<Vec<u8>>,
    at: u64,
    cancel: Cancel,
}

impl Read for Cancelling {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.bytes.position() > self.at {
            self.cancel.cancel();
        }
        let most = into.len().min(4096);
        self.bytes.read(&mut into[..most])
    }
}

#[test]
fn cancelled_in_the_middle_leaves_no_frames() {
    let source = Source::new()
        .frames(100)
        .audio("aac")
        .container("ts")
        .build();
    let bytes = fs::read(&source.path).expect("read");
    for part in [2, 3, 10] {
        let (folder, temporary) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let cancel = Cancel::new();
        let context = Context::new()
            .with_temp_dir(temporary.path())
            .with_cancel(cancel.clone());
        let stream = Cancelling {
            at: bytes.len() as u64 / part,
            bytes: Cursor::new(bytes.clone()),
            cancel,
        };
        let input = Input::live("a stream", stream);
        let options = Options::default();
        let made = normalize::normalize(input, all(folder.path()), &options, &context);
        assert!(matches!(made, Err(Error::Cancelled)), "{made:?}");
        assert_eq!(left(folder.path(), temporary.path()), 0);
    }
}

#[test]
fn frames_that_cannot_be_kept_take_all_along() {
    let source = Source::new().frames(50).audio("aac").build();
    let (folder, temporary) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let context = Context::new().with_temp_dir(temporary.path());
    let run = |outputs: Outputs| {
        let input = Input::path(&source.path);
        normalize::normalize(input, outputs, &Options::default(), &context)
    };
    // The sink fails.
    let made = run(Outputs {
        frames: Some(FrameOutput::sink(|frame, _| {
            Err(Error::unsupported(frame.name.clone(), "not today"))
        })),
        ..outputs(folder.path())
    });
    let error = made.expect_err("refused");
    assert_eq!(error.to_string(), "frame-1.jpg: not today");
    assert_eq!(left(folder.path(), temporary.path()), 0);
    // Something else has a frame's name.
    fs::create_dir_all(folder.path().join("frames/frame-1.jpg")).expect("a folder");
    let made = run(all(folder.path()));
    assert!(matches!(made, Err(Error::Io { .. })), "{made:?}");
    assert_eq!(left(folder.path(), temporary.path()), 1);
    // No folder for temporary files.
    let context = Context::new().with_temp_dir(temporary.path().join("none"));
    let input = Input::path(&source.path);
    let options = Options::default();
    let made = normalize::normalize(input, all(folder.path()), &options, &context);
    let error = made.expect_err("no such folder");
    assert!(error.to_string().contains("none"), "{error}");
}
