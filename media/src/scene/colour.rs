//! Hue, saturation and brightness of pixels, as `OpenCV`'s `COLOR_BGR2HSV` has
//! them for bytes: hue in half degrees (0 to 179), the others from 0 to 255.

use crate::av::planes::Planes;

use super::reduce::{Reducer, Strip};

/// Hue, saturation and brightness, a byte each for every pixel.
#[derive(Debug, Default)]
pub(super) struct Colours {
    pub(super) hue: Vec<u8>,
    pub(super) saturation: Vec<u8>,
    pub(super) brightness: Vec<u8>,
}

/// Pixels that are worked on together.
const LANES: usize = 16;

/// Red, green and blue of some pixels, whole numbers from 0 to 255.
type Pixels = [[f32; LANES]; 3];

impl Colours {
    /// Of a picture made small.
    ///
    /// The matrix is that of ITU-R BT.601 whatever the stream says: it is what
    /// `OpenCV` decodes with.
    pub(super) fn take(&mut self, picture: &Planes<'_>, reducer: &mut Reducer, strip: &mut Strip) {
        reducer.prepare(picture, strip);
        for plane in [&mut self.hue, &mut self.saturation, &mut self.brightness] {
            plane.resize(reducer.width * reducer.height, 0);
        }
        let matrix = Matrix::new(picture.is_full_range());
        let rows = self
            .hue
            .chunks_exact_mut(reducer.width)
            .zip(self.saturation.chunks_exact_mut(reducer.width))
            .zip(self.brightness.chunks_exact_mut(reducer.width));
        for (row, ((hue, saturation), brightness)) in rows.enumerate() {
            reducer.gather(picture, row, strip);
            matrix.convert(strip, [hue, saturation, brightness]);
        }
    }
}

/// Brightness and colour differences to red, green and blue, as libswscale does
/// it on its fast path, whose rounding shows in the hue of dark and grey pixels:
/// coefficients of 13 bits, and each product rounded down by itself.
struct Matrix {
    black: f32,
    brightness: f32,
    red: f32,
    green_blue: f32,
    green_red: f32,
    blue: f32,
}

impl Matrix {
    fn new(full_range: bool) -> Self {
        // ITU-R BT.601: red counts 0.299, blue 0.114. The usual range has 219
        // steps of brightness and 224 of colour.
        let (red, blue) = (0.299, 0.114);
        let green = 1.0 - red - blue;
        let (black, brightness, colour) = if full_range {
            (0.0, 1.0, 1.0)
        } else {
            (16.0, 255.0 / 219.0, 255.0 / 224.0)
        };
        let bits = |coefficient: f32| (coefficient * 8192.0).round() / 8192.0;
        Self {
            black,
            brightness: bits(brightness),
            red: bits(2.0 * (1.0 - red) * colour),
            green_blue: bits(-2.0 * (1.0 - blue) * blue / green * colour),
            green_red: bits(-2.0 * (1.0 - red) * red / green * colour),
            blue: bits(2.0 * (1.0 - blue) * colour),
        }
    }

    /// A row's hue, saturation and brightness.
    fn convert(&self, strip: &Strip, into: [&mut [u8]; 3]) {
        let [hue, saturation, brightness] = into;
        let parts = hue
            .chunks_mut(LANES)
            .zip(saturation.chunks_mut(LANES))
            .zip(brightness.chunks_mut(LANES));
        for (part, ((hue, saturation), brightness)) in parts.enumerate() {
            let from = part * LANES;
            let mut corners = strip.corners.iter().map(|corner| {
                let samples = [&corner.brightness, &corner.blue, &corner.red];
                self.colours(samples.map(|plane| lanes(plane, from)))
            });
            let Some(mut pixels) = corners.next() else {
                return;
            };
            if let (Some(right), Some(below), Some(opposite)) =
                (corners.next(), corners.next(), corners.next())
            {
                let weights = lanes(&strip.right, from);
                blend(&mut pixels, &right, &weights);
                let mut lower = below;
                blend(&mut lower, &opposite, &weights);
                blend(&mut pixels, &lower, &[strip.below; LANES]);
                for level in pixels.iter_mut().flatten() {
                    *level = (*level + ROUND) - ROUND;
                }
            }
            let result = describe(&pixels);
            let length = hue.len();
            hue.copy_from_slice(&result[0][..length]);
            saturation.copy_from_slice(&result[1][..length]);
            brightness.copy_from_slice(&result[2][..length]);
        }
    }

