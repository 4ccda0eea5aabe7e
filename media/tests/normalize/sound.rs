//! The sound is 16 kHz mono, in step with the picture, and its silences are
//! told.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use flatbed_media::normalize::{Options, Silence, SoundSpan, SpeechOptions, speech_spans};
use flatbed_media::{Input, Timestamp};

use super::{make, make_with};
use crate::fixture::Source;
use crate::observe::{self, Sound};

/// Checks what kind of file it is, and tells its length in seconds.
fn length(path: &Path) -> f64 {
    let stream = observe::stream(path, "a");
    assert_eq!(stream["codec_name"], "pcm_s16le");
    assert_eq!(stream["sample_rate"], "16000");
    assert_eq!(stream["channels"], 1);
    let text = stream["duration"].as_str().expect("a duration");
    text.parse().expect("a number")
}

/// How late the sound is at some times, in milliseconds.
fn check_step(path: &Path, channels: u16, times: &[f64]) {
    let found = Sound::of(path, &[]);
    let ideal = Sound::ideal(0.0, 4.0, channels);
    for &time in times {
        let lag = observe::lag(&ideal, time, &found, time, 0.3);
        assert!(
            lag.ms.abs() <= 5.0 && lag.peak > 0.5,
            "at {time} s: {lag:?}"
        );
    }
}

#[test]
fn sound_is_in_step() {
    for (codec, container, offset) in [
        ("aac", "mp4", 0.0),
        ("aac", "ts", 100.0),
        ("libopus", "mkv", 0.0),
        ("libmp3lame", "mkv", 7.0),
        ("pcm_s16le", "mov", 0.0),
    ] {
        let source = Source::new()
            .audio(codec)
            .container(container)
            .offset(offset)
            .build();
        let made = make(&source.path);
        let seconds = length(&made.sound);
        assert!(
            (seconds - 4.0).abs() < 0.08,
            "{codec} {container}: {seconds}"
        );
        let told = made.report.sound.expect("sound");
        assert!((told.duration.as_secs_f64() - seconds).abs() < 1e-3);
        assert_eq!(
            told.bytes,
            std::fs::metadata(&made.sound).expect("a file").len()
        );
        assert_eq!(told.silences, []);
        // ffmpeg writes Opus a little early: what counts is the source.
        let first = observe::shown(&source.path)[0].pts;
        let (before, after) = (Sound::of(&source.path, &[]), Sound::of(&made.sound, &[]));
        for time in [0.5, 2.0, 3.5] {
            let lag = observe::lag(&before, first + time, &after, time, 0.3);
            assert!(
                lag.ms.abs() <= 1.0 && lag.peak > 0.5,
                "{codec} {container}: {lag:?}"
            );
        }
        assert_eq!(made.report.proxy.expect("a proxy").frames, 100);
    }
}

#[test]
fn late_and_early_sound_stay_in_step() {
    for container in ["mp4", "mkv", "ts"] {
        for delay in [0.7, -0.4] {
            let source = Source::new()
                .audio("aac")
                .audio_delay(delay)
                .container(container)
                .build();
            let made = make(&source.path);
            check_step(&made.sound, 2, &[1.0, 2.0, 3.5]);
            let silences = made.report.sound.expect("sound").silences;
            if delay > 0.0 {
                let end = silences[0].end.as_secs_f64();
                assert_eq!(silences[0].start, Timestamp::ZERO);
                assert!((end - delay).abs() < 0.05, "{container}: {end}");
            } else {
                assert_eq!(silences, []);
            }
        }
    }
}

#[test]
fn other_rates_and_channels() {
    for (codec, rate, channels) in [
        ("aac", 44_100, 1),
        ("aac", 22_050, 2),
        ("pcm_s16le", 8_000, 1),
    ] {
        let source = Source::new()
            .audio_as(codec, rate, channels)
            .container("mov")
            .build();
        let made = make(&source.path);
        assert!((length(&made.sound) - 4.0).abs() < 0.08);
        check_step(&made.sound, channels, &[0.5, 3.5]);
    }
}

/// A file of sound that an expression makes.
fn spoken(expression: &str, arguments: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("spoken.mka");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", expression])
        .args(arguments.split_whitespace())
        .arg(&path)
        .status();
    assert!(status.expect("ffmpeg starts").success());
    (folder, path)
}

