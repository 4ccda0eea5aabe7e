//! A picture's samples, read where the decoder put them.

use super::ffi;
use super::frame::Frame;
use super::scale::pixel_format;

/// How a pixel format keeps its samples, where that is a plane of bytes for
/// each of one brightness and two colour differences, or for brightness alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Whether there is a plane for each of the colour differences.
    pub(crate) coloured: bool,
    /// The logarithms of how much smaller those are, across and down.
    pub(crate) halvings: (u32, u32),
}

impl Layout {
    /// Of the pixel format with this number; `None` where it is another kind.
    pub(crate) fn of(format: i32) -> Option<Self> {
        // SAFETY: returns a static descriptor, or null.
        let descriptor = unsafe { ffi::av_pix_fmt_desc_get(pixel_format(format)) };
        if descriptor.is_null() {
            return None;
        }
        // SAFETY: not null, and static.
        let descriptor = unsafe { &*descriptor };
        let other = i64::from(
            ffi::AV_PIX_FMT_FLAG_RGB
                | ffi::AV_PIX_FMT_FLAG_PAL
                | ffi::AV_PIX_FMT_FLAG_HWACCEL
                | ffi::AV_PIX_FMT_FLAG_BITSTREAM
                | ffi::AV_PIX_FMT_FLAG_BE,
        );
        let parts = usize::from(descriptor.nb_components);
        // With one component more it is opacity, which is not looked at.
        let coloured = parts >= 3;
        let read = if coloured { 3 } else { 1 };
        let plain = (0..).zip(&descriptor.comp).take(read).all(|(at, part)| {
            part.plane == at && part.step == 1 && part.offset == 0 && part.depth == 8
        });
        if parts == 0 || descriptor.flags as i64 & other != 0 || !plain {
            return None;
        }
        Some(Self {
            coloured,
            halvings: (
                descriptor.log2_chroma_w.into(),
                descriptor.log2_chroma_h.into(),
            ),
        })
    }
}

/// The samples of a picture.
#[derive(Clone, Copy)]
pub(crate) struct Planes<'a> {
    frame: &'a Frame,
    pub(crate) layout: Layout,
    /// Of brightness, across and down.
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl<'a> Planes<'a> {
    /// Of a picture in a pixel format that has a [`Layout`], and some pixels.
    pub(crate) fn of(frame: &'a Frame) -> Option<Self> {
        let size = |side: i32| usize::try_from(side).ok().filter(|&side| side > 0);
        Some(Self {
            frame,
            layout: Layout::of(frame.format())?,
            width: size(frame.width())?,
            height: size(frame.height())?,
        })
    }

    /// A row of brightness (plane 0) or of a colour difference (1 and 2); empty
    /// where the picture has no such row.
    pub(crate) fn row(&self, plane: usize, row: usize) -> &'a [u8] {
        let (across, down) = match plane {
            0 => (0, 0),
            1 | 2 if self.layout.coloured => self.layout.halvings,
            _ => return &[],
        };
        let length = self.width.div_ceil(1 << across);
        if row >= self.height.div_ceil(1 << down) {
            return &[];
        }
        // SAFETY: a valid frame; the arrays have room for more planes than three.
        let (data, step) = unsafe {
            let fields = &*self.frame.as_ptr();
            (fields.data[plane], fields.linesize[plane])
        };
        let (Ok(step), Ok(row)) = (isize::try_from(step), isize::try_from(row)) else {
            return &[];
        };
        if data.is_null() || step.unsigned_abs() < length {
            return &[];
        }
        // SAFETY: the decoder gave each plane its rows, `step` bytes apart (up or
        // down), each with a byte for each sample; all of it lives as long as
        // the frame, and nobody writes to a decoded frame.
        unsafe { std::slice::from_raw_parts(data.offset(row * step), length) }
    }

    /// Whether the samples take the full range from 0 to 255.
    pub(crate) fn is_full_range(&self) -> bool {
        self.frame.is_full_range()
    }
}
