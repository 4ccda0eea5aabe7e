//! PNG, GIF, WebP, BMP and TIFF, by the crate `image`.

use fast_image_resize::PixelType;
use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::tiff::TiffDecoder;
use image::codecs::webp::WebPDecoder;
use image::error::ImageError;
use image::{AnimationDecoder, ColorType, ExtendedColorType, ImageDecoder, Limits};

use super::colour::Code;
use super::format::Format;
use super::raster::Raster;
use super::watch::{Watch, Watched};
use super::{png, tiff};
use crate::{Error, Result};

/// What a decoder may take before the size of the picture is known to be within
/// the limit: profiles, palettes, tables.
const HEADER_BYTES: u64 = 16 << 20;
/// What it may take beside the picture.
pub(super) const WORK_BYTES: u64 = 64 << 20;

/// A decoder whose header was read.
pub(super) struct Opened<'a> {
    bytes: &'a [u8],
    decoder: Box<dyn ImageDecoder + 'a>,
    pub(super) size: (u32, u32),
    pub(super) icc: Option<Vec<u8>>,
    /// What its colours are in a code, which counts before `icc`.
    pub(super) code: Option<Code>,
    pub(super) exif: Option<Vec<u8>>,
    /// EXIF's number.
    pub(super) orientation: u8,
    colours: ColorType,
    /// Whether they are inks in the file.
    inks: bool,
}

impl<'a> Opened<'a> {
    pub(super) fn new(format: Format, bytes: &'a [u8], watch: &'a Watch<'a>) -> Result<Self> {
        let failed = |error| failure(error, watch);
        let code = match format {
            Format::Png => png::look(bytes, watch)?,
            _ => None,
        };
        let source = Watched::new(bytes, watch);
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(HEADER_BYTES);
        let mut decoder: Box<dyn ImageDecoder + 'a> = match format {
            Format::Png => Box::new(PngDecoder::with_limits(source, limits).map_err(failed)?),
            Format::Gif => Box::new(GifDecoder::new(source).map_err(failed)?),
            Format::WebP => Box::new(WebPDecoder::new(source).map_err(failed)?),
            Format::Bmp => Box::new(BmpDecoder::new(source).map_err(failed)?),
            Format::Tiff => Box::new(TiffDecoder::new(source).map_err(failed)?),
            Format::Jpeg => return Err(Error::unsupported(watch.name(), "not read here")),
        };
        let size = decoder.dimensions();
        check_pixels(size, watch)?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(decoder.total_bytes().saturating_add(WORK_BYTES));
        decoder.set_limits(limits).map_err(failed)?;
        // Metadata that cannot be read is none; the picture may be sound.
        let exif = decoder.exif_metadata().ok().flatten();
        let orientation = decoder
            .orientation()
            .map_or(1, image::metadata::Orientation::to_exif);
        let inks = matches!(
            decoder.original_color_type(),
            ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16
        );
        Ok(Self {
            bytes,
            size,
            icc: match format {
                Format::Tiff => tiff::profile(bytes).map(<[u8]>::to_vec),
                _ => decoder.icc_profile().ok().flatten(),
            },
            code,
            exif,
            orientation,
            colours: decoder.color_type(),
            inks,
            decoder,
        })
    }

    /// Bytes of memory that its picture takes while it is decoded.
    pub(super) fn memory(&self) -> u64 {
        let pixel = u64::from(self.colours.bytes_per_pixel());
        // Decoders of the crate keep about a second picture at the worst. Inks
        // are four where the crate tells of three.
        let times = if self.inks { 3 } else { 2 };
        times * pixel * pixels(self.size)
    }

    pub(super) fn raster(self, watch: &Watch<'_>) -> Result<Raster> {
        if self.inks {
            return tiff::raster(self.bytes, self.size, watch);
        }
        let failed = |error| failure(error, watch);
        let pixel = match self.colours {
            ColorType::L8 => PixelType::U8,
            ColorType::La8 => PixelType::U8x2,
            ColorType::Rgb8 => PixelType::U8x3,
            ColorType::Rgba8 => PixelType::U8x4,
            ColorType::L16 => PixelType::U16,
            ColorType::La16 => PixelType::U16x2,
            ColorType::Rgb16 | ColorType::Rgb32F => PixelType::U16x3,
            ColorType::Rgba16 | ColorType::Rgba32F => PixelType::U16x4,
            other => {
                return Err(Error::unsupported(
                    watch.name(),
                    format!("samples of the kind {other:?}"),
                ));
            }
        };
        let mut raster = Raster::new(self.size, pixel, false);
        let buffer = raster.image.buffer_mut();
        if matches!(self.colours, ColorType::Rgb32F | ColorType::Rgba32F) {
            let mut floats = vec![0; buffer.len() * 2];
            self.decoder.read_image_boxed(&mut floats).map_err(failed)?;
            for (to, from) in buffer.chunks_exact_mut(2).zip(floats.chunks_exact(4)) {
                let float = f32::from_ne_bytes(from.try_into().unwrap_or_default());
                // What is not a number is black, and a cast clamps.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let sample = (float.clamp(0.0, 1.0) * 65535.0).round() as u16;
                to.copy_from_slice(&sample.to_ne_bytes());
            }
        } else {
            self.decoder.read_image_boxed(buffer).map_err(failed)?;
        }
        Ok(raster)
    }
}

