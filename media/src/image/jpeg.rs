//! JPEG, by libjpeg-turbo.

use fast_image_resize::PixelType;
use turbojpeg::{
    Colorspace, DecompressHeader, Decompressor, PixelFormat, ScalingFactor, Subsamp, YuvImage,
};

use super::jpeg_markers::Markers;
use super::planes::{Planes, samples};
use super::raster::Raster;
use super::watch::Watch;
use crate::{Error, Result};

/// Scans of a progressive file: ten are usual, each costs about as much as a
/// file that is not progressive, and nothing in the format bounds them.
const MOST_SCANS: u32 = 100;

/// How much smaller than it is a picture is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    /// As it is.
    Whole,
    /// To half of its sides.
    Half,
    /// To a quarter of them.
    Quarter,
}

impl Reduction {
    /// How often a side of the result goes into one of the picture.
    pub(super) fn divisor(self) -> u32 {
        match self {
            Self::Whole => 1,
            Self::Half => 2,
            Self::Quarter => 4,
        }
    }

    fn factor(self) -> ScalingFactor {
        match self {
            Self::Whole => ScalingFactor::ONE,
            Self::Half => ScalingFactor::ONE_HALF,
            Self::Quarter => ScalingFactor::ONE_QUARTER,
        }
    }
}

/// A file whose header was read.
pub(super) struct Jpeg<'a> {
    bytes: &'a [u8],
    pub(super) markers: Markers<'a>,
    decoder: Decompressor,
    header: DecompressHeader,
    name: &'a str,
}

impl<'a> Jpeg<'a> {
    pub(super) fn open(bytes: &'a [u8], markers: Markers<'a>, watch: &Watch<'a>) -> Result<Self> {
        let name = watch.name();
        if markers.scans > MOST_SCANS {
            return Err(Error::limit(
                name,
                format!("{} scans; the limit is {MOST_SCANS}", markers.scans),
            ));
        }
        let broken = |error: turbojpeg::Error| Error::malformed(name, words(&error));
        let mut decoder = Decompressor::new().map_err(broken)?;
        decoder.set_scan_limit(MOST_SCANS).map_err(broken)?;
        let header = decoder.read_header(bytes).map_err(broken)?;
        let told = (markers.width, markers.height);
        if (side(header.width), side(header.height)) != told {
            return Err(Error::malformed(name, "it tells two sizes"));
        }
        if !markers.ended {
            return Err(Error::malformed(
                name,
                "it was cut short: the end of the JPEG file is missing",
            ));
        }
        Ok(Self {
            bytes,
            markers,
            decoder,
            header,
            name,
        })
    }

    /// Bytes of memory that its picture takes while it is decoded.
    pub(super) fn memory(&self, reduction: Reduction) -> u64 {
        let samples = match self.header.colorspace {
            Colorspace::CMYK | Colorspace::YCCK => 4,
            Colorspace::Gray => 1,
            _ => 3,
        };
        let pixels = |divisor: u32| {
            let side = |side: u32| u64::from(side.div_ceil(divisor));
            side(self.markers.width) * side(self.markers.height)
        };
        // A progressive file's coefficients are all kept, 16 bits each.
        let kept = if self.header.is_progressive { 2 } else { 0 };
        samples * (pixels(reduction.divisor()) + kept * pixels(1))
    }

    /// Whether it can be reduced while it is decoded.
    pub(super) fn reduces(&self) -> bool {
        !self.header.is_lossless
    }

    /// Whether it has the planes that WebP has.
    pub(super) fn has_planes(&self) -> bool {
        matches!(self.header.colorspace, Colorspace::YCbCr | Colorspace::Gray)
            && ratio(self.header.subsamp).is_some()
            && !self.header.is_lossless
    }

    pub(super) fn is_gray(&self) -> bool {
        self.header.colorspace == Colorspace::Gray
    }

