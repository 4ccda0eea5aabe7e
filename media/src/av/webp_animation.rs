//! libwebp: pictures one after another as one animated WebP.

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::ptr;

use libwebp_sys as webp;

use super::webp::{Canvas, LONGEST, Settings, config, unexpected};

/// Takes pictures of one size, each with the time at which it is shown.
pub(crate) struct Animation {
    encoder: *mut webp::WebPAnimEncoder,
    config: webp::WebPConfig,
    size: (u32, u32),
}

// SAFETY: the encoder belongs to this value alone.
unsafe impl Send for Animation {}

impl Animation {
    /// For pictures of `size`, shown `plays` times over; 0 is without end.
    pub(crate) fn new(size: (u32, u32), plays: u16, settings: Settings) -> Result<Self, String> {
        let config = config(settings)?;
        let side = |side: u32| c_int::try_from(side).ok().filter(|side| *side <= LONGEST);
        let (Some(width), Some(height)) = (side(size.0), side(size.1)) else {
            return Err(format!("WebP holds {LONGEST} pixels a side"));
        };
        let version = c_int::try_from(webp::WEBP_MUX_ABI_VERSION).unwrap_or(0);
        let mut options = MaybeUninit::<webp::WebPAnimEncoderOptions>::zeroed();
        // SAFETY: fills the options in; zeroed they are plain data already.
        let options = unsafe {
            if webp::WebPAnimEncoderOptionsInitInternal(options.as_mut_ptr(), version) == 0 {
                return Err(unexpected());
            }
            let mut options = options.assume_init();
            options.anim_params.loop_count = c_int::from(plays);
            // Transparent white, as libwebp's own tools have it.
            options.anim_params.bgcolor = 0x00ff_ffff;
            options
        };
        // SAFETY: copies the options; returns an encoder of its own, or null.
        let encoder =
            unsafe { webp::WebPAnimEncoderNewInternal(width, height, &raw const options, version) };
        if encoder.is_null() {
            return Err(unexpected());
        }
        Ok(Self {
            encoder,
            config,
            size,
        })
    }

    /// The next picture, in rows of RGBA without gaps, shown from `milliseconds`
    /// on.
    pub(crate) fn add(&mut self, rgba: &[u8], milliseconds: i32) -> Result<(), String> {
        let mut canvas = Canvas::import(self.size, rgba, true, true)?;
        // SAFETY: the encoder is there, and copies what it keeps of the picture.
        let done = unsafe {
            webp::WebPAnimEncoderAdd(
                self.encoder,
                &raw mut canvas.0,
                milliseconds,
                &raw const self.config,
            )
        };
        if done == 0 {
            return Err(self.complaint());
        }
        Ok(())
    }

    /// The file, whose last picture is shown until `milliseconds`.
    pub(crate) fn finish(self, milliseconds: i32) -> Result<Vec<u8>, String> {
        let mut data = webp::WebPData::default();
        // SAFETY: no picture is the mark of the end; then the data is filled in.
        let done = unsafe {
            webp::WebPAnimEncoderAdd(self.encoder, ptr::null_mut(), milliseconds, ptr::null()) != 0
                && webp::WebPAnimEncoderAssemble(self.encoder, &raw mut data) != 0
        };
        if !done || data.bytes.is_null() {
            return Err(self.complaint());
        }
        // SAFETY: libwebp assembled so many bytes there.
        let bytes = unsafe { std::slice::from_raw_parts(data.bytes, data.size) }.to_vec();
        // SAFETY: frees what was assembled, once.
        unsafe { webp::WebPDataClear(&mut data) };
        Ok(bytes)
    }

    fn complaint(&self) -> String {
        // SAFETY: a string that the encoder keeps, or null.
        let text = unsafe { webp::WebPAnimEncoderGetError(self.encoder) };
        if text.is_null() {
            return String::from("libwebp: no reason given");
        }
        // SAFETY: not null, and ended by a NUL.
        let text = unsafe { CStr::from_ptr(text) };
        format!("libwebp: {}", text.to_string_lossy())
    }
}

impl Drop for Animation {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { webp::WebPAnimEncoderDelete(self.encoder) };
    }
}
