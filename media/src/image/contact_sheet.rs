//! A contact sheet: many pictures in one, to be seen at a glance.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fast_image_resize::PixelType;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::colour::{Flat, Profile, flatten};
use super::convert::orientation_of;
use super::decode::{Opened, check_pixels};
use super::format::Format;
use super::jpeg::{Jpeg, Reduction};
use super::jpeg_markers::Markers;
use super::orientation::Orientation;
use super::raster::Raster;
use super::resize::{Part, resize};
use super::watch::Watch;
use crate::still::{Fit, Layout, Size};
use crate::{Context, Error, Input, Result};

/// Samples of a pixel of the sheet.
const RGB: usize = 3;

/// How pictures lie in a contact sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SheetOptions {
    /// How many there are side by side at most, 1 to 100.
    pub columns: u32,
    /// How wide a tile is, in pixels, 16 to 4096. Its height is that of the first
    /// picture at this width, and four times the width at most.
    pub width: u32,
    /// How far apart they lie, and from the edge, in pixels, 0 to 256.
    pub gap: u32,
}

impl Default for SheetOptions {
    /// Five side by side, 320 pixels wide, 4 apart.
    fn default() -> Self {
        Self {
            columns: 5,
            width: 320,
            gap: 4,
        }
    }
}

/// A contact sheet that was made; sizes are in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactSheet {
    /// The sheet's.
    pub width: u32,
    /// The sheet's.
    pub height: u32,
    /// How many pictures it has.
    pub tiles: usize,
    /// A tile's; the one of picture `n` is in column `n % columns` and row
    /// `n / columns`.
    pub tile: (u32, u32),
}

/// The pictures side by side on black, row by row, as a PNG file. One of another
/// shape than the first stands in the middle of its tile; none is cut off.
///
/// Besides the sheet, which has three bytes a pixel, one picture is in memory at
/// a time.
///
/// # Errors
/// [`Error::Limit`] where the sheet or a picture has more pixels than
/// [`ImageLimits`](crate::ImageLimits) allow, before memory is taken for it;
/// [`Error::Unsupported`] where there is no picture, and for formats that are not
/// read; [`Error::Malformed`] for a picture that is broken.
pub fn contact_sheet(
    pictures: Vec<Input>,
    options: &SheetOptions,
    context: &Context,
) -> Result<(Vec<u8>, ContactSheet)> {
    check(options)?;
    let count = pictures.len();
    let mut sheet: Option<Sheet> = None;
    for (number, mut picture) in pictures.into_iter().enumerate() {
        let name = picture.name().to_owned();
        let within = sheet.as_ref().map(|sheet| sheet.facts.tile);
        let made = catch_unwind(AssertUnwindSafe(|| {
            let watch = Watch::new(context, &name);
            let tile = tile(&mut picture, within, options, &watch)?;
            if sheet.is_none() {
                sheet = Some(Sheet::new(count, tile.size, options, &watch)?);
            }
            if let Some(sheet) = &mut sheet {
                sheet.paste(number, &tile);
            }
            Ok(())
        }));
        // A decoder that panics is one that failed.
        made.unwrap_or_else(|_| Err(Error::malformed(name, "its decoder failed")))?;
    }
    let sheet = sheet.ok_or_else(|| refused("there are no pictures for it"))?;
    context.check()?;
    sheet.encode()
}

fn refused(reason: &str) -> Error {
    Error::unsupported("contact sheet", reason)
}

fn check(options: &SheetOptions) -> Result<()> {
    if !(1..=100).contains(&options.columns) {
        return Err(refused("it has 1 to 100 pictures side by side"));
    }
    if !(16..=4096).contains(&options.width) {
        return Err(refused("its pictures are 16 to 4096 pixels wide"));
    }
    if options.gap > 256 {
        return Err(refused("its pictures lie 256 pixels apart at most"));
    }
    Ok(())
}

