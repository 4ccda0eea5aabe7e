//! How like two pictures look: SSIM of luma (Wang et al. 2004), in the 8x8
//! windows at a step of 4 that FFmpeg's and x264's measures use.

const C1: f64 = 0.01 * 0.01 * 255.0 * 255.0 * 64.0 * 64.0;
const C2: f64 = 0.03 * 0.03 * 255.0 * 255.0 * 64.0 * 63.0;

/// The mean SSIM of two pictures of one size, in rows of luma; at most 1.
#[allow(clippy::cast_precision_loss)] // sums over 64 pixels
pub(crate) fn of_rows(one: &[&[u8]], other: &[&[u8]]) -> f64 {
    let width = one.first().map_or(0, |row| row.len());
    let (columns, rows) = (width / 4, one.len().min(other.len()) / 4);
    if columns < 2 || rows < 2 {
        // Too small for a window: alike or not.
        return if one == other { 1.0 } else { 0.0 };
    }
    let line = |row: usize| -> Vec<[i32; 4]> {
        let part = 4 * row..4 * row + 4;
        let pairs = one.get(part.clone()).into_iter().flatten();
        let pairs = pairs.zip(other.get(part).into_iter().flatten());
        let mut blocks = vec![[0; 4]; columns];
        for (one, other) in pairs {
            let quads = one.chunks_exact(4).zip(other.chunks_exact(4));
            for (block, (one, other)) in blocks.iter_mut().zip(quads) {
                for (&a, &b) in one.iter().zip(other) {
                    let (a, b) = (i32::from(a), i32::from(b));
                    block[0] += a;
                    block[1] += b;
                    block[2] += a * a + b * b;
                    block[3] += a * b;
                }
            }
        }
        blocks
    };
    let mut total = 0.0;
    let mut above = line(0);
    for row in 1..rows {
        let below = line(row);
        for (upper, lower) in above.windows(2).zip(below.windows(2)) {
            let part = |part: usize| {
                let sum: i32 = upper.iter().chain(lower).map(|block| block[part]).sum();
                f64::from(sum)
            };
            let (a, b, squares, product) = (part(0), part(1), part(2), part(3));
            let variance = 64.0 * squares - a * a - b * b;
            let covariance = 64.0 * product - a * b;
            total += (2.0 * a * b + C1) * (2.0 * covariance + C2)
                / ((a * a + b * b + C1) * (variance + C2));
        }
        above = below;
    }
    total / ((rows - 1) * (columns - 1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_one_and_noise_is_less() {
        let row: Vec<u8> = (0..64u8).map(|x| x.wrapping_mul(37)).collect();
        let other: Vec<u8> = (0..64u8).map(|x| x.wrapping_mul(91) ^ 0x5a).collect();
        let (same, noise) = (vec![&row[..]; 32], vec![&other[..]; 32]);
        assert!((of_rows(&same, &same) - 1.0).abs() < 1e-12);
        assert!(of_rows(&same, &noise) < 0.5);
    }
}
