//! A photo of a face, as systems of doors take it: a small JPEG.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use fast_image_resize::PixelType;

use super::budget::Budget;
use super::colour::Flat;
use super::convert::Work;
use super::format::Format;
use super::options::Options;
use super::raster::Raster;
use super::report::Report;
use super::resize::{Part, resize};
use super::watch::Watch;
use crate::av::code::Code;
use crate::av::convert::{Converter, Target};
use crate::av::frame::Frame;
use crate::av::picture::jpeg;
use crate::av::scale::format_number;
use crate::still::{Fit, Size};
use crate::{Context, Error, Input, Result};

/// By so much the quality goes down from one try to the next.
const STEP: u8 = 10;
/// It goes no lower than this, before the picture is made smaller instead.
const LEAST_QUALITY: u8 = 40;
/// No longest side is made shorter than this, in pixels: nobody would be known again.
const LEAST_SIDE: u32 = 32;
/// The longest side that can be asked for, in pixels.
const MOST_SIDE: u32 = 2048;

/// How a photo of a face is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaceOptions {
    /// The longest side, in pixels, 32 to 2048. A smaller photo stays as it is.
    pub longest: u32,
    /// The most bytes of the JPEG: where it has more, the quality goes down, and then
    /// the size.
    pub max_bytes: u64,
    /// The quality to begin with, on libjpeg's scale, 1 (small) to 100 (good).
    pub quality: u8,
}

impl Default for FaceOptions {
    /// 500 pixels, 200,000 bytes, quality 80.
    fn default() -> Self {
        Self {
            longest: 500,
            max_bytes: 200_000,
            quality: 80,
        }
    }
}

/// Any image that is read as a baseline JPEG: upright, in sRGB, 4:2:0, without metadata,
/// what is transparent on white; of an animation the first picture.
///
/// ```no_run
/// use flatbed_media::image::{FaceOptions, face_photo};
/// use flatbed_media::{Context, Input};
///
/// # fn main() -> flatbed_media::Result<()> {
/// let options = FaceOptions::default();
/// let (jpeg, report) = face_photo(Input::path("badge.png"), &options, &Context::new())?;
/// assert!(jpeg.len() <= 200_000 && report.width <= 500 && report.height <= 500);
/// # Ok(())
/// # }
/// ```
///
/// A large JPEG or PNG is made smaller while it is decoded, so that 12 million pixels take
/// a few megabytes beside the file, unless it is progressive or interlaced. Other formats
/// are decoded whole; [`Pool::face_photo`](super::Pool::face_photo) bounds what many take
/// together.
///
/// # Errors
/// [`Error::Limit`] beyond the [`ImageLimits`](crate::ImageLimits), before memory is
/// taken for the pixels; [`Error::Unsupported`] for formats that are not read, and where
/// `max_bytes` cannot be kept; [`Error::Malformed`] for what is broken or cut short.
pub fn face_photo(
    input: Input,
    options: &FaceOptions,
    context: &Context,
) -> Result<(Vec<u8>, Report)> {
    within(input, options, context, None)
}

/// The same under a budget of memory. A decoder that panics is one that failed.
pub(super) fn within(
    input: Input,
    options: &FaceOptions,
    context: &Context,
    budget: Option<&Budget>,
) -> Result<(Vec<u8>, Report)> {
    let name = input.name().to_owned();
    catch_unwind(AssertUnwindSafe(|| make(input, options, context, budget)))
        .unwrap_or_else(|_| Err(Error::malformed(name, "its decoder failed")))
}

fn make(
    mut input: Input,
    options: &FaceOptions,
    context: &Context,
    budget: Option<&Budget>,
) -> Result<(Vec<u8>, Report)> {
    crate::av::init();
    let started = Instant::now();
    let name = input.name().to_owned();
    let watch = Watch::new(context, &name);
    watch.check()?;
    if !(LEAST_SIDE..=MOST_SIDE).contains(&options.longest) {
        let reason = "the longest side of a photo is 32 to 2048 pixels";
        return Err(Error::unsupported(&name, reason));
    }
    let file = input.read_whole(context.limits().image.max_bytes, context)?;
    let shape = Options {
        size: Size::new(Some(options.longest), Some(options.longest)),
        fit: Fit::Contain,
        still: true,
        ..Options::default()
    };
    let format = Format::of(&file, &name)?;
    let mut work = Work::new(&shape, &watch, budget);
    let picture = on_white(work.picture(format, &file)?);
    let mut notes = work.notes;
    let bytes_in = length(&file);
    drop(file);
    let full = picture.size;
    let (jpeg, quality, size) = small(&picture, options, &watch)?;
    if size != full {
        notes.push(format!(
            "{}x{} made {}x{}, to fit into {} bytes",
            full.0, full.1, size.0, size.1, options.max_bytes
        ));
    }
    let report = Report {
        format,
        width: size.0,
        height: size.1,
        bytes_in,
        bytes_out: length(&jpeg),
        frames: 1,
        quality: Some(quality),
        elapsed: started.elapsed(),
        notes,
    };
    Ok((jpeg, report))
}