/// Pictures one after another, with their milliseconds.
pub(super) type Frames<'a> = Box<dyn Iterator<Item = Result<(Raster, i32)>> + 'a>;

/// The pictures of an animation, each whole, with the milliseconds for which it
/// is shown.
pub(super) fn frames<'a>(
    format: Format,
    bytes: &'a [u8],
    watch: &'a Watch<'a>,
) -> Result<Frames<'a>> {
    let failed = |error| failure(error, watch);
    let source = Watched::new(bytes, watch);
    let frames = if format == Format::Gif {
        let mut decoder = GifDecoder::new(source).map_err(failed)?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(decoder.total_bytes().saturating_mul(3) + WORK_BYTES);
        decoder.set_limits(limits).map_err(failed)?;
        decoder.into_frames()
    } else {
        let mut decoder = WebPDecoder::new(source).map_err(failed)?;
        // Told none, it does not clear what is to go; browsers clear to nothing.
        decoder
            .set_background_color(image::Rgba([0; 4]))
            .map_err(failed)?;
        decoder.into_frames()
    };
    Ok(Box::new(frames.map(move |frame| {
        let frame = frame.map_err(failed)?;
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        let shown = i32::try_from(numerator / denominator.max(1)).unwrap_or(i32::MAX);
        let picture = frame.into_buffer();
        let mut raster = Raster::new(picture.dimensions(), PixelType::U8x4, false);
        raster.image.buffer_mut().copy_from_slice(&picture);
        Ok((raster, shown))
    })))
}

/// How many there are.
pub(super) fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Refuses a picture beyond the limit.
pub(super) fn check_pixels((width, height): (u32, u32), watch: &Watch<'_>) -> Result<()> {
    let pixels = pixels((width, height));
    let limit = watch.context().limits().image.max_pixels;
    if pixels > limit {
        return Err(Error::limit(
            watch.name(),
            format!("a picture of {width}x{height} = {pixels} pixels; the limit is {limit}"),
        ));
    }
    if pixels == 0 {
        return Err(Error::malformed(watch.name(), "a picture without pixels"));
    }
    Ok(())
}

fn failure(error: ImageError, watch: &Watch<'_>) -> Error {
    if let Err(stopped) = watch.check() {
        return stopped;
    }
    let name = watch.name();
    match error {
        ImageError::Limits(_) => Error::limit(
            name,
            "it takes more memory to decode than a picture of its size should",
        ),
        ImageError::Unsupported(error) => Error::unsupported(name, error.to_string()),
        // All of it is in memory: nothing but its end is in the way of a read.
        ImageError::IoError(_) => Error::malformed(name, "the file was cut short"),
        error => Error::malformed(name, error.to_string()),
    }
}
