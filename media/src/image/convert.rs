//! The way of an image: read, look, decode, resize, colours, upright, encode.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use super::animation;
use super::blocks::{self, Film};
use super::budget::{Budget, Permit};
use super::colour::{Code, Flat, Profile, flatten};
use super::decode::{Opened, check_pixels, pixels};
use super::encode::{Coded, Ready, encode};
use super::format::Format;
use super::jpeg::{Jpeg, Reduction};
use super::jpeg_markers::Markers;
use super::metadata::with_metadata;
use super::options::{Coding, Options};
use super::orientation::Orientation;
use super::plan::{MUCH, Plan, reduction};
use super::png_rows;
use super::raster::Raster;
use super::report::Report;
use super::resize::{Part, resize};
use super::watch::Watch;
use crate::av::webp::LONGEST;
use crate::output::PartialFile;
use crate::still::Layout;
use crate::{Context, Error, Input, Result};

/// The image as a WebP file in memory, and what came of it.
///
/// # Errors
/// [`Error::Limit`] beyond the [`ImageLimits`](crate::ImageLimits), before
/// memory is taken for the pixels; [`Error::Unsupported`] for formats that are
/// not read, and where `max_bytes` cannot be kept; [`Error::Malformed`] for what
/// is broken or cut short.
pub fn to_bytes(input: Input, options: &Options, context: &Context) -> Result<(Vec<u8>, Report)> {
    within(input, options, context, None)
}

/// The image as a WebP file at `path`, which appears when it is whole.
///
/// # Errors
/// As [`to_bytes`], and [`Error::Io`] where it cannot be written.
pub fn to_file(input: Input, path: &Path, options: &Options, context: &Context) -> Result<Report> {
    let (bytes, report) = to_bytes(input, options, context)?;
    write(path, &bytes)?;
    Ok(report)
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    PartialFile::written(path, bytes)
        .and_then(PartialFile::keep)
        .map(|_| ())
        .map_err(|source| Error::io(path.display().to_string(), source))
}

/// The same under a budget of memory.
///
/// A decoder that panics is a decoder that failed; the other images go on.
pub(super) fn within(
    input: Input,
    options: &Options,
    context: &Context,
    budget: Option<&Budget>,
) -> Result<(Vec<u8>, Report)> {
    let name = input.name().to_owned();
    catch_unwind(AssertUnwindSafe(|| make(input, options, context, budget)))
        .unwrap_or_else(|_| Err(Error::malformed(name, "its decoder failed")))
}

fn make(
    mut input: Input,
    options: &Options,
    context: &Context,
    budget: Option<&Budget>,
) -> Result<(Vec<u8>, Report)> {
    let started = Instant::now();
    let name = input.name().to_owned();
    let watch = Watch::new(context, &name);
    watch.check()?;
    let file = input.read_whole(context.limits().image.max_bytes, context)?;
    let mut work = Work::new(options, &watch, budget);
    let format = Format::of(&file, &name)?;
    let made = match format {
        Format::Jpeg => work.jpeg(&file),
        other => work.other(other, &file),
    };
    let made = made?;
    let (width, height) = made.size;
    let bytes = if made.icc.is_some() || made.exif.is_some() {
        let (icc, exif) = (made.icc.as_deref(), made.exif.as_deref());
        with_metadata(&made.coded.bytes, made.size, icc, exif)
    } else {
        made.coded.bytes
    };
    if made.coded.unlike {
        work.notes
            .push(String::from("less like the original than was asked for"));
    }
    let count = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let report = Report {
        format,
        width,
        height,
        bytes_in: count(&file),
        bytes_out: count(&bytes),
        frames: work.frames,
        quality: made.coded.quality,
        elapsed: started.elapsed(),
        notes: work.notes,
    };
    Ok((bytes, report))
}

pub(super) struct Work<'a> {
    options: &'a Options,
    watch: &'a Watch<'a>,
    budget: Option<&'a Budget>,
    pub(super) notes: Vec<String>,
    frames: u64,
}

/// What came of the pixels, and what is kept beside them.
struct Made {
    coded: Coded,
    size: (u32, u32),
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
}

/// A JPEG that is about to be decoded.
struct Photo<'a> {
    jpeg: Jpeg<'a>,
    plan: Plan,
    profile: Option<Profile>,
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
    _permit: Option<Permit<'a>>,
}

impl<'a> Work<'a> {
    /// The way of an image whose `options` say how large it becomes.
    pub(super) fn new(
        options: &'a Options,
        watch: &'a Watch<'a>,
        budget: Option<&'a Budget>,
    ) -> Self {
        Self {
            options,
            watch,
            budget,
            notes: Vec::new(),
            frames: 1,
        }
    }

