//! Scenes in files of each format.

use std::io::{Cursor, Write};
use std::process::{Command, Stdio};

use ::image::{DynamicImage, ImageFormat, RgbaImage};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::scene::Scene;

/// How a JPEG is made.
#[derive(Clone, Copy)]
pub struct Jpeg {
    pub subsamp: Subsamp,
    pub progressive: bool,
}

pub const BASELINE: Jpeg = Jpeg {
    subsamp: Subsamp::None,
    progressive: false,
};

/// A JPEG of quality 95.
pub fn jpeg(scene: &Scene, how: Jpeg) -> Vec<u8> {
    compressed(&scene.rgb(), scene, PixelFormat::RGB, how)
}

/// A JPEG of samples that have the scene's size and another format.
pub fn compressed(samples: &[u8], scene: &Scene, format: PixelFormat, how: Jpeg) -> Vec<u8> {
    let mut compressor = Compressor::new().expect("a compressor");
    compressor.set_quality(95).expect("a quality");
    compressor.set_subsamp(how.subsamp).expect("a subsampling");
    compressor
        .set_progressive(how.progressive)
        .expect("progressive or not");
    let image = Image {
        pixels: samples,
        width: scene.width,
        pitch: scene.width * format.size(),
        height: scene.height,
        format,
    };
    compressor.compress_to_vec(image).expect("a JPEG")
}

/// The JPEG with a segment behind its SOI.
pub fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).expect("a short segment");
    let mut with = vec![0xff, 0xd8, 0xff, marker];
    with.extend(length.to_be_bytes());
    with.extend(content);
    with.extend(&jpeg[2..]);
    with
}

/// EXIF that tells an orientation, in either byte order, and who took it.
pub fn exif(orientation: u8, big: bool) -> Vec<u8> {
    let number = |number: u16| {
        if big {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    let length = |length: u32| {
        if big {
            length.to_be_bytes()
        } else {
            length.to_le_bytes()
        }
    };
    let mut exif = if big { *b"MM" } else { *b"II" }.to_vec();
    exif.extend(number(42));
    exif.extend(length(8));
    exif.extend(number(2));
    // Orientation, SHORT, one.
    exif.extend([number(274), number(3)].concat());
    exif.extend(length(1));
    exif.extend([number(u16::from(orientation)), number(0)].concat());
    // Artist, ASCII, four with its NUL, in place.
    exif.extend([number(315), number(2)].concat());
    exif.extend(length(4));
    exif.extend(b"Ann\0");
    exif.extend(length(0));
    exif
}

/// A chunk of PNG.
pub fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut chunk = (content.len() as u32).to_be_bytes().to_vec();
    chunk.extend(name);
    chunk.extend(content);
    let mut crc = flate2::Crc::new();
    crc.update(&chunk[4..]);
    chunk.extend(crc.sum().to_be_bytes());
    chunk
}

/// The bytes, deflated as PNG has them.
pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("deflated");
    encoder.finish().expect("deflated")
}

/// The JPEG with EXIF in it.
pub fn with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    with_segment(jpeg, 0xe1, &[b"Exif\0\0", exif].concat())
}

/// The JPEG with a profile in it.
pub fn with_icc(jpeg: &[u8], icc: &[u8]) -> Vec<u8> {
    with_segment(jpeg, 0xe2, &[b"ICC_PROFILE\0\x01\x01", icc].concat())
}

pub fn rgba(scene: &Scene) -> RgbaImage {
    RgbaImage::from_raw(scene.width as u32, scene.height as u32, scene.rgba()).expect("a picture")
}

/// The scene in a format of the crate `image`.
pub fn encoded(scene: &Scene, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let picture = DynamicImage::from(rgba(scene));
    let picture = match format {
        ImageFormat::Bmp => DynamicImage::from(picture.to_rgb8()),
        _ => picture,
    };
    picture.write_to(&mut file, format).expect("a file");
    file.into_inner()
}

/// The scene as ffmpeg writes it.
pub fn by_ffmpeg(scene: &Scene, arguments: &str) -> Vec<u8> {
    let mut child = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt"])
        .args(["rgba", "-s", &format!("{}x{}", scene.width, scene.height)])
        .args(["-i", "-"])
        .args(arguments.split(' '))
        .args(["-f", "image2pipe", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg starts (apt-get install ffmpeg)");
    let mut pipe = child.stdin.take().expect("a pipe");
    let raw = scene.rgba();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || pipe.write_all(&raw));
        child.wait_with_output().expect("ffmpeg ends")
    });
    assert!(output.status.success(), "{arguments}");
    output.stdout
}
