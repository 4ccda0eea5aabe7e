//! What a frame's picture is, its rows, and views of parts of it.

use std::ffi::c_int;
use std::slice;

use super::super::code::{Code, check};
use super::super::scale::pixel_format;
use super::super::{ffi, text};
use super::Frame;

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

/// Where a plane lies: its first row, the step to the next one, and its size.
struct Plane {
    data: *mut u8,
    step: isize,
    bytes: usize,
    rows: usize,
}

impl Frame {
    /// The quantiser to encode it with, in FFmpeg's lambdas.
    pub(in crate::av) fn set_quality(&mut self, lambda: c_int) {
        self.get_mut().quality = lambda;
    }

    /// Another frame with the same data, shared.
    pub(crate) fn share(&self) -> Result<Self, Code> {
        let mut copy = Self::new();
        // SAFETY: both are valid; `copy` is empty.
        check(unsafe { ffi::av_frame_ref(copy.as_mut_ptr(), self.as_ptr()) })?;
        Ok(copy)
    }

    /// Whether its lines are of two fields, taken at two times.
    pub(crate) fn is_interlaced(&self) -> bool {
        self.get().interlaced_frame != 0
    }

    /// Whether luma and chroma go from 0 to 255 rather than from 16 to 235.
    pub(crate) fn is_full_range(&self) -> bool {
        self.get().color_range == ffi::AVColorRange::AVCOL_RANGE_JPEG
            || text_of(self.format()).starts_with("yuvj")
    }

    /// The number of the matrix between RGB and its planes (ISO/IEC 23091-2);
    /// 2 where it is not told.
    pub(crate) fn matrix(&self) -> i32 {
        self.get().colorspace as i32
    }

    /// Whether it holds more light than a standard screen shows: PQ or HLG.
    pub(crate) fn is_high_dynamic_range(&self) -> bool {
        matches!(
            self.get().color_trc,
            ffi::AVColorTransferCharacteristic::AVCOL_TRC_SMPTE2084
                | ffi::AVColorTransferCharacteristic::AVCOL_TRC_ARIB_STD_B67
        )
    }

    /// Whether its light is coded as HLG (ITU-R BT.2100).
    pub(crate) fn is_hybrid_log_gamma(&self) -> bool {
        self.get().color_trc == ffi::AVColorTransferCharacteristic::AVCOL_TRC_ARIB_STD_B67
    }

    /// Whether its pixels can be transparent.
    pub(crate) fn has_alpha(&self) -> bool {
        // SAFETY: returns a static descriptor or null for every format.
        let descriptor = unsafe { ffi::av_pix_fmt_desc_get(pixel_format(self.format())) };
        // SAFETY: not null, and static.
        !descriptor.is_null()
            && unsafe { (*descriptor).flags } & u64::from(ffi::AV_PIX_FMT_FLAG_ALPHA as u32) != 0
    }

    /// A pixel's width to its height, where the frame tells.
    pub(crate) fn aspect(&self) -> Option<(i32, i32)> {
        let aspect = self.get().sample_aspect_ratio;
        (aspect.num > 0 && aspect.den > 0).then_some((aspect.num, aspect.den))
    }

    /// The part of the picture in `rect`, as far as it lies inside; its corner
    /// moves to where a chroma sample begins.
    pub(crate) fn cropped(&self, rect: Rect) -> Result<Self, Code> {
        let mut part = self.share()?;
        let (width, height) = (self.width(), self.height());
        let inside = rect.left >= 0
            && rect.top >= 0
            && rect.width > 0
            && rect.height > 0
            && rect
                .left
                .checked_add(rect.width)
                .is_some_and(|right| right <= width)
            && rect
                .top
                .checked_add(rect.height)
                .is_some_and(|bottom| bottom <= height);
        if !inside {
            return Err(Code::INVALID);
        }
        let far = |value: i32| usize::try_from(value).unwrap_or(0);
        let fields = part.get_mut();
        fields.crop_left = far(rect.left);
        fields.crop_top = far(rect.top);
        fields.crop_right = far(width - rect.left - rect.width);
        fields.crop_bottom = far(height - rect.top - rect.height);
        let flags = ffi::AV_FRAME_CROP_UNALIGNED as c_int;
        // SAFETY: a valid frame whose crop lies inside it.
        check(unsafe { ffi::av_frame_apply_cropping(part.as_mut_ptr(), flags) })?;
        Ok(part)
    }

