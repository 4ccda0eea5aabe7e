//! EXIF's orientation: how a picture lies, and how it is put upright.

use crate::still::Turn;

/// How a picture is put upright: mirrored left to right, then turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orientation {
    mirrored: bool,
    pub(super) turn: Turn,
}

impl Orientation {
    /// By EXIF's number (tag 274), from 1 to 8; any other is upright.
    pub(super) fn of_exif(number: u8) -> Self {
        let (mirrored, turn) = match number {
            2 => (true, Turn::None),
            3 => (false, Turn::Half),
            4 => (true, Turn::Half),
            5 => (true, Turn::Left),
            6 => (false, Turn::Right),
            7 => (true, Turn::Right),
            8 => (false, Turn::Left),
            _ => (false, Turn::None),
        };
        Self { mirrored, turn }
    }

    /// The samples of a picture `width` x `height`, with `pixel` bytes each,
    /// put upright; and its size then.
    pub(super) fn apply(
        self,
        mut samples: Vec<u8>,
        (width, height): (u32, u32),
        pixel: usize,
    ) -> (Vec<u8>, (u32, u32)) {
        let row = usize::try_from(width).unwrap_or(0) * pixel;
        if row == 0 {
            return (samples, (width, height));
        }
        if self.mirrored {
            for row in samples.chunks_exact_mut(row) {
                mirror(row, pixel);
            }
        }
        if self.turn == Turn::None {
            return (samples, (width, height));
        }
        let size = self.turn.swapped((width, height));
        let turned_row = usize::try_from(size.0).unwrap_or(0) * pixel;
        let rows: Vec<&[u8]> = samples.chunks_exact(row).collect();
        let mut turned = vec![0; samples.len()];
        self.turn
            .rows(&rows, turned.chunks_exact_mut(turned_row.max(1)), pixel);
        (turned, size)
    }
}

fn mirror(row: &mut [u8], pixel: usize) {
    let middle = row.len() / pixel / 2 * pixel;
    let from = row.len() - middle;
    let (left, rest) = row.split_at_mut(middle);
    let Some(right) = rest.get_mut(from - middle..) else {
        return;
    };
    let pairs = left
        .chunks_exact_mut(pixel)
        .zip(right.chunks_exact_mut(pixel).rev());
    for (left, right) in pairs {
        left.swap_with_slice(right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_eight() {
        // Upright it is ab / cd / ef; how it lies in the file for each number.
        for (number, lying, width) in [
            (1, "abcdef", 2),
            (2, "badcfe", 2),
            (3, "fedcba", 2),
            (4, "efcdab", 2),
            (5, "acebdf", 3),
            (6, "bdface", 3),
            (7, "fdbeca", 3),
            (8, "ecafdb", 3),
            (0, "abcdef", 2),
            (9, "abcdef", 2),
        ] {
            for pixel in [1, 3] {
                let wide = |text: &str| -> Vec<u8> {
                    text.bytes().flat_map(|byte| vec![byte; pixel]).collect()
                };
                let (upright, size) =
                    Orientation::of_exif(number).apply(wide(lying), (width, 6 / width), pixel);
                assert_eq!((upright, size), (wide("abcdef"), (2, 3)), "{number}");
            }
        }
    }
}
