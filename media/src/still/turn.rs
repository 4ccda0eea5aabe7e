//! Turning a picture by right angles.

use crate::av::code::Code;
use crate::av::frame::Frame;

/// By how much a picture is turned clockwise to be seen upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    None,
    Right,
    Half,
    Left,
}

impl Turn {
    /// By so many degrees, to the nearest right angle.
    pub(crate) fn by(degrees: i32) -> Self {
        match (degrees.rem_euclid(360) + 45) / 90 {
            1 => Self::Right,
            2 => Self::Half,
            3 => Self::Left,
            _ => Self::None,
        }
    }

    /// Width and height after the turn, or before it.
    pub(crate) fn swapped<T>(self, (width, height): (T, T)) -> (T, T) {
        match self {
            Self::None | Self::Half => (width, height),
            Self::Right | Self::Left => (height, width),
        }
    }

    /// The picture turned. Its planes have a byte a pixel, or it has a single
    /// plane with `pixel` bytes each.
    pub(crate) fn apply(self, frame: Frame, pixel: usize) -> Result<Frame, Code> {
        if self == Self::None {
            return Ok(frame);
        }
        let (width, height) = self.swapped((frame.width(), frame.height()));
        let mut turned = Frame::picture(width, height, frame.format())?;
        turned.copy_description(&frame)?;
        for plane in 0..4 {
            let source: Vec<&[u8]> = frame.rows(plane).collect();
            self.rows(&source, turned.rows_mut(plane)?, pixel);
        }
        Ok(turned)
    }

    /// The rows of a picture with `pixel` bytes each, turned into the rows `to`.
    pub(crate) fn rows<'a>(
        self,
        from: &[&[u8]],
        to: impl Iterator<Item = &'a mut [u8]>,
        pixel: usize,
    ) {
        for (y, row) in to.enumerate() {
            for (x, to) in row.chunks_exact_mut(pixel).enumerate() {
                if let Some(from) = self.source(from, x, y, pixel) {
                    to.copy_from_slice(from);
                }
            }
        }
    }

    /// The pixel that comes to (x, y).
    fn source<'a>(self, rows: &[&'a [u8]], x: usize, y: usize, pixel: usize) -> Option<&'a [u8]> {
        let far = |place: usize, length: usize| length.checked_sub(place + 1);
        let width = rows.first()?.len() / pixel;
        let (row, column) = match self {
            Self::None => (y, x),
            Self::Right => (far(x, rows.len())?, y),
            Self::Half => (far(y, rows.len())?, far(x, width)?),
            Self::Left => (x, far(y, width)?),
        };
        rows.get(row)?.get(column * pixel..(column + 1) * pixel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::av::scale::format_number;

    #[test]
    fn every_turn_is_clockwise() {
        let mut frame = Frame::picture(3, 2, format_number("gray")).expect("a frame");
        for (row, bytes) in frame.rows_mut(0).expect("rows").zip([b"abc", b"def"]) {
            row.copy_from_slice(bytes);
        }
        for (degrees, expected) in [
            (0, &["abc", "def"][..]),
            (90, &["da", "eb", "fc"]),
            (180, &["fed", "cba"]),
            (270, &["cf", "be", "ad"]),
            (-90, &["cf", "be", "ad"]),
            (359, &["abc", "def"]),
        ] {
            let copy = frame.share().expect("a frame");
            let turned = Turn::by(degrees).apply(copy, 1).expect("turned");
            let rows: Vec<_> = turned.rows(0).map(String::from_utf8_lossy).collect();
            assert_eq!(rows, expected, "{degrees}");
        }
    }
}
