//! How like an image its coded form is, by their luma.

use crate::ssim::of_rows;

/// Luma in rows without gaps.
#[derive(Clone, Copy)]
pub(super) struct Luma<'a> {
    pub(super) width: usize,
    pub(super) samples: &'a [u8],
}

/// 1 for pictures that are the same. Both are of one size.
pub(super) fn ssim(one: Luma<'_>, other: Luma<'_>) -> f64 {
    let rows = [one, other].map(|luma| {
        luma.samples
            .chunks_exact(luma.width.max(1))
            .collect::<Vec<_>>()
    });
    of_rows(&rows[0], &rows[1])
}

/// The luma of RGB, or of RGBA with `pixel` 4, in the limited range of BT.601,
/// as libwebp makes it.
pub(super) fn luma_of(samples: &[u8], pixel: usize) -> Vec<u8> {
    let light = |pixel: &[u8]| {
        let weighted: u32 = pixel
            .iter()
            .zip([16839, 33059, 6420])
            .map(|(&sample, weight)| u32::from(sample) * weight)
            .sum();
        u8::try_from((weighted + (16 << 16) + (1 << 15)) >> 16).unwrap_or(u8::MAX)
    };
    samples.chunks_exact(pixel).map(light).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_and_another() {
        let samples: Vec<u8> = (0..=255).cycle().step_by(7).take(20 * 13).collect();
        let luma = |samples| Luma { width: 20, samples };
        assert!((ssim(luma(&samples), luma(&samples)) - 1.0).abs() < 1e-12);
        let noisy: Vec<u8> = samples.iter().map(|sample| sample ^ 0x0c).collect();
        let seen = ssim(luma(&samples), luma(&noisy));
        assert!((0.5..0.999).contains(&seen), "{seen}");
        let flat = vec![128; 20 * 13];
        assert!(ssim(luma(&samples), luma(&flat)) < 0.1);
        let one = Luma {
            width: 1,
            samples: &[7],
        };
        assert!((ssim(one, one) - 1.0).abs() < 1e-12);
    }
}
