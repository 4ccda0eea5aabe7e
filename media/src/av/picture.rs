//! `AVCodecContext` for single pictures: JPEG and PNG.

use std::ffi::c_int;
use std::ptr;

use super::code::{Code, check};
use super::decode::CodecContext;
use super::ffi;
use super::frame::Frame;
use super::packet::Packet;
use super::scale::pixel_format;

/// The longest side of a JPEG picture that FFmpeg encodes, in pixels.
pub(crate) const LONGEST_JPEG: i32 = 65500;

/// The tables of ITU-T T.81, annex K, row by row: what quality 50 means.
#[rustfmt::skip]
const LUMA: [u16; 64] = [
    16, 11, 10, 16,  24,  40,  51,  61,
    12, 12, 14, 19,  26,  58,  60,  55,
    14, 13, 16, 24,  40,  57,  69,  56,
    14, 17, 22, 29,  51,  87,  80,  62,
    18, 22, 37, 56,  68, 109, 103,  77,
    24, 35, 55, 64,  81, 104, 113,  92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103,  99,
];
#[rustfmt::skip]
const CHROMA: [u16; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
];

/// `frame`, which is `yuvj420p`, as a JPEG file; `quality` from 1 to 100 is
/// that of libjpeg.
pub(crate) fn jpeg(frame: &Frame, quality: u8) -> Result<Vec<u8>, Code> {
    let mut context = open(frame, ffi::AVCodecID::AV_CODEC_ID_MJPEG)?;
    let fields = context.get_mut();
    fields.color_range = ffi::AVColorRange::AVCOL_RANGE_JPEG;
    fields.intra_matrix = table(&LUMA, quality)?;
    fields.chroma_intra_matrix = table(&CHROMA, quality)?;
    // The encoder multiplies its tables by a quantiser in eighths.
    fields.flags |= ffi::AV_CODEC_FLAG_QSCALE as c_int;
    fields.global_quality = 8 * ffi::FF_QP2LAMBDA as c_int;
    (fields.qmin, fields.qmax) = (8, 8);
    let mut still = frame.share()?;
    still.set_quality(8 * ffi::FF_QP2LAMBDA as c_int);
    encode(&mut context, &still)
}

/// `frame`, which is `rgb24` or `rgba`, as a PNG file.
pub(crate) fn png(frame: &Frame) -> Result<Vec<u8>, Code> {
    let mut context = open(frame, ffi::AVCodecID::AV_CODEC_ID_PNG)?;
    // SAFETY: an encoder not opened yet, with options of its own; static
    // strings. "Mixed" chooses for each line what compresses best.
    check(unsafe {
        ffi::av_opt_set(
            (*context.as_ptr()).priv_data,
            c"pred".as_ptr(),
            c"mixed".as_ptr(),
            0,
        )
    })?;
    encode(&mut context, frame)
}

/// An encoder for pictures like `frame`, not opened yet.
fn open(frame: &Frame, codec: ffi::AVCodecID) -> Result<CodecContext, Code> {
    // SAFETY: returns a static codec or null.
    let codec = unsafe { ffi::avcodec_find_encoder(codec) };
    if codec.is_null() {
        return Err(Code::NO_ENCODER);
    }
    let mut context = CodecContext::new(codec)?;
    let fields = context.get_mut();
    fields.width = frame.width();
    fields.height = frame.height();
    fields.pix_fmt = pixel_format(frame.format());
    fields.time_base = ffi::AVRational { num: 1, den: 25 };
    // Square pixels; a JPEG file then says that it is one (JFIF).
    fields.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
    // The same bytes from every version, and no comment that names it.
    fields.flags |= ffi::AV_CODEC_FLAG_BITEXACT as c_int;
    fields.thread_count = 1;
    Ok(context)
}

/// An encoder's table: libjpeg's scale of `quality`.
fn table(of: &[u16; 64], quality: u8) -> Result<*mut u16, Code> {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 {
        5000 / quality
    } else {
        200 - 2 * quality
    };
    // SAFETY: allocates, or returns null.
    let memory = unsafe { ffi::av_malloc(64 * size_of::<u16>()) }.cast::<u16>();
    if memory.is_null() {
        return Err(Code::NO_MEMORY);
    }
    for (place, &value) in of.iter().enumerate() {
        let value = ((u32::from(value) * percent + 50) / 100).clamp(1, 255);
        // SAFETY: there is room for 64 numbers.
        unsafe { memory.add(place).write(u16::try_from(value).unwrap_or(255)) };
    }
    // The codec's context owns it from here on.
    Ok(memory)
}

fn encode(context: &mut CodecContext, frame: &Frame) -> Result<Vec<u8>, Code> {
    let context = context.as_ptr();
    let mut packet = Packet::new();
    // SAFETY: a context made for its codec, a frame of its size and format, and
    // an empty packet.
    unsafe {
        check(ffi::avcodec_open2(context, ptr::null(), ptr::null_mut()))?;
        check(ffi::avcodec_send_frame(context, frame.as_ptr()))?;
        check(ffi::avcodec_send_frame(context, ptr::null()))?;
        check(ffi::avcodec_receive_packet(context, packet.as_mut_ptr()))?;
    }
    Ok(packet.data().to_vec())
}
