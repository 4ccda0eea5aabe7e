//! What is not there, and what goes wrong.

use std::fs;
use std::io::Cursor;

use flatbed_media::normalize::{self, Options, Outputs};
use flatbed_media::{Cancel, Context, Error, Input, Output};

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
