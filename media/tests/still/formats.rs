//! The files: what they are, and how they come to be.

use std::fs;
use std::sync::{Arc, Mutex};

use flatbed_media::still::{self, Format, Moments, Options, Place, Style};
use flatbed_media::{Context, Input};

use super::studio::{at, pictures};
use crate::fixture::Source;
use crate::io::Folder;

#[test]
fn files_are_what_their_names_say() {
    let fixture = Source::new().build();
    for (format, begins, place) in [
        (Format::Jpeg, &b"\xFF\xD8\xFF\xE0\0\x10JFIF\0"[..], 0),
        (Format::Png, b"\x89PNG\r\n\x1A\n", 0),
        (Format::WebP, b"WEBPVP8 ", 8),
    ] {
        let style = Style {
            format,
            ..Style::default()
        };
        let taken = pictures(&fixture, &[2.0], style);
        let name = &taken.report.pictures[0].name;
        assert!(name.ends_with(&format!("thumbnail-1.{}", format.extension())));
        let bytes = fs::read(name).expect("the file");
        assert!(bytes[place..].starts_with(begins), "{format}");
        assert_eq!(taken.numbers(), [50]);
    }
}

#[test]
fn one_picture_goes_to_one_file() {
    let fixture = Source::new().build();
    let folder = Folder::new();
    let path = folder.file("a.jpg");
    still::thumbnails(
        Input::path(&fixture.path),
        &Options::default(),
        Place::file(&path),
        &Context::new(),
    )
    .expect("a picture");
    assert_eq!(super::seen::seen(&path).number(), 50);
    assert_eq!(folder.names(), ["a.jpg"]);
}

#[test]
fn one_picture_can_be_streamed() {
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let fixture = Source::new().build();
    let stream = Shared::default();
    let report = still::thumbnails(
        Input::path(&fixture.path),
        &Options::default(),
        Place::live("a pipe", stream.clone()),
        &Context::new(),
    )
    .expect("a picture");
    let bytes = stream.0.lock().expect("not poisoned").clone();
    assert_eq!(report.pictures[0].name, "a pipe");
    assert_eq!(report.pictures[0].bytes, bytes.len() as u64);
    let folder = Folder::new();
    fs::write(folder.file("a.jpg"), bytes).expect("written");
    assert_eq!(super::seen::seen(&folder.file("a.jpg")).number(), 50);
}

#[test]
fn existing_files_are_replaced_when_the_new_ones_are_whole() {
    let fixture = Source::new().build();
    let folder = Folder::new();
    fs::write(folder.file("thumbnail-1.jpg"), "old").expect("written");
    let options = |seconds: f64| Options {
        moments: Moments::At(vec![at(0.0), at(seconds)]),
        ..Options::default()
    };
    let run = |seconds: f64| {
        still::thumbnails(
            Input::path(&fixture.path),
            &options(seconds),
            Place::folder(folder.path(), "thumbnail"),
            &Context::new(),
        )
    };
    run(100.0).expect_err("behind the end");
    assert_eq!(
        fs::read(folder.file("thumbnail-1.jpg")).expect("the file"),
        b"old"
    );
    assert_eq!(folder.names(), ["thumbnail-1.jpg"]);
    run(1.0).expect("pictures");
    assert_eq!(
        super::seen::seen(&folder.file("thumbnail-1.jpg")).number(),
        0
    );
    assert_eq!(
        super::seen::seen(&folder.file("thumbnail-2.jpg")).number(),
        25
    );
}
