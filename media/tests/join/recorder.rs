//! MPEG program streams as recorders write them, with and without their `IMKH` header.

use flatbed_media::cut::Options;

use super::{AAC_FRAME, IN_STEP, cut, frames, join, segments};
use crate::fixture::{Recorder, Source};

const HEADER: Recorder = Recorder {
    map: true,
    imkh: true,
};

fn source(codec: &str, audio: &str) -> Source {
    let params = "keyint=25:min-keyint=25:scenecut=0:bframes=0";
    let source = Source::new().codec(codec).params(params);
    // The map comes first, as recorders have it: the first sound lies behind the first picture.
    source.audio(audio).audio_delay(0.04)
}

#[test]
fn segments_with_a_header_each() {
    for (codec, audio) in [("libx264", "pcm_alaw"), ("libx265", "pcm_mulaw")] {
        let parts = source(codec, audio)
            .recorder(HEADER)
            .segments(&[50, 60, 50]);
        for container in ["mp4", "mkv"] {
            let made = join(&parts, container, &Options::default());
            made.shows(0..160);
            made.is_even((25, 1));
            assert_eq!(made.report.frames_encoded, 0);
            for part in &parts {
                made.has_copied(part, part.numbers());
            }
            made.is_in_step(&[2, 42, 52, 102, 112, 152], 1, IN_STEP);
        }
        let made = join(&parts, "mp4", &frames(30, 130));
        made.shows(30..130);
        made.is_even((25, 1));
        made.is_in_step(&[30, 42, 52, 102, 112, 122], 1, IN_STEP);
        assert_eq!(made.sound().holes, []);
    }
}

#[test]
fn a_map_alone_tells_the_sound() {
    let bare = Recorder {
        map: true,
        imkh: false,
    };
    for audio in ["pcm_alaw", "pcm_mulaw", "aac"] {
        let parts = source("libx264", audio).recorder(bare).segments(&[50, 50]);
        let made = join(&parts, "mp4", &frames(10, 90));
        made.shows(10..90);
        let channels = if audio == "aac" { 2 } else { 1 };
        made.is_in_step(&[10, 42, 52, 82], channels, IN_STEP);
    }
}

#[test]
fn with_and_without_a_header_may_follow_each_other() {
    let parts = source("libx264", "pcm_alaw").split(&[50, 50, 50]);
    let recorders = [HEADER, Recorder::default(), HEADER];
    let parts: Vec<_> = parts
        .iter()
        .zip(recorders)
        .map(|(part, recorder)| part.clone().recorder(recorder).build())
        .collect();
    let made = join(&parts, "mp4", &Options::default());
    made.shows(0..150);
    made.is_in_step(&[2, 42, 52, 92, 102, 142], 1, IN_STEP);
}

#[test]
fn no_map_and_no_header_leave_the_picture() {
    let bare = Recorder {
        map: false,
        imkh: false,
    };
    let parts = source("libx264", "pcm_alaw")
        .recorder(bare)
        .segments(&[50, 50]);
    match cut(segments(&parts), "mp4", &Options::default()) {
        Ok(made) => {
            made.shows(0..100);
        }
        // Its sound cannot be told from MP2: then the error must say so.
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn b_frames_and_aac_in_a_program_stream() {
    let parts = Source::new()
        .audio("aac")
        .recorder(HEADER)
        .segments(&[50, 50, 50]);
    for (container, most) in [("mp4", IN_STEP), ("ts", AAC_FRAME)] {
        let made = join(&parts, container, &frames(30, 120));
        made.shows(30..120);
        made.is_even((25, 1));
        made.is_in_step(&[30, 42, 50, 92, 100, 112], 2, most);
    }
}
