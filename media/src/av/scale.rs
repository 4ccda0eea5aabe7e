//! `SwsContext`: a picture's size and pixel format.

use std::ptr;

use super::code::{Code, check};
use super::frame::Frame;
use super::{ffi, text};

/// Converts pictures to one size and format; does nothing to those that have
/// them already.
pub(crate) struct Scaler {
    context: *mut ffi::SwsContext,
    width: i32,
    height: i32,
    format: i32,
}

// SAFETY: the context belongs to this value alone.
unsafe impl Send for Scaler {}

impl Scaler {
    /// To `width` x `height` in the pixel format with this number.
    pub(crate) fn new(width: i32, height: i32, format: i32) -> Self {
        Self {
            context: ptr::null_mut(),
            width,
            height,
            format,
        }
    }

    /// The picture in this scaler's size and format.
    pub(crate) fn scale(&mut self, frame: Frame) -> Result<Frame, Code> {
        let same = frame.width() == self.width
            && frame.height() == self.height
            && frame.format() == self.format;
        if same {
            return Ok(frame);
        }
        // SAFETY: frees the old context if it does not fit, and returns one
        // that does, or null.
        self.context = unsafe {
            ffi::sws_getCachedContext(
                self.context,
                frame.width(),
                frame.height(),
                pixel_format(frame.format()),
                self.width,
                self.height,
                pixel_format(self.format),
                ffi::SWS_BICUBIC as i32 | ffi::SWS_ACCURATE_RND as i32,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            )
        };
        if self.context.is_null() {
            return Err(Code::INVALID);
        }
        let mut scaled = Frame::picture(self.width, self.height, self.format)?;
        scaled.copy_description(&frame)?;
        // SAFETY: both frames have the sizes and formats the context was made for.
        check(unsafe { ffi::sws_scale_frame(self.context, scaled.as_mut_ptr(), frame.as_ptr()) })?;
        Ok(scaled)
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: freed once, and null is fine.
        unsafe { ffi::sws_freeContext(self.context) };
    }
}

/// A pixel format by its number.
pub(super) fn pixel_format(number: i32) -> ffi::AVPixelFormat {
    let known = -1..ffi::AVPixelFormat::AV_PIX_FMT_NB as i32;
    if known.contains(&number) {
        // SAFETY: the enumeration has a variant for each number in that range.
        unsafe { std::mem::transmute::<i32, ffi::AVPixelFormat>(number) }
    } else {
        ffi::AVPixelFormat::AV_PIX_FMT_NONE
    }
}

/// A pixel format's name, empty for none.
pub(crate) fn format_name(number: i32) -> &'static str {
    // SAFETY: returns a static string or null for every format.
    unsafe { text(ffi::av_get_pix_fmt_name(pixel_format(number))) }
}

/// The number of the pixel format `name`, negative if there is none.
pub(crate) fn format_number(name: &str) -> i32 {
    let name = std::ffi::CString::new(name).unwrap_or_default();
    // SAFETY: a C string.
    unsafe { ffi::av_get_pix_fmt(name.as_ptr()) as i32 }
}
