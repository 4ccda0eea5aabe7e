//! A decoded frame becomes a picture: of its fields the first, in the colours
//! of a standard screen, scaled, and turned upright.

use crate::av::code::Code;
use crate::av::convert::{Converter, Target};
use crate::av::frame::Frame;
use crate::av::scale::format_number;
use crate::av::stream::Stream;
use crate::{Context, Result};

use super::layout::Layout;
use super::picture::check_size;
use super::style::{Format, Style};
use super::tone::ToneMap;
use super::turn::Turn;

/// Shapes the frames of one stream in one style.
pub(crate) struct Shaper {
    style: Style,
    turn: Turn,
    /// A pixel's width to its height, where the container tells.
    aspect: Option<(i32, i32)>,
    name: String,
    max_pixels: u64,
    /// The longest side that a picture has, in pixels.
    longest: Option<i32>,
    converter: Converter,
    flattened: Converter,
    gray: Converter,
    tone: ToneMap,
}

/// How much of a picture must be black, and how black, to be a black one: the
/// defaults of ffmpeg's `blackdetect` filter.
const BLACK_PART: f64 = 0.98;
const BLACKEST_LIGHT: u8 = 25; // a tenth of 255

impl Shaper {
    /// For frames of `stream`, a stream of the input `name`.
    pub(crate) fn new(style: Style, stream: &Stream, name: &str, context: &Context) -> Self {
        Self {
            turn: Turn::by(stream.rotation),
            aspect: stream.aspect,
            ..Self::upright(style, name, context)
        }
    }

    /// For frames of the input `name` that are upright already, and tell their
    /// shape themselves.
    pub(crate) fn upright(style: Style, name: &str, context: &Context) -> Self {
        Self {
            style,
            turn: Turn::by(0),
            aspect: None,
            name: name.to_owned(),
            max_pixels: context.limits().max_pixels,
            longest: None,
            converter: Converter::new(),
            flattened: Converter::new(),
            gray: Converter::new(),
            tone: ToneMap::new(context),
        }
    }

    /// The same; pictures that would be longer or higher than this are made
    /// smaller.
    pub(crate) fn within(mut self, longest: u32) -> Self {
        self.longest = Some(i32::try_from(longest).unwrap_or(i32::MAX));
        self
    }

    /// The picture, ready for [`encode`](super::encode).
    pub(crate) fn shape(&mut self, frame: &Frame) -> Result<Frame> {
        let aspect = self.aspect.or(frame.aspect()).unwrap_or((1, 1));
        // Beyond that it is a mistake of the file's, which players overlook.
        let aspect = if is_plausible(aspect) { aspect } else { (1, 1) };
        let coded = (frame.width(), frame.height());
        let mut layout = Layout::new(coded, aspect, self.turn, self.style.size, self.style.fit);
        if let Some(longest) = self.longest {
            layout = layout.within((longest, longest));
        }
        check_size(
            layout.scaled,
            self.style.format,
            self.max_pixels,
            &self.name,
        )?;
        let failed = |code: Code| code.failed(&self.name, "making the picture");
        let mut part = frame.cropped(layout.shown).map_err(failed)?;
        if part.is_interlaced()
            && let Ok(field) = part.first_field()
        {
            part = field;
        }
        if part.is_high_dynamic_range() {
            part = self.tone.apply(&part, layout.scaled, &self.name)?;
        }
        let drawn = self.draw(&part, layout.scaled);
        drawn.map_err(|code| code.failed(&self.name, "making the picture"))
    }

    fn draw(
        &mut self,
        part: &Frame,
        (width, height): (i32, i32),
    ) -> std::result::Result<Frame, Code> {
        let mut to = |format: &str, full_range| {
            let target = Target {
                width,
                height,
                format: format_number(format),
                full_range,
            };
            self.converter.convert(part, target)
        };
        let (picture, pixel) = match (self.style.format, part.has_alpha()) {
            (Format::Jpeg, false) => (to("yuvj420p", true)?, 1),
            (Format::Jpeg, true) => {
                let mut picture = to("rgba", true)?;
                flatten(&mut picture)?;
                let target = Target {
                    width,
                    height,
                    format: format_number("yuvj420p"),
                    full_range: true,
                };
                (self.flattened.convert(&picture, target)?, 1)
            }
            (Format::Png, false) => (to("rgb24", true)?, 3),
            (Format::Png, true) => (to("rgba", true)?, 4),
            (Format::WebP, false) => (to("yuv420p", false)?, 1),
            (Format::WebP, true) => (to("yuva420p", false)?, 1),
        };
        self.turn.apply(picture, pixel)
    }

    /// Whether nothing can be seen in a frame: at least 98 % of it is darker
    /// than a tenth of white.
    pub(crate) fn is_black(&mut self, frame: &Frame) -> Result<bool> {
        let target = Target {
            width: 128,
            height: 72,
            format: format_number("gray"),
            full_range: true,
        };
        let gray = self
            .gray
            .convert(frame, target)
            .map_err(|code| code.failed(&self.name, "looking at the picture"))?;
        let dark = |row: &[u8]| row.iter().filter(|&&light| light <= BLACKEST_LIGHT).count();
        let dark: usize = gray.rows(0).map(dark).sum();
        #[allow(clippy::cast_precision_loss)] // nine thousand pixels
        Ok(dark as f64 >= BLACK_PART * f64::from(target.width * target.height))
    }
}

/// Whether a pixel is at most sixteen times as wide as high, or as high as wide.
fn is_plausible((width, height): (i32, i32)) -> bool {
    let (width, height) = (i64::from(width), i64::from(height));
    width <= 16 * height && height <= 16 * width
}

/// Puts an `rgba` picture on black.
fn flatten(picture: &mut Frame) -> std::result::Result<(), Code> {
    for row in picture.rows_mut(0)? {
        for pixel in row.chunks_exact_mut(4) {
            if let [red, green, blue, alpha] = pixel {
                for light in [red, green, blue] {
                    let share = u16::from(*light) * u16::from(*alpha);
                    *light = u8::try_from((share + 127) / 255).unwrap_or(u8::MAX);
                }
                *alpha = u8::MAX;
            }
        }
    }
    Ok(())
}