    /// The lines of the field that is shown first, as a picture of half the
    /// height; of an interlaced frame in 4:2:0 each field has chroma of its own.
    pub(crate) fn first_field(&self) -> Result<Self, Code> {
        let mut field = self.share()?;
        let bottom = self.get().top_field_first == 0;
        let planes: Vec<Plane> = (0..4).map_while(|index| self.plane(index)).collect();
        let fields = field.get_mut();
        let height = if bottom {
            fields.height / 2
        } else {
            (fields.height + 1) / 2
        };
        if height < 1 || planes.iter().any(|plane| plane.rows < 2) {
            return Err(Code::INVALID);
        }
        fields.height = height;
        for ((data, step), plane) in fields
            .data
            .iter_mut()
            .zip(&mut fields.linesize)
            .zip(&planes)
        {
            if bottom {
                // SAFETY: the plane has two rows at least.
                *data = unsafe { plane.data.offset(plane.step) };
            }
            *step *= 2;
        }
        fields.interlaced_frame = 0;
        Ok(field)
    }

    /// The bytes of each row of a plane; none where there is no such plane.
    pub(crate) fn rows(&self, plane: usize) -> impl Iterator<Item = &[u8]> {
        let plane = self.plane(plane);
        let rows = plane.as_ref().map_or(0, |plane| plane.rows);
        (0..rows).filter_map(move |row| {
            let plane = plane.as_ref()?;
            let row = isize::try_from(row).ok()?;
            // SAFETY: a plane has `rows` rows of `bytes` bytes, `step` apart,
            // which live as long as the frame, and nobody writes to them while
            // it is borrowed.
            Some(unsafe { slice::from_raw_parts(plane.data.offset(row * plane.step), plane.bytes) })
        })
    }

    /// Copies the data if others share it.
    pub(crate) fn make_own(&mut self) -> Result<(), Code> {
        // SAFETY: a valid frame.
        check(unsafe { ffi::av_frame_make_writable(self.as_mut_ptr()) }).map(drop)
    }

    /// The bytes of each row of a plane, for writing: they are the frame's own.
    pub(crate) fn rows_mut(
        &mut self,
        plane: usize,
    ) -> Result<impl Iterator<Item = &mut [u8]>, Code> {
        self.make_own()?;
        let plane = self.plane(plane);
        let rows = plane.as_ref().map_or(0, |plane| plane.rows);
        Ok((0..rows).filter_map(move |row| {
            let plane = plane.as_ref()?;
            let row = isize::try_from(row).ok()?;
            // SAFETY: as in `rows`; rows do not overlap, each is handed out
            // once, and the frame is borrowed mutably and shares its data with
            // no other.
            Some(unsafe {
                slice::from_raw_parts_mut(plane.data.offset(row * plane.step), plane.bytes)
            })
        }))
    }

    /// The first row of a plane and the step to the next one, for C.
    pub(in crate::av) fn plane_pointer(&self, plane: usize) -> Option<(*mut u8, c_int)> {
        let plane = self.plane(plane)?;
        Some((plane.data, c_int::try_from(plane.step).ok()?))
    }

    fn plane(&self, plane: usize) -> Option<Plane> {
        let fields = self.get();
        let format = pixel_format(fields.format);
        let index = c_int::try_from(plane).ok()?;
        // SAFETY: returns a static descriptor or null for every format.
        let descriptor = unsafe { ffi::av_pix_fmt_desc_get(format) };
        // SAFETY: a count for every format, negative for none.
        let planes = unsafe { ffi::av_pix_fmt_count_planes(format) };
        if descriptor.is_null() || index >= planes || fields.height <= 0 {
            return None;
        }
        // SAFETY: a known format; negative where the size is too large.
        let bytes = unsafe { ffi::av_image_get_linesize(format, fields.width, index) };
        // SAFETY: not null, and static.
        let chroma = unsafe { (*descriptor).log2_chroma_h };
        let shift = if matches!(index, 1 | 2) { chroma } else { 0 };
        let data = *fields.data.get(plane)?;
        let step = isize::try_from(*fields.linesize.get(plane)?).ok()?;
        let bytes = usize::try_from(bytes).ok()?;
        (!data.is_null() && bytes > 0 && bytes <= step.unsigned_abs()).then_some(Plane {
            data,
            step,
            bytes,
            rows: usize::try_from((fields.height + (1 << shift) - 1) >> shift).ok()?,
        })
    }
}

fn text_of(format: i32) -> &'static str {
    // SAFETY: returns a static string or null for every format.
    unsafe { text(ffi::av_get_pix_fmt_name(pixel_format(format))) }
}
