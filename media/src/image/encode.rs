//! The resized picture becomes WebP, of the quality that is asked for.

use super::colour::Flat;
use super::options::{Coding, Options};
use super::planes::Limited;
use super::search::Bound;
use super::similar::{Luma, luma_of, ssim};
use super::watch::Watch;
use crate::av::webp::{self, Settings};
use crate::{Error, Result};

/// A picture that is ready.
pub(super) enum Ready {
    Planes(Limited),
    Flat(Flat),
}

/// A WebP file, and what it was encoded with.
pub(super) struct Coded {
    pub(super) bytes: Vec<u8>,
    /// None where it is lossless.
    pub(super) quality: Option<u8>,
    /// Whether it is less like the picture than was asked for.
    pub(super) unlike: bool,
}

impl Ready {
    pub(super) fn size(&self) -> (u32, u32) {
        match self {
            Self::Planes(planes) => planes.size,
            Self::Flat(flat) => flat.size,
        }
    }

    fn encode(&mut self, settings: Settings, watch: &Watch<'_>) -> Result<Vec<u8>> {
        let size = self.size();
        let mut picture = match self {
            Self::Planes(planes) => webp::Picture::Planes {
                luma: &mut planes.luma,
                blue: &mut planes.blue,
                red: &mut planes.red,
            },
            Self::Flat(flat) if flat.alpha => webp::Picture::Rgba(&flat.samples),
            Self::Flat(flat) => webp::Picture::Rgb(&flat.samples),
        };
        webp::encode_picture(size, &mut picture, settings, &|| watch.is_over())
            .map_err(|message| refused(message, watch))
    }

    /// Its luma, as libwebp sees it.
    fn luma(&self) -> Vec<u8> {
        match self {
            Self::Planes(planes) => planes.luma.clone(),
            Self::Flat(flat) => luma_of(&flat.samples, if flat.alpha { 4 } else { 3 }),
        }
    }
}

/// What libwebp says, unless it was stopped.
pub(super) fn refused(message: String, watch: &Watch<'_>) -> Error {
    match watch.check() {
        Err(stopped) => stopped,
        Ok(()) => Error::Ffmpeg {
            what: watch.name().to_owned(),
            operation: "encoding WebP",
            message,
        },
    }
}

pub(super) fn encode(mut ready: Ready, options: &Options, watch: &Watch<'_>) -> Result<Coded> {
    let settings = |quality| Settings {
        quality,
        effort: options.effort,
        lossless: options.coding == Coding::Lossless,
    };
    let most = match options.coding {
        Coding::Ssim(wanted) => {
            let luma = ready.luma();
            let width = usize::try_from(ready.size().0).unwrap_or(0);
            let coded = as_like(wanted, |quality| {
                let bytes = ready.encode(settings(quality), watch)?;
                let seen = webp::luma(&bytes).map_or(0.0, |(_, _, seen)| {
                    let original = Luma {
                        width,
                        samples: &luma,
                    };
                    let seen = Luma {
                        width,
                        samples: &seen,
                    };
                    ssim(original, seen)
                });
                Ok((bytes, seen))
            })?;
            let quality = coded.quality.unwrap_or(100);
            match options.max_bytes {
                Some(most) if length(&coded.bytes) > most => quality,
                _ => return Ok(coded),
            }
        }
        Coding::Quality(quality) => quality.clamp(1, 100),
        Coding::Lossless => 100,
    };
    let unlike = matches!(options.coding, Coding::Ssim(_));
    let coded = as_small(options, most, watch, |quality| {
        ready.encode(settings(quality), watch)
    })?;
    Ok(Coded { unlike, ..coded })
}

/// The file of the quality `most`, or of the largest one below it with which it
/// is no larger than the options allow.
pub(super) fn as_small(
    options: &Options,
    most: u8,
    watch: &Watch<'_>,
    mut encode: impl FnMut(u8) -> Result<Vec<u8>>,
) -> Result<Coded> {
    let lossless = options.coding == Coding::Lossless;
    let first = encode(most)?;
    let whole = |bytes, quality| Coded {
        bytes,
        quality: (!lossless).then_some(quality),
        unlike: false,
    };
    let Some(limit) = options.max_bytes.filter(|&limit| length(&first) > limit) else {
        return Ok(whole(first, most));
    };
    let too_large = |what: String| {
        Err(Error::unsupported(
            watch.name(),
            format!("it does not fit into {limit} bytes{what}; make the picture smaller"),
        ))
    };
    if lossless {
        return too_large(format!(" without loss ({} bytes)", first.len()));
    }
    let mut first = Some(first);
    let mut best: Option<(u8, Vec<u8>)> = None;
    let bound = Bound {
        first: most,
        most,
        value: logarithm(limit),
        near: 0.03,
        below: true,
    };
    let found = bound.cross(|quality| {
        let bytes = match first.take() {
            Some(bytes) => bytes,
            None => encode(quality)?,
        };
        let value = logarithm(length(&bytes));
        if length(&bytes) <= limit && best.as_ref().is_none_or(|(than, _)| quality > *than) {
            best = Some((quality, bytes));
        }
        Ok(value)
    })?;
    match (found, best) {
        (Some(_), Some((quality, bytes))) => Ok(whole(bytes, quality)),
        _ => too_large(String::from(" at the lowest quality")),
    }
}

/// The file of the smallest quality with which it is as like the picture as
/// `wanted`; or of the best quality.
fn as_like(wanted: f64, mut encode: impl FnMut(u8) -> Result<(Vec<u8>, f64)>) -> Result<Coded> {
    // Its distance from 1 is about a power of e of the quality.
    let likeness = |ssim: f64| -(1.0 - ssim).max(1e-6).ln();
    let mut tries: Vec<(u8, Vec<u8>)> = Vec::new();
    let bound = Bound {
        first: 75,
        most: 100,
        value: likeness(wanted.clamp(0.0, 0.999_99)),
        near: 0.02,
        below: false,
    };
    let found = bound.cross(|quality| {
        let (bytes, seen) = encode(quality)?;
        tries.push((quality, bytes));
        Ok(likeness(seen))
    })?;
    let quality = found.or_else(|| tries.iter().map(|(quality, _)| *quality).max());
    let bytes = tries
        .into_iter()
        .find(|(tried, _)| Some(*tried) == quality)
        .map(|(_, bytes)| bytes)
        .unwrap_or_default();
    Ok(Coded {
        bytes,
        quality,
        unlike: found.is_none(),
    })
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[allow(clippy::cast_precision_loss)] // a logarithm of bytes
fn logarithm(bytes: u64) -> f64 {
    (bytes as f64).max(1.0).ln()
}
