//! An animation becomes an animated WebP, a picture at a time.

use super::blocks::Film;
use super::colour::{Profile, flatten};
use super::decode::frames;
use super::encode::{Coded, as_small, refused};
use super::format::Format;
use super::options::{Coding, Options};
use super::plan::Plan;
use super::resize::resize;
use super::watch::Watch;
use crate::av::webp::Settings;
use crate::av::webp_animation::Animation;
use crate::{Error, Result};

/// What is shown for so short a time that browsers do not believe it, in
/// milliseconds, and what they show instead.
const UNBELIEVED: i32 = 10;
const INSTEAD: i32 = 100;

/// Refuses what has too many pictures, or all in all too many pixels.
pub(super) fn check(film: Film, (width, height): (u32, u32), watch: &Watch<'_>) -> Result<()> {
    let limits = &watch.context().limits().image;
    let frames = film.frames;
    if frames > limits.max_frames {
        return Err(Error::limit(
            watch.name(),
            format!("{frames} pictures; the limit is {}", limits.max_frames),
        ));
    }
    let pixels = u64::from(width) * u64::from(height) * frames;
    if pixels > limits.max_animation_pixels {
        return Err(Error::limit(
            watch.name(),
            format!(
                "{frames} pictures of {width}x{height} = {pixels} pixels; the limit is {}",
                limits.max_animation_pixels
            ),
        ));
    }
    Ok(())
}

/// The whole file.
pub(super) fn encode(
    format: Format,
    bytes: &[u8],
    film: Film,
    plan: &Plan,
    profile: Option<&Profile>,
    options: &Options,
    watch: &Watch<'_>,
) -> Result<Coded> {
    let most = match options.coding {
        Coding::Quality(quality) => quality.clamp(1, 100),
        Coding::Lossless => 100,
        Coding::Ssim(_) => {
            return Err(Error::unsupported(
                watch.name(),
                "an SSIM is not kept over an animation; give a quality, or take one picture of it",
            ));
        }
    };
    as_small(options, most, watch, |quality| {
        let settings = Settings {
            quality,
            effort: options.effort,
            lossless: options.coding == Coding::Lossless,
        };
        once(format, bytes, film, plan, profile, options, settings, watch)
    })
}

#[allow(clippy::too_many_arguments)] // one pass of `encode`, with its settings
fn once(
    format: Format,
    bytes: &[u8],
    film: Film,
    plan: &Plan,
    profile: Option<&Profile>,
    options: &Options,
    settings: Settings,
    watch: &Watch<'_>,
) -> Result<Vec<u8>> {
    let failed = |message| refused(message, watch);
    let mut animation = None;
    let mut time = 0_i32;
    let mut count = 0;
    for frame in frames(format, bytes, watch)? {
        watch.check()?;
        let (raster, shown) = frame?;
        count += 1;
        if count > film.frames {
            return Err(Error::malformed(
                watch.name(),
                "more pictures than its structure tells",
            ));
        }
        let raster = resize(raster, plan.part, plan.size, options.linear_light)
            .map_err(|message| Error::unsupported(watch.name(), message))?;
        let (flat, _) = flatten(raster, profile);
        let (samples, size) = plan.orientation.apply(flat.samples, flat.size, 4);
        let animation = match &mut animation {
            Some(animation) => animation,
            none => none.insert(Animation::new(size, film.plays, settings).map_err(failed)?),
        };
        animation.add(&samples, time).map_err(failed)?;
        let shown = if shown <= UNBELIEVED { INSTEAD } else { shown };
        time = time.saturating_add(shown);
    }
    let Some(animation) = animation else {
        return Err(Error::malformed(
            watch.name(),
            "an animation without pictures",
        ));
    };
    animation.finish(time).map_err(failed)
}
