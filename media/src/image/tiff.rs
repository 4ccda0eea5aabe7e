//! What TIFF has beside: its profile, in place, where the crate `tiff` would take
//! 32 bytes for each of its bytes; and inks (CMYK) as they are, for that profile,
//! where the crate `image` makes RGB of them without one.

use ::tiff::TiffError;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use fast_image_resize::PixelType;

use super::decode::WORK_BYTES;
use super::raster::Raster;
use super::watch::{Watch, Watched};
use crate::{Error, Result};

/// The tag of the profile (ICC.1, annex B.4), in the directory of the first page.
const ICC: u16 = 34675;

/// The profile of a TIFF file, where it has one.
pub(super) fn profile(bytes: &[u8]) -> Option<&[u8]> {
    let big = bytes.starts_with(b"MM");
    let short = |at: usize| {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(if big {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        })
    };
    let long = |at: usize| {
        let four = *bytes.get(at..)?.first_chunk()?;
        let long = if big {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        };
        usize::try_from(long).ok()
    };
    let directory = long(4)?;
    let entries = usize::from(short(directory)?);
    // Each has a tag, a type, a count of bytes here, and where they are.
    let entry = (0..entries)
        .map(|entry| directory + 2 + 12 * entry)
        .find(|&at| short(at) == Some(ICC))?;
    let (length, at) = (long(entry + 4)?, long(entry + 8)?);
    bytes.get(at..)?.get(..length)
}

/// The inks of a TIFF file of `size`, which was opened before.
pub(super) fn raster(bytes: &[u8], size: (u32, u32), watch: &Watch<'_>) -> Result<Raster> {
    let failed = |error: TiffError| match watch.check() {
        Err(stopped) => stopped,
        Ok(()) => Error::malformed(watch.name(), error.to_string()),
    };
    let mut limits = Limits::default();
    let all = u64::from(size.0) * u64::from(size.1) * 8;
    limits.decoding_buffer_size = usize::try_from(all).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = usize::try_from(all + WORK_BYTES).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new(Watched::new(bytes, watch))
        .map_err(failed)?
        .with_limits(limits);
    let (pixel, samples) = match decoder.read_image().map_err(failed)? {
        DecodingResult::U8(samples) => (PixelType::U8x4, samples),
        DecodingResult::U16(samples) => {
            let samples = samples.into_iter().flat_map(u16::to_ne_bytes).collect();
            (PixelType::U16x4, samples)
        }
        _ => {
            let message = "inks that are no integers";
            return Err(Error::unsupported(watch.name(), message));
        }
    };
    let mut raster = Raster::new(size, pixel, true);
    let buffer = raster.image.buffer_mut();
    match samples.get(..buffer.len()) {
        Some(samples) => buffer.copy_from_slice(samples),
        None => {
            return Err(Error::malformed(
                watch.name(),
                "fewer inks than its size tells",
            ));
        }
    }
    Ok(raster)
}
