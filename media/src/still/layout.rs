//! The rule of sizes: what part of a frame becomes how large a picture.

use crate::av::frame::Rect;

use super::style::{Fit, Size};
use super::turn::Turn;

/// How a frame becomes a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The part of the frame that is shown, in its own pixels.
    pub(crate) shown: Rect,
    /// The size to which that is scaled, before it is turned.
    pub(crate) scaled: (i32, i32),
}

impl Layout {
    /// For a frame of `coded` pixels, each `aspect.0` wide to `aspect.1` high,
    /// that is turned by `turn` to be seen upright. The picture's pixels are
    /// square, and none of its sides is zero.
    pub(crate) fn new(
        coded: (i32, i32),
        aspect: (i32, i32),
        turn: Turn,
        size: Option<Size>,
        fit: Fit,
    ) -> Self {
        let pixel = f64::from(aspect.0.max(1)) / f64::from(aspect.1.max(1));
        // Squared by enlarging, so that nothing is lost.
        let (wider, higher) = (pixel.max(1.0), (1.0 / pixel).max(1.0));
        let seen = turn.swapped((f64::from(coded.0) * wider, f64::from(coded.1) * higher));
        let mut shown = (coded.0, coded.1);
        let upright = match size.map(|size| (size.width(), size.height())) {
            None | Some((None, None)) => seen,
            Some((Some(width), None)) => {
                let width = f64::from(width);
                (width, seen.1 * width / seen.0)
            }
            Some((None, Some(height))) => {
                let height = f64::from(height);
                (seen.0 * height / seen.1, height)
            }
            Some((Some(width), Some(height))) => {
                let wanted = (f64::from(width), f64::from(height));
                let (across, down) = (wanted.0 / seen.0, wanted.1 / seen.1);
                match fit {
                    Fit::Stretch => wanted,
                    Fit::Contain => {
                        let scale = across.min(down);
                        (seen.0 * scale, seen.1 * scale)
                    }
                    Fit::Cover => {
                        let scale = across.max(down);
                        let part = turn.swapped((across / scale, down / scale));
                        shown = (
                            pixels(f64::from(coded.0) * part.0).min(coded.0),
                            pixels(f64::from(coded.1) * part.1).min(coded.1),
                        );
                        wanted
                    }
                }
            }
        };
        let scaled = turn.swapped(upright);
        Self {
            shown: Rect {
                left: (coded.0 - shown.0) / 2,
                top: (coded.1 - shown.1) / 2,
                width: shown.0,
                height: shown.1,
            },
            scaled: (pixels(scaled.0), pixels(scaled.1)),
        }
    }

    /// The same, no larger than what is shown of the frame; the shape stays.
    pub(crate) fn never_larger(self) -> Self {
        self.within((self.shown.width, self.shown.height))
    }

    /// The same, in a box of this size; the shape stays.
    pub(crate) fn within(mut self, (width, height): (i32, i32)) -> Self {
        let across = f64::from(width) / f64::from(self.scaled.0);
        let down = f64::from(height) / f64::from(self.scaled.1);
        let scale = across.min(down);
        if scale < 1.0 {
            self.scaled = (
                pixels(f64::from(self.scaled.0) * scale).min(width),
                pixels(f64::from(self.scaled.1) * scale).min(height),
            );
        }
        self
    }
}

/// To the nearest whole pixel, and one at least.
#[allow(clippy::cast_possible_truncation)] // a float clamps
fn pixels(value: f64) -> i32 {
    (value.round() as i32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(coded: (i32, i32), aspect: (i32, i32), turn: i32, size: &str, fit: Fit) -> Layout {
        let size = (!size.is_empty()).then(|| size.parse().expect("a size"));
        Layout::new(coded, aspect, Turn::by(turn), size, fit)
    }

    fn scaled(coded: (i32, i32), aspect: (i32, i32), turn: i32, size: &str) -> (i32, i32) {
        layout(coded, aspect, turn, size, Fit::Contain).scaled
    }

    #[test]
    fn one_side_follows_the_other() {
        assert_eq!(scaled((1920, 1080), (1, 1), 0, ""), (1920, 1080));
        assert_eq!(scaled((1920, 1080), (1, 1), 0, "320x"), (320, 180));
        assert_eq!(scaled((1920, 1080), (1, 1), 0, "x240"), (427, 240));
        assert_eq!(scaled((1920, 1080), (1, 1), 0, "320x240"), (320, 180));
        assert_eq!(scaled((1920, 2), (1, 1), 0, "100x"), (100, 1));
    }

    #[test]
    fn pixels_become_square() {
        // PAL widescreen: 720x576 shown as 1024x576.
        assert_eq!(scaled((720, 576), (64, 45), 0, ""), (1024, 576));
        assert_eq!(scaled((720, 576), (64, 45), 0, "x288"), (512, 288));
        assert_eq!(scaled((100, 100), (1, 2), 0, ""), (100, 200));
    }

    #[test]
    fn a_turned_frame_is_measured_upright() {
        // Upright 1080x1920, so 180x320, which is 320x180 before it is turned.
        assert_eq!(scaled((1920, 1080), (1, 1), 90, "180x"), (320, 180));
        let cover = layout((1920, 1080), (1, 1), 90, "100x100", Fit::Cover);
        assert_eq!(cover.scaled, (100, 100));
        assert_eq!((cover.shown.width, cover.shown.height), (1080, 1080));
        assert_eq!((cover.shown.left, cover.shown.top), (420, 0));
    }

    #[test]
    fn nothing_is_enlarged_where_that_is_not_wanted() {
        let kept = |size, fit| {
            layout((300, 200), (1, 1), 0, size, fit)
                .never_larger()
                .scaled
        };
        assert_eq!(kept("600x600", Fit::Contain), (300, 200));
        assert_eq!(kept("150x", Fit::Contain), (150, 100));
        assert_eq!(kept("600x600", Fit::Cover), (200, 200));
        assert_eq!(kept("100x100", Fit::Cover), (100, 100));
        assert_eq!(kept("600x100", Fit::Stretch), (300, 50));
        let long = layout((30_000, 3), (1, 1), 0, "", Fit::Contain);
        assert_eq!(long.within((16383, 16383)).scaled, (16383, 2));
    }

    #[test]
    fn cover_cuts_off_and_stretch_does_not_ask() {
        let cover = layout((1920, 1080), (1, 1), 0, "320x240", Fit::Cover);
        assert_eq!(cover.scaled, (320, 240));
        assert_eq!((cover.shown.left, cover.shown.width), (240, 1440));
        let high = layout((1920, 1080), (1, 1), 0, "320x90", Fit::Cover);
        assert_eq!((high.shown.top, high.shown.height), (270, 540));
        let stretch = layout((1920, 1080), (1, 1), 0, "10x900", Fit::Stretch);
        assert_eq!(stretch.scaled, (10, 900));
        assert_eq!((stretch.shown.width, stretch.shown.height), (1920, 1080));
    }
}
