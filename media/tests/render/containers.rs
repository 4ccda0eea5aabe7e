//! Every container with every codec that it takes and the linked FFmpeg has.

use serde_json::json;

use super::workshop::{codecs, numbers, operation, run};
use crate::fixture::Source;

fn check(container: &str, videos: &[&str], sounds: &[&str]) {
    let source = Source::new().size(160, 120).frames(20).audio("aac").build();
    let pairs = videos.iter().zip(sounds.iter().cycle());
    let more = sounds
        .iter()
        .skip(videos.len())
        .map(|sound| (&videos[0], sound));
    for (video, sound) in pairs.chain(more) {
        let list = json!([
            operation("convert", json!({"format": container})),
            operation(
                "transcode",
                json!({"codec": video, "audioCodec": sound, "preset": "ultrafast"})
            ),
        ]);
        let done = run(&source.path, &list.to_string());
        let name = match *sound {
            "pcm" => "pcm_s16le",
            sound => sound,
        };
        assert_eq!(codecs(&done.video()), [*video, name], "{container}");
        let shown = numbers(&done.video());
        assert_eq!(
            shown,
            (0..20).collect::<Vec<_>>(),
            "{container} {video} {sound}"
        );
    }
}

#[test]
fn mp4() {
    check(
        "mp4",
        &["h264", "hevc", "vp9", "av1", "mpeg4"],
        &["aac", "opus", "mp3", "ac3", "flac"],
    );
}

#[test]
fn mov() {
    check(
        "mov",
        &["h264", "hevc", "mpeg4"],
        &["aac", "mp3", "ac3", "pcm"],
    );
}

#[test]
fn mkv() {
    check(
        "mkv",
        &["h264", "hevc", "vp9", "vp8", "av1", "mpeg4"],
        &["aac", "opus", "mp3", "ac3", "flac", "pcm"],
    );
}

#[test]
fn webm() {
    check("webm", &["vp9", "vp8", "av1"], &["opus"]);
}

#[test]
fn ts() {
    check("ts", &["h264", "hevc"], &["aac", "mp3", "ac3", "opus"]);
}

#[test]
fn avi() {
    check("avi", &["h264", "mpeg4"], &["mp3", "ac3", "pcm"]);
}

/// Whatever an encoder puts in front of the sound, it is heard when it was.
#[test]
fn encoded_sound_is_in_step() {
    let source = Source::new().size(160, 120).frames(75).audio("aac").build();
    for (container, sounds) in [
        ("avi", &["mp3", "ac3"][..]),
        ("mkv", &["ac3", "opus"]),
        ("mp4", &["mp3"]),
    ] {
        for sound in sounds {
            let list = json!([
                operation("convert", json!({"format": container})),
                operation(
                    "transcode",
                    json!({"codec": "h264", "audioCodec": sound, "preset": "ultrafast"})
                ),
            ]);
            let done = run(&source.path, &list.to_string());
            for step in crate::observe::in_step(&source.path, &done.video(), &[40]) {
                assert!(
                    step.ms.abs() < 2.0 && step.peak > 0.8,
                    "{container} {sound}: {step:?}"
                );
            }
        }
    }
}
