//! Pictures that ffmpeg makes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::Folder;

/// What ffmpeg makes of some arguments, as a file of this name.
pub fn made(arguments: &str, name: &str) -> Vec<u8> {
    let folder = Folder::empty();
    let path = folder.path(name);
    let status = Command::new("ffmpeg")
        .args("-nostdin -v error -f lavfi".split(' '))
        .args(arguments.split(' '))
        .arg(&path)
        .status()
        .expect("ffmpeg starts (apt-get install ffmpeg)");
    assert!(status.success(), "{arguments}");
    fs::read(path).expect("a picture")
}

/// A photo of this size.
pub fn photo(size: &str) -> Vec<u8> {
    made(&format!("-i testsrc2=size={size} -frames:v 1"), "photo.jpg")
}

/// The photo as a camera writes it that was held so.
pub fn held(photo: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).expect("short");
    let mut held = vec![0xff, 0xd8, 0xff, 0xe1];
    held.extend(length.to_be_bytes());
    held.extend(exif);
    held.extend(&photo[2..]);
    held
}

/// What `ffprobe` says of the first picture: as `webp,640,480,yuv420p`.
pub fn told(file: &Path) -> String {
    let output = Command::new("ffprobe")
        .args("-v error -select_streams v:0 -of csv=p=0".split(' '))
        .args(["-show_entries", "stream=codec_name,width,height,pix_fmt"])
        .arg(file)
        .output()
        .expect("ffprobe starts (apt-get install ffmpeg)");
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

/// How many pictures an animated WebP has: its `ANMF` chunks.
pub fn frames(webp: &[u8]) -> usize {
    webp.windows(4).filter(|bytes| bytes == b"ANMF").count()
}
