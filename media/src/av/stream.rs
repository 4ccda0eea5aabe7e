//! `AVStream`: what a container says of one stream.

use std::ffi::c_int;
use std::ptr;

use super::code::Code;
use super::dictionary::tag;
use super::parameters::Parameters;
use super::{ffi, ticks, time_base};
use crate::time::TimeBase;

/// What the container says of one stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) parameters: Parameters,
    pub(crate) time_base: TimeBase,
    pub(crate) start: Option<i64>,
    pub(crate) duration: Option<i64>,
    pub(crate) frame_rate: Option<TimeBase>,
    /// A cover picture rather than video.
    pub(crate) attached_picture: bool,
    /// Clockwise, in degrees, as the display matrix asks.
    pub(crate) rotation: i32,
    pub(crate) language: Option<String>,
}

/// What the container says of a stream.
///
/// # Safety
/// `stream` points to a stream of an open context.
pub(super) unsafe fn describe(stream: *mut ffi::AVStream) -> std::result::Result<Stream, Code> {
    // SAFETY: by the contract of this function.
    let fields = unsafe { &*stream };
    // SAFETY: every stream has parameters.
    let parameters = unsafe { Parameters::copied(fields.codecpar)? };
    Ok(Stream {
        time_base: time_base(fields.time_base).unwrap_or(TimeBase::MICROS),
        start: ticks(fields.start_time),
        duration: ticks(fields.duration).filter(|&duration| duration > 0),
        // A rate of 25/1 is a frame each 1/25 second.
        frame_rate: TimeBase::new(fields.avg_frame_rate.den, fields.avg_frame_rate.num).or(
            TimeBase::new(fields.r_frame_rate.den, fields.r_frame_rate.num),
        ),
        attached_picture: fields.disposition & ffi::AV_DISPOSITION_ATTACHED_PIC as c_int != 0,
        // SAFETY: a valid stream.
        rotation: unsafe { rotation(stream) },
        // SAFETY: the dictionary is null or valid.
        language: unsafe { tag(fields.metadata, c"language") },
        parameters,
    })
}

/// By how many degrees players turn the picture clockwise.
///
/// # Safety
/// `stream` points to a stream of an open context.
unsafe fn rotation(stream: *const ffi::AVStream) -> i32 {
    let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
    // SAFETY: returns null, or the side data's bytes.
    let matrix = unsafe { ffi::av_stream_get_side_data(stream, kind, ptr::null_mut()) };
    if matrix.is_null() {
        return 0;
    }
    // SAFETY: a display matrix is nine 32-bit numbers.
    let degrees = unsafe { ffi::av_display_rotation_get(matrix.cast::<i32>().cast()) };
    if !degrees.is_finite() {
        return 0;
    }
    // av_display_rotation_get turns counter-clockwise.
    #[allow(clippy::cast_possible_truncation)] // -180 to 180
    let clockwise = -degrees.round() as i32;
    clockwise.rem_euclid(360)
}
