//! A recorder with footage whose frames are numbered.

use std::ops::Range;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::support::fixture::{Recorder, Source};
use crate::support::nvr::{Content, Fault, Footage, Loop, Nvr, Profile};

/// Frames in a second.
pub const RATE: i64 = 25;

/// A stretch of footage, as recorders keep it: files of some seconds, each of them
/// beginning at zero. A negative length is a gap.
#[derive(Debug, Clone)]
pub struct Reel {
    /// When its first frame was taken.
    pub start: Timestamp,
    /// The number on that frame.
    pub first: u32,
    pub files: Vec<Footage>,
}

impl Reel {
    pub fn new(start: Timestamp, first: u32, seconds: &[i64]) -> Self {
        let mut files = Vec::new();
        let mut passed = 0;
        for &length in seconds {
            if length > 0 {
                let at = start + SignedDuration::from_secs(passed);
                let number = first + frames(passed);
                files.push(file(at, number, length, length));
            }
            passed += length.abs();
        }
        Self {
            start,
            first,
            files,
        }
    }

    /// The numbers of the frames that were taken from `start` on up to `end`.
    pub fn numbers(&self, start: Timestamp, end: Timestamp) -> Range<u32> {
        let number = |at: Timestamp| {
            let micros = at.duration_since(self.start).as_micros();
            let frames = (micros * i128::from(RATE) + 999_999) / 1_000_000;
            self.first + u32::try_from(frames).expect("within the footage")
        };
        number(start)..number(end)
    }

    /// So many milliseconds after its first frame.
    pub fn at(&self, millis: i64) -> Timestamp {
        self.start + SignedDuration::from_millis(millis)
    }
}

/// Footage that is listed with `listed` seconds and has `seconds`.
pub fn file(at: Timestamp, first: u32, seconds: i64, listed: i64) -> Footage {
    let recorder = Recorder {
        imkh: true,
        map: true,
    };
    let source = Source::new()
        .first(first)
        .frames(frames(seconds))
        .params("keyint=50:min-keyint=50:scenecut=0:bframes=0")
        .audio("pcm_alaw")
        .recorder(recorder);
    Footage::new(101, at, listed, Content::File(source.build().path))
}

/// An hour in one file, of 2.2 Mb/s, like those of a camera. Its frames are numbered
/// from 0 to 499, over and over.
pub fn hour(start: Timestamp) -> (Arc<Loop>, Footage) {
    let recorder = Recorder {
        imkh: true,
        map: true,
    };
    let source = Source::new()
        .size(640, 360)
        .grain(3)
        .frames(500)
        .params("keyint=50:min-keyint=50:scenecut=0:bframes=0")
        .args("-b:v 2200k -maxrate 2200k -bufsize 2200k")
        .audio("pcm_alaw")
        .recorder(recorder);
    let stream = std::fs::read(source.build().path).expect("footage");
    let endless = Arc::new(Loop::new(&stream, 20, 180));
    let footage = Footage::new(101, start, 3600, Content::Loop(Arc::clone(&endless)));
    (endless, footage)
}

fn frames(seconds: i64) -> u32 {
    u32::try_from(seconds * RATE).expect("a number of frames")
}

/// A whole second some hours ago.
pub fn hours_ago(hours: i64) -> Timestamp {
    let now = Timestamp::now() - SignedDuration::from_hours(hours);
    Timestamp::from_second(now.as_second()).expect("a time")
}

/// A recorder of this kind with this footage.
pub async fn recorder(profile: Profile, reel: &Reel) -> Nvr {
    Nvr::start(profile, reel.files.clone()).await
}

/// The next downloads meet these faults.
pub fn downloads_meet(nvr: &Nvr, faults: impl IntoIterator<Item = Fault>) {
    nvr.fail("download", faults);
}
