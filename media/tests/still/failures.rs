//! What goes wrong, and that nothing of it stays.

use std::fs;
use std::process::Command;

use flatbed_media::still::{self, Format, Moments, Options, Place, SpriteOptions, Style};
use flatbed_media::{Cancel, Context, Error, Input, Limits, Timestamp};

use super::studio::{at, take};
use crate::fixture::Source;
use crate::io::Folder;

fn options(seconds: &[f64]) -> Options {
    Options {
        moments: Moments::At(seconds.iter().copied().map(at).collect()),
        ..Options::default()
    }
}

#[track_caller]
fn fails(input: Input, options: &Options) -> Error {
    take(input, options, &Context::new())
        .err()
        .expect("an error")
}

#[test]
fn what_is_no_video() {
    let garbage = Input::bytes("garbage", vec![7; 4096]);
    assert!(matches!(
        fails(garbage, &options(&[0.0])),
        Error::Malformed { .. }
    ));
    let empty = Input::bytes("empty", vec![]);
    assert!(matches!(
        fails(empty, &options(&[0.0])),
        Error::Malformed { .. }
    ));
    let none = fails(Input::path("/nowhere/none.mp4"), &options(&[0.0]));
    assert!(matches!(none, Error::Io { .. }));
    let folder = Folder::new();
    let sound = folder.file("sound.m4a");
    let status = Command::new("ffmpeg")
        .args("-nostdin -v error -f lavfi -i sine=duration=1 -c:a aac".split(' '))
        .arg(&sound)
        .status();
    assert!(status.expect("ffmpeg starts").success());
    let error = fails(Input::path(&sound), &options(&[0.0]));
    assert!(
        error.to_string().contains("no video in it (only aac)"),
        "{error}"
    );
}

