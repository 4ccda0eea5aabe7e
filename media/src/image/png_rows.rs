//! A large PNG, made smaller while it is read: rows are averaged as they come, so that
//! the whole picture is never in memory.

use fast_image_resize::PixelType;
use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use super::decode::WORK_BYTES;
use super::raster::Raster;
use super::watch::{Watch, Watched};
use crate::{Error, Result};

/// The picture with one pixel for each `by` x `by` of it, which is their mean; what is
/// transparent weighs nothing. None where rows do not come in order: interlaced, and in
/// animations.
pub(super) fn reduced(
    bytes: &[u8],
    size: (u32, u32),
    by: u32,
    watch: &Watch<'_>,
) -> Result<Option<Raster>> {
    let failed = |error| failure(error, watch);
    let limits = Limits {
        bytes: usize::try_from(WORK_BYTES).unwrap_or(usize::MAX),
    };
    let mut decoder = Decoder::new_with_limits(Watched::new(bytes, watch), limits);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(failed)?;
    let info = reader.info();
    if info.interlaced || info.is_animated() || (info.width, info.height) != size {
        return Ok(None);
    }
    let pixel = match reader.output_color_type() {
        (ColorType::Grayscale, BitDepth::Eight) => PixelType::U8,
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => PixelType::U8x2,
        (ColorType::Rgb, BitDepth::Eight) => PixelType::U8x3,
        (ColorType::Rgba, BitDepth::Eight) => PixelType::U8x4,
        (ColorType::Grayscale, BitDepth::Sixteen) => PixelType::U16,
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen) => PixelType::U16x2,
        (ColorType::Rgb, BitDepth::Sixteen) => PixelType::U16x3,
        (ColorType::Rgba, BitDepth::Sixteen) => PixelType::U16x4,
        _ => return Ok(None),
    };
    let by = by.max(1);
    let small = (size.0.div_ceil(by), size.1.div_ceil(by));
    let mut raster = Raster::new(small, pixel, false);
    let mut means = Means {
        cells: vec![Cell::default(); usize::try_from(small.0).unwrap_or(0)],
        by: usize::try_from(by).unwrap_or(1),
        channels: raster.channels(),
        sample: if raster.is_16_bit() { 2 } else { 1 },
        alpha: raster.has_alpha(),
    };
    let row = means.cells.len() * pixel.size();
    for to in raster.image.buffer_mut().chunks_exact_mut(row.max(1)) {
        for _ in 0..by {
            let Some(from) = reader.next_row().map_err(failed)? else {
                break;
            };
            means.add(from.data());
        }
        means.take(to);
    }
    Ok(Some(raster))
}

/// What becomes one pixel.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    /// Of each colour the samples, times their weight.
    colours: [u64; 3],
    /// The colours' weight: alpha, or 1 where there is none.
    weight: u64,
    pixels: u64,
}

/// The means of a row of cells.
struct Means {
    cells: Vec<Cell>,
    by: usize,
    channels: usize,
    /// Bytes of a sample.
    sample: usize,
    alpha: bool,
}

impl Means {
    /// A row of the picture, its samples as PNG has them.
    fn add(&mut self, row: &[u8]) {
        let pixel = self.channels * self.sample;
        let (sample, alpha) = (self.sample, self.alpha);
        for (cell, pixels) in self.cells.iter_mut().zip(row.chunks(self.by * pixel)) {
            for pixel in pixels.chunks_exact(pixel) {
                let mut samples = pixel.chunks_exact(sample).map(number);
                let weight = if alpha {
                    samples.next_back().unwrap_or(0)
                } else {
                    1
                };
                for (sum, sample) in cell.colours.iter_mut().zip(samples) {
                    *sum += sample * weight;
                }
                cell.weight += weight;
                cell.pixels += 1;
            }
        }
    }

    /// Writes the means, as the machine has them, and begins anew.
    fn take(&mut self, to: &mut [u8]) {
        let colours = self.channels - usize::from(self.alpha);
        for (cell, pixel) in self
            .cells
            .iter_mut()
            .zip(to.chunks_exact_mut(self.channels * self.sample))
        {
            let mean = |sum: u64, of: u64| (sum + of / 2).checked_div(of).unwrap_or(0);
            let means = cell.colours.map(|sum| mean(sum, cell.weight));
            let alpha = self.alpha.then(|| mean(cell.weight, cell.pixels));
            let means = means.into_iter().take(colours).chain(alpha);
            for (to, mean) in pixel.chunks_exact_mut(self.sample).zip(means) {
                if let [to] = to {
                    *to = u8::try_from(mean).unwrap_or(u8::MAX);
                } else {
                    let mean = u16::try_from(mean).unwrap_or(u16::MAX);
                    to.copy_from_slice(&mean.to_ne_bytes());
                }
            }
            *cell = Cell::default();
        }
    }
}

