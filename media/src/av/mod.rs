//! The only unsafe code: FFmpeg's objects, each with a single owner, a `Drop`
//! and methods that are safe to call in any order.
//!
//! | file | what it wraps |
//! |---|---|
//! | `code.rs` | return codes |
//! | `packet.rs`, `frame.rs`, `planes.rs` | `AVPacket`, `AVFrame`, and its samples |
//! | `canvas.rs` | what a picture is: size, format, colours |
//! | `parameters.rs` | `AVCodecParameters` |
//! | `io.rs` | custom I/O over `Read`, `Write` and `Seek` |
//! | `demux.rs`, `mux.rs` | `AVFormatContext`, either way |
//! | `stream.rs`, `dictionary.rs` | `AVStream`, `AVDictionary` |
//! | `decode.rs`, `encode.rs` | `AVCodecContext`, either way |
//! | `scale.rs`, `resample.rs` | `SwsContext`, `SwrContext` |
//! | `convert.rs` | `SwsContext` with colours: one picture to another size, format and matrix |
//! | `picture.rs`, `webp.rs` | one picture as JPEG or PNG, and as WebP by libwebp |
//! | `webp_animation.rs` | many pictures as one animated WebP |
//! | `filter.rs` | `AVFilterGraph`, with its sources and sinks |
//! | `version.rs` | what is linked |
#![allow(unsafe_code)]
// The bindings give constants another integer type than the fields they are
// for, and not the same one in every version of FFmpeg.
#![allow(clippy::cast_possible_wrap, clippy::unnecessary_cast)]
// What FFmpeg allocates is aligned for every type.
#![allow(clippy::cast_ptr_alignment)]

pub(crate) mod canvas;
pub(crate) mod code;
pub(crate) mod convert;
pub(crate) mod decode;
pub(crate) mod demux;
mod dictionary;
pub(crate) mod encode;
pub(crate) mod filter;
pub(crate) mod frame;
pub(crate) mod io;
pub(crate) mod mux;
pub(crate) mod packet;
pub(crate) mod parameters;
pub(crate) mod picture;
pub(crate) mod planes;
pub(crate) mod resample;
pub(crate) mod scale;
pub(crate) mod stream;
pub(crate) mod version;
pub(crate) mod webp;
pub(crate) mod webp_animation;

pub(crate) use ffmpeg_next::ffi;

use std::ffi::{CStr, c_char};
use std::sync::Once;

use crate::time::TimeBase;

/// Silences FFmpeg's own log: errors come back as values.
///
/// `FLATBED_FFMPEG_LOG=warning` (or `info`, `debug`) lets it speak on stderr.
pub(crate) fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let level = match std::env::var("FLATBED_FFMPEG_LOG").as_deref() {
            Ok("error") => ffi::AV_LOG_ERROR,
            Ok("warning") => ffi::AV_LOG_WARNING,
            Ok("info") => ffi::AV_LOG_INFO,
            Ok("debug") => ffi::AV_LOG_DEBUG,
            _ => ffi::AV_LOG_QUIET,
        };
        if std::env::var_os("SVT_LOG").is_none() {
            // SVT-AV1 writes to stderr what it is, and this is its only switch.
            // SAFETY: once, when the engine is first used. The C library keeps
            // what others may still be reading of the environment.
            unsafe { std::env::set_var("SVT_LOG", "1") };
        }
        // SAFETY: sets one atomic integer inside libavutil.
        unsafe { ffi::av_log_set_level(level) };
    });
}

/// A static C string of FFmpeg's as text; empty where there is none.
///
/// # Safety
/// `text` is null, or points to a NUL-terminated string that outlives `'a`.
unsafe fn text<'a>(text: *const c_char) -> &'a str {
    if text.is_null() {
        return "";
    }
    // SAFETY: not null, and by the contract of this function a C string.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("")
}

/// An `AVRational` as a time base, where it is one.
fn time_base(value: ffi::AVRational) -> Option<TimeBase> {
    TimeBase::new(value.num, value.den)
}

/// A time base as FFmpeg wants it.
fn rational(value: TimeBase) -> ffi::AVRational {
    ffi::AVRational {
        num: i32::try_from(value.num()).unwrap_or(i32::MAX),
        den: i32::try_from(value.den()).unwrap_or(i32::MAX),
    }
}

/// A tick count, unless it is FFmpeg's mark for "none".
fn ticks(value: i64) -> Option<i64> {
    (value != ffi::AV_NOPTS_VALUE).then_some(value)
}

/// The mark for "none" where there is no tick count.
fn from_ticks(value: Option<i64>) -> i64 {
    value.unwrap_or(ffi::AV_NOPTS_VALUE)
}
