//! What an image is, by its first bytes; its name does not count.

use std::fmt;

use crate::{Error, Result};

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// JPEG (ITU-T T.81): baseline and progressive, gray, `YCbCr`, RGB, CMYK.
    Jpeg,
    /// PNG. Of an animated one, the picture that others show.
    Png,
    /// GIF, also animated.
    Gif,
    /// WebP, also animated.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// TIFF, its first page.
    Tiff,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
        })
    }
}

/// How formats begin that are not read.
const OTHERS: [(usize, &[u8], &str); 14] = [
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\0\0\x01\0", "ICO"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "XML"),
    (0, b"%PDF", "PDF"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"qoif", "QOI"),
    (0, b"II\x2b\0", "BigTIFF"),
    (0, b"MM\0\x2b", "BigTIFF"),
];

impl Format {
    /// The format of a file called `name` that begins with `bytes`; 32 of them are
    /// enough.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for formats that are not read, by their names;
    /// [`Error::Malformed`] for what is no image.
    pub fn of(bytes: &[u8], name: &str) -> Result<Self> {
        let known = match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::WebP),
            _ if bytes.starts_with(b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            _ if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") => Some(Self::Gif),
            _ if bytes.starts_with(b"II\x2a\0") || bytes.starts_with(b"MM\0\x2a") => {
                Some(Self::Tiff)
            }
            _ if bytes.starts_with(b"BM") => Some(Self::Bmp),
            _ => None,
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let other = OTHERS
            .iter()
            .find(|(at, mark, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
        let other = other.map(|(_, _, other)| *other).or_else(|| boxed(bytes));
        Err(match other {
            Some("video") => Error::unsupported(
                name,
                "this is a video; flatbed thumbnail takes pictures out of it",
            ),
            Some(other) => Error::unsupported(
                name,
                format!("{other} is not read; give JPEG, PNG, GIF, WebP, BMP or TIFF"),
            ),
            None => Error::malformed(
                name,
                "this is no image: not JPEG, PNG, GIF, WebP, BMP or TIFF",
            ),
        })
    }
}

/// What the brand of an ISO base media file says (ISO/IEC 14496-12).
fn boxed(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    Some(match bytes.get(8..12)? {
        b"avif" | b"avis" => "AVIF",
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" => "HEIC",
        b"crx " => "Canon raw",
        _ => "video",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        for (bytes, format) in [
            (&b"\xff\xd8\xff\xe0"[..], Format::Jpeg),
            (b"\x89PNG\r\n\x1a\n", Format::Png),
            (b"GIF89a", Format::Gif),
            (b"RIFF\x01\0\0\0WEBPVP8 ", Format::WebP),
            (b"MM\0\x2a", Format::Tiff),
            (b"BM", Format::Bmp),
        ] {
            assert_eq!(Format::of(bytes, "a.txt").ok(), Some(format));
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        let word = |bytes: &[u8]| Format::of(bytes, "a").expect_err("refused").to_string();
        assert!(word(b"\0\0\0\x20ftypavif").contains("AVIF"));
        assert!(word(b"\0\0\0\x20ftypheic").contains("HEIC"));
        assert!(word(b"\0\0\0\x20ftypisom").contains("video"));
        assert!(word(b"\xff\x0a").contains("JPEG XL"));
        assert!(word(b"hello").contains("no image"));
        assert!(word(b"").contains("no image"));
    }
}
