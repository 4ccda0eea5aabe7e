//! Sound in each codec: copied where the container takes it, else encoded, in step either way.

use super::original::Original;
use crate::fixture::Source;

/// Cuts with no relation to the sound's frames; `copied` in the containers named.
fn check(source: &Source, copied: &[&str], encoded: &[&str]) {
    let original = Original::of(source);
    for output in copied.iter().chain(encoded) {
        let clip = original.cut(13..67, output);
        clip.check();
        let told = clip.report.notes.iter().any(|note| note.contains("AAC"));
        assert_eq!(
            told,
            encoded.contains(output),
            "{output}: {:?}",
            clip.report.notes
        );
    }
}

fn source(audio: &str) -> Source {
    let params = "keyint=20:min-keyint=20:scenecut=0:bframes=2";
    Source::new().params(params).audio(audio)
}

#[test]
fn aac() {
    check(&source("aac"), &["mp4", "ts"], &[]);
    check(&source("aac").audio_as("aac", 44_100, 1), &["mp4"], &[]);
    check(
        &source("aac").audio_as("aac", 16_000, 1).container("ts"),
        &["mp4"],
        &[],
    );
}

#[test]
fn mpeg_audio() {
    check(&source("libmp3lame"), &["mp4", "mkv", "ts"], &[]);
    check(
        &source("mp2").container("ts"),
        &["mp4", "mov", "mkv", "ts"],
        &[],
    );
}

#[test]
fn ac3() {
    check(&source("ac3"), &["mp4", "mov", "mkv", "ts"], &[]);
}

#[test]
fn opus() {
    check(&source("libopus"), &["mp4", "mkv"], &["mov"]);
    check(&source("libopus").container("mkv"), &["mkv"], &[]);
}

#[test]
fn pcm() {
    check(
        &source("pcm_s16le").container("mov"),
        &["mov", "mkv"],
        &["mp4", "ts"],
    );
    check(
        &source("pcm_s16le")
            .container("avi")
            .params("keyint=20:bframes=0"),
        &["mkv"],
        &["mp4"],
    );
}

#[test]
fn g711() {
    check(
        &source("pcm_alaw").container("mov"),
        &["mov", "mkv"],
        &["mp4", "ts"],
    );
    check(
        &source("pcm_mulaw").container("mkv"),
        &["mov", "mkv"],
        &["mp4", "ts"],
    );
}

#[test]
fn sound_that_begins_late_or_ends_early() {
    let late = source("aac").audio_delay(1.0).build();
    let path = Original::at(late.path, Some((25, 1)), &[]);
    // The window of the cut holds where the sound begins.
    path.cut(13..67, "mp4").check_frames();
    let original = Original::of(&source("aac").audio_seconds(2.0));
    original.cut(13..80, "mp4").check_frames();
}

#[test]
fn every_track_is_kept() {
    let two =
        source("aac").args("-map 1:a -metadata:s:a:0 language=ger -metadata:s:a:1 language=eng");
    let original = Original::of(&two);
    for output in ["mp4", "mkv", "ts"] {
        let clip = original.cut(13..67, output);
        clip.check();
        let tracks = super::original::streams(&clip.path, "a");
        let languages: Vec<_> = tracks
            .iter()
            .map(|track| track["tags"]["language"].as_str())
            .collect();
        assert_eq!(languages, [Some("ger"), Some("eng")], "{output}");
    }
}
