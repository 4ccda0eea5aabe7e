//! What an image is, by its header: nothing is decoded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::blocks;
use super::decode::{Opened, check_pixels};
use super::format::Format;
use super::jpeg_markers::Markers;
use super::watch::Watch;
use crate::{Context, Error, Result};

/// What an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// What kind of file it is.
    pub format: Format,
    /// Its width in pixels, as it lies in the file: EXIF may turn it.
    pub width: u32,
    /// Its height in pixels, likewise.
    pub height: u32,
    /// The pictures: 1 unless it is an animation.
    pub frames: u64,
}

impl Facts {
    /// The pixels of all pictures.
    pub fn pixels(&self) -> u64 {
        (u64::from(self.width) * u64::from(self.height)).saturating_mul(self.frames)
    }
}

/// Reads the header of the image `bytes`, which are called `name` in errors.
///
/// # Errors
/// As [`to_bytes`](super::to_bytes), as far as a header can tell.
pub fn probe(bytes: &[u8], name: &str, context: &Context) -> Result<Facts> {
    catch_unwind(AssertUnwindSafe(|| look(bytes, name, context)))
        .unwrap_or_else(|_| Err(Error::malformed(name, "its decoder failed")))
}

fn look(bytes: &[u8], name: &str, context: &Context) -> Result<Facts> {
    let watch = Watch::new(context, name);
    let format = Format::of(bytes, name)?;
    let (size, frames) = match format {
        Format::Jpeg => {
            let markers = Markers::read(bytes, name)?;
            ((markers.width, markers.height), 1)
        }
        other => {
            let film = match other {
                Format::Gif => blocks::gif(bytes),
                Format::WebP => blocks::webp(bytes),
                _ => blocks::Film::default(),
            };
            (Opened::new(other, bytes, &watch)?.size, film.frames)
        }
    };
    check_pixels(size, &watch)?;
    Ok(Facts {
        format,
        width: size.0,
        height: size.1,
        frames: frames.max(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_and_what_is_none_is_refused() {
        let mut gif = b"GIF89a\x03\0\x02\0\0\0\0".to_vec();
        gif.extend(b"\x2c\0\0\0\0\x03\0\x02\0\0\x02\x02\x44\x01\0".repeat(2));
        gif.push(0x3b);
        let facts = probe(&gif, "a.gif", &Context::new()).expect("facts");
        assert_eq!((facts.format, facts.frames), (Format::Gif, 2));
        assert_eq!((facts.width, facts.height, facts.pixels()), (3, 2, 12));
        for broken in [
            &b""[..],
            b"hello",
            b"\xff\xd8\xff\xe0",
            b"\x89PNG\r\n\x1a\n",
        ] {
            let refused = probe(broken, "a", &Context::new());
            assert!(
                matches!(refused, Err(Error::Malformed { .. })),
                "{refused:?}"
            );
        }
    }
}