    /// The picture alone, of an animation its first: upright, in sRGB, and decoded with
    /// as little memory as still looks well.
    pub(super) fn picture(&mut self, format: Format, file: &'a [u8]) -> Result<Flat> {
        let watch = self.watch;
        if format == Format::Jpeg {
            let mut photo = self.photo(file, Reduction::Quarter)?;
            let raster = photo.jpeg.raster(photo.plan.reduction)?;
            return self.flat(raster, &photo.plan, photo.profile.as_ref(), false);
        }
        let opened = Opened::new(format, file, watch)?;
        let mut plan = self.plan(opened.size, opened.orientation, Reduction::Whole)?;
        let profile = self.profile_of(&opened);
        let (size, memory) = (opened.size, opened.memory());
        let by = plan.means();
        if format == Format::Png && by > 1 && memory > MUCH {
            let permit = self.permit(memory / u64::from(by * by))?;
            if let Some(raster) = png_rows::reduced(file, size, by, watch)? {
                let side = f64::from(by);
                plan.part = plan.part.divided((side, side), raster.size());
                return self.flat(raster, &plan, profile.as_ref(), false);
            }
            drop(permit);
        }
        let _permit = self.permit(memory)?;
        let raster = opened.raster(watch)?;
        self.flat(raster, &plan, profile.as_ref(), false)
    }

    /// Opens a JPEG, plans what becomes of it, reduced by no more than `most` while it
    /// is decoded, and waits for the memory.
    fn photo(&mut self, file: &'a [u8], most: Reduction) -> Result<Photo<'a>> {
        let watch = self.watch;
        let markers = Markers::read(file, watch.name())?;
        let size = (markers.width, markers.height);
        check_pixels(size, watch)?;
        let mut jpeg = Jpeg::open(file, markers, watch)?;
        let exif = jpeg.markers.exif.map(<[u8]>::to_vec);
        let number = exif.as_deref().and_then(orientation_of).unwrap_or(1);
        let icc = jpeg.markers.icc.take();
        let most = if jpeg.reduces() {
            most
        } else {
            Reduction::Whole
        };
        let plan = self.plan(size, number, most)?;
        let permit = self.permit(jpeg.memory(plan.reduction))?;
        Ok(Photo {
            profile: self.profile(icc.as_deref()),
            jpeg,
            plan,
            icc,
            exif,
            _permit: permit,
        })
    }

    fn jpeg(&mut self, file: &'a [u8]) -> Result<Made> {
        let watch = self.watch;
        let mut photo = self.photo(file, Reduction::Half)?;
        let (jpeg, plan) = (&mut photo.jpeg, &photo.plan);
        let profile = photo.profile.as_ref();
        let keeps_icc = self.options.keep.icc && profile.is_some_and(Profile::is_rgb);
        let as_it_is = keeps_icc && !jpeg.is_gray() || profile.is_none_or(Profile::is_srgb);
        let lossy = self.options.coding != Coding::Lossless;
        let ready = if jpeg.has_planes() && lossy && as_it_is && !self.options.linear_light {
            let planes = jpeg.planes(plan.reduction)?;
            watch.check()?;
            let shaped = planes.shape(plan.part, plan.size, plan.orientation);
            Ready::Planes(shaped.map_err(|message| Error::unsupported(watch.name(), message))?)
        } else {
            let raster = jpeg.raster(plan.reduction)?;
            Ready::Flat(self.flat(raster, plan, profile, keeps_icc)?)
        };
        let keeps_icc = keeps_icc && !jpeg.is_gray();
        let (icc, exif) = (photo.icc.take(), photo.exif.take());
        self.finish(ready, icc.filter(|_| keeps_icc), exif)
    }

    fn other(&mut self, format: Format, file: &'a [u8]) -> Result<Made> {
        let watch = self.watch;
        let film = match format {
            Format::Gif => blocks::gif(file),
            Format::WebP => blocks::webp(file),
            _ => Film::default(),
        };
        let opened = Opened::new(format, file, watch)?;
        let plan = self.plan(opened.size, opened.orientation, Reduction::Whole)?;
        let profile = self.profile_of(&opened);
        // What a code says has no place in a WebP.
        let keeps_icc = self.options.keep.icc
            && opened.code.is_none()
            && profile.as_ref().is_some_and(Profile::is_rgb);
        let (icc, exif) = (opened.icc.clone(), opened.exif.clone());
        if film.frames > 1 && !self.options.still {
            animation::check(film, opened.size, watch)?;
            let _permit = self.permit(16 * pixels(opened.size))?;
            drop(opened);
            self.frames = film.frames;
            let profile = profile.as_ref().filter(|_| !keeps_icc);
            let coded = animation::encode(format, file, film, &plan, profile, self.options, watch)?;
            return Ok(Made {
                coded,
                size: plan.orientation.turn.swapped(plan.size),
                icc: icc.filter(|_| keeps_icc),
                exif: self.kept_exif(exif),
            });
        }
        let _permit = self.permit(opened.memory())?;
        let raster = opened.raster(watch)?;
        let gray = raster.channels() < 3;
        let flat = self.flat(raster, &plan, profile.as_ref(), keeps_icc)?;
        self.finish(Ready::Flat(flat), icc.filter(|_| keeps_icc && !gray), exif)
    }

    /// What becomes of a picture of `size`.
    fn plan(&mut self, size: (u32, u32), number: u8, most: Reduction) -> Result<Plan> {
        let watch = self.watch;
        check_pixels(size, watch)?;
        let orientation = Orientation::of_exif(number);
        let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
        let coded = (side(size.0), side(size.1));
        let options = self.options;
        let mut layout = Layout::new(coded, (1, 1), orientation.turn, options.size, options.fit);
        if !options.enlarge {
            layout = layout.never_larger();
        }
        let held = layout.within((LONGEST, LONGEST));
        if held.scaled != layout.scaled {
            let (width, height) = orientation.turn.swapped(layout.scaled);
            self.notes.push(format!(
                "{width}x{height} made smaller: WebP holds {LONGEST} pixels a side"
            ));
        }
        let side = |side: i32| u32::try_from(side).unwrap_or(1);
        let scaled = (side(held.scaled.0), side(held.scaled.1));
        check_pixels(scaled, watch)?;
        let shown = held.shown;
        let mut part = Part {
            left: f64::from(shown.left),
            top: f64::from(shown.top),
            width: f64::from(shown.width),
            height: f64::from(shown.height),
        };
        let reduction = reduction(held.scaled, (shown.width, shown.height), most);
        if reduction != Reduction::Whole {
            let divisor = reduction.divisor();
            let side = f64::from(divisor);
            let reduced = (size.0.div_ceil(divisor), size.1.div_ceil(divisor));
            part = part.divided((side, side), reduced);
        }
        Ok(Plan {
            part,
            size: scaled,
            orientation,
            reduction,
        })
    }

    /// Waits until there is so much memory.
    fn permit(&self, bytes: u64) -> Result<Option<Permit<'a>>> {
        let permit = match self.budget {
            Some(budget) => Some(budget.take(bytes, self.watch.context())?),
            None => None,
        };
        self.watch.check()?;
        Ok(permit)
    }