#[test]
fn of_a_recording_cut_short_what_is_there() {
    for container in ["ts", "mkv"] {
        let fixture = Source::new().container(container).keep(0.6).build();
        let taken = take(
            Input::path(&fixture.path),
            &options(&[0.5, 1.5]),
            &Context::new(),
        );
        assert_eq!(taken.expect("pictures").numbers(), [12, 37]);
        let error = fails(Input::path(&fixture.path), &options(&[3.9]));
        assert!(error.to_string().contains("is behind its end"), "{error}");
    }
    let fixture = Source::new().keep(0.6).build();
    let error = fails(Input::path(&fixture.path), &options(&[0.5]));
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[test]
fn a_damaged_recording_gives_pictures_or_an_error() {
    let fixture = Source::new().container("ts").build();
    let whole = fs::read(&fixture.path).expect("the fixture");
    for step in [97, 1009, 10_007] {
        let mut bytes = whole.clone();
        for place in (188 * 20..bytes.len()).step_by(step) {
            bytes[place] ^= 0x55;
        }
        let input = Input::bytes("damaged", bytes);
        let seconds: Vec<f64> = (0..10).map(|tenth| f64::from(tenth) * 0.4).collect();
        // No panic, and nothing left behind: `take` looks.
        let _ = take(input, &options(&seconds), &Context::new());
    }
}

#[test]
fn a_damaged_group_does_not_hide_the_others() {
    let fixture = Source::new()
        .params("keyint=25:scenecut=0:bframes=0")
        .build();
    let mut bytes = fs::read(&fixture.path).expect("the fixture");
    // The samples of the second second: in an MP4 without sound they lie in order.
    let data = bytes
        .windows(4)
        .position(|word| word == b"mdat")
        .expect("samples");
    let length = bytes.len() - data;
    let packets = crate::observe::packets(&fixture.path);
    assert_eq!(packets.len(), 100);
    bytes[data + length * 30 / 100..data + length * 40 / 100].fill(0);
    let input = Input::bytes("damaged", bytes);
    let taken = take(input, &options(&[0.2, 3.5]), &Context::new());
    assert_eq!(taken.expect("pictures").numbers(), [5, 87]);
}

#[test]
fn cancelling_leaves_nothing() {
    let fixture = Source::new().build();
    let set = Cancel::new();
    set.cancel();
    let context = Context::new().with_cancel(set);
    let error = take(Input::path(&fixture.path), &options(&[1.0]), &context).err();
    assert!(matches!(error, Some(Error::Cancelled)));

    let cancel = Cancel::new();
    let again = cancel.clone();
    let context = Context::new()
        .with_cancel(cancel)
        .with_progress(move |_| again.cancel());
    let seconds: Vec<f64> = (0..90).map(|frame| f64::from(frame) / 25.0).collect();
    let error = take(Input::path(&fixture.path), &options(&seconds), &context).err();
    assert!(matches!(error, Some(Error::Cancelled)));

    let folder = Folder::new();
    let cancel = Cancel::new();
    let again = cancel.clone();
    let context = Context::new()
        .with_cancel(cancel)
        .with_progress(move |_| again.cancel());
    let sprites = SpriteOptions {
        every: Timestamp::from_micros(200_000),
        columns: 1,
        rows: 1,
        ..SpriteOptions::default()
    };
    let input = Input::path(&fixture.path);
    let error = still::sprites(input, &sprites, folder.file("out"), &context);
    assert!(matches!(error, Err(Error::Cancelled)));
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
fn places_that_cannot_be_written_to() {
    let fixture = Source::new().build();
    let folder = Folder::new();
    fs::write(folder.file("file"), "precious").expect("written");
    for place in [
        Place::folder("/proc/out", "thumbnail"),
        Place::folder(folder.file("none/out"), "thumbnail"),
        Place::folder(folder.file("file"), "thumbnail"),
        Place::file(folder.file("none/a.jpg")),
        Place::file(folder.path()),
    ] {
        let input = Input::path(&fixture.path);
        let result = still::thumbnails(input, &options(&[1.0]), place, &Context::new());
        assert!(matches!(result, Err(Error::Io { .. })), "{result:?}");
    }
    assert_eq!(folder.names(), ["file"]);
}

#[test]
fn requests_that_make_no_sense() {
    let fixture = Source::new().build();
    let input = || Input::path(&fixture.path);
    let none = fails(input(), &options(&[]));
    assert!(matches!(none, Error::Unsupported { .. }), "{none}");
    let place = Place::file("/nowhere/a.jpg");
    let two = still::thumbnails(input(), &options(&[1.0, 2.0]), place, &Context::new());
    assert!(matches!(two, Err(Error::Unsupported { .. })), "{two:?}");
    let many = Options {
        moments: Moments::Spread(100_001),
        ..Options::default()
    };
    assert!(matches!(fails(input(), &many), Error::Limit { .. }));
}

#[test]
fn pictures_beyond_a_limit_are_refused_before_they_are_made() {
    let fixture = Source::new().build();
    let mut limits = Limits::default();
    limits.max_pixels = 320 * 240;
    let context = Context::new().with_limits(limits);
    let large = |format, size: &str| Options {
        style: Style {
            size: size.parse().ok(),
            format,
            ..Style::default()
        },
        ..options(&[1.0])
    };
    let input = || Input::path(&fixture.path);
    let error = take(input(), &large(Format::Jpeg, "400x"), &context).err();
    assert!(matches!(error, Some(Error::Limit { .. })));
    take(input(), &large(Format::Jpeg, "320x"), &context).expect("a picture at the limit");
    let wide = fails(input(), &large(Format::WebP, "16384x"));
    assert!(wide.to_string().contains("16383"), "{wide}");
}

#[test]
fn a_picture_that_ffmpeg_cannot_make_is_refused_by_its_size() {
    let source = Source::new().frames(5).build();
    let largest = Options {
        style: Style {
            size: Some("16384x16384".parse().expect("a size")),
            fit: still::Fit::Stretch,
            ..Style::default()
        },
        ..options(&[0.0])
    };
    let error = fails(Input::path(&source.path), &largest);
    assert!(matches!(error, Error::Limit { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("16384x16384") && text.contains("smaller"),
        "{text}"
    );
}
