//! How like two pictures are: the SSIM of their luma.
//!
//! Wang et al., "Image Quality Assessment: From Error Visibility to Structural
//! Similarity", 2004; over windows of 8 x 8, each 4 pixels from the last, as
//! ffmpeg's `ssim` filter has them.

const WINDOW: usize = 8;
const STEP: usize = 4;

/// Luma in rows without gaps.
#[derive(Clone, Copy)]
pub(super) struct Luma<'a> {
    pub(super) width: usize,
    pub(super) samples: &'a [u8],
}

/// 1 for pictures that are the same. Both are of one size.
#[allow(clippy::cast_precision_loss)] // sums of 64 samples
pub(super) fn ssim(one: Luma<'_>, other: Luma<'_>) -> f64 {
    let rows = |luma: Luma<'_>| luma.samples.len() / luma.width.max(1);
    let width = one.width.min(other.width);
    let height = rows(one).min(rows(other));
    let (mut sum, mut count) = (0.0, 0_u32);
    let places = |length: usize| (0..=length.saturating_sub(WINDOW)).step_by(STEP);
    for top in places(height) {
        for left in places(width) {
            let bottom = (top + WINDOW).min(height);
            let right = (left + WINDOW).min(width);
            let mut sums = [0_u64; 5];
            for y in top..bottom {
                let row = |luma: Luma<'_>| {
                    let start = y * luma.width;
                    start + left..start + right
                };
                let a = one.samples.get(row(one)).unwrap_or_default();
                let b = other.samples.get(row(other)).unwrap_or_default();
                for (&a, &b) in a.iter().zip(b) {
                    let (a, b) = (u64::from(a), u64::from(b));
                    for (sum, term) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                        *sum += term;
                    }
                }
            }
            let pixels = ((bottom - top) * (right - left)) as f64;
            sum += window(sums.map(|sum| sum as f64), pixels);
            count += 1;
        }
    }
    if count == 0 {
        1.0
    } else {
        sum / f64::from(count)
    }
}

fn window([a, b, aa, bb, ab]: [f64; 5], pixels: f64) -> f64 {
    let (mean_a, mean_b) = (a / pixels, b / pixels);
    let variances = aa / pixels - mean_a * mean_a + bb / pixels - mean_b * mean_b;
    let covariance = ab / pixels - mean_a * mean_b;
    let (c1, c2) = ((0.01_f64 * 255.0).powi(2), (0.03_f64 * 255.0).powi(2));
    (2.0 * mean_a * mean_b + c1) * (2.0 * covariance + c2)
        / ((mean_a * mean_a + mean_b * mean_b + c1) * (variances + c2))
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
        assert!((0.9..0.999).contains(&seen), "{seen}");
        let flat = vec![128; 20 * 13];
        assert!(ssim(luma(&samples), luma(&flat)) < 0.1);
        let one = Luma {
            width: 1,
            samples: &[7],
        };
        assert!((ssim(one, one) - 1.0).abs() < 1e-12);
    }
}
