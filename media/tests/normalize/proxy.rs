//! The proxy has a constant frame rate, the right size, and every frame at its
//! time.

use std::path::Path;
use std::process::Command;

use flatbed_media::normalize::Options;
use flatbed_media::scene::{self, Detector};
use flatbed_media::{Context, Input};

use super::{make, make_with};
use crate::fixture::Source;
use crate::observe;
use crate::scene::Film;

/// The proxy's size, and that all else is as it should be.
fn size(path: &Path) -> (u64, u64) {
    let stream = observe::stream(path, "v");
    assert_eq!(stream["codec_name"], "h264");
    assert_eq!(stream["pix_fmt"], "yuv420p");
    assert_eq!(stream["sample_aspect_ratio"], "1:1");
    assert_eq!(stream["r_frame_rate"], stream["avg_frame_rate"]);
    assert!(stream["side_data_list"].is_null(), "it is turned: {stream}");
    let side = |name: &str| stream[name].as_u64().expect("a size");
    (side("width"), side("height"))
}

#[test]
fn every_frame_is_there_once() {
    for (fps, rate) in [
        ("25", (25, 1)),
        ("30000/1001", (30_000, 1001)),
        ("12", (12, 1)),
    ] {
        let source = Source::new().frames(60).fps(fps).build();
        let made = make(&source.path);
        assert_eq!(size(&made.proxy), (320, 240));
        let shown = observe::shown(&made.proxy);
        assert_eq!(
            observe::numbers(&shown),
            (0..60).collect::<Vec<_>>(),
            "{fps}"
        );
        observe::check_even(&observe::packets(&made.proxy), rate);
        let proxy = made.report.proxy.expect("a proxy");
        assert_eq!((proxy.frames, proxy.frame_rate), (60, rate));
        let duration = 60.0 * f64::from(rate.1) / f64::from(rate.0);
        assert!((proxy.duration.as_secs_f64() - duration).abs() < 1e-3);
        assert_eq!(
            proxy.bytes,
            std::fs::metadata(&made.proxy).expect("a file").len()
        );
    }
}

#[test]
fn the_index_is_in_front() {
    let made = make(&Source::new().frames(30).build().path);
    let bytes = std::fs::read(&made.proxy).expect("read");
    let place = |name: &[u8]| bytes.windows(4).position(|four| four == name);
    assert!(place(b"moov") < place(b"mdat"));
}

#[test]
fn high_frame_rates_are_halved() {
    let made = make(&Source::new().frames(60).fps("60").build().path);
    observe::check_even(&observe::packets(&made.proxy), (30, 1));
    let numbers = observe::numbers(&observe::shown(&made.proxy));
    assert_eq!(numbers.len(), 30);
    // Every second one, to the nearest.
    for (place, number) in numbers.iter().enumerate() {
        assert!(number.abs_diff(2 * place as u32) <= 1, "{numbers:?}");
    }
}

#[test]
fn a_varying_frame_rate_becomes_constant() {
    // 25 a second, then one frame that stands for a second, then 25 again.
    let times: Vec<u64> = (0..20).chain(45..65).map(|place| place * 40_000).collect();
    for container in ["mp4", "mkv"] {
        let source = Source::new().times(&times).container(container).build();
        let options = Options {
            frame_rate: Some("25".parse().expect("a frame rate")),
            ..Options::default()
        };
        let made = make_with(Input::path(&source.path), &options);
        observe::check_even(&observe::packets(&made.proxy), (25, 1));
        let numbers = observe::numbers(&observe::shown(&made.proxy));
        let expected: Vec<u32> = (0..19).chain([19; 26]).chain(20..40).collect();
        assert_eq!(numbers, expected, "{container}");
        // Without being asked for a rate, it is constant all the same.
        let made = make(&source.path);
        let proxy = made.report.proxy.expect("a proxy");
        observe::check_even(&observe::packets(&made.proxy), proxy.frame_rate);
        assert!(
            (proxy.duration.as_secs_f64() - 2.6).abs() < 0.1,
            "{proxy:?}"
        );
    }
}

#[test]
fn large_pictures_become_720p() {
    let film = Film::new().size(1920, 1080).scene(1, 3);
    let made = make(&film.h264().path);
    assert_eq!(size(&made.proxy), (1280, 720));
    let options = Options {
        short_side: 100,
        ..Options::default()
    };
    let source = Source::new().frames(10).build();
    let made = make_with(Input::path(&source.path), &options);
    assert_eq!(size(&made.proxy), (134, 100));
}

#[test]
fn odd_and_tiny_pictures_become_even() {
    for (from, to) in [((33, 17), (32, 16)), ((16, 16), (16, 16)), ((3, 3), (2, 2))] {
        let film = Film::new().size(from.0, from.1).scene(1, 5).scene(2, 5);
        let clip = film.encode("25", "-c:v ffv1 -pix_fmt yuv444p", "mkv");
        let made = make(&clip.path);
        assert_eq!(size(&made.proxy), to, "{from:?}");
        assert_eq!(made.report.proxy.expect("a proxy").frames, 10);
    }
}

#[test]
fn pictures_are_turned_upright() {
    let folder = tempfile::tempdir().expect("a folder");
    let turned = folder.path().join("turned.mp4");
    let source = Source::new().frames(10).build();
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(&source.path)
        .args(["-c", "copy", "-metadata:s:v", "rotate=90"])
        .arg(&turned)
        .status();
    assert!(status.expect("ffmpeg starts").success());
    let made = make(&turned);
    assert_eq!(size(&made.proxy), (240, 320));
    // As ffmpeg turns it.
    let judge = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "info", "-i"])
        .arg(&turned)
        .arg("-i")
        .arg(&made.proxy)
        .args(["-lavfi", "[0:v][1:v]ssim", "-f", "null", "-"])
        .output()
        .expect("ffmpeg starts");
    let text = String::from_utf8_lossy(&judge.stderr);
    let all = text
        .rsplit("All:")
        .next()
        .and_then(|rest| rest.split(' ').next());
    let ssim: f64 = all.and_then(|all| all.parse().ok()).expect("an SSIM");
    assert!(ssim > 0.95, "{ssim}");
}

#[test]
fn pixels_become_square() {
    let source = Source::new().frames(10).args("-aspect 16:9").build();
    assert_eq!(size(&make(&source.path).proxy), (426, 240));
}

#[test]
fn full_range_becomes_the_usual_one() {
    let source = Source::new()
        .frames(10)
        .pixels("yuvj420p")
        .full_range()
        .build();
    let made = make(&source.path);
    assert_eq!(size(&made.proxy), (320, 240));
    assert_ne!(observe::stream(&made.proxy, "v")["color_range"], "pc");
    let numbers = observe::numbers(&observe::shown(&made.proxy));
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
}

#[test]
fn scenes_come_from_the_same_decode() {
    let film = Film::new().scene(1, 40).scene(2, 40).scene(3, 30);
    let clip = film.h264();
    for detector in [Detector::ADAPTIVE, Detector::CONTENT] {
        let scenes = scene::Options {
            detector,
            ..scene::Options::default()
        };
        let alone = scene::detect(Input::path(&clip.path), &scenes, &Context::new());
        let options = Options {
            scenes: Some(scenes),
            ..Options::default()
        };
        let made = make_with(Input::path(&clip.path), &options);
        let found = made.report.scenes.expect("scenes");
        assert_eq!(found, alone.expect("scenes"));
        assert_eq!(found.scenes.len(), 3);
    }
}
