//! Many tiny segments: nothing adds up, neither time nor memory nor open files.

use flatbed_media::cut::Options;

use super::{IN_STEP, cut, frames, join, segments};
use crate::fixture::{Fixture, Source};
use crate::observe::{self, Sound};

const MANY: usize = 200;

fn repeated(part: &Fixture) -> Vec<Fixture> {
    vec![part.clone(); MANY]
}

fn numbers(length: u32) -> impl Iterator<Item = u32> {
    (0..MANY).flat_map(move |_| 0..length)
}

#[test]
fn two_hundred_tiny_segments() {
    for container in ["mp4", "ts", "mkv"] {
        let part = Source::new().frames(5).container(container).build();
        let made = join(&repeated(&part), "mp4", &Options::default());
        made.shows(numbers(5));
        made.is_even((25, 1));
        assert_eq!(made.report.frames_encoded, 0);
    }
}

#[test]
fn a_cut_out_of_two_hundred() {
    let part = Source::new().frames(5).build();
    let made = join(&repeated(&part), "mp4", &frames(503, 738));
    made.shows(numbers(5).skip(503).take(738 - 503));
    made.is_even((25, 1));
}

#[test]
fn their_sound_does_not_drift() {
    // 7 frames are 280 ms: no whole number of audio frames.
    for (container, audio, channels) in [("mp4", "aac", 2), ("mkv", "pcm_alaw", 1)] {
        let part = Source::new()
            .frames(9)
            .container(container)
            .audio(audio)
            .build();
        let made = join(&repeated(&part), "mp4", &Options::default());
        made.shows(numbers(9));
        made.is_even((25, 1));
        let (sound, shown) = (made.sound(), made.shown());
        for segment in [0, 1, 99, 150, 199] {
            let frame = &shown[9 * segment];
            let ideal = Sound::ideal(0.0, 0.3, channels);
            let lag = observe::lag(&ideal, 0.0, sound, frame.pts, 0.3);
            assert!(
                lag.ms.abs() <= IN_STEP && lag.peak > 0.8,
                "{segment}: {lag:?}"
            );
        }
    }
}

#[test]
fn each_recording_of_its_own_in_order() {
    let parts = Source::new().segments(&[3; 20]);
    let made = cut(segments(&parts), "mp4", &Options::default());
    let made = made.unwrap_or_else(|error| panic!("{error}"));
    made.shows(0..60);
    made.is_even((25, 1));
}
