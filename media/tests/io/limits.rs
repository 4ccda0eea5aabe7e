//! What a call may cost.

use flatbed_media::cut::{self, Options, Segment};
use flatbed_media::{Context, Error, Input, Limits, Output, probe};

use super::{Folder, bytes, frames};
use crate::fixture::{Fixture, Source};

fn limited(
    inputs: &[Fixture],
    options: &Options,
    set: impl FnOnce(&mut Limits),
) -> Result<cut::Report, Error> {
    let mut limits = Limits::default();
    set(&mut limits);
    let context = Context::new().with_limits(limits);
    let folder = Folder::new();
    let output = Output::path(folder.file("clip.mp4")).expect("a name");
    let segment = |fixture: &Fixture| Segment::new(Input::path(&fixture.path));
    let segments = inputs.iter().map(segment).collect();
    let result = cut::cut(segments, output, options, &context);
    let left = usize::from(result.is_ok());
    assert_eq!(folder.names().len(), left, "{:?}", folder.names());
    result
}

fn check_limit(result: Result<cut::Report, Error>, words: &[&str]) {
    match result {
        Err(error @ Error::Limit { .. }) => {
            let text = error.to_string();
            assert!(words.iter().all(|word| text.contains(word)), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn pixels() {
    let fixture = Source::new().build();
    let name = fixture.path.display().to_string();
    for container in ["mp4", "mkv", "ts"] {
        let fixture = Source::new().container(container).build();
        let set = |limits: &mut Limits| limits.max_pixels = 320 * 240 - 1;
        check_limit(
            limited(&[fixture], &Options::default(), set),
            &["76800", "76799"],
        );
    }
    let set = |limits: &mut Limits| limits.max_pixels = 320 * 240;
    assert!(limited(std::slice::from_ref(&fixture), &frames(10, 90), set).is_ok());
    let mut limits = Limits::default();
    limits.max_pixels = 1000;
    let error = probe(
        Input::path(&fixture.path),
        &Context::new().with_limits(limits),
    );
    let error = error.expect_err("too many pixels").to_string();
    assert!(error.starts_with(&name), "{error}");
}

#[test]
fn inputs() {
    let fixture = Source::new().frames(5).build();
    let inputs = vec![fixture; 11];
    let set = |limits: &mut Limits| limits.max_inputs = 10;
    check_limit(limited(&inputs, &Options::default(), set), &["11", "10"]);
    assert!(limited(&inputs[1..], &Options::default(), set).is_ok());
}

#[test]
fn more_segments_than_any_sane_call_has() {
    let input = || Segment::new(Input::path("/nowhere/at/all.mp4"));
    let segments: Vec<Segment> = (0..=Limits::default().max_inputs)
        .map(|_| input())
        .collect();
    let folder = Folder::new();
    let output = Output::path(folder.file("clip.mp4")).expect("a name");
    let result = cut::cut(segments, output, &Options::default(), &Context::new());
    check_limit(result, &["200001", "200000"]);
}

#[test]
fn bytes_held_back() {
    let long = "keyint=1000:scenecut=0:bframes=0";
    for container in ["mp4", "ts"] {
        let fixture = Source::new()
            .params(long)
            .grain(8)
            .container(container)
            .build();
        let most = bytes(&fixture).len() / 2;
        let set = |limits: &mut Limits| limits.max_buffered_bytes = most;
        let result = limited(&[fixture], &frames(10, 90), set);
        check_limit(result, &[&most.to_string()]);
    }
}

#[test]
fn duration() {
    use std::time::Duration;
    let fixture = Source::new().build();
    let set = |limits: &mut Limits| limits.max_duration = Duration::from_secs(3);
    check_limit(
        limited(std::slice::from_ref(&fixture), &Options::default(), set),
        &["3.000"],
    );
    assert!(limited(&[fixture], &frames(0, 75), set).is_ok());
}

#[test]
fn streams() {
    let fixture = Source::new().audio("aac").args("-map 1:a -map 1:a").build();
    let set = |limits: &mut Limits| limits.max_streams = 3;
    check_limit(
        limited(std::slice::from_ref(&fixture), &Options::default(), set),
        &["3"],
    );
    let set = |limits: &mut Limits| limits.max_streams = 4;
    assert!(limited(&[fixture], &Options::default(), set).is_ok());
}
