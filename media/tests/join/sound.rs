//! Sound and picture together: at every seam, and at both ends.

use flatbed_media::cut::Options;

use super::{AAC_FRAME, IN_STEP, Made, frames, join};
use crate::fixture::{Fixture, Source};
use crate::observe::{self, Sound};

/// Lengths that no audio frame divides.
const PARTS: [u32; 3] = [31, 44, 38];

/// The first and the last frame of each segment under which 0.3 s of its sound lie.
fn beside_seams(part: &Fixture, from: u32, to: u32) -> Vec<u32> {
    let shown = part.numbers().start.max(from)..part.numbers().end.min(to);
    vec![shown.start, shown.end - 8]
}

/// Checks each segment's sound against its own source.
fn check(parts: &[Fixture], made: &Made, from: u32, to: u32, most: f64) {
    for part in parts {
        made.is_in_step_with(part, &beside_seams(part, from, to), most);
    }
}

/// The sound lies under the picture from end to end, to `most` milliseconds.
fn covers(made: &Made, most: f64) {
    let (shown, sound) = (made.shown(), made.sound());
    let (first, last) = (shown[0].pts, shown[shown.len() - 1].pts + 0.04);
    assert!(
        (sound.start - first) * 1000.0 <= most && (last - sound.end()) * 1000.0 <= most,
        "picture {first} to {last}, sound {} to {}",
        sound.start,
        sound.end()
    );
}

#[test]
fn aac_keeps_in_step_in_every_container() {
    for (from, to, most) in [
        ("mp4", "mp4", IN_STEP),
        ("mp4", "mkv", IN_STEP),
        ("mp4", "ts", AAC_FRAME),
        ("ts", "mp4", IN_STEP),
        ("mkv", "mov", IN_STEP),
        ("mov", "mp4", IN_STEP),
    ] {
        let parts = Source::new().container(from).audio("aac").segments(&PARTS);
        let made = join(&parts, to, &Options::default());
        made.shows(0..113);
        made.is_even((25, 1));
        check(&parts, &made, 0, 113, most);
        // A packet may be missing in front where there are no edit lists.
        covers(&made, AAC_FRAME + 0.1);
    }
}

#[test]
fn a_cut_in_two_segments_keeps_in_step_at_all_four_places() {
    for (from, to, most) in [
        ("mp4", "mp4", IN_STEP),
        ("mp4", "mkv", IN_STEP),
        ("ts", "ts", AAC_FRAME),
    ] {
        let parts = Source::new().container(from).audio("aac").segments(&PARTS);
        let made = join(&parts, to, &frames(13, 101));
        made.shows(13..101);
        check(&parts, &made, 13, 101, most);
        if to == "mp4" {
            covers(&made, IN_STEP);
        }
    }
}

#[test]
fn other_codecs_keep_in_step() {
    for (audio, from, to, most) in [
        ("libmp3lame", "mp4", "mp4", IN_STEP),
        ("libmp3lame", "mkv", "mkv", IN_STEP),
        ("libopus", "mp4", "mp4", IN_STEP),
        ("ac3", "mkv", "mp4", IN_STEP),
        ("mp2", "mpg", "mp4", IN_STEP),
        ("mp2", "ts", "ts", 24.0),
        ("pcm_s16le", "mov", "mov", IN_STEP),
        ("pcm_alaw", "mov", "mkv", IN_STEP),
    ] {
        let parts = Source::new().container(from).audio(audio).segments(&PARTS);
        let made = join(&parts, to, &frames(9, 104));
        made.shows(9..104);
        check(&parts, &made, 9, 104, most);
    }
}

