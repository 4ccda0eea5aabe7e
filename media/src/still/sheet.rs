//! A sheet of pictures side by side.

use crate::av::code::Code;
use crate::av::frame::Frame;
use crate::av::scale::format_number;

use super::style::Format;

/// How tiles lie in sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// A tile's width and height, both even.
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Grid {
    /// How many tiles a full sheet holds.
    pub(super) fn tiles(self) -> usize {
        self.columns * self.rows
    }

    /// The sheet of a tile, and the tile's left and top edge in it.
    pub(super) fn place(self, tile: usize) -> (usize, usize, usize) {
        let within = tile % self.tiles();
        (
            tile / self.tiles(),
            within % self.columns * self.width,
            within / self.columns * self.height,
        )
    }

    /// The size of a sheet with so many tiles: no larger than they need.
    pub(super) fn size(self, tiles: usize) -> (usize, usize) {
        let columns = tiles.min(self.columns).max(1);
        let rows = tiles.div_ceil(self.columns).clamp(1, self.rows);
        (columns * self.width, rows * self.height)
    }
}

/// A black sheet of `width` x `height` pixels for pictures of `format`.
pub(super) fn black((width, height): (i32, i32), format: Format) -> Result<Frame, Code> {
    let (pixels, luma) = match format {
        Format::WebP => ("yuv420p", 16),
        Format::Jpeg | Format::Png => ("yuvj420p", 0),
    };
    let mut sheet = Frame::picture(width, height, format_number(pixels))?;
    for (plane, value) in [luma, 128, 128].into_iter().enumerate() {
        for row in sheet.rows_mut(plane)? {
            row.fill(value);
        }
    }
    Ok(sheet)
}

/// Copies a tile to (left, top), which are even.
pub(super) fn paste(
    sheet: &mut Frame,
    tile: &Frame,
    (left, top): (usize, usize),
) -> Result<(), Code> {
    for plane in 0..3 {
        let shift = usize::from(plane > 0);
        let (left, top) = (left >> shift, top >> shift);
        for (to, from) in sheet.rows_mut(plane)?.skip(top).zip(tile.rows(plane)) {
            if let Some(to) = to.get_mut(left..left + from.len()) {
                to.copy_from_slice(from);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_fill_sheets_row_by_row() {
        let grid = Grid {
            columns: 3,
            rows: 2,
            width: 160,
            height: 90,
        };
        assert_eq!(grid.place(0), (0, 0, 0));
        assert_eq!(grid.place(4), (0, 160, 90));
        assert_eq!(grid.place(6), (1, 0, 0));
        assert_eq!(grid.size(6), (480, 180));
        assert_eq!(grid.size(2), (320, 90));
        assert_eq!(grid.size(4), (480, 180));
    }
}
