//! `AVStream`: what a container says of one stream.

use std::ffi::c_int;

use super::code::Code;
use super::dictionary::tag;
use super::parameters::{CodecId, Medium, Parameters};
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
    /// How many packets there are, where the container counts them.
    pub(crate) packets: Option<i64>,
    /// A cover picture rather than video.
    pub(crate) attached_picture: bool,
    /// Clockwise, in degrees, as the display matrix asks.
    pub(crate) rotation: i32,
    /// A pixel's width to its height, where the container tells.
    pub(crate) aspect: Option<(i32, i32)>,
    pub(crate) language: Option<String>,
    /// Whether what is transparent lies beside the pictures, as VP8 and VP9 in
    /// Matroska have it (`AlphaMode`): decoders here do not read it.
    pub(crate) has_alpha_beside: bool,
}

impl Stream {
    /// Whether it is video, and no cover picture.
    pub(crate) fn is_video(&self) -> bool {
        self.parameters.medium() == Medium::Video && !self.attached_picture
    }

    /// Whether the container's header tells all that copying needs.
    pub(crate) fn is_complete(&self) -> bool {
        let parameters = &self.parameters;
        match parameters.medium() {
            Medium::Video => {
                let in_header = !matches!(
                    parameters.codec(),
                    CodecId::AV_CODEC_ID_H264 | CodecId::AV_CODEC_ID_HEVC
                ) || !parameters.extradata().is_empty();
                parameters.width() > 0 && in_header
            }
            Medium::Audio => parameters.sample_rate() > 0 && parameters.channels() > 0,
            _ => true,
        }
    }
}

/// What the container says of a stream.
///
/// # Safety
/// `stream` points to a stream of an open context.
pub(super) unsafe fn describe(stream: *mut ffi::AVStream) -> std::result::Result<Stream, Code> {
    // SAFETY: by the contract of this function; every stream has parameters.
    unsafe { clear_unknown_colours((*stream).codecpar) };
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
        packets: Some(fields.nb_frames).filter(|&packets| packets > 0),
        attached_picture: fields.disposition & ffi::AV_DISPOSITION_ATTACHED_PIC as c_int != 0,
        // SAFETY: a valid stream.
        rotation: unsafe { rotation(stream) },
        aspect: Some(fields.sample_aspect_ratio)
            .filter(|aspect| aspect.num > 0 && aspect.den > 0)
            .map(|aspect| (aspect.num, aspect.den)),
        // SAFETY: the dictionary is null or valid.
        language: unsafe { tag(fields.metadata, c"language") },
        // SAFETY: the dictionary is null or valid.
        has_alpha_beside: unsafe { tag(fields.metadata, c"alpha_mode") }.as_deref() == Some("1"),
        parameters,
    })
}

/// By how many degrees players turn the picture clockwise.
///
/// # Safety
/// `stream` points to a stream of an open context.
unsafe fn rotation(stream: *const ffi::AVStream) -> i32 {
    let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
    let mut size = 0;
    // SAFETY: returns null, or the side data's bytes and how many there are.
    let matrix = unsafe { ffi::av_stream_get_side_data(stream, kind, &raw mut size) };
    if matrix.is_null() || size < 9 * 4 {
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

/// Containers hold any number where FFmpeg has an enumeration, and the bindings
/// make that an `enum`, which must not hold others: these become "unspecified".
///
/// # Safety
/// `parameters` points to valid parameters.
unsafe fn clear_unknown_colours(parameters: *mut ffi::AVCodecParameters) {
    /// # Safety
    /// `field` points to an enumeration of C's.
    unsafe fn clear(field: *mut i32, known: impl Fn(i32) -> bool, unspecified: i32) {
        // SAFETY: by the contract of this function; a C enumeration is an int.
        unsafe {
            if !known(*field) {
                *field = unspecified;
            }
        }
    }
    let below = |end: i32| move |value| (0..end).contains(&value);
    // ISO/IEC 23091-2 reserves 13 to 21 among the primaries.
    let primaries = |value| (0..=12).contains(&value) || value == 22;
    let ranges = below(ffi::AVColorRange::AVCOL_RANGE_NB as i32);
    let spaces = below(ffi::AVColorSpace::AVCOL_SPC_NB as i32);
    let transfers = below(ffi::AVColorTransferCharacteristic::AVCOL_TRC_NB as i32);
    let locations = below(ffi::AVChromaLocation::AVCHROMA_LOC_NB as i32);
    // SAFETY: pointers to fields of valid parameters, made without reading them.
    unsafe {
        clear((&raw mut (*parameters).color_range).cast(), ranges, 0);
        clear((&raw mut (*parameters).color_space).cast(), spaces, 2);
        clear((&raw mut (*parameters).color_trc).cast(), transfers, 2);
        clear(
            (&raw mut (*parameters).color_primaries).cast(),
            primaries,
            2,
        );
        clear(
            (&raw mut (*parameters).chroma_location).cast(),
            locations,
            0,
        );
    }
}
