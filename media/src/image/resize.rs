//! A picture of another size: Lanczos with three lobes.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, create_srgb_mapper,
};

use super::raster::Raster;

/// A part of a picture, in its own pixels; not always whole ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Part {
    /// The same part of a picture with sides so much shorter, no more than that
    /// picture has.
    pub(super) fn divided(self, (across, down): (f64, f64), (width, height): (u32, u32)) -> Self {
        let (width, height) = (f64::from(width), f64::from(height));
        let left = (self.left / across).clamp(0.0, width - 1.0);
        let top = (self.top / down).clamp(0.0, height - 1.0);
        Self {
            left,
            top,
            width: (self.width / across).min(width - left),
            height: (self.height / down).min(height - top),
        }
    }

    fn options(self) -> ResizeOptions {
        ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
            .crop(self.left, self.top, self.width, self.height)
    }

    fn is_all_of(self, (width, height): (u32, u32)) -> bool {
        let whole = Self {
            left: 0.0,
            top: 0.0,
            width: f64::from(width),
            height: f64::from(height),
        };
        self == whole
    }
}

/// The `part` of `raster` in another size. Transparent pixels weigh nothing.
pub(super) fn resize(
    raster: Raster,
    part: Part,
    size: (u32, u32),
    linear_light: bool,
) -> Result<Raster, String> {
    if raster.size() == size && part.is_all_of(size) {
        return Ok(raster);
    }
    let options = part.options().use_alpha(raster.has_alpha());
    let cmyk = raster.cmyk;
    let pixel = raster.image.pixel_type();
    let mut image = Image::new(size.0, size.1, pixel);
    let mut resizer = Resizer::new();
    if !linear_light || cmyk {
        resizer
            .resize(&raster.image, &mut image, &options)
            .map_err(|error| error.to_string())?;
        return Ok(Raster { image, cmyk });
    }
    let text = |error: fast_image_resize::MappingError| error.to_string();
    let mapper = create_srgb_mapper();
    // In 16 bits, or the dark tones of 8 would fall together.
    let wide = match pixel {
        PixelType::U8 => PixelType::U16,
        PixelType::U8x2 => PixelType::U16x2,
        PixelType::U8x3 => PixelType::U16x3,
        PixelType::U8x4 => PixelType::U16x4,
        other => other,
    };
    let mut linear = Image::new(raster.image.width(), raster.image.height(), wide);
    mapper
        .forward_map(&raster.image, &mut linear)
        .map_err(text)?;
    drop(raster);
    let mut resized = Image::new(size.0, size.1, wide);
    resizer
        .resize(&linear, &mut resized, &options)
        .map_err(|error| error.to_string())?;
    mapper.backward_map(&resized, &mut image).map_err(text)?;
    Ok(Raster { image, cmyk })
}

/// The `part` of a plane of `from` samples in another size.
pub(super) fn resize_plane(
    resizer: &mut Resizer,
    samples: &[u8],
    from: (u32, u32),
    part: Part,
    size: (u32, u32),
) -> Result<Vec<u8>, String> {
    let source =
        ImageRef::new(from.0, from.1, samples, PixelType::U8).map_err(|error| error.to_string())?;
    let mut image = Image::new(size.0, size.1, PixelType::U8);
    resizer
        .resize(&source, &mut image, &part.options())
        .map_err(|error| error.to_string())?;
    Ok(image.into_vec())
}
