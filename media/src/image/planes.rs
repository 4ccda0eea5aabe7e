//! The short way of a photo: a JPEG's own planes of luma and chroma, resized
//! and handed to WebP, which has the same ones, without a turn through RGB.

use fast_image_resize::Resizer;

use super::orientation::Orientation;
use super::resize::{Part, resize_plane};

/// The planes of a decoded JPEG file, in the full range of BT.601.
#[derive(Debug)]
pub(super) struct Planes {
    /// All planes, one behind the other, each in rows without gaps.
    pub(super) samples: Vec<u8>,
    /// The size of luma, which may be wider than the picture by some samples.
    pub(super) luma: (u32, u32),
    /// The size of each plane of chroma; without one it is gray.
    pub(super) chroma: Option<(u32, u32)>,
    /// How many pixels of luma there are to one of chroma, across and down.
    pub(super) ratio: (u8, u8),
}

/// 4:2:0 in the limited range of BT.601, in rows without gaps, as WebP has it.
#[derive(Debug)]
pub(super) struct Limited {
    pub(super) size: (u32, u32),
    pub(super) luma: Vec<u8>,
    pub(super) blue: Vec<u8>,
    pub(super) red: Vec<u8>,
}

impl Planes {
    /// The `part` of them in another size, put upright.
    pub(super) fn shape(
        &self,
        part: Part,
        size: (u32, u32),
        orientation: Orientation,
    ) -> Result<Limited, String> {
        let mut resizer = Resizer::new();
        let half = (size.0.div_ceil(2), size.1.div_ceil(2));
        let (luma, mut rest) = self.split(self.luma);
        let part = part.divided((1.0, 1.0), self.luma);
        let mut luma = resize_plane(&mut resizer, luma, self.luma, part, size)?;
        limit(&mut luma, 219, 0, 16);
        let (luma, upright) = orientation.apply(luma, size, 1);
        let mut chroma = [Vec::new(), Vec::new()];
        for plane in &mut chroma {
            *plane = match self.chroma {
                None => vec![128; samples(half)],
                Some(from) => {
                    let (here, behind) = rest.split_at_checked(samples(from)).unwrap_or_default();
                    rest = behind;
                    // A side of odd length has half a pixel of chroma more.
                    let grown = Part {
                        width: part.width * f64::from(half.0 * 2) / f64::from(size.0),
                        height: part.height * f64::from(half.1 * 2) / f64::from(size.1),
                        ..part
                    };
                    let ratio = (f64::from(self.ratio.0), f64::from(self.ratio.1));
                    let grown = grown.divided(ratio, from);
                    let mut plane = resize_plane(&mut resizer, here, from, grown, half)?;
                    limit(&mut plane, 224, 128, 128);
                    orientation.apply(plane, half, 1).0
                }
            };
        }
        let [blue, red] = chroma;
        Ok(Limited {
            size: upright,
            luma,
            blue,
            red,
        })
    }

    fn split(&self, first: (u32, u32)) -> (&[u8], &[u8]) {
        self.samples
            .split_at_checked(samples(first))
            .unwrap_or_default()
    }
}

/// How many samples a plane of this size has.
pub(super) fn samples((width, height): (u32, u32)) -> usize {
    usize::try_from(u64::from(width) * u64::from(height)).unwrap_or(usize::MAX)
}

/// From the full range to `range` steps, where `zero` becomes `base`.
fn limit(samples: &mut [u8], range: i32, zero: i32, base: i32) {
    let table: [u8; 256] = std::array::from_fn(|sample| {
        let sample = i32::try_from(sample).unwrap_or(0) - zero;
        let scaled = (sample * range * 2 + 255 * sample.signum()) / 510;
        u8::try_from((scaled + base).clamp(0, 255)).unwrap_or(u8::MAX)
    });
    for sample in samples {
        *sample = table.get(usize::from(*sample)).copied().unwrap_or(*sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let mut luma = [0, 255, 128, 1, 254];
        limit(&mut luma, 219, 0, 16);
        assert_eq!(luma, [16, 235, 126, 17, 234]);
        let mut chroma = [0, 255, 128, 129, 127];
        limit(&mut chroma, 224, 128, 128);
        assert_eq!(chroma, [16, 240, 128, 129, 127]);
    }
}
