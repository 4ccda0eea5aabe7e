//! Cuts are found where they are, and scenes have the right times.

use flatbed_media::scene::{self, Detector, MinLength, Options, Scenes};
use flatbed_media::{Context, Input};

use super::film::{Clip, Film, H264};

fn detect(clip: &Clip, detector: Detector) -> Scenes {
    let options = Options {
        detector,
        ..Options::default()
    };
    scene::detect(Input::path(&clip.path), &options, &Context::new()).expect("scenes")
}

fn starts(found: &Scenes) -> Vec<u64> {
    found.scenes.iter().map(|scene| scene.first_frame).collect()
}

/// Three scenes of 40 frames.
fn three() -> Film {
    Film::new().scene(1, 40).scene(2, 40).scene(3, 40)
}

#[test]
fn hard_cuts_at_every_frame_rate() {
    for (rate, length) in [
        ("25", 0.04),
        ("30000/1001", 1001.0 / 30_000.0),
        ("24000/1001", 1001.0 / 24_000.0),
        ("60", 1.0 / 60.0),
        ("12", 1.0 / 12.0),
    ] {
        let clip = three().encode(rate, H264, "mp4");
        for detector in [Detector::ADAPTIVE, Detector::CONTENT] {
            let found = detect(&clip, detector);
            assert_eq!(starts(&found), [0, 40, 80], "{rate} {detector:?}");
            assert_eq!(found.frames, 120);
            for (number, scene) in found.scenes.iter().enumerate() {
                assert_eq!(scene.frames, 40);
                let (start, end) = (scene.span.start.as_secs_f64(), scene.span.end.as_secs_f64());
                let due = 40.0 * number as f64 * length;
                assert!((start - due).abs() < 2e-3, "{rate}: {start}, not {due}");
                let due = due + 40.0 * length;
                assert!((end - due).abs() < 2e-3, "{rate}: {end}, not {due}");
            }
        }
    }
}

#[test]
fn scenes_follow_one_another_without_gaps() {
    let film = Film::new()
        .scene(1, 30)
        .scene(2, 50)
        .scene(5, 20)
        .scene(3, 33);
    let found = detect(&film.h264(), Detector::CONTENT);
    assert_eq!(starts(&found), [0, 30, 80, 100]);
    for pair in found.scenes.windows(2) {
        assert_eq!(pair[0].span.end, pair[1].span.start);
        assert_eq!(pair[0].first_frame + pair[0].frames, pair[1].first_frame);
    }
    let frames: u64 = found.scenes.iter().map(|scene| scene.frames).sum();
    assert_eq!(frames, found.frames);
}

#[test]
fn no_cut_is_one_scene() {
    // Something moves, and one scene fades into another: nothing stands out.
    let film = Film::new().scene(1, 60).fade(1, 2, 60).scene(2, 30);
    for detector in [Detector::ADAPTIVE, Detector::CONTENT] {
        let found = detect(&film.h264(), detector);
        assert_eq!(starts(&found), [0], "{detector:?}");
        assert_eq!(found.scenes[0].span.end.as_micros(), 6_000_000);
    }
}

#[test]
fn a_single_frame_is_one_scene() {
    let found = detect(&Film::new().scene(1, 1).h264(), Detector::ADAPTIVE);
    assert_eq!(starts(&found), [0]);
    assert_eq!(found.frames, 1);
    assert_eq!(found.scenes[0].span.end.as_micros(), 40_000);
}

#[test]
fn a_flash_makes_no_short_scene() {
    let film = Film::new().scene(1, 50).flash(1, 2).scene(1, 50);
    for detector in [Detector::ADAPTIVE, Detector::CONTENT] {
        let found = detect(&film.h264(), detector);
        assert!(
            found.scenes.len() <= 2,
            "{detector:?}: {:?}",
            starts(&found)
        );
        assert!(found.scenes.iter().all(|scene| scene.frames >= 15));
    }
}

#[test]
fn the_least_length_is_kept_and_can_be_changed() {
    let film = Film::new()
        .scene(1, 40)
        .scene(2, 8)
        .scene(3, 8)
        .scene(4, 40);
    let clip = film.h264();
    let with = |min_length| {
        let options = Options {
            min_length,
            ..Options::default()
        };
        let found = scene::detect(Input::path(&clip.path), &options, &Context::new());
        starts(&found.expect("scenes"))
    };
    assert_eq!(with(MinLength::Frames(8)), [0, 40, 48, 56]);
    assert_eq!(with(MinLength::Frames(9)), [0, 40, 56]);
    let half = "0.32s".parse().expect("a time");
    assert_eq!(with(MinLength::Time(half)), [0, 40, 48, 56]);
    assert_eq!(with(Options::default().min_length), [0, 40, 56]);
}

#[test]
fn times_are_the_frames_own_where_the_rate_varies() {
    // 25 a second up to frame 40, then 10 a second.
    let setpts = "-vf setpts=if(lt(N\\,40)\\,N*0.04\\,1.6+(N-40)*0.1)/TB";
    let arguments = format!("{setpts} -fps_mode passthrough -enc_time_base 1:90000 {H264}");
    for container in ["mp4", "mkv"] {
        let clip = three().encode("25", &arguments, container);
        let found = detect(&clip, Detector::CONTENT);
        assert_eq!(starts(&found), [0, 40, 80], "{container}");
        let times: Vec<_> = found
            .scenes
            .iter()
            .map(|scene| scene.span.start.as_micros() / 1000)
            .collect();
        assert_eq!(times, [0, 1600, 5600], "{container}");
    }
}

#[test]
fn times_count_from_the_first_frame_where_the_stream_starts_late() {
    let late = format!("-output_ts_offset 100 {H264}");
    for container in ["ts", "mkv"] {
        let found = detect(&three().encode("25", &late, container), Detector::CONTENT);
        assert_eq!(starts(&found), [0, 40, 80], "{container}");
        assert_eq!(
            found.scenes[1].span.start.as_micros(),
            1_600_000,
            "{container}"
        );
        assert_eq!(
            found.scenes[2].span.end.as_micros(),
            4_800_000,
            "{container}"
        );
    }
}
