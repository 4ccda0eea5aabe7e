//! Segments joined: one recording out of many, and cuts across their seams.

mod clock;
mod depth;
mod gaps;
mod many;
mod mismatch;
mod open_gop;
mod rates;
mod recorder;
mod seam;
mod silence;
mod sound;

use std::fs;
use std::path::PathBuf;

use flatbed_media::cut::{self, Options, Report, Segment, Selection};
use flatbed_media::{Context, Input, Output, Result, Timestamp};
use tempfile::TempDir;

use crate::fixture::Fixture;
use crate::observe::{self, Lag, Movie, Shown, Sound};

/// How far sound may be off the picture in MP4, MOV and MKV, in milliseconds.
pub const IN_STEP: f64 = 5.0;
/// The same in TS: an AAC frame of 1,024 samples at 48 kHz.
pub const AAC_FRAME: f64 = 21.4;

/// A result, removed with this value.
pub struct Made {
    pub path: PathBuf,
    pub report: Report,
    container: String,
    _folder: TempDir,
}

/// Cuts `segments` into a new file. Whatever comes of it, nothing else is left in its folder, and
/// after an error nothing at all.
pub fn cut(segments: Vec<Segment>, container: &str, options: &Options) -> Result<Made> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("result").with_extension(container);
    let made = cut::cut(segments, Output::path(&path)?, options, &Context::new());
    let left: Vec<PathBuf> = fs::read_dir(folder.path())
        .expect("the folder can be listed")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    match &made {
        Ok(_) => assert_eq!(left, [path.as_path()]),
        Err(error) => assert!(left.is_empty(), "{error}: {left:?}"),
    }
    Ok(Made {
        report: made?,
        path,
        container: container.into(),
        _folder: folder,
    })
}

/// The same, of whole files, and it must succeed.
pub fn join(fixtures: &[Fixture], container: &str, options: &Options) -> Made {
    cut(segments(fixtures), container, options).unwrap_or_else(|error| panic!("{error}"))
}

pub fn segments(fixtures: &[Fixture]) -> Vec<Segment> {
    let segment = |fixture: &Fixture| Segment::new(Input::path(&fixture.path));
    fixtures.iter().map(segment).collect()
}

/// The frames from `from` up to and without `to`, counted from the first of all, at 25 a second.
pub fn frames(from: u32, to: u32) -> Options {
    Options {
        selection: Selection::between(frame_time(from), frame_time(to)),
        ..Options::default()
    }
}

/// When a frame is shown at 25 frames a second.
pub fn frame_time(frame: u32) -> Timestamp {
    Timestamp::from_micros(i64::from(frame) * 40_000)
}

impl Made {
    /// Checks that exactly the frames with these numbers are shown, in this order, that the
    /// report counts them, and that an MP4 starts fast.
    pub fn shows(&self, expected: impl IntoIterator<Item = u32>) -> Vec<Shown> {
        let shown = observe::shown(&self.path);
        let expected: Vec<u32> = expected.into_iter().collect();
        assert_eq!(observe::numbers(&shown), expected, "{}", self.container);
        let Report {
            frames,
            frames_copied,
            frames_encoded,
            ..
        } = self.report;
        assert_eq!(frames, expected.len() as u64, "{:?}", self.report);
        assert_eq!(frames_copied + frames_encoded, frames, "{:?}", self.report);
        if ["mp4", "mov"].contains(&self.container.as_str()) {
            let movie = Movie::open(&self.path);
            assert!(movie.fast_start(), "{}", self.container);
            assert_eq!(movie.track("vide").entries.len(), 1, "sample entries");
        }
        shown
    }

    /// Checks that frames follow one another evenly, seams included.
    pub fn is_even(&self, fps: (u32, u32)) {
        observe::check_even(&self.packets(), fps);
    }

    /// The packets of the picture. Matroska has no decoding times, and what ffprobe makes up for
    /// them has holes.
    pub fn packets(&self) -> Vec<observe::Packet> {
        let mut packets = observe::packets(&self.path);
        if self.container == "mkv" {
            for (index, packet) in packets.iter_mut().enumerate() {
                packet.dts = Some(i64::MIN + index as i64);
            }
        }
        packets
    }

    /// Checks that the sound under each of `numbers` (at 25 frames a second) is the noise that
    /// fixtures hold there, to `most` milliseconds.
    pub fn is_in_step(&self, numbers: &[u32], channels: u16, most: f64) {
        let shown = observe::shown(&self.path);
        let sound = Sound::of(&self.path, &[]);
        for &number in numbers {
            let Some(frame) = shown.iter().find(|frame| frame.number == number) else {
                panic!("frame {number} is not shown")
            };
            let due = f64::from(number) / 25.0;
            let ideal = Sound::ideal(due, 0.3, channels);
            let Lag { ms, peak } = observe::lag(&ideal, due, &sound, frame.pts, 0.3);
            assert!(
                ms.abs() <= most && peak > 0.8,
                "{}: at frame {number} the sound is {ms} ms off (correlation {peak})",
                self.container
            );
        }
    }
}

/// Checks that the frames of `result` among `numbers` are those of `source`, bit for bit.
pub fn same_pictures(source: &Fixture, result: &[Shown], numbers: std::ops::Range<u32>) {
    let before = observe::shown_despite(&source.path, &[""]);
    for number in numbers {
        let find = |frames: &[Shown]| {
            let frame = frames.iter().find(|frame| frame.number == number);
            frame
                .unwrap_or_else(|| panic!("frame {number} is not there"))
                .md5
                .clone()
        };
        assert_eq!(find(&before), find(result), "frame {number} changed");
    }
}
