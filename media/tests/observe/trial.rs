//! The instruments are calibrated: each reads zero where nothing is off, and sees what is.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Movie, Sound, check_even, in_step, lag, numbers, packets, shown, similarity};
use crate::fixture::{Fixture, Source};

fn source() -> Fixture {
    Source::new().frames(100).audio("aac").build()
}

/// Runs ffmpeg on `input`: `before` stands in front of a second reading of the file.
fn remade(input: &Path, before: &[&str], after: &[&str], extension: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("remade").with_extension(extension);
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(input)
        .args(before)
        .arg("-i")
        .arg(input);
    command
        .args(["-map", "0:v", "-map", "1:a"])
        .args(after)
        .arg(&path);
    assert!(
        command.status().expect("ffmpeg starts").success(),
        "{command:?}"
    );
    (folder, path)
}

#[test]
fn a_remux_is_bit_identical_and_in_step() {
    let source = source();
    for container in ["mp4", "mkv", "mov", "ts"] {
        let (_folder, path) = remade(&source.path, &[], &["-c", "copy"], container);
        let (before, after) = (shown(&source.path), shown(&path));
        assert_eq!(numbers(&before), numbers(&after));
        assert!(
            before.iter().zip(&after).all(|(a, b)| a.md5 == b.md5),
            "{container}"
        );
        for point in in_step(&source.path, &path, &[0, 30, 60, 90]) {
            assert!(
                point.ms.abs() <= 1.0 && point.peak > 0.99,
                "{container}: {point:?}"
            );
        }
    }
    let (_folder, path) = remade(&source.path, &[], &["-c", "copy"], "mp4");
    for point in in_step(&source.path, &path, &[0, 40, 90]) {
        assert!(point.ms == 0.0, "{point:?}");
    }
}

#[test]
fn a_sound_ten_milliseconds_late_or_early_is_seen() {
    let source = source();
    for (shift, due) in [("0.01", 10.0), ("-0.01", -10.0)] {
        let (_folder, path) = remade(&source.path, &["-itsoffset", shift], &["-c", "copy"], "mp4");
        for point in in_step(&source.path, &path, &[30, 60, 90]) {
            assert!(
                (point.ms - due).abs() < 0.1 && point.peak > 0.99,
                "{shift}: {point:?}"
            );
        }
    }
}

#[test]
fn silence_and_another_sound_do_not_correlate() {
    let (ideal, other) = (Sound::ideal(0.0, 2.0, 1), Sound::ideal(70.0, 2.0, 1));
    assert!(lag(&ideal, 1.0, &other, 71.0, 0.3).peak < 0.3);
    let silence = Sound {
        samples: vec![0.0; 96_000],
        ..ideal.clone()
    };
    assert!(lag(&ideal, 1.0, &silence, 1.0, 0.3).peak < 0.001);
    let same = lag(&ideal, 1.0, &ideal, 1.0, 0.3);
    assert!(same.ms == 0.0 && same.peak > 0.999, "{same:?}");
}

#[test]
fn a_gap_in_the_sound_is_a_hole() {
    let source = source();
    let gap = ["-c", "copy", "-bsf:a", "noise=drop=between(n\\,40\\,49)"];
    let (_folder, path) = remade(&source.path, &[], &gap, "mp4");
    let sound = Sound::of(&path, &[]);
    let [hole] = sound.holes[..] else {
        panic!("{:?}", sound.holes)
    };
    // Ten packets of 1,024 samples; the first of all is the encoder's priming.
    assert!(
        (hole.seconds - 10.0 * 1024.0 / 48_000.0).abs() < 0.001,
        "{hole:?}"
    );
    assert!(
        (hole.at - 39.0 * 1024.0 / 48_000.0).abs() < 0.001,
        "{hole:?}"
    );
    let after = in_step(&source.path, &path, &[60])[0];
    assert!(after.ms.abs() < 0.1 && after.peak > 0.99, "{after:?}");
}

#[test]
fn an_edit_list_hides_frames_and_sound() {
    let source = source();
    let (_folder, path) = remade(
        &source.path,
        &["-ss", "1.4"],
        &["-c", "copy", "-map", "-0", "-map", "1:v"],
        "mp4",
    );
    let frames = shown(&path);
    assert_eq!(numbers(&frames), (35..100).collect::<Vec<_>>());
    assert_eq!(packets(&path).len(), 75, "the whole GOP is there");
    let movie = Movie::open(&path);
    assert!(movie.track("vide").edits[0].media_time > 0);
}

#[test]
fn similarity_tells_a_good_encode_from_a_bad_one() {
    let source = Source::new()
        .frames(40)
        .audio("aac")
        .params("qp=10:keyint=20")
        .build();
    let encode = |qp| {
        remade(
            &source.path,
            &[],
            &["-c:v", "libx264", "-qp", qp, "-preset", "ultrafast"],
            "mp4",
        )
    };
    let worst = |path: &Path| {
        let scores = similarity(&source.path, path, &[]);
        assert_eq!(scores.len(), 40);
        scores.into_values().fold(1.0, f64::min)
    };
    assert!(worst(&source.path) > 0.9999);
    let (good, bad) = (encode("12"), encode("44"));
    let (good, bad) = (worst(&good.1), worst(&bad.1));
    assert!(good > 0.98 && bad < 0.93, "{good} {bad}");
}

#[test]
fn boxes_tell_the_sample_tables() {
    let source = Source::new()
        .frames(100)
        .audio("aac")
        .args("-movflags +faststart")
        .build();
    let movie = Movie::open(&source.path);
    assert!(movie.fast_start());
    let video = movie.track("vide");
    assert_eq!((video.entry(), video.samples()), ("avc1", 100));
    assert!(video.config("avcC").is_some() && movie.track("soun").config("esds").is_some());
    assert_eq!(video.stss, Some(vec![1, 26, 51, 76]));
    assert_eq!(video.stts, [(100, 512)]);
    let offsets = video.ctts.as_ref().expect("B-frames need offsets");
    assert_eq!(offsets.iter().map(|run| run.0).sum::<u32>(), 100);
    assert_eq!(
        video.edits,
        [super::Edit {
            duration: 4 * u64::from(movie.timescale),
            media_time: 1024
        }]
    );
    let plain = Movie::open(&Source::new().build().path);
    assert!(!plain.fast_start() && plain.find("moov/mvex/mehd").is_none());
    let hevc = Source::new().frames(10).codec("libx265").build();
    assert!(
        Movie::open(&hevc.path)
            .track("vide")
            .config("hvcC")
            .is_some()
    );
    check_even(&packets(&source.path), source.fps());
}

#[test]
#[should_panic(expected = "due")]
fn an_uneven_seam_is_seen() {
    let times: Vec<u64> = (0..50)
        .map(|frame| frame * 40_000 + if frame > 20 { 5_000 } else { 0 })
        .collect();
    let fixture = Source::new().times(&times).build();
    check_even(&packets(&fixture.path), (25, 1));
}

#[test]
#[should_panic(expected = "playing")]
fn a_damaged_picture_is_a_failure() {
    let fixture = Source::new().container("ts").drop_packets(10).build();
    shown(&fixture.path);
}