fn number(sample: &[u8]) -> u64 {
    sample
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn failure(error: DecodingError, watch: &Watch<'_>) -> Error {
    if let Err(stopped) = watch.check() {
        return stopped;
    }
    match error {
        DecodingError::LimitsExceeded => Error::limit(
            watch.name(),
            "it takes more memory to decode than a picture of its size should",
        ),
        // All of it is in memory: nothing but its end is in the way of a read.
        DecodingError::IoError(_) => Error::malformed(watch.name(), "the file was cut short"),
        error => Error::malformed(watch.name(), error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, GenericImageView, ImageFormat, Rgba, RgbaImage};

    use super::*;
    use crate::Context;

    /// Five by three, each pixel another one, some of them clear.
    fn picture() -> DynamicImage {
        RgbaImage::from_fn(5, 3, |x, y| {
            let [x, y] = [x, y].map(|place| u8::try_from(place).expect("small"));
            Rgba([
                x * 50,
                y * 80,
                255 - x * y * 20,
                [0, 90, 255][usize::from(x % 3)],
            ])
        })
        .into()
    }

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        picture
            .write_to(&mut file, ImageFormat::Png)
            .expect("a PNG");
        file.into_inner()
    }

    fn by_two(file: &[u8]) -> Result<Option<Raster>> {
        let context = Context::new();
        let watch = Watch::new(&context, "a.png");
        reduced(file, (5, 3), 2, &watch)
    }

    #[test]
    fn each_pixel_is_the_mean_of_what_is_seen_of_its_own() {
        let clear = picture();
        for picture in [
            clear.clone(),
            clear.to_rgb8().into(),
            clear.to_luma8().into(),
            clear.to_luma_alpha8().into(),
            clear.to_rgba16().into(),
            clear.to_rgb16().into(),
        ] {
            let raster = by_two(&png(&picture)).expect("a PNG").expect("in order");
            assert_eq!(raster.size(), (3, 2));
            let samples: Vec<u64> = if raster.is_16_bit() {
                let samples: &[u16] = bytemuck::cast_slice(raster.image.buffer());
                samples
                    .iter()
                    .map(|&sample| u64::from(sample >> 8))
                    .collect()
            } else {
                raster
                    .image
                    .buffer()
                    .iter()
                    .map(|&sample| sample.into())
                    .collect()
            };
            for (place, seen) in samples.chunks_exact(raster.channels()).enumerate() {
                let place = u32::try_from(place).expect("small");
                let (left, top) = (place % 3 * 2, place / 3 * 2);
                let places = [(0, 0), (1, 0), (0, 1), (1, 1)];
                let pixels: Vec<[u8; 4]> = places
                    .map(|(x, y)| (left + x, top + y))
                    .into_iter()
                    .filter(|&(x, y)| x < 5 && y < 3)
                    .map(|(x, y)| picture.get_pixel(x, y).0)
                    .collect();
                let weight: u64 = pixels.iter().map(|pixel| u64::from(pixel[3])).sum();
                let colour = |at: usize| {
                    let sum: u64 = pixels
                        .iter()
                        .map(|pixel| u64::from(pixel[at]) * u64::from(pixel[3]))
                        .sum();
                    sum.checked_div(weight).unwrap_or(0)
                };
                let alpha = weight / pixels.len() as u64;
                let mut expected = match raster.channels() {
                    1 | 2 => vec![colour(0)],
                    _ => (0..3).map(colour).collect(),
                };
                expected.extend(raster.has_alpha().then_some(alpha));
                for (seen, expected) in seen.iter().zip(&expected) {
                    assert!(seen.abs_diff(*expected) <= 1, "{place}: {seen} {expected}");
                }
            }
        }
    }

    #[test]
    fn what_is_broken_is_an_error_and_never_a_panic() {
        let whole = png(&picture());
        for length in 0..whole.len() - 12 {
            assert!(by_two(&whole[..length]).is_err(), "{length}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut broken = whole.clone();
                broken[at] ^= 1 << bit;
                let _ = by_two(&broken);
            }
        }
    }
}
