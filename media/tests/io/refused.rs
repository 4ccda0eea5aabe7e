//! What is no recording, or asks for too much: a clear error, and nothing else.

use std::fs;
use std::time::Duration;

use flatbed_media::cut::{self, Options, Segment};
use flatbed_media::{Context, Error, Input, Limits, Output, Result};

use super::{clip, nothing_in, recording};

fn refused(name: &str, content: &[u8]) -> Error {
    let folder = tempfile::tempdir().expect("a folder");
    let results = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("a file");
    let output = Output::path(results.path().join("clip.mp4")).expect("a container");
    let error = clip(Input::path(&path), output, &Context::new()).expect_err(name);
    nothing_in(results.path());
    let text = error.to_string();
    assert!(text.contains(name) && !text.contains('\n'), "{text}");
    error
}

#[test]
fn no_media() {
    let noise: Vec<u8> = (0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (name, content) in [
        ("empty.mp4", &b""[..]),
        ("text.mp4", b"a text, and no recording at all"),
        ("noise.ts", &noise),
        ("zeros.mkv", &[0; 4096]),
    ] {
        let error = refused(name, content);
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    }
}

#[test]
fn playlists_and_protocols_are_not_followed() {
    let source = recording("ts");
    let there = source.path.display();
    let playlist = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{there}\n#EXT-X-ENDLIST\n");
    refused("list.m3u8", playlist.as_bytes());
    refused("list.ffconcat", format!("ffconcat version 1.0\nfile {there}\n").as_bytes());
    refused("concat:a.ts", b"no protocol in a name");
    let folder = tempfile::tempdir().expect("a folder");
    let output = Output::path(folder.path().join("clip.mp4")).expect("a container");
    let input = Input::path(format!("concat:{there}|{there}"));
    let error = clip(input, output, &Context::new()).expect_err("a protocol");
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
}

#[test]
fn a_name_like_a_protocol_is_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = recording("ts");
    let path = folder.path().join("http:a%d.ts");
    fs::copy(&source.path, &path).expect("a copy");
    let output = Output::path(folder.path().join("file:b.mp4")).expect("a container");
    clip(Input::path(&path), output, &Context::new()).expect("a clip");
}

fn limited(limits: Limits) -> Result<cut::Report> {
    let folder = tempfile::tempdir().expect("a folder");
    let source = recording("mp4");
    let segments = (0..3).map(|_| Segment::new(Input::path(&source.path))).collect();
    let output = Output::path(folder.path().join("clip.mp4")).expect("a container");
    let context = Context::new().with_limits(limits);
    let result = cut::cut(segments, output, &Options::default(), &context);
    if result.is_err() {
        nothing_in(folder.path());
    }
    result
}

#[test]
fn limits_hold() {
    limited(Limits::default()).expect("within the limits");
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    for limits in [
        limits(|limits| limits.max_pixels = 320 * 240 - 1),
        limits(|limits| limits.max_inputs = 2),
        limits(|limits| limits.max_streams = 1),
        limits(|limits| limits.max_buffered_bytes = 2_000),
        limits(|limits| limits.max_duration = Duration::from_secs(6)),
    ] {
        let result = limited(limits.clone());
        assert!(matches!(result, Err(Error::Limit { .. })), "{limits:?}: {result:?}");
    }
}
