//! A picture in memory.

use fast_image_resize::PixelType;
use fast_image_resize::images::Image;

/// Samples in rows without gaps; 16-bit ones as the machine has them.
#[derive(Debug)]
pub(super) struct Raster {
    pub(super) image: Image<'static>,
    /// Whether four samples a pixel are inks (255 is all of it) and not RGBA.
    pub(super) cmyk: bool,
}

impl Raster {
    /// Black, and transparent where it can be.
    pub(super) fn new((width, height): (u32, u32), pixel: PixelType, cmyk: bool) -> Self {
        Self {
            image: Image::new(width, height, pixel),
            cmyk,
        }
    }

    pub(super) fn size(&self) -> (u32, u32) {
        (self.image.width(), self.image.height())
    }

    /// Samples a pixel.
    pub(super) fn channels(&self) -> usize {
        channels(self.image.pixel_type())
    }

    pub(super) fn is_16_bit(&self) -> bool {
        self.image.pixel_type().size() == 2 * self.channels()
    }

    pub(super) fn has_alpha(&self) -> bool {
        match self.channels() {
            2 => true,
            4 => !self.cmyk,
            _ => false,
        }
    }
}

fn channels(pixel: PixelType) -> usize {
    match pixel {
        PixelType::U8x2 | PixelType::U16x2 => 2,
        PixelType::U8x3 | PixelType::U16x3 => 3,
        PixelType::U8x4 | PixelType::U16x4 => 4,
        _ => 1,
    }
}