#[test]
fn g711_becomes_aac_and_does_not_drift() {
    let lengths = [33, 41, 29, 43, 35];
    let parts = Source::new()
        .container("mkv")
        .audio("pcm_mulaw")
        .segments(&lengths);
    for container in ["mp4", "ts"] {
        let made = join(&parts, container, &Options::default());
        let frames = lengths.iter().sum();
        made.shows(0..frames);
        assert!(
            made.report.notes.iter().any(|note| note.contains("AAC")),
            "{:?}",
            made.report
        );
        let most = if container == "ts" { 128.0 } else { IN_STEP };
        check(&parts[..1], &made, 0, frames, most);
        check(&parts[4..], &made, 0, frames, most);
        let numbers: Vec<u32> = (0..frames - 8).step_by(24).collect();
        made.is_in_step(&numbers, 1, IN_STEP);
        assert_eq!(made.sound().holes, []);
    }
}

#[test]
fn early_and_late_sound_stays_so() {
    // The source's own edit list: sound from 0.2 s behind, and from 0.1 s before the picture.
    for delay in [0.2, -0.1] {
        let source = Source::new().audio("aac").audio_delay(delay);
        let parts = source.segments(&PARTS);
        let made = join(&parts, "mp4", &Options::default());
        made.shows(0..113);
        for part in &parts {
            let numbers = [part.numbers().start + 6, part.numbers().end - 9];
            made.is_in_step_with(part, &numbers, IN_STEP);
        }
    }
}

#[test]
fn two_tracks_of_sound_both_come_along() {
    let source = Source::new()
        .audio("aac")
        .args("-map 1:a -c:a aac -metadata:s:a:1 language=deu");
    let parts = source.segments(&[40, 40]);
    let made = join(&parts, "mp4", &frames(10, 70));
    made.shows(10..70);
    for track in ["a:0", "a:1"] {
        let packets = observe::packets_of(&made.path, track);
        observe::check_order(&packets);
        let end = packets
            .iter()
            .filter_map(|packet| Some((packet.pts? + packet.duration?) as f64 * packet.tick))
            .fold(0.0, f64::max);
        assert!((end - 2.4).abs() < 0.005, "{track} ends at {end}");
    }
}

/// The same recording over and over: at each seam another sound begins.
fn over_and_over(source: Source, times: usize) -> Vec<Fixture> {
    vec![source.frames(9).build(); times]
}

#[test]
fn uncompressed_sound_changes_to_the_sample_at_a_seam() {
    for (audio, rate, from, to) in [
        ("pcm_s16le", 48_000, "mov", "mov"),
        ("pcm_alaw", 8_000, "mov", "mkv"),
        ("pcm_mulaw", 8_000, "mkv", "mov"),
    ] {
        let source = Source::new().container(from).audio_as(audio, rate, 1);
        let made = join(&over_and_over(source, 5), to, &Options::default());
        made.shows((0..5).flat_map(|_| 0..9));
        let (sound, shown) = (made.sound(), made.shown());
        assert_eq!(sound.holes, [], "{audio}");
        for seam in shown.iter().step_by(9) {
            let ideal = Sound::ideal(0.0, 0.02, 1);
            let lag = observe::lag(&ideal, 0.0, sound, seam.pts, 0.02);
            // A millisecond is what Matroska counts.
            assert!(lag.ms.abs() <= 1.0 && lag.peak > 0.98, "{audio}: {lag:?}");
        }
        covers(&made, 1.0);
    }
}

#[test]
fn players_that_only_count_samples_keep_in_step() {
    // Browsers do. 9 frames are 16.875 packets of AAC at 48 kHz, 5.6 at 16 kHz.
    for (rate, from, to) in [
        (48_000, "mp4", "mp4"),
        (16_000, "ts", "mp4"),
        (44_100, "mkv", "mkv"),
    ] {
        let source = Source::new().container(from).audio_as("aac", rate, 1);
        let made = join(&over_and_over(source, 60), to, &Options::default());
        let packets = observe::packets_of(&made.path, "a:0");
        let length = 1024.0 / f64::from(rate);
        let times: Vec<f64> = packets
            .iter()
            .filter_map(|packet| Some(packet.pts? as f64 * packet.tick))
            .collect();
        for (number, time) in times.iter().enumerate() {
            let counted = times[0] + number as f64 * length;
            assert!(
                (time - counted).abs() <= length,
                "{rate} Hz: packet {number} at {time}, by counting at {counted}"
            );
        }
    }
}
