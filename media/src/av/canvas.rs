//! What a picture is, told alike by a stream's header and by a frame.

use super::ffi;
use super::frame::Frame;
use super::parameters::Parameters;
use super::scale::pixel_format;

/// A picture's size, format and colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Canvas {
    pub(crate) width: i32,
    pub(crate) height: i32,
    /// The pixel format's number, negative where it is not known.
    pub(crate) format: i32,
    /// A sample's width to its height; 1:1 where it is not known.
    pub(crate) aspect: (i32, i32),
    /// Black is 0 and white 255.
    pub(crate) full_range: bool,
    /// PQ or HLG.
    pub(crate) high_dynamic_range: bool,
    /// The numbers of ISO/IEC 23091-2, 2 where they are not known.
    pub(crate) matrix: i32,
    pub(crate) primaries: i32,
    pub(crate) interlaced: bool,
}

impl Canvas {
    pub(crate) fn of_stream(parameters: &Parameters) -> Self {
        let inner = parameters.get();
        Self::of(
            (inner.width, inner.height, inner.format),
            inner.sample_aspect_ratio,
            (inner.color_range, inner.color_trc),
            (inner.color_space as i32, inner.color_primaries as i32),
            parameters.is_interlaced(),
        )
    }

    pub(crate) fn of_frame(frame: &Frame) -> Self {
        // SAFETY: a valid frame, borrowed.
        let inner = unsafe { &*frame.as_ptr() };
        Self::of(
            (inner.width, inner.height, inner.format),
            inner.sample_aspect_ratio,
            (inner.color_range, inner.color_trc),
            (inner.colorspace as i32, inner.color_primaries as i32),
            inner.interlaced_frame != 0,
        )
    }

    fn of(
        (width, height, format): (i32, i32, i32),
        aspect: ffi::AVRational,
        (range, transfer): (ffi::AVColorRange, ffi::AVColorTransferCharacteristic),
        (matrix, primaries): (i32, i32),
        interlaced: bool,
    ) -> Self {
        use ffi::AVColorTransferCharacteristic as Transfer;
        let old_full_range = super::scale::format_name(format).starts_with("yuvj");
        let high = matches!(
            transfer,
            Transfer::AVCOL_TRC_SMPTE2084 | Transfer::AVCOL_TRC_ARIB_STD_B67
        );
        // 1:0 and 0:1 both mean that it is not known; beyond 1:100 it is broken.
        let known = aspect.num > 0
            && aspect.den > 0
            && aspect.num / aspect.den < 100
            && aspect.den / aspect.num < 100;
        Self {
            width,
            height,
            format,
            aspect: if known {
                (aspect.num, aspect.den)
            } else {
                (1, 1)
            },
            full_range: old_full_range || range == ffi::AVColorRange::AVCOL_RANGE_JPEG,
            high_dynamic_range: high,
            matrix,
            primaries,
            interlaced,
        }
    }

    /// How the pixel format samples colours.
    pub(crate) fn sampling(&self) -> Sampling {
        Sampling::of(self.format)
    }
}

/// What a pixel format holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sampling {
    /// Bits of one sample.
    pub(crate) depth: i32,
    /// Binary logarithms of how many pixels share a colour, across and down.
    pub(crate) chroma: (u32, u32),
    pub(crate) rgb: bool,
    pub(crate) alpha: bool,
}

impl Sampling {
    /// Of the pixel format with this number; 8 bits 4:2:0 where there is none.
    pub(crate) fn of(format: i32) -> Self {
        // SAFETY: returns a static description or null for every format.
        let description = unsafe { ffi::av_pix_fmt_desc_get(pixel_format(format)) };
        // SAFETY: null, or static.
        match unsafe { description.as_ref() } {
            Some(description) => Self {
                depth: description.comp[0].depth,
                chroma: (
                    u32::from(description.log2_chroma_w),
                    u32::from(description.log2_chroma_h),
                ),
                rgb: description.flags & u64::from(ffi::AV_PIX_FMT_FLAG_RGB as u32) != 0,
                alpha: description.flags & u64::from(ffi::AV_PIX_FMT_FLAG_ALPHA as u32) != 0,
            },
            None => Self {
                depth: 8,
                chroma: (1, 1),
                rgb: false,
                alpha: false,
            },
        }
    }
}

impl Sampling {
    /// What pictures of `other` lose in pictures like these, in words.
    pub(crate) fn loses(self, other: Self) -> Vec<&'static str> {
        let mut lost = Vec::new();
        if self.chroma.0 > other.chroma.0 || self.chroma.1 > other.chroma.1 {
            lost.push("colour details");
        }
        if self.depth < other.depth {
            lost.push("shades");
        }
        if other.alpha && !self.alpha {
            lost.push("transparent parts");
        }
        lost
    }
}

impl Parameters {
    /// Takes over a picture's size, format, shape and colours.
    pub(crate) fn set_picture(&mut self, of: &Frame) {
        self.set_size(of.width(), of.height());
        self.set_colours(of);
        let canvas = Canvas::of_frame(of);
        let term = |term: i32| u16::try_from(term).ok();
        let aspect = term(canvas.aspect.0).zip(term(canvas.aspect.1));
        self.set_aspect(aspect);
    }
}

impl Frame {
    /// Another frame with the same data, by reference.
    pub(crate) fn another(&self) -> Result<Self, super::code::Code> {
        let mut copy = Self::new();
        // SAFETY: `copy` is empty, both are valid.
        super::code::check(unsafe { ffi::av_frame_ref(copy.as_mut_ptr(), self.as_ptr()) })?;
        Ok(copy)
    }

    /// Gives its samples a shape, width to height.
    pub(crate) fn set_aspect(&mut self, (num, den): (i32, i32)) {
        // SAFETY: a valid frame, borrowed mutably.
        unsafe { (*self.as_mut_ptr()).sample_aspect_ratio = ffi::AVRational { num, den } };
    }

    /// Marks it as one picture rather than two fields, of square samples.
    pub(crate) fn set_progressive(&mut self) {
        // SAFETY: a valid frame, borrowed mutably.
        unsafe { (*self.as_mut_ptr()).interlaced_frame = 0 };
    }

    /// The luma plane's rows, where a sample is a byte and luma comes first.
    pub(crate) fn luma(&self) -> Vec<&[u8]> {
        let sampling = Sampling::of(self.format());
        if sampling.rgb || sampling.depth != 8 {
            return Vec::new();
        }
        let rows = usize::try_from(self.height()).unwrap_or(0);
        let width = usize::try_from(self.width()).unwrap_or(0);
        // SAFETY: a planar picture of 8 bits has `height` rows of `width` bytes
        // in its first plane, `linesize` apart, which live as long as the frame.
        unsafe {
            let frame = &*self.as_ptr();
            let stride = isize::try_from(frame.linesize[0]).unwrap_or(0);
            if frame.data[0].is_null() {
                return Vec::new();
            }
            (0..rows)
                .map(|row| {
                    let start = frame.data[0].offset(stride * isize::try_from(row).unwrap_or(0));
                    std::slice::from_raw_parts(start, width)
                })
                .collect()
        }
    }
}
