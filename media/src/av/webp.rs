//! libwebp: one picture as WebP.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::slice;

use libwebp_sys as webp;

use super::frame::Frame;

/// The longest side of a WebP picture, in pixels (RFC 9649, section 2.4).
pub(crate) const LONGEST: i32 = 16383;

/// How a picture is encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// 1 to 100.
    pub(crate) quality: u8,
    /// 0 (fast) to 6 (small).
    pub(crate) effort: u8,
}

/// The bytes that libwebp has written, freed with it.
struct Writer(webp::WebPMemoryWriter);

impl Writer {
    fn new() -> Self {
        let mut writer = MaybeUninit::uninit();
        // SAFETY: initialises all fields but the padding, which is plain data.
        unsafe {
            writer.write(std::mem::zeroed());
            webp::WebPMemoryWriterInit(writer.as_mut_ptr());
            Self(writer.assume_init())
        }
    }

    fn bytes(&self) -> &[u8] {
        if self.0.mem.is_null() {
            return &[];
        }
        // SAFETY: libwebp keeps `size` bytes there, until it is cleared.
        unsafe { slice::from_raw_parts(self.0.mem, self.0.size) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: frees what was written, once.
        unsafe { webp::WebPMemoryWriterClear(&raw mut self.0) };
    }
}

/// `frame`, which is `yuv420p` or `yuva420p` in the limited range of BT.601, as
/// a lossy WebP file; what libwebp says where it refuses.
pub(crate) fn encode(frame: &mut Frame, settings: Settings) -> Result<Vec<u8>, String> {
    let unexpected = |()| "another version of libwebp than expected".to_owned();
    let mut config = webp::WebPConfig::new().map_err(unexpected)?;
    config.quality = f32::from(settings.quality.min(100));
    config.method = c_int::from(settings.effort.min(6));
    let mut picture = webp::WebPPicture::new().map_err(unexpected)?;
    // libwebp clears what cannot be seen behind transparent pixels, in place.
    frame.make_own().map_err(super::code::Code::message)?;
    let planes = [0, 1, 2].map(|plane| frame.plane_pointer(plane));
    let [Some(luma), Some(blue), Some(red)] = planes else {
        return Err("not a picture in planes of 4:2:0".to_owned());
    };
    if blue.1 != red.1 {
        return Err("planes of chroma unlike each other".to_owned());
    }
    picture.use_argb = 0;
    picture.width = frame.width();
    picture.height = frame.height();
    (picture.y, picture.y_stride) = luma;
    (picture.u, picture.uv_stride) = blue;
    picture.v = red.0;
    picture.colorspace = webp::WebPEncCSP::WEBP_YUV420;
    if let Some((data, step)) = frame.plane_pointer(3) {
        picture.colorspace = webp::WebPEncCSP::WEBP_YUV420A;
        (picture.a, picture.a_stride) = (data, step);
    }
    let mut writer = Writer::new();
    picture.writer = Some(webp::WebPMemoryWrite);
    picture.custom_ptr = (&raw mut writer.0).cast();
    // SAFETY: both are filled in; the planes are `frame`'s own, which outlives
    // the call, and have the picture's size. The writer outlives the call too.
    let done = unsafe { webp::WebPEncode(&raw const config, &raw mut picture) };
    let code = picture.error_code;
    // SAFETY: frees what the call allocated, and not the planes.
    unsafe { webp::WebPPictureFree(&raw mut picture) };
    if done == 0 {
        return Err(format!("libwebp: {code:?}"));
    }
    Ok(writer.bytes().to_vec())
}
