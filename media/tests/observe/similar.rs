//! How like the source a frame looks: SSIM on luma (Wang et al. 2004, in the 8x8 windows at a
//! step of 4 that ffmpeg's and x264's filters use).

use std::collections::BTreeMap;
use std::path::Path;

use super::shown::{Luma, watch};

const C1: f64 = 0.01 * 0.01 * 255.0 * 255.0 * 64.0 * 64.0;
const C2: f64 = 0.03 * 0.03 * 255.0 * 255.0 * 64.0 * 63.0;

/// SSIM, at most 1, of each of `result`'s frames to the frame with the same number in `source`,
/// by number. Both are decoded; `result` is held in memory as luma.
///
/// # Panics
/// If a number in `result` cannot be read or does not occur in `source`, or the sizes differ.
pub fn similarity(source: &Path, result: &Path, allowed: &[&str]) -> BTreeMap<u32, f64> {
    let mut wanted = BTreeMap::new();
    watch(result, &[], |index, reading, luma| {
        let number = reading.unwrap_or_else(|misread| panic!("frame {index}: {misread:?}"));
        wanted.insert(number, luma.clone());
    });
    let mut scores = BTreeMap::new();
    watch(source, allowed, |_, reading, luma| {
        if let Some((number, seen)) = reading
            .ok()
            .and_then(|number| wanted.get_key_value(&number))
        {
            scores.insert(*number, ssim(luma, seen));
        }
    });
    let strangers: Vec<_> = wanted
        .keys()
        .filter(|number| !scores.contains_key(number))
        .collect();
    assert!(
        strangers.is_empty(),
        "{}: frames {strangers:?} are not in it",
        source.display()
    );
    scores
}

/// The mean SSIM of two pictures.
pub fn ssim(first: &Luma, second: &Luma) -> f64 {
    assert_eq!(
        (first.width, first.height),
        (second.width, second.height),
        "sizes differ"
    );
    let (columns, rows) = (first.width / 4, first.height / 4);
    let blocks: Vec<[i64; 4]> = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (column, row)))
        .map(|(column, row)| sums(first, second, 4 * column, 4 * row))
        .collect();
    let mut total = 0.0;
    for row in 1..rows {
        for column in 1..columns {
            let at = row * columns + column;
            let four = [at, at - 1, at - columns, at - columns - 1];
            let [a, b, squares, product] = [0, 1, 2, 3]
                .map(|part| four.iter().map(|&block| blocks[block][part]).sum::<i64>() as f64);
            let variance = 64.0 * squares - a * a - b * b;
            let covariance = 64.0 * product - a * b;
            total += (2.0 * a * b + C1) * (2.0 * covariance + C2)
                / ((a * a + b * b + C1) * (variance + C2));
        }
    }
    total / ((rows - 1) * (columns - 1)) as f64
}

/// Over a 4x4 block: both sums, the sum of all squares, the sum of products.
fn sums(first: &Luma, second: &Luma, left: usize, top: usize) -> [i64; 4] {
    let mut sums = [0; 4];
    for y in top..top + 4 {
        let row = y * first.width + left..y * first.width + left + 4;
        for (&a, &b) in first.pixels[row.clone()].iter().zip(&second.pixels[row]) {
            let (a, b) = (i64::from(a), i64::from(b));
            sums = [
                sums[0] + a,
                sums[1] + b,
                sums[2] + a * a + b * b,
                sums[3] + a * b,
            ];
        }
    }
    sums
}
