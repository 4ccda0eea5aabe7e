//! A picture at the size in which scenes are compared, by the fewest samples.
//!
//! `PySceneDetect` has `OpenCV` scale pictures bilinearly to 256 pixels on their
//! longer side: each pixel of the result comes from at most four of the source,
//! whatever lies between them. So only those are read here, straight from the
//! decoder's planes. They are blended when they have become red, green and blue.

use crate::av::planes::{Layout, Planes};

/// How long the longer side becomes, in pixels.
const LONGEST: usize = 256;

/// Makes pictures small. All become equally large, as the first one did.
#[derive(Debug)]
pub(super) struct Reducer {
    pub(super) width: usize,
    pub(super) height: usize,
    /// The size and layout of the pictures that the taps are for.
    source: Option<(usize, usize, Layout)>,
    /// In brightness, and in the colour differences.
    across: Columns,
    across_colour: Columns,
    down: Vec<Tap>,
}

/// Where in a row samples are taken: the left and the right one for each.
#[derive(Debug, Default)]
struct Columns {
    low: Vec<usize>,
    high: Vec<usize>,
}

impl Columns {
    fn of(taps: &[Tap], halvings: u32) -> Self {
        Self {
            low: taps.iter().map(|tap| tap.low >> halvings).collect(),
            high: taps.iter().map(|tap| tap.high >> halvings).collect(),
        }
    }
}

/// Of which two neighbours a sample is made.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tap {
    low: usize,
    high: usize,
    /// How much the high one counts, from 0 to 1.
    weight: f32,
}

/// The samples from which one row of a small picture is made.
#[derive(Debug, Default)]
pub(super) struct Strip {
    /// Left and right of the row above and of the row below; the first alone
    /// where the others count nothing.
    pub(super) corners: Vec<Samples>,
    /// How much the right counts, at each pixel.
    pub(super) right: Vec<f32>,
    /// How much the row below counts.
    pub(super) below: f32,
}

/// Brightness and the two colour differences, a byte each for every pixel.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub(super) brightness: Vec<u8>,
    pub(super) blue: Vec<u8>,
    pub(super) red: Vec<u8>,
}

impl Reducer {
    /// For a first picture of this size, in pixels.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let longer = width.max(height).max(1);
        let reduced = |side: usize| match longer {
            LONGEST.. => nearest_even(side * LONGEST, longer).max(1),
            _ => side.max(1),
        };
        Self {
            width: reduced(width),
            height: reduced(height),
            source: None,
            across: Columns::default(),
            across_colour: Columns::default(),
            down: Vec::new(),
        }
    }

    /// Makes ready for pictures of this one's size, and `strip` too.
    pub(super) fn prepare(&mut self, picture: &Planes<'_>, strip: &mut Strip) {
        let source = (picture.width, picture.height, picture.layout);
        if Some(source) == self.source && !strip.corners.is_empty() {
            return;
        }
        self.source = Some(source);
        let across = taps(source.0, self.width);
        self.across = Columns::of(&across, 0);
        self.across_colour = Columns::of(&across, picture.layout.halvings.0);
        self.down = taps(source.1, self.height);
        strip.right = across.iter().map(|tap| tap.weight).collect();
        let mut all = across.iter().chain(&self.down);
        let corners = if all.all(|tap| tap.weight == 0.0) {
            1
        } else {
            4
        };
        strip.corners.clear();
        strip.corners.resize_with(corners, Samples::default);
    }

    /// Reads what row `row` of the small picture is made of.
    pub(super) fn gather(&self, picture: &Planes<'_>, row: usize, strip: &mut Strip) {
        let Some(rows) = self.down.get(row) else {
            return;
        };
        strip.below = rows.weight;
        for (corner, samples) in strip.corners.iter_mut().enumerate() {
            let line = if corner < 2 { rows.low } else { rows.high };
            let right = corner % 2 == 1;
            self.pick(picture, 0, line, right, &mut samples.brightness);
            if picture.layout.coloured {
                self.pick(picture, 1, line, right, &mut samples.blue);
                self.pick(picture, 2, line, right, &mut samples.red);
            } else {
                samples.blue.resize(self.width, 128);
                samples.red.resize(self.width, 128);
            }
        }
    }

    fn pick(
        &self,
        picture: &Planes<'_>,
        plane: usize,
        line: usize,
        right: bool,
        into: &mut Vec<u8>,
    ) {
        let (across, down) = match plane {
            0 => (&self.across, 0),
            _ => (&self.across_colour, picture.layout.halvings.1),
        };
        let line = picture.row(plane, line >> down);
        let columns = if right { &across.high } else { &across.low };
        into.clear();
        let sample = |&column: &usize| line.get(column).copied().unwrap_or(128);
        into.extend(columns.iter().map(sample));
    }
}

/// From which samples of `source` each of `count` comes: the centres of pixels
/// lie half a pixel from the edge.
fn taps(source: usize, count: usize) -> Vec<Tap> {
    let last = source.saturating_sub(1);
    (0..count)
        .map(|place| {
            // (place + 1/2) * source / count - 1/2, over a denominator.
            let over = 2 * count;
            let position = ((2 * place + 1) * source).saturating_sub(count);
            let (low, rest) = (position / over, position % over);
            #[allow(clippy::cast_precision_loss)] // far below 2^24
            let weight = rest as f32 / over as f32;
            Tap {
                low: low.min(last),
                high: (low + 1).min(last),
                weight,
            }
        })
        .collect()
}

/// The quotient to the nearest, a half to the even side, as Python's `round`.
fn nearest_even(over: usize, under: usize) -> usize {
    let (whole, rest) = (over / under, over % under);
    let up = match (2 * rest).cmp(&under) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => whole % 2,
        std::cmp::Ordering::Greater => 1,
    };
    whole + up
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: usize, height: usize) -> (usize, usize) {
        let reducer = Reducer::new(width, height);
        (reducer.width, reducer.height)
    }

    #[test]
    fn the_longer_side_becomes_256() {
        assert_eq!(size(1280, 720), (256, 144));
        assert_eq!(size(720, 1280), (144, 256));
        assert_eq!(size(640, 272), (256, 109));
        assert_eq!(size(768, 576), (256, 192));
        assert_eq!(size(4096, 1), (256, 1));
        assert_eq!(size(255, 100), (255, 100));
        assert_eq!(size(16, 16), (16, 16));
    }

    #[test]
    fn an_odd_whole_factor_takes_the_middle_sample() {
        let taps = taps(1280, 256);
        assert!(taps.iter().all(|tap| tap.weight == 0.0));
        assert_eq!(taps[0].low, 2);
        assert_eq!(taps[255].low, 1277);
    }

    #[test]
    fn an_even_factor_takes_the_mean_of_two() {
        let taps = taps(512, 256);
        assert!(taps.iter().all(|tap| (tap.weight - 0.5).abs() < 1e-6));
        assert_eq!((taps[3].low, taps[3].high), (6, 7));
        let same = super::taps(100, 100);
        assert!(same.iter().enumerate().all(|(at, tap)| tap.low == at));
    }

    #[test]
    fn halves_go_to_the_even_side() {
        assert_eq!(nearest_even(5, 2), 2);
        assert_eq!(nearest_even(7, 2), 4);
        assert_eq!(nearest_even(8, 3), 3);
    }
}
