//! Inputs that are no files, threads, progress.

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use flatbed_media::still::{Moments, Options};
use flatbed_media::{Context, Input, Progress};

use super::studio::{at, take};
use crate::fixture::Source;

fn options(seconds: &[f64]) -> Options {
    Options {
        moments: Moments::At(seconds.iter().copied().map(at).collect()),
        ..Options::default()
    }
}

#[test]
fn bytes_streams_and_pipes() {
    for container in ["mp4", "ts", "mkv"] {
        let fixture = Source::new()
            .container(container)
            .args("-movflags +faststart")
            .build();
        let bytes = fs::read(&fixture.path).expect("the fixture");
        let open = || File::open(&fixture.path).expect("the fixture");
        for input in [
            Input::bytes("bytes", bytes),
            Input::seekable("a stream", open()),
            Input::live("a pipe", open()),
        ] {
            let name = input.name().to_owned();
            let taken = take(input, &options(&[3.5, 0.1, 1.5]), &Context::new());
            let taken = taken.unwrap_or_else(|error| panic!("{container}, {name}: {error}"));
            assert_eq!(taken.numbers(), [87, 2, 37], "{container}, {name}");
        }
    }
}

#[test]
fn a_pipe_has_no_known_middle() {
    let fixture = Source::new().container("ts").build();
    let live = Input::live("a pipe", File::open(&fixture.path).expect("the fixture"));
    let error = take(live, &Options::default(), &Context::new()).err();
    let error = error.expect("refused").to_string();
    assert!(error.contains("no known duration"), "{error}");
}

#[test]
fn any_number_of_threads_takes_the_same_pictures() {
    let fixture = Source::new()
        .params("keyint=40:scenecut=0:bframes=3")
        .build();
    let seconds = [0.1, 0.5, 1.1, 1.3, 2.2, 2.3, 3.1, 3.9];
    for threads in [1, 2, 3, 16] {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        let context = Context::new().with_threads(threads);
        let taken = take(Input::path(&fixture.path), &options(&seconds), &context);
        let numbers = taken.expect("pictures").numbers();
        assert_eq!(numbers, [2, 12, 27, 32, 55, 57, 77, 97], "{threads}");
    }
}

#[test]
fn progress_goes_from_picture_to_picture() {
    let fixture = Source::new().build();
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let keep = Arc::clone(&told);
    let context = Context::new().with_progress(move |progress| {
        keep.lock().expect("not poisoned").push(progress);
    });
    take(
        Input::path(&fixture.path),
        &options(&[1.0, 2.0, 3.0]),
        &context,
    )
    .expect("pictures");
    let told = told.lock().expect("not poisoned").clone();
    let done: Vec<f64> = told
        .iter()
        .map(|progress| progress.done.as_secs_f64())
        .collect();
    assert_eq!(done, [1.0, 2.0, 3.0]);
    assert!(
        told.iter()
            .all(|progress| progress.total == Some("3".parse().expect("a time")))
    );
}
