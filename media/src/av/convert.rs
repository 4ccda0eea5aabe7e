//! `SwsContext` for single pictures: size, pixel format, range and matrix in
//! one step.

use std::ffi::c_int;
use std::ptr;

use super::code::{Code, check};
use super::ffi;
use super::frame::Frame;
use super::scale::pixel_format;

/// What a picture is to become. Its planes, where they are not RGB, are by the
/// matrix of BT.601, as JPEG (JFIF) and WebP want them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) width: i32,
    pub(crate) height: i32,
    /// The pixel format's number.
    pub(crate) format: i32,
    /// From 0 to 255 rather than from 16 to 235.
    pub(crate) full_range: bool,
}

/// What a picture was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin {
    width: i32,
    height: i32,
    format: i32,
    full_range: bool,
    matrix: c_int,
}

/// Converts pictures, and keeps what it worked out for the next one alike.
#[derive(Debug)]
pub(crate) struct Converter {
    context: *mut ffi::SwsContext,
    made_for: Option<(Origin, Target)>,
}

// SAFETY: the context belongs to this value alone.
unsafe impl Send for Converter {}

const BT709: c_int = 1;
const UNSPECIFIED: c_int = 2;

impl Converter {
    pub(crate) fn new() -> Self {
        Self {
            context: ptr::null_mut(),
            made_for: None,
        }
    }

    /// `frame` as `target` says. What the frame does not tell of its colours is
    /// taken as players do: BT.709 above standard definition, else BT.601.
    pub(crate) fn convert(&mut self, frame: &Frame, target: Target) -> Result<Frame, Code> {
        let large = frame.width() >= 1280 || frame.height() > 576;
        let origin = Origin {
            width: frame.width(),
            height: frame.height(),
            format: frame.format(),
            full_range: frame.is_full_range(),
            matrix: match frame.matrix() {
                UNSPECIFIED | 0 if large => BT709,
                UNSPECIFIED | 0 => ffi::SWS_CS_ITU601 as c_int,
                told => told,
            },
        };
        if self.made_for != Some((origin, target)) {
            self.prepare(origin, target)?;
        }
        let mut converted = Frame::picture(target.width, target.height, target.format)?;
        // SAFETY: both frames have the sizes and formats the context was made for.
        check(unsafe {
            ffi::sws_scale_frame(self.context, converted.as_mut_ptr(), frame.as_ptr())
        })?;
        Ok(converted)
    }

    fn prepare(&mut self, origin: Origin, target: Target) -> Result<(), Code> {
        self.made_for = None;
        // SAFETY: null is fine, and what was there is freed once.
        unsafe { ffi::sws_freeContext(self.context) };
        // SAFETY: returns a context of its own, or null.
        self.context = unsafe {
            ffi::sws_getContext(
                origin.width,
                origin.height,
                pixel_format(origin.format),
                target.width,
                target.height,
                pixel_format(target.format),
                ffi::SWS_BICUBIC as c_int | ffi::SWS_ACCURATE_RND as c_int,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            )
        };
        if self.context.is_null() {
            return Err(Code::INVALID);
        }
        // SAFETY: a context just made; the tables are static. It fails where
        // neither side has a matrix, which is fine.
        unsafe {
            ffi::sws_setColorspaceDetails(
                self.context,
                ffi::sws_getCoefficients(origin.matrix),
                c_int::from(origin.full_range),
                ffi::sws_getCoefficients(ffi::SWS_CS_ITU601 as c_int),
                c_int::from(target.full_range),
                0,
                1 << 16,
                1 << 16,
            );
        }
        self.made_for = Some((origin, target));
        Ok(())
    }
}

impl Drop for Converter {
    fn drop(&mut self) {
        // SAFETY: freed once, and null is fine.
        unsafe { ffi::sws_freeContext(self.context) };
    }
}