/// What is seen of the picture on white.
fn on_white(picture: Flat) -> Flat {
    if !picture.alpha {
        return picture;
    }
    let samples = picture.samples.chunks_exact(4).flat_map(|pixel| {
        let [colours @ .., alpha] = <[u8; 4]>::try_from(pixel).unwrap_or_default();
        let (alpha, white) = (u32::from(alpha), 255 * (255 - u32::from(alpha)));
        colours.map(|colour| {
            u8::try_from((u32::from(colour) * alpha + white + 127) / 255).unwrap_or(u8::MAX)
        })
    });
    Flat {
        samples: samples.collect(),
        alpha: false,
        ..picture
    }
}

/// The JPEG, its quality and its size: the best quality that fits, at the largest size
/// that has one.
fn small(
    picture: &Flat,
    options: &FaceOptions,
    watch: &Watch<'_>,
) -> Result<(Vec<u8>, u8, (u32, u32))> {
    let best = options.quality.clamp(1, 100);
    let whole = picture.size.0.max(picture.size.1);
    let mut longest = whole;
    loop {
        let size = (
            scaled(picture.size.0, longest, whole),
            scaled(picture.size.1, longest, whole),
        );
        let frame = planes(picture, size, watch)?;
        let mut quality = best;
        loop {
            watch.check()?;
            let bytes = jpeg(&frame, quality).map_err(|code| failed(code, watch))?;
            if length(&bytes) <= options.max_bytes {
                return Ok((bytes, quality, size));
            }
            if quality <= LEAST_QUALITY {
                break;
            }
            quality = quality.saturating_sub(STEP).max(LEAST_QUALITY);
        }
        // 0.8 of the sides are 0.64 of the pixels.
        longest = longest * 4 / 5;
        if longest < LEAST_SIDE {
            let reason = format!(
                "it does not fit into {} bytes, not even as {}x{}; allow more",
                options.max_bytes, size.0, size.1
            );
            return Err(Error::unsupported(watch.name(), reason));
        }
    }
}

/// `side` where `whole` becomes `longest`, to the nearest.
fn scaled(side: u32, longest: u32, whole: u32) -> u32 {
    let (side, whole) = (
        u64::from(side) * u64::from(longest),
        u64::from(whole.max(1)),
    );
    u32::try_from((side + whole / 2) / whole)
        .unwrap_or(u32::MAX)
        .max(1)
}

/// The picture in this size, in the planes of a JPEG.
fn planes(picture: &Flat, size: (u32, u32), watch: &Watch<'_>) -> Result<Frame> {
    let resized = if picture.size == size {
        None
    } else {
        let mut raster = Raster::new(picture.size, PixelType::U8x3, false);
        raster.image.buffer_mut().copy_from_slice(&picture.samples);
        let all = Part {
            left: 0.0,
            top: 0.0,
            width: f64::from(picture.size.0),
            height: f64::from(picture.size.1),
        };
        let resized = resize(raster, all, size, false);
        Some(resized.map_err(|message| Error::unsupported(watch.name(), message))?)
    };
    let samples = match &resized {
        Some(raster) => raster.image.buffer(),
        None => &picture.samples,
    };
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let (width, height) = (side(size.0), side(size.1));
    let rgb = format_number("rgb24");
    let mut colours = Frame::picture(width, height, rgb).map_err(|code| failed(code, watch))?;
    let rows = colours.rows_mut(0).map_err(|code| failed(code, watch))?;
    let row = usize::try_from(size.0).unwrap_or(0) * 3;
    for (to, from) in rows.zip(samples.chunks_exact(row.max(1))) {
        to.copy_from_slice(from);
    }
    let target = Target {
        width,
        height,
        format: format_number("yuvj420p"),
        full_range: true,
    };
    Converter::new()
        .convert(&colours, target)
        .map_err(|code| failed(code, watch))
}

fn failed(code: Code, watch: &Watch<'_>) -> Error {
    code.failed(watch.name(), "encoding JPEG")
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
