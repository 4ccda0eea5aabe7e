//! A short clip of a long recording: read by index, not from front to back.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flatbed_media::cut::{self, Options, Segment, Selection};
use flatbed_media::{Context, Input, Output, Timestamp};

use crate::fixture::Source;
use crate::observe;

/// Counts what is read.
struct Counting {
    file: File,
    bytes: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counting {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Cuts 4 s out of 160 s, and tells which part of the file was read.
fn part_read(container: &str) -> f64 {
    let source = Source::new().frames(4000).container(container).audio("aac");
    let fixture = source
        .params("keyint=25:min-keyint=25:scenecut=0:bframes=2:qp=18")
        .build();
    let file = File::open(&fixture.path).expect("the fixture opens");
    let length = file.metadata().expect("a length").len();
    let bytes = Arc::new(AtomicU64::new(0));
    let counting = Counting {
        file,
        bytes: Arc::clone(&bytes),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("clip.mp4");
    let second = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000 + 200_000);
    let options = Options {
        selection: Selection::between(second(100), second(104)),
        ..Options::default()
    };
    let segment = Segment::new(Input::seekable("long", counting));
    let output = Output::path(&path).expect("a known extension");
    let report = cut::cut(vec![segment], output, &options, &Context::new()).expect("a clip");
    assert_eq!(report.frames, 100);
    let shown = observe::numbers(&observe::shown(&path));
    assert_eq!(shown, (2505..2605).collect::<Vec<_>>());
    bytes.load(Ordering::Relaxed) as f64 / length as f64
}

#[test]
fn of_mp4() {
    let part = part_read("mp4");
    assert!(part < 0.1, "{:.1} % were read", part * 100.0);
}

#[test]
fn of_matroska() {
    let part = part_read("mkv");
    assert!(part < 0.1, "{:.1} % were read", part * 100.0);
}

#[test]
fn of_ts() {
    let part = part_read("ts");
    assert!(part < 0.2, "{:.1} % were read", part * 100.0);
}
