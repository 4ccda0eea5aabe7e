//! From every container to every container, with the sound that each usually has.

use super::original::Original;
use crate::fixture::{Recorder, Source};

const OUTPUTS: [&str; 4] = ["mp4", "mov", "mkv", "ts"];

/// GOPs of 20 frames; the cut begins and ends inside one.
fn check_into(source: Source, outputs: &[&str]) {
    let original = Original::of(&source);
    for output in outputs {
        let encoded = original.cut(13..67, output).check();
        assert!(
            encoded <= 10,
            "{source:?} to {output}: {encoded} frames encoded"
        );
    }
}

fn h264() -> Source {
    Source::new().params("keyint=20:min-keyint=20:scenecut=0:bframes=2")
}

fn hevc() -> Source {
    let params = "keyint=20:min-keyint=20:scenecut=0:bframes=2:open-gop=0";
    Source::new().codec("libx265").params(params)
}

#[test]
fn from_mp4() {
    check_into(h264().audio("aac"), &OUTPUTS);
    check_into(hevc().audio("aac"), &OUTPUTS);
}

#[test]
fn from_mov() {
    check_into(h264().container("mov").audio("aac"), &OUTPUTS);
}

#[test]
fn from_matroska() {
    check_into(h264().container("mkv").audio("aac"), &OUTPUTS);
    check_into(hevc().container("mkv").audio("aac"), &OUTPUTS);
}

#[test]
fn from_ts() {
    check_into(h264().container("ts").audio("aac"), &OUTPUTS);
    check_into(hevc().container("ts").audio("aac"), &OUTPUTS);
}

#[test]
fn from_ps() {
    // A PES packet for each frame, as recorders write them.
    check_into(h264().recorder(Recorder::default()), &OUTPUTS);
    check_into(hevc().recorder(Recorder::default()), &["mp4", "mkv"]);
    let plain = h264().params("keyint=20:min-keyint=20:scenecut=0:bframes=0");
    check_into(plain.container("mpg").audio("mp2"), &OUTPUTS);
}

#[test]
fn from_avi() {
    let plain = h264().params("keyint=20:min-keyint=20:scenecut=0:bframes=0");
    check_into(plain.container("avi").audio("pcm_s16le"), &OUTPUTS);
}

#[test]
fn frames_without_presentation_times_are_encoded() {
    // AVI tells none, and a PES packet with several small frames only the first one's. ffmpeg
    // reads both with complaints.
    for container in ["avi", "mpg"] {
        let original = Original::despite(&h264().container(container), &[""]);
        let clip = original.cut(13..67, "mp4");
        clip.check_frames();
        clip.check_copied_and_encoded();
        assert_eq!(clip.report.frames_encoded, 54);
        let said = clip
            .report
            .notes
            .iter()
            .any(|note| note.contains("no presentation times"));
        assert!(said, "{:?}", clip.report.notes);
    }
}
