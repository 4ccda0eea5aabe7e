//! Segments that count time in other ticks, or have another frame rate (case 7).

use flatbed_media::cut::{OnMismatch, Options};

use super::{Made, frames, join};
use crate::fixture::{Fixture, Recorder, Source};
use crate::observe;

/// The level depends on the rate too, unless it is given.
const SETS: &str = "keyint=25:min-keyint=25:scenecut=0:bframes=2:level=40";

/// Checks that each frame of each segment is shown at its time.
fn on_time(made: &Made, parts: &[Fixture]) {
    let shown = made.shown();
    let tick = made.packets()[0].tick;
    let mut begin = shown[0].pts;
    let mut frames = shown.iter();
    for part in parts {
        for number in part.numbers() {
            let frame = frames.next().expect("as many frames as in the segments");
            let due = begin + part.time_of(number);
            assert_eq!(frame.number, number);
            assert!(
                (frame.pts - due).abs() <= 1.5 * tick,
                "{}: frame {number} at {}, due {due}",
                made.path.display(),
                frame.pts
            );
        }
        begin += part.time_of(part.numbers().end - 1);
        begin += f64::from(part.fps().1) / f64::from(part.fps().0);
    }
}

#[test]
fn other_timescales_make_no_other_times() {
    for scales in [[12_800, 90_000, 600], [1_000, 15_000, 50]] {
        let parts = Source::new().split(&[40, 30, 40]);
        let parts: Vec<Fixture> = parts
            .iter()
            .zip(scales)
            .map(|(part, scale)| part.clone().timescale(scale).build())
            .collect();
        for container in ["mp4", "mkv", "ts"] {
            let made = join(&parts, container, &Options::default());
            made.shows(0..110);
            made.is_even((25, 1));
            on_time(&made, &parts);
            for part in &parts {
                made.has_copied(part, part.numbers());
            }
        }
        join(&parts, "mp4", &frames(7, 99)).is_even((25, 1));
    }
}

#[test]
fn containers_may_be_mixed() {
    let kinds = ["ts", "mp4", "mkv", "ps"];
    let parts = Source::new().split(&[40, 30, 40, 30]);
    for turn in 0..kinds.len() {
        let build = |(index, part): (usize, &Source)| {
            let kind = kinds[(index + turn) % kinds.len()];
            let part = part.clone();
            match kind {
                "ps" => part.recorder(Recorder::default()).build(),
                _ => part.container(kind).build(),
            }
        };
        let parts: Vec<Fixture> = parts.iter().enumerate().map(build).collect();
        let made = join(&parts, "mp4", &Options::default());
        made.shows(0..140);
        made.is_even((25, 1));
        assert_eq!(made.report.frames_encoded, 0);
    }
}

#[test]
fn ntsc_rates_do_not_drift() {
    for fps in ["30000/1001", "24000/1001", "60"] {
        let parts = Source::new().fps(fps).segments(&[41, 37, 43]);
        for container in ["mp4", "mkv", "ts"] {
            let made = join(&parts, container, &Options::default());
            made.shows(0..121);
            made.is_even(parts[0].fps());
        }
    }
}

#[test]
fn the_frame_rate_may_change_where_the_stream_says_the_same() {
    // x264 writes the rate into the SPS; cameras leave it out, or leave it as it was.
    let same = |source: Source| {
        source
            .params(SETS)
            .args("-bsf:v h264_metadata=tick_rate=100")
    };
    let h264 = |fps: &str, first| same(Source::new().fps(fps).first(first).frames(50)).build();
    let mjpeg = |fps: &str, first| {
        let source = Source::new().codec("mjpeg").pixels("yuvj420p");
        source
            .container("mov")
            .fps(fps)
            .first(first)
            .frames(50)
            .build()
    };
    for parts in [
        [h264("25", 0), h264("50", 50), h264("25", 100)],
        [h264("50", 0), h264("15", 50), h264("30000/1001", 100)],
        [mjpeg("25", 0), mjpeg("30", 50), mjpeg("25", 100)],
    ] {
        for container in ["mov", "mkv"] {
            let made = join(&parts, container, &Options::default());
            made.shows(0..150);
            on_time(&made, &parts);
            observe::check_order(&made.packets());
            assert_eq!(made.report.frames_encoded, 0);
            for part in &parts {
                made.has_copied(part, part.numbers());
            }
        }
    }
}

#[test]
fn a_cut_across_a_change_of_rate() {
    let same = |source: Source| {
        source
            .params(SETS)
            .args("-bsf:v h264_metadata=tick_rate=100")
    };
    let parts = [("25", 0), ("50", 50)]
        .map(|(fps, first)| same(Source::new().fps(fps).first(first).frames(50)).build());
    // The second segment's frames are half as long: 2 s and 30 of its frames are 2.6 s.
    let made = join(&parts, "mp4", &frames(30, 65));
    made.shows(30..80);
    let times: Vec<f64> = made.shown().iter().map(|frame| frame.pts).collect();
    for (index, time) in times.iter().enumerate() {
        let due = index.min(20) as f64 * 0.04 + index.saturating_sub(20) as f64 * 0.02;
        assert!(
            (time - times[0] - due).abs() < 0.001,
            "frame {index}: {time}"
        );
    }
}

#[test]
fn another_rate_in_the_sps_is_encoded_when_asked() {
    let parts = [("25", 0), ("50", 50)]
        .map(|(fps, first)| Source::new().fps(fps).first(first).frames(50).build());
    let options = Options {
        on_mismatch: OnMismatch::Reencode,
        ..Options::default()
    };
    let made = join(&parts, "mp4", &options);
    made.shows(0..100);
    on_time(&made, &parts);
    made.has_copied(&parts[0], 0..50);
}

#[test]
fn a_variable_rate_keeps_its_times() {
    let times: Vec<u64> = (0..50u64).map(|n| n * 33_000 + n % 3 * 7_000).collect();
    let parts = [0, 50].map(|first| Source::new().times(&times).first(first).build());
    let made = join(&parts, "mp4", &Options::default());
    let shown = made.shows(0..100);
    for (index, frame) in shown.iter().enumerate().take(50) {
        let due = times[index] as f64 / 1e6;
        assert!(
            (frame.pts - shown[0].pts - due).abs() < 0.001,
            "frame {index}"
        );
        let second = &shown[50 + index];
        assert!(
            (second.pts - shown[50].pts - due).abs() < 0.001,
            "frame {}",
            50 + index
        );
    }
    // The last frame of a segment is shown for about as long as the others.
    let seam = shown[50].pts - shown[49].pts;
    assert!((0.02..0.06).contains(&seam), "{seam}");
}
