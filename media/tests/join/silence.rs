//! Segments whose sound does not fill them: too short, too long, none at all.

use flatbed_media::cut::Options;

use super::{IN_STEP, Made, cut, join, segments};
use crate::fixture::{Fixture, Source};
use crate::observe;

fn with_sound() -> Source {
    Source::new().audio("aac")
}

/// Three segments of 50 frames, the middle one made by `middle`.
fn three(middle: impl Fn(Source) -> Source) -> Vec<Fixture> {
    let parts = with_sound().split(&[50, 50, 50]);
    let build = |(index, part): (usize, Source)| match index {
        1 => middle(part).build(),
        _ => part.build(),
    };
    parts.into_iter().enumerate().map(build).collect()
}

/// Whether the sound that belongs under frame `number` is missing.
fn is_silent(made: &Made, number: u32) -> bool {
    let lag = made.hears(number, 2);
    lag.peak < 0.3 || lag.ms.abs() > IN_STEP
}

#[test]
fn a_silent_segment_between_others_leaves_them_in_step() {
    let parts = three(|_| Source::new().first(50).frames(50));
    for container in ["mp4", "mkv"] {
        let made = join(&parts, container, &Options::default());
        made.shows(0..150);
        made.is_even((25, 1));
        made.is_in_step(&[0, 30, 42, 100, 110, 142], 2, IN_STEP);
        assert!(is_silent(&made, 60));
        assert!(!made.report.notes.is_empty());
    }
}

#[test]
fn short_sound_leaves_a_gap_and_no_drift() {
    let parts = three(|part| part.audio_seconds(1.2));
    for container in ["mp4", "mkv"] {
        let made = join(&parts, container, &Options::default());
        made.shows(0..150);
        made.is_in_step(&[42, 50, 70, 100, 142], 2, IN_STEP);
        assert!(is_silent(&made, 85));
    }
}

#[test]
fn long_sound_ends_with_its_picture() {
    let parts = three(|part| part.audio_seconds(3.1));
    for container in ["mp4", "mkv"] {
        let made = join(&parts, container, &Options::default());
        made.shows(0..150);
        made.is_even((25, 1));
        made.is_in_step(&[42, 50, 92, 100, 108, 142], 2, IN_STEP);
        // Neither track of the result goes on behind the other.
        let sound = made.sound();
        assert!(
            (sound.end() - sound.start - 6.0).abs() < 0.03,
            "{}",
            sound.end()
        );
    }
}

#[test]
fn sound_that_goes_on_for_long_moves_nothing() {
    // Longer than any track may run ahead of another in the file.
    let parts = three(|part| part.audio_seconds(20.0));
    let made = join(&parts, "mp4", &Options::default());
    made.shows(0..150);
    made.is_in_step(&[42, 50, 92, 100, 142], 2, IN_STEP);
}

#[test]
fn encoded_sound_is_filled_up_and_cut_off() {
    let source = Source::new().container("mkv").audio("pcm_alaw");
    for seconds in [1.0, 3.0, 20.0] {
        let mut parts = source.split(&[50, 50, 50]);
        parts[1] = parts[1].clone().audio_seconds(seconds);
        let parts: Vec<Fixture> = parts.iter().map(Source::build).collect();
        let made = join(&parts, "mp4", &Options::default());
        made.shows(0..150);
        made.is_in_step(&[42, 50, 60, 100, 142], 1, IN_STEP);
        assert_eq!(made.sound().holes, []);
    }
}

#[test]
fn sound_that_begins_only_in_the_second_segment_is_left_out_with_a_note() {
    let mut parts = with_sound().segments(&[50, 50]);
    parts[0] = Source::new().frames(50).build();
    let made = cut(segments(&parts), "mp4", &Options::default());
    let made = made.unwrap_or_else(|error| panic!("{error}"));
    made.shows(0..100);
    let notes = made.report.notes.join("\n");
    assert!(notes.contains("sound"), "{notes:?}");
    let facts = observe::probe(&made.path, &["-show_streams"]);
    assert_eq!(facts["streams"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_differing_sound_is_refused_or_encoded() {
    use flatbed_media::cut::OnMismatch;
    let parts = with_sound().split(&[50, 50]);
    let parts = [
        parts[0].build(),
        parts[1].clone().audio_as("aac", 44_100, 1).build(),
    ];
    let error = match cut(segments(&parts), "mp4", &Options::default()) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    };
    let name = parts[1].path.display().to_string();
    assert!(error.starts_with(&name), "{error}");
    assert!(
        error.contains("44100 Hz") && error.contains("reencode"),
        "{error}"
    );
    let options = Options {
        on_mismatch: OnMismatch::Reencode,
        ..Options::default()
    };
    let made = join(&parts, "mp4", &options);
    made.shows(0..100);
    made.is_in_step(&[0, 42], 2, IN_STEP);
    made.is_in_step(&[50, 60, 92], 1, IN_STEP);
    assert_eq!(made.sound().holes, []);
}
