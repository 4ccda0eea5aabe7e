//! A picture with six patches of known colours, three across and two down, so
//! that any turn or mirror of it is another picture.

/// A picture, its pixels in rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 4]>,
}

/// The patches, row by row.
pub const PATCHES: [[u8; 4]; 6] = [
    [200, 40, 40, 255],
    [40, 180, 60, 255],
    [50, 60, 200, 255],
    [220, 210, 60, 255],
    [40, 190, 200, 255],
    [120, 120, 120, 255],
];

impl Scene {
    pub fn new(width: usize, height: usize) -> Self {
        Self::of(width, height, |x, y| {
            PATCHES[(x * 3 / width) + 3 * (y * 2 / height)]
        })
    }

    pub fn of(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 4]) -> Self {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self {
            width,
            height,
            pixels: places.map(|(x, y)| pixel(x, y)).collect(),
        }
    }

    /// The same with each pixel changed.
    pub fn map(&self, change: impl Fn([u8; 4]) -> [u8; 4]) -> Self {
        Self {
            pixels: self.pixels.iter().copied().map(change).collect(),
            ..*self
        }
    }

    /// Hard to compress: noise of `depth` on the patches.
    pub fn noisy(width: usize, height: usize, depth: u64) -> Self {
        let plain = Self::new(width, height);
        let noise = |at: usize, sample: usize| {
            let roll = crate::fixture::hash(7, (at * 3 + sample) as u64) % (2 * depth + 1);
            roll as i32 - depth as i32
        };
        let pixels = plain.pixels.iter().enumerate().map(|(at, pixel)| {
            let [red, green, blue, alpha] = *pixel;
            let with =
                |light: u8, sample| (i32::from(light) + noise(at, sample)).clamp(0, 255) as u8;
            [with(red, 0), with(green, 1), with(blue, 2), alpha]
        });
        Self {
            pixels: pixels.collect(),
            ..plain
        }
    }

    pub fn at(&self, x: usize, y: usize) -> [u8; 4] {
        self.pixels[y * self.width + x]
    }

    /// As it lies in a file whose EXIF says `orientation`, so that it is seen
    /// as it is here.
    pub fn lying(&self, orientation: u8) -> Self {
        let (width, height) = match orientation {
            5..=8 => (self.height, self.width),
            _ => (self.width, self.height),
        };
        let (right, bottom) = (self.width - 1, self.height - 1);
        Self::of(width, height, |x, y| match orientation {
            2 => self.at(right - x, y),
            3 => self.at(right - x, bottom - y),
            4 => self.at(x, bottom - y),
            5 => self.at(y, x),
            6 => self.at(right - y, x),
            7 => self.at(right - y, bottom - x),
            8 => self.at(y, bottom - x),
            _ => self.at(x, y),
        })
    }

    pub fn rgb(&self) -> Vec<u8> {
        let rgb = self.pixels.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]);
        rgb.collect()
    }

    pub fn rgba(&self) -> Vec<u8> {
        self.pixels.concat()
    }
}
