//! Recordings that lack their end, wherever that is: what comes out is right, or an error.

use flatbed_media::cut::Options;
use flatbed_media::{Error, Input};

use super::{Folder, Pipe, bytes, frames};
use crate::fixture::{Fixture, Recorder, Source};
use crate::observe;

/// The tail of a cut-off recording may be half a picture, which a decoder shows as it can.
fn right_frames(fixture: &Fixture, folder: &Folder, from: u32, what: &str) {
    let seen = observe::watch(&folder.file("clip.mp4"), &[""], |_, _, _| {});
    let numbers: Vec<u32> = seen.iter().map(|frame| frame.number).collect();
    let damaged = 3.min(numbers.len());
    let whole = &numbers[..numbers.len() - damaged];
    let expected: Vec<u32> = (from..from + whole.len() as u32).collect();
    assert_eq!(whole, expected, "{what}");
    assert!(numbers.len() <= fixture.numbers().len(), "{what}");
}

fn kinds() -> Vec<(&'static str, Fixture)> {
    let source = || Source::new().audio("aac");
    vec![
        ("mp4", source().build()),
        (
            "mp4, index in front",
            source().args("-movflags +faststart").build(),
        ),
        (
            "mp4, fragmented",
            source()
                .args("-movflags +frag_keyframe+empty_moov+delay_moov")
                .build(),
        ),
        ("mkv", source().container("mkv").build()),
        ("ts", source().container("ts").build()),
        ("ps", source().recorder(Recorder::default()).build()),
        (
            "avi",
            Source::new()
                .params("keyint=25:min-keyint=25:scenecut=0:bframes=0")
                .audio("pcm_s16le")
                .container("avi")
                .build(),
        ),
    ]
}

#[test]
fn at_every_tenth_of_a_file() {
    for (kind, fixture) in kinds() {
        let data = bytes(&fixture);
        let mut shown = 0;
        for tenth in 1..10 {
            let what = format!("{tenth} tenths of {kind}");
            let cut_off = data[..data.len() * tenth / 10].to_vec();
            let folder = Folder::new();
            let input = Input::bytes(what.clone(), cut_off);
            match folder.cut(input, "clip.mp4", &Options::default()) {
                Ok(report) => {
                    shown += 1;
                    assert!(report.frames <= 100, "{report:?}");
                    right_frames(&fixture, &folder, 0, &what);
                }
                Err(error @ (Error::Malformed { .. } | Error::Unsupported { .. })) => {
                    assert!(error.to_string().starts_with(&what), "{error}");
                }
                Err(error) => panic!("{what}: {error:?}"),
            }
        }
        // Only an MP4 with its index behind holds nothing without it.
        assert_eq!(shown == 0, kind == "mp4", "{kind}: {shown}");
    }
}

#[test]
fn a_cut_that_ends_before_the_damage_is_whole() {
    for (kind, fixture) in kinds().into_iter().skip(1) {
        let data = bytes(&fixture);
        let cut_off = data[..data.len() * 8 / 10].to_vec();
        for live in [false, true] {
            if live && kind == "avi" {
                continue;
            }
            let folder = Folder::new();
            let input = if live {
                Input::live(kind, Pipe(std::io::Cursor::new(cut_off.clone())))
            } else {
                Input::bytes(kind, cut_off.clone())
            };
            let report = folder
                .cut(input, "clip.mp4", &frames(10, 48))
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(report.frames, 38);
            let seen = observe::numbers(&observe::shown(&folder.file("clip.mp4")));
            assert_eq!(seen, (10..48).collect::<Vec<_>>(), "{kind}");
        }
    }
}

#[test]
fn a_few_bytes_are_no_recording() {
    for (kind, fixture) in kinds() {
        let data = bytes(&fixture);
        for length in [1, 2, 4, 8, 16, 64, 188, 400] {
            for live in [false, true] {
                let part = data[..length].to_vec();
                let input = if live {
                    Input::live(kind, Pipe(std::io::Cursor::new(part)))
                } else {
                    Input::bytes(kind, part)
                };
                let folder = Folder::new();
                let error = folder
                    .cut(input, "clip.mp4", &Options::default())
                    .expect_err(&format!("{length} bytes of {kind}"));
                let text = error.to_string();
                assert!(text.starts_with(kind), "{text}");
            }
        }
    }
}