/// A picture in the size of its tile, upright, in sRGB; of the first, the height
/// follows.
fn tile(
    picture: &mut Input,
    within: Option<(u32, u32)>,
    options: &SheetOptions,
    watch: &Watch<'_>,
) -> Result<Flat> {
    watch.check()?;
    let context = watch.context();
    let file = picture.read_whole(context.limits().image.max_bytes, context)?;
    let (raster, number, icc) = match Format::of(&file, watch.name())? {
        Format::Jpeg => {
            let markers = Markers::read(&file, watch.name())?;
            check_pixels((markers.width, markers.height), watch)?;
            let mut jpeg = Jpeg::open(&file, markers, watch)?;
            let number = jpeg.markers.exif.and_then(orientation_of).unwrap_or(1);
            let icc = jpeg.markers.icc.take();
            (jpeg.raster(Reduction::Whole)?, number, icc)
        }
        other => {
            let opened = Opened::new(other, &file, watch)?;
            let (number, icc) = (opened.orientation, opened.icc.clone());
            (opened.raster(watch)?, number, icc)
        }
    };
    let orientation = Orientation::of_exif(number);
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let coded = raster.size();
    let height = within.map(|(_, height)| height);
    let layout = Layout::new(
        (side(coded.0), side(coded.1)),
        (1, 1),
        orientation.turn,
        Size::new(Some(options.width), height),
        Fit::Contain,
    );
    let turned = (side(options.width), side(4 * options.width));
    let layout = layout.within(orientation.turn.swapped(turned));
    let size = (
        layout.scaled.0.unsigned_abs(),
        layout.scaled.1.unsigned_abs(),
    );
    let all = Part {
        left: 0.0,
        top: 0.0,
        width: f64::from(coded.0),
        height: f64::from(coded.1),
    };
    let raster = resize(raster, all, size, false)
        .map_err(|message| Error::unsupported(watch.name(), message))?;
    let profile = icc.as_deref().and_then(Profile::read);
    let profile = profile.filter(|profile| !profile.is_srgb());
    let (mut flat, _) = flatten(raster, profile.as_ref());
    let pixel = if flat.alpha { 4 } else { RGB };
    (flat.samples, flat.size) = orientation.apply(flat.samples, flat.size, pixel);
    Ok(flat)
}

/// A sheet that is being filled.
struct Sheet {
    canvas: Raster,
    columns: usize,
    gap: usize,
    facts: ContactSheet,
}

impl Sheet {
    fn new(
        count: usize,
        tile: (u32, u32),
        options: &SheetOptions,
        watch: &Watch<'_>,
    ) -> Result<Self> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let columns = count.min(options.columns).max(1);
        let rows = count.div_ceil(columns).max(1);
        let gap = options.gap;
        let side = |count: u32, tile: u32| {
            let side = count.checked_mul(tile + gap)?.checked_add(gap)?;
            i32::try_from(side).ok().map(i32::unsigned_abs)
        };
        let tile = (options.width, tile.1);
        let (Some(width), Some(height)) = (side(columns, tile.0), side(rows, tile.1)) else {
            return Err(Error::limit(
                "contact sheet",
                format!("{count} pictures are too many for one"),
            ));
        };
        check_pixels((width, height), watch).map_err(|error| match error {
            Error::Limit { reason, .. } => Error::limit("contact sheet", reason),
            other => other,
        })?;
        Ok(Self {
            canvas: Raster::new((width, height), PixelType::U8x3, false),
            columns: usize::try_from(columns).unwrap_or(1),
            gap: usize::try_from(gap).unwrap_or(0),
            facts: ContactSheet {
                width,
                height,
                tiles: usize::try_from(count).unwrap_or(0),
                tile,
            },
        })
    }

    /// Puts a picture into the middle of its tile.
    fn paste(&mut self, number: usize, picture: &Flat) {
        let side = |side: u32| usize::try_from(side).unwrap_or(0);
        let tile = (side(self.facts.tile.0), side(self.facts.tile.1));
        let size = (side(picture.size.0), side(picture.size.1));
        let (column, row) = (number % self.columns, number / self.columns);
        let left = self.gap + column * (tile.0 + self.gap) + (tile.0 - size.0.min(tile.0)) / 2;
        let top = self.gap + row * (tile.1 + self.gap) + (tile.1 - size.1.min(tile.1)) / 2;
        let pixel = if picture.alpha { 4 } else { RGB };
        let step = side(self.facts.width) * RGB;
        let lines = self.canvas.image.buffer_mut().chunks_exact_mut(step);
        let from = picture.samples.chunks_exact((size.0 * pixel).max(1));
        for (line, from) in lines.skip(top).zip(from).take(tile.1) {
            let begin = left * RGB;
            let to = line.get_mut(begin..begin + size.0.min(tile.0) * RGB);
            let to = to.into_iter().flat_map(|to| to.chunks_exact_mut(RGB));
            for (to, from) in to.zip(from.chunks_exact(pixel)) {
                if let [red, green, blue, rest @ ..] = from {
                    // What is transparent shows the black behind it.
                    let seen = rest.first().map_or(255, |&seen| u16::from(seen));
                    for (to, from) in to.iter_mut().zip([red, green, blue]) {
                        let light = (u16::from(*from) * seen + 127) / 255;
                        *to = u8::try_from(light).unwrap_or(u8::MAX);
                    }
                }
            }
        }
    }

    fn encode(self) -> Result<(Vec<u8>, ContactSheet)> {
        let mut file = Vec::new();
        let (width, height) = self.canvas.size();
        let pixels = self.canvas.image.buffer();
        PngEncoder::new(&mut file)
            .write_image(pixels, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| refused(&error.to_string()))?;
        Ok((file, self.facts))
    }
}
