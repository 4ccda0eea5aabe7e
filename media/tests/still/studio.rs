//! Takes pictures in a folder of its own.

use std::path::{Path, PathBuf};

use flatbed_media::cut::Position;
use flatbed_media::still::{self, Moments, Options, Place, Report, Style};
use flatbed_media::{Context, Error, Input, Timestamp};

use super::seen::{Seen, seen};
use crate::fixture::{Fixture, Source};
use crate::io::Folder;

/// A point on the timeline, in seconds.
pub fn at(seconds: f64) -> Position {
    Position::Time(Timestamp::from_micros((seconds * 1e6).round() as i64))
}

/// Takes pictures of `input` into an empty folder; that none remain after an
/// error is checked here.
pub fn take(input: Input, options: &Options, context: &Context) -> Result<Taken, Error> {
    let folder = Folder::new();
    let place = Place::folder(folder.file("out"), "thumbnail");
    let result = still::thumbnails(input, options, place, context);
    match result {
        Ok(report) => {
            let mut names: Vec<_> = names(&folder.file("out"));
            let mut told: Vec<_> = report
                .pictures
                .iter()
                .map(|picture| PathBuf::from(&picture.name))
                .collect();
            names.sort();
            told.sort();
            assert_eq!(names, told);
            Ok(Taken { folder, report })
        }
        Err(error) => {
            assert!(folder.names().is_empty(), "{error}: {:?}", folder.names());
            Err(error)
        }
    }
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

/// Pictures that were taken.
pub struct Taken {
    #[expect(dead_code, reason = "it keeps the files")]
    folder: Folder,
    pub report: Report,
}

impl Taken {
    pub fn seen(&self) -> Vec<Seen> {
        let pictures = self.report.pictures.iter();
        pictures
            .map(|picture| {
                let seen = seen(Path::new(&picture.name));
                assert_eq!(
                    seen.size(),
                    (picture.width as usize, picture.height as usize)
                );
                seen
            })
            .collect()
    }

    pub fn numbers(&self) -> Vec<u32> {
        self.seen().iter().map(Seen::number).collect()
    }
}

/// Pictures of a recording at these times, in seconds.
#[track_caller]
pub fn pictures(fixture: &Fixture, seconds: &[f64], style: Style) -> Taken {
    let options = Options {
        moments: Moments::At(seconds.iter().copied().map(at).collect()),
        style,
        ..Options::default()
    };
    take(Input::path(&fixture.path), &options, &Context::new())
        .unwrap_or_else(|error| panic!("{:?}: {error}", fixture.source))
}

/// One picture of a recording.
pub fn picture(fixture: &Fixture, seconds: f64, style: Style) -> Seen {
    pictures(fixture, &[seconds], style).seen().remove(0)
}

/// Checks that the frames with these numbers are shown in the middle of their
/// time, all of it, and that the report tells when they are.
#[track_caller]
pub fn check_numbers(source: &Source, numbers: &[u32]) {
    check_numbers_from(source, numbers, 0.0);
}

/// The same of a recording whose first frame is shown at `zero` on its
/// timeline.
#[track_caller]
pub fn check_numbers_from(source: &Source, numbers: &[u32], zero: f64) {
    let fixture = source.build();
    let last = fixture.numbers().end - 1;
    let times = |number: u32| {
        let begin = zero + fixture.time_of(number);
        let end = if number == last {
            begin + 0.02
        } else {
            zero + fixture.time_of(number + 1)
        };
        (begin, f64::midpoint(begin, end))
    };
    let seconds: Vec<f64> = numbers.iter().map(|&number| times(number).1).collect();
    let taken = pictures(&fixture, &seconds, Style::default());
    assert_eq!(taken.numbers(), numbers, "{source:?}");
    for (picture, &number) in taken.report.pictures.iter().zip(numbers) {
        let (told, expected) = (picture.time.as_secs_f64(), times(number).0);
        assert!(
            (told - expected).abs() < 0.0011,
            "{source:?}: {told} for {expected}"
        );
    }
}
