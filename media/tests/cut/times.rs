//! Timestamps that are missing, wrong, or uneven.

use std::fs;
use std::path::{Path, PathBuf};

use super::original::Original;
use crate::fixture::Source;

#[test]
fn a_variable_frame_rate_stays_as_it_is() {
    let times: Vec<u64> = (0..100u64)
        .map(|frame| frame * 33_000 + frame % 3 * 7_000 + frame / 40 * 900_000)
        .collect();
    for container in ["mp4", "mkv"] {
        let params = "keyint=20:min-keyint=20:scenecut=0:bframes=2";
        let source = Source::new()
            .times(&times)
            .container(container)
            .params(params)
            .audio("aac");
        let original = Original::of(&source);
        for range in [7..53, 38..42, 39..90, 45..46] {
            original.cut(range, "mp4").check();
        }
        original.cut(13..67, "mkv").check();
    }
}

#[test]
fn mp4_without_composition_offsets() {
    // No frame is reordered, so there is no ctts.
    let plain = Source::new().params("keyint=20:min-keyint=20:scenecut=0:bframes=0");
    let original = Original::of(&plain);
    let clip = original.cut(13..67, "mp4");
    clip.check();
    let movie = crate::observe::Movie::open(&clip.path);
    let video = movie.track("vide");
    assert_eq!(video.stts, [(54, video.stts[0].1)]);
    assert!(video.edits.len() <= 1, "{:?}", video.edits);
}

#[test]
fn a_recording_whose_clock_starts_anywhere() {
    for (container, offset) in [("ts", 0.0), ("ts", 3600.5), ("mkv", 12.3), ("mp4", 7.0)] {
        let source = Source::new()
            .container(container)
            .offset(offset)
            .audio("aac");
        let original = Original::of(&source);
        for range in [0..40, 30..60] {
            original.cut(range, "mp4").check();
        }
    }
}

#[test]
fn ts_without_decoding_times() {
    let (_folder, path) = rewritten(|_, header| {
        // '10' instead of '11': PTS alone; five bytes of stuffing take the DTS's place.
        header[1] = header[1] & 0x3F | 0x80;
        header[3] = header[3] & 0x0F | 0x20;
        header[8..13].fill(0xFF);
    });
    check_rewritten(Original::at(path, Some((25, 1)), &[""]));
}

#[test]
fn ts_with_decoding_times_that_stand_still_or_go_back() {
    let mut last = [0u8; 5];
    let (_folder, path) = rewritten(move |index, header| {
        // Every fourth picture repeats the DTS before it, every tenth one goes back.
        if index % 4 == 3 {
            header[8..13].copy_from_slice(&last);
        } else if index % 10 == 9 {
            header[12] = header[12].wrapping_sub(100) | 1;
        }
        last.copy_from_slice(&header[8..13]);
    });
    // Decoding times that differ stay so, and with them the samples' lengths.
    check_rewritten(Original::at(path, None, &[""]));
}

/// A cut of a recording with bad decoding times is as good as any.
fn check_rewritten(original: Original) {
    for output in ["mp4", "mkv"] {
        let clip = original.cut(13..67, output);
        clip.check_frames();
        clip.check_times();
        clip.check_copied_and_encoded();
        assert!(clip.report.frames_encoded <= 15, "{:?}", clip.report);
    }
}

/// A transport stream with the optional PES header of each picture (ISO/IEC 13818-1, 2.4.3.7)
/// changed: flags, length, PTS, DTS, from `10xxxxxx` on.
fn rewritten(mut change: impl FnMut(usize, &mut [u8])) -> (tempfile::TempDir, PathBuf) {
    let fixture = Source::new().container("ts").build();
    let mut bytes = fs::read(&fixture.path).expect("the fixture is there");
    let mut index = 0;
    for at in 0..bytes.len() - 19 {
        let is_picture = bytes[at..].starts_with(&[0, 0, 1, 0xE0]) && bytes[at + 6] >> 6 == 2;
        if is_picture && bytes[at + 7] >> 6 == 3 {
            change(index, &mut bytes[at + 6..at + 19]);
            index += 1;
        }
    }
    assert!(index > 40, "only {index} pictures have a DTS");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("rewritten.ts");
    fs::write(&path, bytes).expect("the copy can be written");
    (folder, path)
}

#[test]
fn a_header_is_where_the_rewriter_looks_for_it() {
    let (_folder, path) = rewritten(|_, header| {
        assert_eq!(
            (header[0] >> 6, header[2], header[3] >> 4, header[8] >> 4),
            (2, 10, 3, 1)
        );
    });
    assert!(Path::new(&path).exists());
}
