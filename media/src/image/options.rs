//! What is asked of an image.

use crate::still::{Fit, Size};

/// How an image becomes WebP.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How large it may be, measured upright; `None` is as large as it is.
    pub size: Option<Size>,
    /// What happens where the image has another shape than `size`.
    pub fit: Fit,
    /// Lets an image that is smaller than `size` grow to it.
    pub enlarge: bool,
    /// Resizes in linear light instead of the coded one: fine bright detail
    /// keeps its brightness, at about twice the cost of the resize.
    pub linear_light: bool,
    /// How it is coded.
    pub coding: Coding,
    /// How hard the encoder tries, from 0 (fast) to 6 (small).
    pub effort: u8,
    /// The most bytes that may come out: where there are more, the quality is
    /// lowered until it fits. Of a lossless image nothing can be lowered.
    pub max_bytes: Option<u64>,
    /// Of an animation, the first picture only.
    pub still: bool,
    /// What stays of what is not the picture.
    pub keep: Keep,
}

impl Default for Options {
    /// Lossy, quality 80, effort 4, as large as it is, nothing kept.
    fn default() -> Self {
        Self {
            size: None,
            fit: Fit::default(),
            enlarge: false,
            linear_light: false,
            coding: Coding::default(),
            effort: 4,
            max_bytes: None,
            still: false,
            keep: Keep::default(),
        }
    }
}

/// How a WebP is coded.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Coding {
    /// Lossy, of this quality: 1 (small) to 100 (good), on libwebp's scale.
    Quality(u8),
    /// Lossy, as small as comes out this like the resized picture: the SSIM of
    /// luma as WebP codes it (16 to 235), above 0 and below 1; 0.98 is hard to
    /// tell from it. Animations do
    /// not take it.
    Ssim(f64),
    /// Every pixel as it is.
    Lossless,
}

impl Default for Coding {
    fn default() -> Self {
        Self::Quality(80)
    }
}

/// What stays of what is not the picture. By default nothing: EXIF tells where
/// somebody lives, and colours are brought to sRGB, which needs no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// The colour profile, with the colours as they are. A gray or CMYK image
    /// is brought to sRGB all the same: WebP is RGB.
    pub icc: bool,
    /// EXIF. Its orientation becomes 1, as the picture is turned upright.
    pub exif: bool,
}
