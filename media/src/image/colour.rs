//! Colours become sRGB in 8 bits: profiles (ICC.1), gray, CMYK, 16 bits.

use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout, MatrixCoefficients,
    TransferCharacteristics, TransformOptions,
};

use super::raster::Raster;

/// RGB, or RGBA, in 8 bits and rows without gaps.
#[derive(Debug)]
pub(super) struct Flat {
    pub(super) size: (u32, u32),
    pub(super) samples: Vec<u8>,
    pub(super) alpha: bool,
}

/// The largest profile that is followed, in bytes: those of presses have 1 to 3
/// MiB.
const MOST_PROFILE: usize = 16 << 20;

/// What colours are, by the numbers of ITU-T H.273.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) primaries: u8,
    pub(super) transfer: u8,
}

/// A profile that is understood.
pub(super) struct Profile(ColorProfile);

impl Profile {
    pub(super) fn read(icc: &[u8]) -> Option<Self> {
        if icc.len() > MOST_PROFILE {
            return None;
        }
        ColorProfile::new_from_slice(icc).ok().map(Self)
    }

    /// What a code means; none where it leaves that open, or is for high dynamic
    /// range, which wants more than a profile.
    pub(super) fn of_code(code: Code) -> Option<Self> {
        // Unspecified and reserved ones; linear and above: PQ, HLG and the like.
        let meant = matches!(code.primaries, 1 | 4..=12 | 22);
        if !meant || !matches!(code.transfer, 1 | 4..=8 | 11..=15) {
            return None;
        }
        let color_primaries = CicpColorPrimaries::try_from(code.primaries).ok()?;
        let transfer_characteristics = TransferCharacteristics::try_from(code.transfer).ok()?;
        let profile = ColorProfile::new_from_cicp(CicpProfile {
            color_primaries,
            transfer_characteristics,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        });
        // Without curves it was not understood.
        profile.red_trc.is_some().then_some(Self(profile))
    }

    pub(super) fn is_rgb(&self) -> bool {
        self.0.color_space == DataColorSpace::Rgb
    }

    /// Whether it changes nothing that can be seen: sRGB, under whatever name.
    pub(super) fn is_srgb(&self) -> bool {
        if !self.is_rgb() {
            return false;
        }
        let steps = [0_u8, 32, 96, 160, 224, 255];
        let cube: Vec<u8> = steps
            .into_iter()
            .flat_map(|red| steps.map(|green| (red, green)))
            .flat_map(|(red, green)| steps.map(|blue| [red, green, blue]))
            .flatten()
            .collect();
        let mut seen = vec![0; cube.len()];
        self.transform(Layout::Rgb, Layout::Rgb, &cube, &mut seen)
            .is_some_and(|()| cube.iter().zip(&seen).all(|(a, b)| a.abs_diff(*b) <= 1))
    }

    fn transform(&self, from: Layout, to: Layout, source: &[u8], result: &mut [u8]) -> Option<()> {
        let options = TransformOptions::default();
        let srgb = ColorProfile::new_srgb();
        let transform = self
            .0
            .create_transform_8bit(from, &srgb, to, options)
            .ok()?;
        transform.transform(source, result).ok()
    }

    fn transform_16(
        &self,
        from: Layout,
        to: Layout,
        source: &[u16],
        result: &mut [u16],
    ) -> Option<()> {
        let options = TransformOptions::default();
        let srgb = ColorProfile::new_srgb();
        let transform = self
            .0
            .create_transform_16bit(from, &srgb, to, options)
            .ok()?;
        transform.transform(source, result).ok()
    }
}

/// The picture in sRGB, and whether its profile, if it has one, was followed: it
/// is not where it is meant for another kind of colours.
pub(super) fn flatten(raster: Raster, profile: Option<&Profile>) -> (Flat, bool) {
    let size = raster.size();
    let alpha = raster.has_alpha();
    let followed = profile.and_then(|profile| with_profile(&raster, profile));
    let done = followed.is_some() == profile.is_some();
    let flat = Flat {
        size,
        samples: followed.unwrap_or_else(|| plain(raster)),
        alpha,
    };
    (flat, done)
}

fn kind(raster: &Raster) -> DataColorSpace {
    match (raster.channels(), raster.cmyk) {
        (_, true) => DataColorSpace::Cmyk,
        (1 | 2, _) => DataColorSpace::Gray,
        _ => DataColorSpace::Rgb,
    }
}

fn with_profile(raster: &Raster, profile: &Profile) -> Option<Vec<u8>> {
    let channels = raster.channels();
    let kind = kind(raster);
    // Gray in a file with a profile for RGB is common, and has a meaning.
    let spreads = kind == DataColorSpace::Gray && profile.is_rgb();
    if profile.0.color_space != kind && !spreads {
        return None;
    }
    let to = if raster.has_alpha() {
        Layout::Rgba
    } else {
        Layout::Rgb
    };
    let from = if spreads { to } else { layout(channels) };
    let room = raster.image.buffer().len() / raster.image.pixel_type().size() * to.channels();
    if raster.is_16_bit() {
        let source: &[u16] = bytemuck::try_cast_slice(raster.image.buffer()).ok()?;
        let mut result = vec![0; room];
        if spreads {
            profile.transform_16(from, to, &spread(source, channels), &mut result)?;
        } else {
            profile.transform_16(from, to, source, &mut result)?;
        }
        return Some(narrow(&result));
    }
    let source = raster.image.buffer();
    let mut result = vec![0; room];
    if spreads {
        profile.transform(from, to, &spread(source, channels), &mut result)?;
    } else {
        profile.transform(from, to, source, &mut result)?;
    }
    Some(result)
}

fn plain(raster: Raster) -> Vec<u8> {
    let (kind, channels) = (kind(&raster), raster.channels());
    let samples = if raster.is_16_bit() {
        narrow(bytemuck::try_cast_slice(raster.image.buffer()).unwrap_or_default())
    } else {
        raster.image.into_vec()
    };
    match kind {
        DataColorSpace::Gray => spread(&samples, channels),
        DataColorSpace::Cmyk => samples
            .chunks_exact(4)
            .flat_map(|inks| without_ink(inks.try_into().unwrap_or_default()))
            .collect(),
        _ => samples,
    }
}

/// 16 bits as 8.
fn narrow(samples: &[u16]) -> Vec<u8> {
    samples
        .iter()
        .map(|&sample| u8::try_from((u32::from(sample) + 128) / 257).unwrap_or(u8::MAX))
        .collect()
}

fn layout(channels: usize) -> Layout {
    match channels {
        1 => Layout::Gray,
        2 => Layout::GrayAlpha,
        3 => Layout::Rgb,
        // Inks have the layout of RGBA here.
        _ => Layout::Rgba,
    }
}

/// Gray as RGB, with alpha where there is one.
fn spread<T: Copy>(samples: &[T], channels: usize) -> Vec<T> {
    let mut result = Vec::with_capacity(samples.len() / channels * (channels + 2));
    for pixel in samples.chunks_exact(channels) {
        if let [gray, alpha @ ..] = pixel {
            result.extend([*gray; 3]);
            result.extend(alpha);
        }
    }
    result
}

/// Inks without a profile, on white paper: the light that each leaves.
fn without_ink([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    [cyan, magenta, yellow].map(|ink| {
        let light = u32::from(255 - ink) * u32::from(255 - black);
        u8::try_from((light + 127) / 255).unwrap_or(u8::MAX)
    })
}
