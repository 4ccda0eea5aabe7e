//! Recordings with wrong bits: no panic, no hang, no endless output; whatever comes out, the
//! report keeps to it.

use std::fs;
use std::process::Command;

use flatbed_media::cut::{self, Mode, OnMismatch, Options, Segment};
use flatbed_media::{Context, Input, Limits, Output, probe};

use super::{Shared, bytes, container, frames};
use crate::fixture::{self, Fixture, Recorder, Source};

/// A series of numbers that is the same everywhere (`SplitMix64`).
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ bits >> 31) as usize % sides
    }
}

/// Changes some bytes: mostly near the front, where the headers are.
pub fn mutate(data: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.roll(6) {
        let reach = [200, 2_000, data.len()][dice.roll(3)].min(data.len());
        let at = dice.roll(reach);
        match dice.roll(5) {
            0 => data[at] ^= 1 << dice.roll(8),
            1 => data[at] = dice.roll(256) as u8,
            2 => data[at] = 0xFF,
            3 => {
                let end = (at + dice.roll(64)).min(data.len());
                data.drain(at..end);
            }
            _ => {
                let end = (at + dice.roll(64)).min(data.len());
                let copy = data[at..end].to_vec();
                data.splice(at..at, copy);
            }
        }
    }
}

fn kinds() -> Vec<Fixture> {
    let short = || Source::new().frames(30).size(160, 120).audio("aac");
    let pyramid = "keyint=12:bframes=3:b-pyramid=normal:open-gop=1";
    vec![
        short().params(pyramid).args("-movflags +faststart").build(),
        short().params(pyramid).container("ts").build(),
        short().params(pyramid).container("mkv").build(),
        short()
            .codec("libx265")
            .params("keyint=12:bframes=3:open-gop=1")
            .build(),
        short()
            .codec("libx265")
            .params("keyint=12:bframes=3")
            .container("ts")
            .build(),
        short().recorder(Recorder::default()).build(),
    ]
}

/// A recording, or sound, of each kind that is read.
pub fn recordings() -> Vec<Vec<u8>> {
    let others = [
        ("avi", "-c:v mpeg4 -c:a pcm_s16le"),
        ("mov", "-c:v prores_ks -c:a pcm_mulaw"),
        ("webm", "-c:v libvpx-vp9 -c:a libopus"),
        ("3gp", "-c:v h263 -s 176x144 -c:a aac"),
        ("mp4", "-c:v libsvtav1 -an"),
        ("mkv", "-c:v ffv1 -c:a flac"),
        ("mpg", "-c:v mpeg2video -c:a mp2"),
        ("vob", "-c:v mpeg2video -c:a ac3"),
        ("ivf", "-c:v libvpx -an"),
        ("ogv", "-c:v libtheora -c:a libvorbis"),
        ("h264", "-c:v libx264 -an"),
        ("hevc", "-c:v libx265 -an"),
        ("m4v", "-c:v mpeg4 -an"),
        ("m2v", "-c:v mpeg2video -an"),
        ("aac", "-vn -c:a aac"),
        ("mp3", "-vn -c:a libmp3lame"),
        ("wav", "-vn -c:a adpcm_ms"),
        ("flac", "-vn -c:a flac"),
        ("ac3", "-vn -c:a ac3"),
        ("eac3", "-vn -c:a eac3"),
    ];
    let sources = "-f lavfi -i testsrc2=size=160x120:rate=25 -f lavfi -i sine";
    let others = others.map(|(extension, codecs)| {
        let recipe = format!("{sources} -t 0.4 {codecs}");
        let path = fixture::file("seed", &recipe, extension, |path| {
            let mut command = Command::new("ffmpeg");
            command.args(["-nostdin", "-v", "error", "-y"]);
            command.args(recipe.split(' ')).arg(path);
            assert!(
                command.status().expect("ffmpeg starts").success(),
                "{recipe}"
            );
        });
        fs::read(path).expect("a recording")
    });
    kinds().iter().map(bytes).chain(others).collect()
}

/// Cuts the bytes `data` twice over in one of several ways.
fn try_cut(data: &[u8], round: usize) {
    let mut limits = Limits::default();
    // A wrong size or time must not cost more than these.
    limits.max_pixels = 1 << 22;
    limits.max_buffered_bytes = 1 << 24;
    let context = Context::new().with_limits(limits);
    let input = |name: &str| -> Input {
        match round % 3 {
            0 => Input::live(name, std::io::Cursor::new(data.to_vec())),
            _ => Input::bytes(name, data.to_vec()),
        }
    };
    let base = if round.is_multiple_of(2) {
        frames(5, 25)
    } else {
        Options::default()
    };
    let options = Options {
        mode: [Mode::Exact, Mode::Exact, Mode::Copy, Mode::Reencode][round % 4],
        on_mismatch: [OnMismatch::Refuse, OnMismatch::Reencode][round / 2 % 2],
        ..base
    };
    let kind = container(["mp4", "ts", "mkv"][round % 3]);
    let segments = vec![Segment::new(input("one")), Segment::new(input("two"))];
    let result = cut::cut(
        segments,
        Output::live("out", kind, Shared::default()),
        &options,
        &context,
    );
    if let Ok(report) = result {
        assert_eq!(
            report.frames,
            report.frames_copied + report.frames_encoded,
            "{report:?}"
        );
    }
}

#[test]
fn wrong_bits_do_no_harm() {
    let kinds: Vec<Vec<u8>> = kinds().iter().map(bytes).collect();
    for round in 0..120 {
        let mut dice = Dice(round as u64);
        let mut data = kinds[round % kinds.len()].clone();
        mutate(&mut data, &mut dice);
        try_cut(&data, round);
    }
}

#[test]
fn wrong_bits_are_probed() {
    let mut limits = Limits::default();
    limits.max_pixels = 1 << 22;
    let context = Context::new().with_limits(limits);
    let mut known = 0;
    for (seed, recording) in recordings().into_iter().enumerate() {
        probe(Input::bytes("whole", recording.clone()), &context)
            .unwrap_or_else(|error| panic!("{seed}: {error}"));
        for round in 0..12 {
            let mut dice = Dice((seed * 100 + round) as u64);
            let mut data = recording.clone();
            mutate(&mut data, &mut dice);
            match probe(Input::bytes("mutated", data), &context) {
                Ok(_) => known += 1,
                Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
            }
        }
    }
    assert!(known > 100, "{known}: the files are not worth mutating");
}
