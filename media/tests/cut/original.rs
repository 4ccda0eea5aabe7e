//! A recording, what a player shows of it, and cuts of it.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use flatbed_media::cut::{self, Options, Report, Segment, Selection};
use flatbed_media::{Context, Error, Input, Output, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

use super::clip::Clip;
use crate::fixture::Source;
use crate::observe::{self, Luma, Packet, Shown, Sound};

/// A recording and all that a player shows of it.
pub struct Original {
    pub path: PathBuf,
    pub frames: Vec<Shown>,
    pub lumas: Vec<Luma>,
    pub sound: Option<Sound>,
    pub facts: Value,
    /// Frames a second; `None` where they vary.
    pub fps: Option<(u32, u32)>,
}

impl Original {
    pub fn of(source: &Source) -> Self {
        Self::despite(source, &[])
    }

    /// A recording at which ffmpeg complains with one of `allowed`.
    pub fn despite(source: &Source, allowed: &[&str]) -> Self {
        let fixture = source.build();
        let fps = (!fixture.varies()).then(|| fixture.fps());
        Self::at(fixture.path, fps, allowed)
    }

    /// The file at `path`.
    pub fn at(path: PathBuf, fps: Option<(u32, u32)>, allowed: &[&str]) -> Self {
        let (frames, lumas) = watched(&path, allowed);
        let has_sound = !streams(&path, "a").is_empty();
        Self {
            sound: has_sound.then(|| Sound::of(&path, allowed)),
            facts: streams(&path, "v").swap_remove(0),
            frames,
            lumas,
            path,
            fps,
        }
    }

    /// When frame `number` is shown, as a person reads it from ffprobe: to six digits, from the
    /// file's own zero in MP4 and MOV, else from the first frame.
    pub fn time_of(&self, number: u32) -> Timestamp {
        let zero = if is_iso(&self.path) {
            0.0
        } else {
            self.frames[0].pts
        };
        let time = match self.frames.iter().find(|frame| frame.number == number) {
            Some(frame) => frame.pts,
            // Behind the last frame.
            None => self.frames[self.frames.len() - 1].pts + 0.01,
        };
        Timestamp::from_micros(((time - zero) * 1e6).round() as i64)
    }

    /// The same frames and sound in another file, of which ffmpeg does not know enough.
    pub fn seen_in(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// As if it began with frame `number`: those before cannot be decoded.
    pub fn starting_at(mut self, number: u32) -> Self {
        let first = self.frames.iter().position(|frame| frame.number == number);
        let first = first.expect("the first frame is there");
        self.frames.drain(..first);
        self.lumas.drain(..first);
        self
    }

    pub fn packets(&self) -> Vec<Packet> {
        observe::packets(&self.path)
    }

    /// Cuts the frames `range` exactly.
    pub fn cut(&self, range: Range<u32>, container: &str) -> Clip<'_> {
        self.cut_with(range, container, Options::default())
    }

    /// The frames shown by a cut between two times in seconds.
    pub fn cut_between(&self, start: f64, end: f64, container: &str) -> Vec<u32> {
        let time = |seconds: f64| Timestamp::from_micros((seconds * 1e6).round() as i64);
        let selection = Selection::between(time(start), time(end));
        let (_folder, path, _) = self.run(
            container,
            &Options {
                selection,
                ..Options::default()
            },
        );
        observe::numbers(&observe::shown(&path))
    }

    pub fn cut_with(&self, range: Range<u32>, container: &str, options: Options) -> Clip<'_> {
        let (start, end) = (self.time_of(range.start), self.time_of(range.end));
        let options = Options {
            selection: Selection::between(start, end),
            ..options
        };
        let (folder, path, report) = self.run(container, &options);
        let (frames, lumas) = watched(&path, &[]);
        Clip {
            original: self,
            range,
            folder,
            packets: packets(&path),
            path,
            report,
            frames,
            lumas,
        }
    }

    fn run(&self, container: &str, options: &Options) -> (TempDir, PathBuf, Report) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("clip").with_extension(container);
        let report = cut::cut(
            vec![Segment::new(Input::path(&self.path))],
            Output::path(&path).expect("a known extension"),
            options,
            &Context::new(),
        )
        .unwrap_or_else(|error| {
            panic!(
                "{:?} of {}: {error}",
                options.selection,
                self.path.display()
            )
        });
        (folder, path, report)
    }
}

/// The error of a cut that must fail; nothing is left of it.
pub fn failed(path: &Path, start: f64, end: f64) -> Error {
    let time = |seconds: f64| Timestamp::from_micros((seconds * 1e6).round() as i64);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Output::path(folder.path().join("clip.mp4")).expect("a known extension");
    let options = Options {
        selection: Selection::between(time(start), time(end)),
        ..Options::default()
    };
    let segment = Segment::new(Input::path(path));
    let result = cut::cut(vec![segment], output, &options, &Context::new());
    let left = fs::read_dir(folder.path())
        .expect("the folder is there")
        .count();
    assert_eq!(left, 0, "something was left");
    result.expect_err("this cut cannot be made")
}

/// ffprobe's facts about the streams of a kind.
pub fn streams(path: &Path, kind: &str) -> Vec<Value> {
    let mut facts = observe::probe(path, &["-select_streams", kind, "-show_streams"]);
    match facts["streams"].take() {
        Value::Array(streams) => streams,
        _ => Vec::new(),
    }
}

/// The packets of the picture. Matroska has no DTS: libavformat makes them up but for the first
/// few, which are then made up here.
fn packets(path: &Path) -> Vec<Packet> {
    let mut packets = observe::packets(path);
    if has_extension(path, "mkv") {
        let count = packets.len();
        let known = packets
            .iter()
            .position(|packet| packet.dts.is_some())
            .unwrap_or(count);
        let earliest = packets.iter().filter_map(|packet| packet.pts).min();
        let after = packets
            .get(known)
            .and_then(|packet| packet.dts)
            .or(earliest.map(|pts| pts + 1));
        for (steps, packet) in (1..).zip(packets[..known].iter_mut().rev()) {
            packet.dts = after.map(|after| after - steps);
        }
    }
    packets
}

fn watched(path: &Path, allowed: &[&str]) -> (Vec<Shown>, Vec<Luma>) {
    let mut lumas = Vec::new();
    let frames = observe::watch(path, allowed, |index, reading, luma| {
        if allowed.is_empty() {
            reading.unwrap_or_else(|bad| panic!("{}: frame {index}: {bad:?}", path.display()));
        }
        lumas.push(luma.clone());
    });
    (frames, lumas)
}

pub fn is_iso(path: &Path) -> bool {
    has_extension(path, "mp4") || has_extension(path, "mov")
}

pub fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}
