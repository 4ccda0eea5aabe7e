//! A picture's bytes: JPEG and PNG by FFmpeg, WebP by libwebp.

use crate::av::frame::Frame;
use crate::av::{picture, webp};
use crate::{Error, Result};

use super::style::{Format, Style};

/// libwebp's effort: 4 is its default, and takes twice the time for 4 % less.
const WEBP_EFFORT: u8 = 2;

/// The bytes of `picture`, which a [`Shaper`](super::Shaper) made for the same
/// style, as a file. `name` is for messages.
pub(crate) fn encode(mut picture: Frame, style: Style, name: &str) -> Result<Vec<u8>> {
    match style.format {
        Format::Jpeg => picture::jpeg(&picture, style.quality)
            .map_err(|code| code.failed(name, "encoding JPEG")),
        Format::Png => picture::png(&picture).map_err(|code| code.failed(name, "encoding PNG")),
        Format::WebP => {
            let settings = webp::Settings {
                quality: style.quality.clamp(1, 100),
                effort: WEBP_EFFORT,
                lossless: false,
            };
            webp::encode(&mut picture, settings).map_err(|message| Error::Ffmpeg {
                what: name.to_owned(),
                operation: "encoding WebP",
                message,
            })
        }
    }
}

/// Refuses a picture that the format does not hold, or that is beyond the limit.
pub(crate) fn check_size(
    (width, height): (i32, i32),
    format: Format,
    max_pixels: u64,
    name: &str,
) -> Result<()> {
    let longest = match format {
        Format::Jpeg => picture::LONGEST_JPEG,
        Format::WebP => webp::LONGEST,
        Format::Png => i32::MAX,
    };
    if width.max(height) > longest {
        return Err(Error::unsupported(
            name,
            format!(
                "a picture of {width}x{height}; {format} holds {longest} pixels a side, PNG more"
            ),
        ));
    }
    let pixels = u64::from(width.unsigned_abs()) * u64::from(height.unsigned_abs());
    if pixels > max_pixels {
        return Err(Error::limit(
            name,
            format!(
                "a picture of {width}x{height} = {pixels} pixels; the limit is {max_pixels}: ask \
                 for a smaller size"
            ),
        ));
    }
    // What FFmpeg makes at all (`av_image_check_size2`), whatever the limit.
    let side = |side: i32| u64::from(side.unsigned_abs()) + 128;
    if side(width) * side(height) >= u64::from(i32::MAX.unsigned_abs() / 8) {
        return Err(Error::limit(
            name,
            format!(
                "a picture of {width}x{height}; about 16255x16255 is the largest that can be \
                 made: ask for a smaller size"
            ),
        ));
    }
    Ok(())
}
