//! MPEG-PS as recorders write it: G.711 with and without the hints that name it, AAC, H.264 and
//! HEVC, into containers that take the sound and into one that does not.

use super::original::Original;
use crate::fixture::{Recorder, Source};

fn source(codec: &str, audio: &str) -> Source {
    // Recorders reorder no frames; with AAC some do.
    let bframes = if audio == "aac" { 2 } else { 0 };
    let params = format!("keyint=20:min-keyint=20:scenecut=0:bframes={bframes}");
    let source = Source::new().codec(codec).audio(audio);
    match codec {
        "libx265" => source.params(&format!("{params}:open-gop=0")),
        _ => source.params(&params),
    }
}

fn check(source: &Source, recorder: Recorder, outputs: &[&str]) {
    // With the header and the map ffmpeg knows the sound as well: it is the reference also for
    // the recording without.
    let full = Recorder {
        map: true,
        imkh: true,
    };
    let known = Original::of(&source.clone().recorder(full));
    let fixture = source.clone().recorder(recorder).build();
    let original = known.seen_in(fixture.path);
    for output in outputs {
        original.cut(13..67, output).check();
    }
}

#[test]
fn g711_with_header_and_map() {
    let recorder = Recorder {
        map: true,
        imkh: true,
    };
    check(&source("libx264", "pcm_alaw"), recorder, &["mp4", "mov"]);
    check(&source("libx265", "pcm_mulaw"), recorder, &["mp4", "mkv"]);
}

#[test]
fn g711_with_a_map_alone() {
    let recorder = Recorder {
        map: true,
        imkh: false,
    };
    check(&source("libx264", "pcm_alaw"), recorder, &["mp4", "mov"]);
    check(&source("libx264", "pcm_mulaw"), recorder, &["mp4", "mov"]);
}

#[test]
fn g711_with_a_header_alone() {
    let recorder = Recorder {
        map: false,
        imkh: true,
    };
    check(&source("libx264", "pcm_mulaw"), recorder, &["mp4", "mov"]);
}

#[test]
fn aac() {
    for codec in ["libx264", "libx265"] {
        let original = Original::of(&source(codec, "aac").recorder(Recorder::default()));
        for output in ["mp4", "mov"] {
            original.cut(13..67, output).check();
        }
    }
}

#[test]
fn pictures_without_a_map_or_sound() {
    let recorder = Recorder {
        map: false,
        imkh: false,
    };
    let silent = Source::new().params("keyint=20:min-keyint=20:scenecut=0:bframes=2");
    let original = Original::of(&silent.recorder(recorder));
    original.cut(13..67, "mp4").check();
}

#[test]
fn timestamps_that_wrap_in_mid_file() {
    let wrapping = source("libx264", "aac")
        .recorder(Recorder::default())
        .offset(95_441.0);
    let original = Original::despite(&wrapping, &["start time"]);
    for range in [13..67, 70..95] {
        original.cut(range, "mp4").check();
    }
}
