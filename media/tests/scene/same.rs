//! The engine and the plain definitions say the same.

use flatbed_media::scene::{self, Detector, FrameScore, MinLength, Options};
use flatbed_media::{Context, Input};

use super::film::{Clip, Film};
use super::reference;

/// How far a value may be from the reference's, whose BGR is rounded in another
/// way: this is where the hue of dark pixels shows it.
const TOLERANCE: f64 = 0.6;

fn check(clip: &Clip, frames: usize) {
    let expected = reference::differences(&clip.path);
    assert_eq!(expected.len(), frames);
    let contents = reference::contents(&expected);
    for (detector, least) in [
        (Detector::ADAPTIVE, 15),
        (Detector::ADAPTIVE, 1),
        (Detector::CONTENT, 15),
        (Detector::CONTENT, 4),
    ] {
        let options = Options {
            detector,
            min_length: MinLength::Frames(least),
            ..Options::default()
        };
        let mut scores: Vec<FrameScore> = Vec::new();
        let input = Input::path(&clip.path);
        let found = scene::detect_each(input, &options, &Context::new(), |score| {
            scores.push(*score);
        })
        .expect("scenes");
        assert_eq!(scores.len(), frames);
        for (number, (score, expected)) in scores.iter().zip(&expected).enumerate() {
            assert_eq!(score.frame, number as u64);
            let all = [
                score.difference.hue,
                score.difference.saturation,
                score.difference.brightness,
            ];
            let content = contents[number];
            assert!(
                (score.content - content).abs() <= TOLERANCE + content / 50.0,
                "frame {number}: {all:?}, not {expected:?}"
            );
            assert!(
                (all[2] - expected[2]).abs() <= 0.3,
                "frame {number}: {all:?}, not {expected:?}"
            );
        }
        let least = least as usize;
        let cuts = match detector {
            Detector::CONTENT => reference::content(&contents, least),
            _ => reference::adaptive(&contents, least),
        };
        let starts: Vec<_> = found.scenes[1..]
            .iter()
            .map(|scene| scene.first_frame as usize)
            .collect();
        assert_eq!(starts, cuts, "{detector:?}, {least}");
    }
}

/// All that makes trouble: cuts far apart and near, flashes, fades, grain.
fn busy() -> Film {
    Film::new()
        .size(80, 60)
        .scene(1, 30)
        .scene(2, 25)
        .flash(2, 2)
        .scene(2, 40)
        .fade(2, 3, 20)
        .scene(3, 30)
        .scene(4, 5)
        .scene(5, 6)
        .scene(6, 4)
        .scene(7, 40)
        .flash(7, 1)
        .scene(8, 35)
}

#[test]
fn small_pictures() {
    let film = busy();
    check(&film.h264(), film.frames());
}

/// The same, in as few frames as show it.
fn brief() -> Film {
    Film::new()
        .scene(1, 18)
        .scene(2, 17)
        .flash(2, 1)
        .fade(2, 3, 6)
        .scene(4, 10)
}

#[test]
fn pictures_made_smaller_by_a_broken_factor() {
    let film = brief().size(314, 190);
    check(&film.h264(), film.frames());
}

#[test]
fn pictures_made_smaller_by_three() {
    let film = brief().size(768, 64).noise(12);
    check(&film.h264(), film.frames());
}

#[test]
fn upright_pictures_with_grain() {
    let film = brief().size(80, 256).noise(40);
    check(&film.h264(), film.frames());
}
