//! All kinds of video, and what is none.

use std::fs;
use std::io::Cursor;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flatbed_media::scene::{self, Detector, Options};
use flatbed_media::{Cancel, Context, Error, Input, Timestamp};

use super::film::{Film, H264};

fn starts(input: Input) -> Vec<u64> {
    let options = Options {
        detector: Detector::CONTENT,
        ..Options::default()
    };
    let found = scene::detect(input, &options, &Context::new()).expect("scenes");
    found.scenes.iter().map(|scene| scene.first_frame).collect()
}

/// Two scenes of 30 frames.
fn two() -> Film {
    Film::new().scene(1, 30).scene(2, 30)
}

#[test]
fn every_pixel_format() {
    for (format, codec, container) in [
        ("yuv422p", "libx264 -qp 10", "mp4"),
        ("yuv444p", "libx264 -qp 10", "mp4"),
        ("yuv420p10le", "libx264 -qp 10", "mp4"),
        ("yuv420p10le", "libx265 -x265-params log-level=error", "mp4"),
        ("yuvj420p", "mjpeg -q:v 3", "avi"),
        ("yuvj444p", "mjpeg -q:v 3", "mkv"),
        ("yuv420p", "mpeg2video -q:v 3", "ts"),
        ("gray", "libx264 -qp 10", "mp4"),
    ] {
        let arguments = format!("-c:v {codec} -pix_fmt {format}");
        let clip = two().encode("25", &arguments, container);
        assert_eq!(starts(Input::path(&clip.path)), [0, 30], "{format} {codec}");
    }
}

#[test]
fn every_size() {
    for (width, height) in [
        (16, 16),
        (2, 64),
        (33, 17),
        (1001, 31),
        (255, 255),
        (256, 256),
    ] {
        let arguments = "-c:v libx264 -qp 15 -pix_fmt yuv444p";
        let clip = two().size(width, height).encode("25", arguments, "mkv");
        assert_eq!(starts(Input::path(&clip.path)), [0, 30], "{width}x{height}");
    }
}

#[test]
fn every_way_in() {
    let clip = two().encode("25", H264, "ts");
    let bytes = fs::read(&clip.path).expect("read");
    assert_eq!(starts(Input::bytes("clip.ts", bytes.clone())), [0, 30]);
    assert_eq!(starts(Input::live("pipe", Cursor::new(bytes))), [0, 30]);
}

#[test]
fn rotation_changes_nothing() {
    let clip = two().h264();
    let turned = clip.path.with_file_name("turned.mp4");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-display_rotation", "90", "-i"])
        .arg(&clip.path)
        .args(["-c", "copy"])
        .arg(&turned)
        .status();
    // Older tools know no such option; the metadata is another way.
    if !status.is_ok_and(|status| status.success()) {
        let status = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y", "-i"])
            .arg(&clip.path)
            .args(["-c", "copy", "-metadata:s:v", "rotate=90"])
            .arg(&turned)
            .status();
        assert!(status.expect("ffmpeg starts").success());
    }
    assert_eq!(starts(Input::path(turned)), [0, 30]);
}

#[test]
fn damage_is_tolerated() {
    let film = Film::new().scene(1, 60).scene(2, 60).scene(3, 60);
    let clip = film.encode("25", &format!("-g 25 {H264}"), "ts");
    let mut bytes = fs::read(&clip.path).expect("read");
    // Some packets in the middle of the second scene.
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 700] {
        *byte ^= 0x5a;
    }
    let found = starts(Input::bytes("damaged.ts", bytes));
    assert!(found.len() >= 2, "{found:?}");
    assert_eq!(found[0], 0);
    // The first cut lies before the damage.
    assert_eq!(found[1], 60);
}

#[test]
fn what_is_no_video_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let sound = folder.path().join("sound.m4a");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=d=1"])
        .arg(&sound)
        .status();
    assert!(status.expect("ffmpeg starts").success());
    let fails = |input: Input| {
        let result = scene::detect(input, &Options::default(), &Context::new());
        result.expect_err("no scenes")
    };
    let error = fails(Input::path(&sound));
    assert!(matches!(&error, Error::Unsupported { .. }), "{error}");
    assert!(
        error.to_string().contains("no video in it, only: aac"),
        "{error}"
    );
    let error = fails(Input::bytes("nothing", Vec::new()));
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
    let error = fails(Input::bytes("text", b"not a video at all".repeat(100)));
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[test]
fn video_without_a_whole_frame_is_told() {
    let clip = Film::new().scene(1, 1).encode("25", H264, "mkv");
    let mut bytes = fs::read(&clip.path).expect("read");
    // The picture's data lies behind the headers, up to the index.
    let from = bytes.len() / 2;
    let to = bytes.len() - 40;
    bytes[from..to].fill(0xff);
    let result = scene::detect(
        Input::bytes("broken.mkv", bytes),
        &Options::default(),
        &Context::new(),
    );
    // Whatever is left of it: one scene, or an error, but neither a panic nor
    // a list without scenes.
    match result {
        Ok(found) => assert_eq!(found.scenes.len(), 1),
        Err(error) => assert!(matches!(error, Error::Malformed { .. }), "{error}"),
    }
}

#[test]
fn cancel_ends_it() {
    let clip = two().h264();
    let cancel = Cancel::new();
    let context = Context::new().with_cancel(cancel.clone());
    let mut seen = 0;
    let input = Input::path(&clip.path);
    let result = scene::detect_each(input, &Options::default(), &context, |_| {
        seen += 1;
        cancel.cancel();
    });
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    assert!((1..60).contains(&seen), "{seen}");
}

#[test]
fn progress_is_told() {
    let clip = two().h264();
    let last = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&last);
    let context = Context::new().with_progress(move |progress| {
        assert_eq!(progress.total, Some(Timestamp::from_micros(2_400_000)));
        let done = progress.done.as_micros() as u64;
        assert!(told.swap(done, Ordering::Relaxed) < done);
    });
    let input = Input::path(&clip.path);
    scene::detect(input, &Options::default(), &context).expect("scenes");
    assert!(last.load(Ordering::Relaxed) > 1_500_000);
}