    /// Red, green and blue.
    fn colours(&self, [y, u, v]: [[u8; LANES]; 3]) -> Pixels {
        let mut pixels = [[0.0; LANES]; 3];
        for lane in 0..LANES {
            let light = whole((f32::from(y[lane]) - self.black) * self.brightness);
            let (u, v) = (f32::from(u[lane]) - 128.0, f32::from(v[lane]) - 128.0);
            let green = whole(self.green_blue * u) + whole(self.green_red * v);
            pixels[0][lane] = level(light + whole(self.red * v));
            pixels[1][lane] = level(light + green);
            pixels[2][lane] = level(light + whole(self.blue * u));
        }
        pixels
    }
}

/// So many neighbours of a plane from `from` on, filled up behind the last.
fn lanes<T: Copy + Default>(plane: &[T], from: usize) -> [T; LANES] {
    let rest = plane.get(from..).unwrap_or_default();
    if let Some(whole) = rest.first_chunk() {
        return *whole;
    }
    let mut lanes = [T::default(); LANES];
    for (lane, sample) in lanes.iter_mut().zip(rest) {
        *lane = *sample;
    }
    lanes
}

/// Moves colours towards `other` by the weights.
fn blend(pixels: &mut Pixels, other: &Pixels, weights: &[f32; LANES]) {
    for (colour, other) in pixels.iter_mut().zip(other) {
        for lane in 0..LANES {
            colour[lane] += (other[lane] - colour[lane]) * weights[lane];
        }
    }
}

/// Hue, saturation and brightness. No branch in it, and arrays of a known
/// length: the compiler makes vector instructions of it.
fn describe([r, g, b]: &Pixels) -> [[u8; LANES]; 3] {
    let mut out = [[0; LANES]; 3];
    for lane in 0..LANES {
        let (r, g, b) = (r[lane], g[lane], b[lane]);
        let most = larger(larger(r, g), b);
        let range = most - smaller(smaller(r, g), b);
        // Grey has neither; whatever stands above is zero then.
        let saturation = 255.0 * range / larger(most, 1.0);
        // The first of equals counts.
        #[allow(clippy::float_cmp)] // one of them was taken
        let sector = if most == r {
            g - b
        } else if most == g {
            b - r + 2.0 * range
        } else {
            r - g + 4.0 * range
        };
        let hue = 30.0 * sector / larger(range, 1.0);
        let hue = if hue < 0.0 { hue + 180.0 } else { hue };
        out[0][lane] = byte(hue);
        out[1][lane] = byte(saturation);
        out[2][lane] = byte(most);
    }
    out
}

/// Added to a small number, it leaves no room for a fraction: the number is
/// rounded, and stands in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// The next whole number below one of 13 binary places.
fn whole(value: f32) -> f32 {
    // A little less than a half: what is whole already stays.
    (value - 0.499_95 + ROUND) - ROUND
}

/// Within the range of a byte.
fn level(value: f32) -> f32 {
    smaller(larger(value, 0.0), 255.0)
}

/// Of two numbers. Unlike `f32::max` it minds no NaN, which there is none of: it
/// is one instruction.
fn larger(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
}

fn smaller(one: f32, other: f32) -> f32 {
    if one < other { one } else { other }
}

/// The nearest whole number of one from 0 to 255.
#[allow(clippy::cast_possible_truncation)] // the lowest byte is meant
fn byte(value: f32) -> u8 {
    (value + ROUND).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::super::reduce::Samples;
    use super::*;

    fn pixel(y: u8, u: u8, v: u8, full_range: bool) -> [u8; 3] {
        let samples = Samples {
            brightness: vec![y; 17],
            blue: vec![u; 17],
            red: vec![v; 17],
        };
        let strip = Strip {
            corners: vec![samples],
            right: vec![0.0; 17],
            below: 0.0,
        };
        let mut planes = [[0; 17]; 3];
        let [hue, saturation, brightness] = &mut planes;
        Matrix::new(full_range).convert(&strip, [hue, saturation, brightness]);
        planes.map(|plane| plane[16])
    }

    #[test]
    fn primaries_are_where_they_should_be() {
        // The samples of pure red, green and blue in BT.601.
        for (samples, hue) in [
            ((81, 90, 240), 0),
            ((145, 54, 34), 60),
            ((41, 240, 110), 120),
        ] {
            let found = pixel(samples.0, samples.1, samples.2, false);
            assert!(found[0].abs_diff(hue) <= 1, "{samples:?}: {found:?}");
            assert!(found[1] >= 253 && found[2] >= 252, "{samples:?}: {found:?}");
        }
    }

    #[test]
    fn greys_have_no_colour() {
        assert_eq!(pixel(16, 128, 128, false), [0, 0, 0]);
        assert_eq!(pixel(235, 128, 128, false), [0, 0, 255]);
        assert_eq!(pixel(126, 128, 128, false), [0, 0, 128]);
        assert_eq!(pixel(255, 128, 128, true), [0, 0, 255]);
        assert_eq!(pixel(255, 128, 128, false), [0, 0, 255]);
    }
}
