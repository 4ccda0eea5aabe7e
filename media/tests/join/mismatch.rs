//! Segments that cannot follow the first one as they are (case 6).

use flatbed_media::Error;
use flatbed_media::cut::{OnMismatch, Options};

use super::{IN_STEP, cut, frames, join, segments};
use crate::fixture::{Fixture, Source};

fn reencode(options: Options) -> Options {
    Options {
        on_mismatch: OnMismatch::Reencode,
        ..options
    }
}

/// 50 frames that continue the first segment's 50.
fn second() -> Source {
    Source::new().first(50).frames(50)
}

/// What a second segment may be that does not fit the first, and a word that must say so.
fn strangers() -> Vec<(Source, &'static str)> {
    vec![
        (second().size(640, 480), "640x480"),
        (second().codec("libx265"), "hevc"),
        (
            second().params("keyint=25:bframes=0:ref=1:cabac=0"),
            "parameters",
        ),
        (second().pixels("yuv422p"), "parameters"),
        (
            second().codec("mjpeg").pixels("yuvj420p").container("mov"),
            "mjpeg",
        ),
    ]
}

fn refusal(parts: &[Fixture], container: &str) -> String {
    match cut(segments(parts), container, &Options::default()) {
        Ok(_) => panic!("{}: accepted", parts[1].path.display()),
        Err(error @ Error::Unsupported { .. }) => error.to_string(),
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn a_stranger_is_refused_with_name_reason_and_remedy() {
    for (stranger, word) in strangers() {
        let parts = [Source::new().frames(50).build(), stranger.build()];
        for container in ["mp4", "mkv"] {
            let error = refusal(&parts, container);
            let name = parts[1].path.display().to_string();
            assert!(error.starts_with(&name), "{error}");
            assert!(error.contains(word), "{error}");
            assert!(error.contains("--on-mismatch reencode"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}

#[test]
fn a_stranger_is_encoded_when_asked() {
    for (stranger, word) in strangers() {
        let parts = [Source::new().frames(50).build(), stranger.build()];
        for container in ["mp4", "mkv", "ts"] {
            eprintln!("{word}, to {container}");
            let made = join(&parts, container, &reencode(Options::default()));
            made.shows(0..100);
            made.is_even((25, 1));
            made.has_copied(&parts[0], 0..50);
            assert_eq!(made.report.frames_copied, 50, "{word}: {:?}", made.report);
            assert!(!made.report.notes.is_empty());
        }
    }
}

#[test]
fn a_stranger_in_the_middle_of_a_cut() {
    for (stranger, word) in strangers() {
        eprintln!("{word}");
        let parts = [
            Source::new().frames(50).build(),
            stranger.build(),
            Source::new().first(100).frames(50).build(),
        ];
        let made = join(&parts, "mp4", &reencode(frames(30, 120)));
        made.shows(30..120);
        made.is_even((25, 1));
        made.has_copied(&parts[2], 100..115);
    }
}

#[test]
fn hevc_takes_strangers_too() {
    let first = Source::new().codec("libx265").frames(50).build();
    for stranger in [second(), second().codec("libx265").size(640, 480)] {
        let parts = [first.clone(), stranger.build()];
        refusal(&parts, "mp4");
        for container in ["mp4", "mkv"] {
            let made = join(&parts, container, &reencode(Options::default()));
            made.shows(0..100);
            made.is_even((25, 1));
            made.has_copied(&first, 0..50);
        }
    }
}

#[test]
fn a_transport_streams_second_segment_is_looked_at_though_it_is_not_probed() {
    // The same codecs in the same order: only the parameter sets in the stream differ.
    let first = Source::new().frames(50).container("ts").build();
    for stranger in [
        second().container("ts").size(640, 480),
        second()
            .container("ts")
            .params("keyint=25:bframes=0:ref=1:cabac=0"),
    ] {
        let parts = [first.clone(), stranger.build()];
        let error = refusal(&parts, "mp4");
        assert!(
            error.starts_with(&parts[1].path.display().to_string()),
            "{error}"
        );
        let made = join(&parts, "mp4", &reencode(Options::default()));
        made.shows(0..100);
        made.is_even((25, 1));
        made.has_copied(&first, 0..50);
    }
}

#[test]
fn sound_stays_in_step_where_a_stranger_is_encoded() {
    let parts = [
        Source::new().frames(50).audio("aac").build(),
        second().size(640, 480).audio("aac").build(),
        Source::new().first(100).frames(50).audio("aac").build(),
    ];
    let made = join(&parts, "mp4", &reencode(Options::default()));
    made.shows(0..150);
    made.is_in_step(&[0, 42, 50, 92, 100, 142], 2, IN_STEP);
}