    fn profile(&mut self, icc: Option<&[u8]>) -> Option<Profile> {
        let icc = icc?;
        let profile = Profile::read(icc);
        if profile.is_none() {
            self.notes
                .push(String::from("its colour profile is broken; taken as sRGB"));
        }
        profile
    }

    fn profile_of(&mut self, opened: &Opened<'_>) -> Option<Profile> {
        match opened.code {
            Some(code) => self.coded(code),
            None => self.profile(opened.icc.as_deref()),
        }
    }

    fn coded(&mut self, code: Code) -> Option<Profile> {
        let profile = Profile::of_code(code);
        if profile.is_none() {
            self.notes.push(format!(
                "its colours are of code {} and {} (H.273); taken as sRGB",
                code.primaries, code.transfer
            ));
        }
        profile
    }

    fn flat(
        &mut self,
        raster: Raster,
        plan: &Plan,
        profile: Option<&Profile>,
        keeps_icc: bool,
    ) -> Result<Flat> {
        let watch = self.watch;
        watch.check()?;
        // Kept, the profile says what the colours are: they stay as they are.
        let stays = keeps_icc && raster.channels() >= 3 && !raster.cmyk;
        let profile = profile.filter(|profile| !stays && !profile.is_srgb());
        let raster = resize(raster, plan.part, plan.size, self.options.linear_light)
            .map_err(|message| Error::unsupported(watch.name(), message))?;
        watch.check()?;
        let (mut flat, followed) = flatten(raster, profile);
        if !followed {
            self.notes.push(String::from(
                "its colour profile is not for its colours; taken as sRGB",
            ));
        }
        let pixel = if flat.alpha { 4 } else { 3 };
        (flat.samples, flat.size) = plan.orientation.apply(flat.samples, flat.size, pixel);
        Ok(flat)
    }

    fn finish(&self, ready: Ready, icc: Option<Vec<u8>>, exif: Option<Vec<u8>>) -> Result<Made> {
        self.watch.check()?;
        let size = ready.size();
        Ok(Made {
            coded: encode(ready, self.options, self.watch)?,
            size,
            icc,
            exif: self.kept_exif(exif),
        })
    }

    /// EXIF as it is kept: the picture lies upright now.
    fn kept_exif(&self, exif: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let mut exif = exif.filter(|_| self.options.keep.exif)?;
        // Nothing is removed where there is none.
        let _ = image::metadata::Orientation::remove_from_exif_chunk(&mut exif);
        Some(exif)
    }
}

pub(super) fn orientation_of(exif: &[u8]) -> Option<u8> {
    image::metadata::Orientation::from_exif_chunk(exif).map(image::metadata::Orientation::to_exif)
}
