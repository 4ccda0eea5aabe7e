//! libwebp: one picture as WebP, and how like the original it came out.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::slice;

use libwebp_sys as webp;

use super::frame::Frame;

/// The longest side of a WebP picture, in pixels (RFC 9649, section 2.4).
pub(crate) const LONGEST: i32 = 16383;

/// How a picture is encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// 1 to 100; of a lossless picture nothing depends on it.
    pub(crate) quality: u8,
    /// 0 (fast) to 6 (small).
    pub(crate) effort: u8,
    /// Every pixel as it is, but for those that cannot be seen.
    pub(crate) lossless: bool,
}

/// A picture in rows without gaps.
pub(crate) enum Picture<'a> {
    /// 4:2:0 in the limited range of BT.601. libwebp writes to it where there
    /// is alpha, so it is lent whole.
    Planes {
        luma: &'a mut [u8],
        blue: &'a mut [u8],
        red: &'a mut [u8],
    },
    Rgb(&'a [u8]),
    Rgba(&'a [u8]),
}

/// Asked now and then while a picture is encoded: whether to stop.
pub(crate) type Stop<'a> = &'a dyn Fn() -> bool;

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

/// A `WebPPicture`, and whatever libwebp allocated for it.
pub(super) struct Canvas(pub(super) webp::WebPPicture);

impl Canvas {
    fn empty() -> Result<Self, String> {
        webp::WebPPicture::new()
            .map(Self)
            .map_err(|()| unexpected())
    }

    /// A picture of `size`, with what libwebp needs copied out of `samples`,
    /// which are RGB, or RGBA where `alpha`.
    pub(super) fn import(
        (width, height): (u32, u32),
        samples: &[u8],
        alpha: bool,
        argb: bool,
    ) -> Result<Self, String> {
        let mut canvas = Self::empty()?;
        let bytes = if alpha { 4 } else { 3 };
        let (wide, high) = (side(width)?, side(height)?);
        if samples.len() != to_usize(width) * to_usize(height) * bytes {
            return Err(String::from("a picture of another size than told"));
        }
        canvas.0.width = wide;
        canvas.0.height = high;
        canvas.0.use_argb = c_int::from(argb);
        let step = wide * if alpha { 4 } else { 3 };
        let import = if alpha {
            webp::WebPPictureImportRGBA
        } else {
            webp::WebPPictureImportRGB
        };
        // SAFETY: there are `height` rows of `step` bytes, as checked above.
        let done = unsafe { import(&raw mut canvas.0, samples.as_ptr(), step) };
        if done == 0 {
            return Err(String::from("libwebp: no memory for the picture"));
        }
        Ok(canvas)
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        // SAFETY: frees what libwebp allocated for it, and no planes of others.
        unsafe { webp::WebPPictureFree(&raw mut self.0) };
    }
}

/// `frame`, which is `yuv420p` or `yuva420p` in the limited range of BT.601, as
/// a WebP file; what libwebp says where it refuses.
pub(crate) fn encode(frame: &mut Frame, settings: Settings) -> Result<Vec<u8>, String> {
    let config = config(settings)?;
    let mut canvas = Canvas::empty()?;
    let picture = &mut canvas.0;
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
    // SAFETY: the planes are `frame`'s own, which outlives the call, and have
    // the picture's size.
    unsafe { run(&mut canvas, &config, &|| false) }
}

/// `picture` as a WebP file; what libwebp says where it refuses, or was stopped.
pub(crate) fn encode_picture(
    size: (u32, u32),
    picture: &mut Picture<'_>,
    settings: Settings,
    stop: Stop<'_>,
) -> Result<Vec<u8>, String> {
    let config = config(settings)?;
    let mut canvas = match picture {
        Picture::Rgb(samples) => Canvas::import(size, samples, false, settings.lossless)?,
        Picture::Rgba(samples) => Canvas::import(size, samples, true, settings.lossless)?,
        Picture::Planes { luma, blue, red } => {
            let mut canvas = Canvas::empty()?;
            let half = (size.0.div_ceil(2), size.1.div_ceil(2));
            let chroma = to_usize(half.0) * to_usize(half.1);
            let sizes = (luma.len(), blue.len(), red.len());
            if sizes != (to_usize(size.0) * to_usize(size.1), chroma, chroma) {
                return Err(String::from("planes of another size than told"));
            }
            canvas.0.use_argb = 0;
            canvas.0.colorspace = webp::WebPEncCSP::WEBP_YUV420;
            (canvas.0.width, canvas.0.height) = (side(size.0)?, side(size.1)?);
            (canvas.0.y, canvas.0.y_stride) = (luma.as_mut_ptr(), side(size.0)?);
            (canvas.0.u, canvas.0.uv_stride) = (blue.as_mut_ptr(), side(half.0)?);
            canvas.0.v = red.as_mut_ptr();
            canvas
        }
    };
    // SAFETY: the planes are libwebp's own, or were checked to have the size of
    // the picture, and are lent for longer than the call.
    unsafe { run(&mut canvas, &config, stop) }
}

pub(super) fn config(settings: Settings) -> Result<webp::WebPConfig, String> {
    check_processor()?;
    let mut config = webp::WebPConfig::new().map_err(|()| unexpected())?;
    config.method = c_int::from(settings.effort.min(6));
    if settings.lossless {
        config.lossless = 1;
        // Here it is how hard libwebp tries, and this its default.
        config.quality = 75.0;
    } else {
        config.quality = f32::from(settings.quality.min(100));
    }
    Ok(config)
}

/// What libwebp is compiled for: see this crate's `Cargo.toml`.
fn check_processor() -> Result<(), String> {
    #[cfg(target_arch = "x86_64")]
    if !std::arch::is_x86_feature_detected!("sse4.1") {
        return Err(String::from("WebP needs a processor with SSE 4.1"));
    }
    Ok(())
}

/// # Safety
/// The canvas's planes are there, have its size, and outlive the call.
unsafe fn run(
    canvas: &mut Canvas,
    config: &webp::WebPConfig,
    stop: Stop<'_>,
) -> Result<Vec<u8>, String> {
    let mut writer = Writer::new();
    let picture = &mut canvas.0;
    picture.writer = Some(webp::WebPMemoryWrite);
    picture.custom_ptr = (&raw mut writer.0).cast();
    // A reference to a trait object is two words; libwebp passes one on.
    let mut asked: Stop<'_> = stop;
    picture.progress_hook = Some(hook);
    picture.user_data = (&raw mut asked).cast();
    // SAFETY: by this function's contract; the writer and what the hook asks
    // outlive the call.
    let done = unsafe { webp::WebPEncode(config, &raw mut *picture) };
    picture.custom_ptr = std::ptr::null_mut();
    picture.user_data = std::ptr::null_mut();
    if done == 0 {
        return Err(format!("libwebp: {:?}", picture.error_code));
    }
    Ok(writer.bytes().to_vec())
}

/// libwebp's question whether to go on: 0 stops it.
unsafe extern "C" fn hook(_percent: c_int, picture: *const webp::WebPPicture) -> c_int {
    // SAFETY: libwebp passes on the picture that it encodes.
    let asked: *mut c_void = unsafe { (*picture).user_data };
    if asked.is_null() {
        return 1;
    }
    // SAFETY: `run` put a `Stop` there, which lives until it returns.
    let stop = unsafe { *asked.cast::<Stop<'_>>() };
    c_int::from(!stop())
}

/// The luma of a WebP file, as it is decoded: width, height, and the samples in
/// rows without gaps.
pub(crate) fn luma(file: &[u8]) -> Option<(usize, usize, Vec<u8>)> {
    let (mut width, mut height, mut step, mut chroma_step) = (0, 0, 0, 0);
    let (mut blue, mut red) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: reads `file`, and allocates one buffer for all planes.
    let planes = unsafe {
        webp::WebPDecodeYUV(
            file.as_ptr(),
            file.len(),
            &raw mut width,
            &raw mut height,
            &raw mut blue,
            &raw mut red,
            &raw mut step,
            &raw mut chroma_step,
        )
    };
    if planes.is_null() {
        return None;
    }
    let mut samples = Vec::new();
    let sizes = [width, height, step].map(usize::try_from);
    if let [Ok(wide), Ok(high), Ok(step)] = sizes {
        samples.reserve_exact(wide * high);
        for row in 0..high {
            // SAFETY: libwebp made `high` rows of `step` bytes each.
            let row = unsafe { slice::from_raw_parts(planes.add(row * step), wide) };
            samples.extend_from_slice(row);
        }
    }
    // SAFETY: frees what was decoded, once.
    unsafe { webp::WebPFree(planes.cast()) };
    Some((
        usize::try_from(width).ok()?,
        usize::try_from(height).ok()?,
        samples,
    ))
}

fn side(length: u32) -> Result<c_int, String> {
    c_int::try_from(length)
        .ok()
        .filter(|side| (1..=LONGEST).contains(side))
        .ok_or_else(|| format!("WebP holds 1 to {LONGEST} pixels a side, not {length}"))
}

fn to_usize(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

pub(super) fn unexpected() -> String {
    "another version of libwebp than expected".to_owned()
}
