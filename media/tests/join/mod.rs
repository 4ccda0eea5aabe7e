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

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use flatbed_media::cut::{self, Options, Report, Segment, Selection};
use flatbed_media::{Context, Input, Output, Result, Timestamp};
use tempfile::TempDir;

use crate::fixture::Fixture;
use crate::observe::{self, Lag, Movie, Packet, Shown, Sound};

/// How far sound may be off the picture in MP4, MOV and MKV, in milliseconds.
pub const IN_STEP: f64 = 5.0;
/// The same in TS: an AAC frame of 1,024 samples at 48 kHz.
pub const AAC_FRAME: f64 = 21.4;

/// A result, removed with this value. It is decoded once, when first looked at.
pub struct Made {
    pub path: PathBuf,
    pub report: Report,
    container: String,
    shown: OnceLock<Vec<Shown>>,
    sound: OnceLock<Sound>,
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
        shown: OnceLock::new(),
        sound: OnceLock::new(),
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
    /// The frames shown.
    pub fn shown(&self) -> &[Shown] {
        self.shown.get_or_init(|| observe::shown(&self.path))
    }

    /// The sound heard.
    pub fn sound(&self) -> &Sound {
        self.sound.get_or_init(|| Sound::of(&self.path, &[]))
    }

    /// The packets of the picture. Matroska has no decoding times, and what ffprobe makes up for
    /// them has holes.
    pub fn packets(&self) -> Vec<Packet> {
        let mut packets = observe::packets(&self.path);
        if self.container == "mkv" {
            for (index, packet) in packets.iter_mut().enumerate() {
                packet.dts = Some(i64::MIN + index as i64);
            }
        }
        packets
    }

    /// Checks that exactly the frames with these numbers are shown, in this order, that the
    /// report counts them, and that an MP4 starts fast.
    pub fn shows(&self, expected: impl IntoIterator<Item = u32>) -> &[Shown] {
        let shown = self.shown();
        let expected: Vec<u32> = expected.into_iter().collect();
        assert_eq!(observe::numbers(shown), expected, "{}", self.container);
        let report = &self.report;
        assert_eq!(report.frames, expected.len() as u64, "{report:?}");
        let both = report.frames_copied + report.frames_encoded;
        assert_eq!(both, report.frames, "{report:?}");
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

    /// When frame `number` is shown.
    fn time_of(&self, number: u32) -> f64 {
        let frame = self.shown().iter().find(|frame| frame.number == number);
        let Some(frame) = frame else {
            panic!("frame {number} is not shown")
        };
        frame.pts
    }

    /// How well the noise that fixtures hold under frame `number` (at 25 frames a second) is heard
    /// there, and how much too late.
    pub fn hears(&self, number: u32, channels: u16) -> Lag {
        let due = f64::from(number) / 25.0;
        let ideal = Sound::ideal(due, 0.3, channels);
        observe::lag(&ideal, due, self.sound(), self.time_of(number), 0.3)
    }

    /// Checks that the sound under each of `numbers` is in step, to `most` milliseconds.
    pub fn is_in_step(&self, numbers: &[u32], channels: u16, most: f64) {
        for &number in numbers {
            let lag = self.hears(number, channels);
            assert!(
                lag.ms.abs() <= most && lag.peak > 0.8,
                "{}: at frame {number}: {lag:?}",
                self.container
            );
        }
    }

    /// The same against the source's own sound, as [`observe::in_step`] has it, which holds
    /// whatever its codec did to it.
    pub fn is_in_step_with(&self, source: &Fixture, numbers: &[u32], most: f64) {
        let before = original(source);
        for &number in numbers {
            let frame = before.shown.iter().find(|frame| frame.number == number);
            let from = frame.expect("the source has the frame").pts;
            let heard = before.sound.get_or_init(|| Sound::of(&source.path, &[""]));
            let lag = observe::lag(heard, from, self.sound(), self.time_of(number), 0.3);
            assert!(
                lag.ms.abs() <= most && lag.peak > 0.8,
                "{}: at frame {number}: {lag:?}",
                self.container
            );
        }
    }

    /// Checks that the frames among `numbers` are those of `source`, bit for bit.
    pub fn has_copied(&self, source: &Fixture, numbers: Range<u32>) {
        let before = original(source);
        let find = |frames: &[Shown], number: u32| {
            let frame = frames.iter().find(|frame| frame.number == number);
            frame.map(|frame| frame.md5.clone())
        };
        for number in numbers {
            let (was, is) = (find(&before.shown, number), find(self.shown(), number));
            assert!(was.is_some() && was == is, "frame {number} changed");
        }
    }
}

/// What a source shows, decoded once for all tests in this process.
struct Original {
    shown: Vec<Shown>,
    sound: OnceLock<Sound>,
}

fn original(source: &Fixture) -> Arc<Original> {
    static KNOWN: LazyLock<Mutex<HashMap<PathBuf, Arc<Original>>>> = LazyLock::new(Mutex::default);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let path: &Path = &source.path;
    if let Some(original) = known().get(path) {
        return Arc::clone(original);
    }
    let original = Arc::new(Original {
        shown: observe::shown_despite(path, &[""]),
        sound: OnceLock::new(),
    });
    known().insert(path.into(), Arc::clone(&original));
    original
}
