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
