//! Pictures that ffmpeg makes, once in a process.

use std::process::Command;
use std::sync::OnceLock;

use super::people::Face;
use crate::support::Folder;

/// A picture of this kind, 480x640, and its media type; of a page, its text.
pub fn picture(face: Face) -> Option<(&'static str, &'static [u8])> {
    static PNG: OnceLock<Vec<u8>> = OnceLock::new();
    static JPEG: OnceLock<Vec<u8>> = OnceLock::new();
    static WEBP: OnceLock<Vec<u8>> = OnceLock::new();
    Some(match face {
        Face::Png => ("image/png", PNG.get_or_init(|| made("face.png"))),
        Face::Jpeg => ("image/jpeg", JPEG.get_or_init(|| made("face.jpg"))),
        Face::WebP => ("image/webp", WEBP.get_or_init(|| made("face.webp"))),
        Face::Page => ("text/html", b"<!doctype html><title>Sign in</title>\n"),
        Face::Gone | Face::None => return None,
    })
}

fn made(name: &str) -> Vec<u8> {
    let folder = Folder::empty();
    let path = folder.path(name);
    let status = Command::new("ffmpeg")
        .args("-nostdin -v error -f lavfi -i testsrc2=size=480x640 -frames:v 1".split(' '))
        .arg(&path)
        .status()
        .expect("ffmpeg starts (apt-get install ffmpeg)");
    assert!(status.success(), "{name}");
    std::fs::read(path).expect("a picture")
}
