//! Converts, and looks at what came of it.

use std::fs;

use flatbed_media::image::{self, Coding, Options, Report};
use flatbed_media::{Context, Error, Input};

use super::scene::Scene;
use crate::io::Folder;
use crate::still::seen::{Seen, all_seen, seen};

/// Of such quality that a pixel may be off by little.
pub fn fine() -> Options {
    Options {
        coding: Coding::Quality(100),
        ..Options::default()
    }
}

pub fn lossless() -> Options {
    Options {
        coding: Coding::Lossless,
        ..Options::default()
    }
}

pub fn sized(size: &str, options: Options) -> Options {
    Options {
        size: Some(size.parse().expect("a size")),
        ..options
    }
}

pub fn convert(file: &[u8], options: &Options) -> Result<(Vec<u8>, Report), Error> {
    image::to_bytes(Input::bytes("image", file), options, &Context::new())
}

/// The picture that comes out, as ffmpeg decodes it. The report must be right.
#[track_caller]
pub fn made(file: &[u8], options: &Options) -> Seen {
    made_and_told(file, options).0
}

#[track_caller]
pub fn made_and_told(file: &[u8], options: &Options) -> (Seen, Report) {
    let (webp, report) = converted(file, options);
    let seen = look(&webp);
    assert_eq!(told(&report), (seen.width, seen.height));
    (seen, report)
}

/// The pictures that come out of many.
#[track_caller]
pub fn all_made(wanted: &[(Vec<u8>, Options)]) -> Vec<Seen> {
    let made = wanted
        .iter()
        .map(|(file, options)| converted(file, options));
    let (webps, reports): (Vec<Vec<u8>>, Vec<Report>) = made.unzip();
    let folder = Folder::new();
    let paths = (0..webps.len()).map(|number| folder.file(&format!("{number}.webp")));
    let paths: Vec<_> = paths.collect();
    for (path, webp) in paths.iter().zip(&webps) {
        fs::write(path, webp).expect("written");
    }
    let all = all_seen(&paths);
    for (seen, report) in all.iter().zip(&reports) {
        assert_eq!(told(report), (seen.width, seen.height));
    }
    all
}

fn converted(file: &[u8], options: &Options) -> (Vec<u8>, Report) {
    let (webp, report) = convert(file, options).expect("a picture");
    assert_eq!(report.bytes_in, file.len() as u64);
    assert_eq!(report.bytes_out, webp.len() as u64);
    (webp, report)
}

fn told(report: &Report) -> (usize, usize) {
    (report.width as usize, report.height as usize)
}

#[track_caller]
pub fn look(webp: &[u8]) -> Seen {
    let folder = Folder::new();
    let path = folder.file("made.webp");
    fs::write(&path, webp).expect("written");
    seen(&path)
}

/// How it fails.
#[track_caller]
pub fn refused(file: &[u8], options: &Options) -> Error {
    let error = convert(file, options).expect_err("an error");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    error
}

/// The largest difference of a sample, in the middle of each of so many patches
/// across and down.
pub fn off(seen: &Seen, scene: &Scene, (across, down): (usize, usize)) -> u8 {
    let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
    let differences = places.flat_map(|(x, y)| {
        let place = |width: usize, height: usize| {
            (
                (2 * x + 1) * width / (2 * across),
                (2 * y + 1) * height / (2 * down),
            )
        };
        let (x, y) = place(seen.width, seen.height);
        let there = seen.pixels[y * seen.width + x];
        let (x, y) = place(scene.width, scene.height);
        let here = scene.at(x, y);
        (0..4).map(move |sample| there[sample].abs_diff(here[sample]))
    });
    differences.max().expect("patches")
}
