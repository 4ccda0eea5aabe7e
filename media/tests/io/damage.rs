//! Broken recordings: an error or a clip, never a panic and never a hang.

use std::fs;

use flatbed_media::cut::{Mode, Options, Segment};
use flatbed_media::{Context, Error, Input, Output, cut};

use super::{nothing_in, recording, selection};

/// Cuts `bytes` in every mode. Whatever comes of it, nothing is left after an error.
fn survives(name: &str, bytes: &[u8], mode: Mode) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        selection: selection(),
        mode,
        ..Options::default()
    };
    let segments = vec![Segment::new(Input::bytes(name, bytes.to_vec()))];
    let output = Output::path(folder.path().join("clip.mkv")).expect("a container");
    match cut::cut(segments, output, &options, &Context::new()) {
        Ok(report) => assert!(report.frames <= 51 + 50, "{name}: {report:?}"),
        Err(Error::Malformed { .. } | Error::Unsupported { .. } | Error::Limit { .. }) => {
            nothing_in(folder.path());
        }
        Err(error @ (Error::Io { .. } | Error::Ffmpeg { .. })) => {
            // FFmpeg has no better word for some of it.
            nothing_in(folder.path());
            assert!(!error.to_string().contains('\n'));
        }
        Err(error) => panic!("{name}: {error:?}"),
    }
}

#[test]
fn cut_off_anywhere() {
    for container in ["mp4", "mkv", "ts", "mov"] {
        let bytes = fs::read(recording(container).path).expect("the recording");
        for tenth in 0..10 {
            let length = bytes.len() * tenth / 10 + 1;
            survives(&format!("{container} at {length}"), &bytes[..length], Mode::Exact);
        }
    }
}

#[test]
fn bytes_changed_anywhere() {
    // xorshift64, so that a failure can be repeated.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for container in ["mp4", "mkv", "ts"] {
        let whole = fs::read(recording(container).path).expect("the recording");
        for round in 0..30 {
            let mut bytes = whole.clone();
            // Headers and indexes lie at the ends: aim there half of the time.
            for _ in 0..=random(20) {
                let at = match random(4) {
                    0 => random(2_000),
                    1 => bytes.len() - 1 - random(4_000),
                    _ => random(bytes.len()),
                };
                bytes[at] = random(256) as u8;
            }
            let mode = [Mode::Exact, Mode::Copy, Mode::Reencode][round % 3];
            survives(&format!("{container}, round {round}"), &bytes, mode);
        }
    }
}