#[test]
fn silences_are_told() {
    // Loud, but from 1 to 2.5 and from 4 to the end; and a pause too short.
    let level = "if(between(t\\,1\\,2.5)+between(t\\,3.2\\,3.4)+gte(t\\,4)\\,0\\,0.3)";
    let expression = format!("aevalsrc={level}*sin(2*PI*440*t):d=5:s=48000");
    for codec in ["-c:a pcm_s16le", "-c:a libopus", "-c:a aac"] {
        let (_folder, path) = spoken(&expression, codec);
        let made = make(&path);
        let silences = made.report.sound.expect("sound").silences;
        assert_eq!(silences.len(), 2, "{codec}: {silences:?}");
        for (span, due) in silences.iter().zip([(1.0, 2.5), (4.0, 5.0)]) {
            let (start, end) = (span.start.as_secs_f64(), span.end.as_secs_f64());
            assert!((start - due.0).abs() <= 0.05, "{codec}: {start}");
            assert!((end - due.1).abs() <= 0.05, "{codec}: {end}");
        }
    }
}

#[test]
fn what_is_silent_is_a_matter_of_the_options() {
    // A tone of -43 dBFS, and one of -23.
    let level = "if(between(t\\,1\\,2)\\,0.01\\,0.1)";
    let (_folder, path) = spoken(
        &format!("aevalsrc={level}*sin(2*PI*440*t):d=3"),
        "-c:a flac",
    );
    let count = |threshold, least: &str| {
        let options = Options {
            silence: Silence {
                threshold,
                least: least.parse().expect("a time"),
            },
            ..Options::default()
        };
        let made = make_with(Input::path(&path), &options);
        made.report.sound.expect("sound").silences.len()
    };
    assert_eq!(count(-50.0, "0.5s"), 0);
    assert_eq!(count(-40.0, "0.5s"), 1);
    assert_eq!(count(-40.0, "1.2s"), 0);
    assert_eq!(count(-10.0, "0.5s"), 1);
}

#[test]
fn surround_sound_is_mixed_down() {
    // A voice in the centre alone.
    let expression = "aevalsrc=0|0|0.4*sin(2*PI*300*t)|0|0|0:c=5.1:d=2:s=48000";
    let (_folder, path) = spoken(expression, "-c:a ac3");
    let made = make(&path);
    assert!((length(&made.sound) - 2.0).abs() < 0.08);
    assert_eq!(made.report.sound.expect("sound").silences, []);
    assert!(made.report.proxy.is_none());
    assert!(
        made.report.notes[0].contains("no video in it"),
        "{:?}",
        made.report.notes
    );
    assert!(!made.proxy.exists());
}

#[test]
fn what_is_heard_becomes_files_of_its_own() {
    // Loud from 1 to 3 and from 6 to 8.5.
    let level = "if(between(t\\,1\\,3)+between(t\\,6\\,8.5)\\,0.3\\,0)";
    let expression = format!("aevalsrc={level}*sin(2*PI*440*t):d=10:s=48000");
    let (folder, path) = spoken(&expression, "-c:a pcm_s16le");
    let made = make(&path);
    let sound = made.report.sound.expect("sound");
    let spans = speech_spans(sound.duration, &sound.silences, &SpeechOptions::default());
    let spans = spans.expect("spans");
    assert_eq!(spans.len(), 2, "{spans:?}");
    let samples = |path: &Path| fs::read(path).expect("a file").split_off(44);
    let all = samples(&made.sound);
    for (span, due) in spans.into_iter().zip([(0.8, 3.2), (5.8, 8.7)]) {
        let mut piece = SoundSpan::path(&made.sound, span).expect("a piece");
        let (exact, size) = (piece.span(), piece.size());
        assert!(
            (exact.start.as_secs_f64() - due.0).abs() < 0.02,
            "{exact:?}"
        );
        assert!((exact.end.as_secs_f64() - due.1).abs() < 0.02, "{exact:?}");
        let path = folder.path().join("piece.wav");
        let mut file = fs::File::create(&path).expect("a file");
        assert_eq!(io::copy(&mut piece, &mut file).expect("copied"), size);
        assert!((length(&path) - exact.duration().as_secs_f64()).abs() < 1e-4);
        let at = |time: Timestamp| (time.as_secs_f64() * 32_000.0).round() as usize;
        assert_eq!(samples(&path), all[at(exact.start)..at(exact.end)]);
    }
}
