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