    /// Its planes, so much smaller.
    pub(super) fn planes(&mut self, reduction: Reduction) -> Result<Planes> {
        let (width, height) = self.scaled(reduction)?;
        let subsamp = self.header.subsamp;
        let Some(ratio) = ratio(subsamp) else {
            return Err(Error::unsupported(self.name, "planes of an unknown shape"));
        };
        let padded = |length: usize, ratio: u8| side(length).next_multiple_of(u32::from(ratio));
        let luma = (padded(width, ratio.0), padded(height, ratio.1));
        let chroma = (luma.0 / u32::from(ratio.0), luma.1 / u32::from(ratio.1));
        let chroma = (subsamp != Subsamp::Gray).then_some(chroma);
        let expected = samples(luma) + chroma.map_or(0, |chroma| 2 * samples(chroma));
        let length = turbojpeg::yuv_pixels_len(width, 1, height, subsamp);
        if length.ok() != Some(expected) {
            return Err(Error::unsupported(self.name, "planes of an unknown size"));
        }
        let mut pixels = vec![0; expected];
        let into = YuvImage {
            pixels: pixels.as_mut_slice(),
            width,
            align: 1,
            height,
            subsamp,
        };
        let decoded = self.decoder.decompress_to_yuv(self.bytes, into);
        self.judge(decoded)?;
        Ok(Planes {
            samples: pixels,
            luma,
            chroma,
            ratio,
        })
    }

    /// Its pixels, so much smaller.
    pub(super) fn raster(&mut self, reduction: Reduction) -> Result<Raster> {
        let (width, height) = self.scaled(reduction)?;
        let (format, pixel, cmyk) = match self.header.colorspace {
            Colorspace::CMYK | Colorspace::YCCK => (PixelFormat::CMYK, PixelType::U8x4, true),
            Colorspace::Gray => (PixelFormat::GRAY, PixelType::U8, false),
            _ => (PixelFormat::RGB, PixelType::U8x3, false),
        };
        let mut raster = Raster::new((side(width), side(height)), pixel, cmyk);
        let into = turbojpeg::Image {
            pixels: raster.image.buffer_mut(),
            width,
            pitch: width * format.size(),
            height,
            format,
        };
        let decoded = self.decoder.decompress(self.bytes, into);
        self.judge(decoded)?;
        if cmyk && self.markers.adobe {
            for ink in raster.image.buffer_mut() {
                *ink = !*ink;
            }
        }
        Ok(raster)
    }

    fn scaled(&mut self, reduction: Reduction) -> Result<(usize, usize)> {
        let factor = reduction.factor();
        self.decoder
            .set_scaling_factor(factor)
            .map_err(|error| Error::malformed(self.name, words(&error)))?;
        let scaled = self.header.scaled(factor);
        Ok((scaled.width, scaled.height))
    }

    /// A complaint of libjpeg's is no failure where the picture is whole
    /// nevertheless; cameras and phones write such files.
    fn judge(&self, decoded: turbojpeg::Result<()>) -> Result<()> {
        match decoded {
            Err(error) if !words(&error).contains("extraneous bytes before marker") => {
                Err(Error::malformed(self.name, words(&error)))
            }
            _ => Ok(()),
        }
    }
}

fn words(error: &turbojpeg::Error) -> String {
    match error {
        turbojpeg::Error::TurboJpegError(words) => words.clone(),
        other => other.to_string(),
    }
}

fn side(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Pixels of luma to one of chroma.
fn ratio(subsamp: Subsamp) -> Option<(u8, u8)> {
    Some(match subsamp {
        Subsamp::None | Subsamp::Gray => (1, 1),
        Subsamp::Sub2x1 => (2, 1),
        Subsamp::Sub2x2 => (2, 2),
        Subsamp::Sub1x2 => (1, 2),
        Subsamp::Sub4x1 => (4, 1),
        Subsamp::Sub1x4 => (1, 4),
        _ => return None,
    })
}
