//! Exact cuts in the browsers that people watch them in: every frame shown, over both seams, and
//! the right one after a seek to just behind each.

use std::ops::Range;
use std::path::PathBuf;

use flatbed_media::cut::{self, OnMismatch, Options, Segment, Selection};
use flatbed_media::{Context, Input, Output, Timestamp};
use tempfile::TempDir;

use crate::browser::{self, Browser, Task};
use crate::fixture::Source;

const FPS: (u32, u32) = (25, 1);
/// Cut in mid-GOP at both ends of a recording with a keyframe every 25 frames.
const CUT: Range<u32> = 33..92;
/// The first copied frame, and one of the first behind the last copied ones.
const SEAMS: [u32; 2] = [50, 90];

/// A clip for each way of coding H.264 whose seams differ.
fn clips(folder: &TempDir) -> Vec<PathBuf> {
    let gop = "keyint=25:min-keyint=25:scenecut=0";
    let sources = [
        ("pyramid", format!("{gop}:bframes=3:b-pyramid=normal:ref=3")),
        ("plain", format!("{gop}:bframes=0:cabac=0:8x8dct=0")),
        ("open", format!("{gop}:bframes=3:open-gop=1")),
    ];
    let clip = |(name, params): &(&str, String)| {
        let source = Source::new()
            .frames(125)
            .params(params)
            .audio("aac")
            .build();
        let path = folder.path().join(name).with_extension("mp4");
        let time = |frame: u32| Timestamp::from_micros(i64::from(frame) * 40_000);
        let options = Options {
            selection: Selection::between(time(CUT.start), time(CUT.end)),
            ..Options::default()
        };
        let segments = vec![Segment::new(Input::path(&source.path))];
        let output = Output::path(&path).expect("a container");
        let report = cut::cut(segments, output, &options, &Context::new()).expect("a clip");
        assert!(
            report.frames_copied > 0 && report.frames_encoded > 0,
            "{name}: {report:?}"
        );
        path
    };
    sources.iter().map(clip).chain([joined(folder)]).collect()
}

/// The same frames out of three files, the middle one of another size and encoded.
fn joined(folder: &TempDir) -> PathBuf {
    let mut parts = Source::new().audio("aac").split(&[50, 25, 50]);
    parts[1] = parts[1].clone().size(640, 480);
    let path = folder.path().join("joined.mp4");
    let time = |frame: u32| Timestamp::from_micros(i64::from(frame) * 40_000);
    let options = Options {
        selection: Selection::between(time(CUT.start), time(CUT.end)),
        on_mismatch: OnMismatch::Reencode,
        ..Options::default()
    };
    let segment = |part: &Source| Segment::new(Input::path(part.build().path));
    let segments = parts.iter().map(segment).collect();
    let output = Output::path(&path).expect("a container");
    cut::cut(segments, output, &options, &Context::new()).expect("a clip");
    path
}

fn plays_in(browser: Browser) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clips = clips(&folder);
    let frames = CUT.end - CUT.start;
    // Backwards too, so that each seek comes from elsewhere.
    let behind_seams: Vec<f64> = SEAMS
        .iter()
        .rev()
        .chain(&SEAMS)
        .map(|number| (f64::from(number - CUT.start) + 0.5) / 25.0)
        .collect();
    let tasks: Vec<Task> = clips
        .iter()
        .flat_map(|clip| {
            [
                Task::step(clip, frames, FPS),
                Task::seek(clip, &behind_seams),
                Task::play(clip),
            ]
        })
        .collect();
    let reports = browser::perform(browser, &tasks);
    for (reports, clip) in reports.chunks(3).zip(&clips) {
        let [steps, seeks, played] = reports else {
            panic!("three tasks for each clip");
        };
        let name = clip.display();
        for report in reports {
            assert_eq!(report.error, None, "{browser:?}, {name}");
        }
        assert_eq!(
            steps.numbers(),
            CUT.collect::<Vec<_>>(),
            "{browser:?}, {name}"
        );
        let [head, tail] = SEAMS;
        assert_eq!(
            seeks.numbers(),
            [tail, head, head, tail],
            "{browser:?}, {name}"
        );
        let length = f64::from(frames) / 25.0;
        assert!(
            (played.duration - length).abs() < 0.06,
            "{browser:?}, {name}: {played:?}"
        );
    }
}

#[test]
fn chromium_plays_exact_cuts() {
    plays_in(Browser::Chromium);
}

#[test]
fn firefox_plays_exact_cuts() {
    plays_in(Browser::Firefox);
}
