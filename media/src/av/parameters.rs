//! `AVCodecParameters`: what a stream is, apart from its times.

use std::ptr::NonNull;

use super::code::{Code, check};
use super::frame::Frame;
use super::{ffi, text};

pub(crate) use ffi::AVCodecID as CodecId;

/// The parameters of one stream, owned.
#[derive(Debug)]
pub(crate) struct Parameters(NonNull<ffi::AVCodecParameters>);

// SAFETY: plain memory with one owner.
unsafe impl Send for Parameters {}
// SAFETY: a shared reference only reads it.
unsafe impl Sync for Parameters {}

/// What kind of stream it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Video,
    Audio,
    Subtitle,
    Other,
}

impl Parameters {
    /// Parameters that say nothing yet.
    pub(crate) fn new() -> Self {
        // SAFETY: allocates, or returns null.
        match NonNull::new(unsafe { ffi::avcodec_parameters_alloc() }) {
            Some(parameters) => Self(parameters),
            None => {
                std::alloc::handle_alloc_error(std::alloc::Layout::new::<ffi::AVCodecParameters>())
            }
        }
    }

    /// A copy of a stream's.
    ///
    /// # Safety
    /// `source` points to valid parameters.
    pub(super) unsafe fn copied(source: *const ffi::AVCodecParameters) -> Result<Self, Code> {
        let mut copy = Self::new();
        // SAFETY: by the contract of this function both are valid.
        check(unsafe { ffi::avcodec_parameters_copy(copy.as_mut_ptr(), source) })?;
        Ok(copy)
    }

    pub(crate) fn try_clone(&self) -> Result<Self, Code> {
        // SAFETY: `self` holds valid parameters.
        unsafe { Self::copied(self.as_ptr()) }
    }

    pub(crate) fn medium(&self) -> Medium {
        match self.get().codec_type {
            ffi::AVMediaType::AVMEDIA_TYPE_VIDEO => Medium::Video,
            ffi::AVMediaType::AVMEDIA_TYPE_AUDIO => Medium::Audio,
            ffi::AVMediaType::AVMEDIA_TYPE_SUBTITLE => Medium::Subtitle,
            _ => Medium::Other,
        }
    }

    pub(crate) fn codec(&self) -> CodecId {
        self.get().codec_id
    }

    /// FFmpeg's name of the codec, as `h264` or `aac`.
    pub(crate) fn codec_name(&self) -> &'static str {
        // SAFETY: returns a static string for every id.
        unsafe { text(ffi::avcodec_get_name(self.codec())) }
    }

    /// The name of the codec's profile, where the stream tells one.
    pub(crate) fn profile_name(&self) -> Option<&'static str> {
        // SAFETY: returns a static string or null for every pair.
        let name = unsafe { text(ffi::avcodec_profile_name(self.codec(), self.get().profile)) };
        (!name.is_empty()).then_some(name)
    }

    /// Whether frames may be decoded in another order than they are shown.
    pub(crate) fn is_reordered(&self) -> bool {
        self.get().video_delay > 0
    }

    pub(crate) fn level(&self) -> Option<i32> {
        Some(self.get().level).filter(|&level| level > 0)
    }

    /// The codec's own header: avcC, hvcC, `AudioSpecificConfig`.
    pub(crate) fn extradata(&self) -> &[u8] {
        let inner = self.get();
        match usize::try_from(inner.extradata_size) {
            // SAFETY: `extradata` points to `extradata_size` bytes that live
            // as long as the parameters.
            Ok(size) if size > 0 && !inner.extradata.is_null() => unsafe {
                std::slice::from_raw_parts(inner.extradata, size)
            },
            _ => &[],
        }
    }

    pub(crate) fn set_extradata(&mut self, data: &[u8]) -> Result<(), Code> {
        let padding = ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
        let size = i32::try_from(data.len()).map_err(|_| Code::INVALID)?;
        // SAFETY: allocates zeroed memory, or returns null.
        let fresh = unsafe { ffi::av_mallocz(data.len() + padding) }.cast::<u8>();
        if fresh.is_null() {
            return Err(Code::NO_MEMORY);
        }
        // SAFETY: `fresh` has room for `data` and is nobody else's.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), fresh, data.len()) };
        let inner = self.get_mut();
        // SAFETY: the old extradata came from av_malloc and is owned here.
        unsafe { ffi::av_freep((&raw mut inner.extradata).cast()) };
        inner.extradata = fresh;
        inner.extradata_size = size;
        Ok(())
    }

    pub(crate) fn width(&self) -> i32 {
        self.get().width
    }

    pub(crate) fn height(&self) -> i32 {
        self.get().height
    }

    pub(crate) fn set_size(&mut self, width: i32, height: i32) {
        let inner = self.get_mut();
        inner.width = width;
        inner.height = height;
    }

    /// Sets the shape of a sample, width to height; none where it is not known.
    pub(crate) fn set_aspect(&mut self, aspect: Option<(u16, u16)>) {
        let (num, den) = aspect.unwrap_or((0, 1));
        self.get_mut().sample_aspect_ratio = ffi::AVRational {
            num: num.into(),
            den: den.into(),
        };
    }

    /// Takes over how a decoded picture's colours are to be understood.
    pub(crate) fn set_colours(&mut self, of: &Frame) {
        // SAFETY: a frame that lives during the call.
        let of = unsafe { &*of.as_ptr() };
        let inner = self.get_mut();
        inner.color_range = of.color_range;
        inner.color_space = of.colorspace;
        inner.color_trc = of.color_trc;
        inner.color_primaries = of.color_primaries;
        inner.chroma_location = of.chroma_location;
    }

    /// The pixel or sample format's number, negative where unknown.
    pub(crate) fn format(&self) -> i32 {
        self.get().format
    }

    /// The pixel format's name.
    pub(crate) fn pixel_format_name(&self) -> &'static str {
        super::scale::format_name(self.format())
    }

    /// Whether the frames hold two fields.
    pub(crate) fn is_interlaced(&self) -> bool {
        !matches!(
            self.get().field_order,
            ffi::AVFieldOrder::AV_FIELD_UNKNOWN | ffi::AVFieldOrder::AV_FIELD_PROGRESSIVE
        )
    }

    /// Whether the top field is shown first.
    pub(crate) fn is_top_field_first(&self) -> bool {
        matches!(
            self.get().field_order,
            ffi::AVFieldOrder::AV_FIELD_TT | ffi::AVFieldOrder::AV_FIELD_BT
        )
    }

    /// The name of each colour property: range, space, transfer, primaries.
    pub(crate) fn colour_names(&self) -> [&'static str; 4] {
        let inner = self.get();
        // SAFETY: each returns a static string or null for every value.
        unsafe {
            [
                text(ffi::av_color_range_name(inner.color_range)),
                text(ffi::av_color_space_name(inner.color_space)),
                text(ffi::av_color_transfer_name(inner.color_trc)),
                text(ffi::av_color_primaries_name(inner.color_primaries)),
            ]
        }
    }

    /// Whether frames are decoded in another order than they are shown in, as
    /// far as the header or probing tells.
    pub(crate) fn reorders(&self) -> bool {
        self.get().video_delay > 0
    }

    pub(crate) fn sample_rate(&self) -> i32 {
        self.get().sample_rate
    }

    pub(crate) fn channels(&self) -> i32 {
        self.get().ch_layout.nb_channels
    }

    /// Samples that the encoder put in front of the sound.
    pub(crate) fn delay(&self) -> i32 {
        self.get().initial_padding
    }

    /// Samples in one packet, where all have the same number.
    pub(crate) fn frame_size(&self) -> i32 {
        self.get().frame_size
    }

    /// Bytes of one sample of all channels, where samples lie one behind another
    /// and each can be decoded alone.
    pub(crate) fn sample_bytes(&self) -> Option<usize> {
        // SAFETY: takes any number; 0 for codecs that are not of that kind.
        let bits = unsafe { ffi::av_get_exact_bits_per_sample(self.codec()) };
        // ADPCM has four bits, and a state.
        let bytes = usize::try_from(bits / 8).ok().filter(|_| bits % 8 == 0)?;
        let channels = usize::try_from(self.channels()).ok()?;
        Some(bytes.checked_mul(channels)?).filter(|&bytes| bytes > 0)
    }

    pub(crate) fn bit_rate(&self) -> Option<i64> {
        Some(self.get().bit_rate).filter(|&rate| rate > 0)
    }

    /// Lets the muxer choose its own tag for the codec, or this one.
    pub(crate) fn set_tag(&mut self, tag: Option<&[u8; 4]>) {
        self.get_mut().codec_tag = tag.map_or(0, |tag| u32::from_le_bytes(*tag));
    }

    /// Whether the tag tells what neither the codec's header nor its frames do:
    /// in `ProRes` it is the profile.
    pub(crate) fn needs_tag(&self) -> bool {
        self.codec() == CodecId::AV_CODEC_ID_PRORES
    }

    /// Forgets how many samples the encoder put in front: the packets' times
    /// tell already where the sound lies.
    pub(crate) fn forget_padding(&mut self) {
        self.get_mut().initial_padding = 0;
    }

    /// Whether the codec's frames all stand alone.
    pub(crate) fn is_intra_only(&self) -> bool {
        // SAFETY: returns a pointer to a static descriptor, or null.
        let descriptor = unsafe { ffi::avcodec_descriptor_get(self.codec()) };
        if descriptor.is_null() {
            return false;
        }
        // SAFETY: not null, and static.
        let properties = unsafe { (*descriptor).props };
        properties & ffi::AV_CODEC_PROP_INTRA_ONLY != 0
    }

    pub(crate) fn as_ptr(&self) -> *const ffi::AVCodecParameters {
        self.0.as_ptr()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut ffi::AVCodecParameters {
        self.0.as_ptr()
    }

    pub(super) fn get(&self) -> &ffi::AVCodecParameters {
        // SAFETY: allocated by `new`, freed by `drop` alone.
        unsafe { self.0.as_ref() }
    }

    fn get_mut(&mut self) -> &mut ffi::AVCodecParameters {
        // SAFETY: allocated by `new`, freed by `drop` alone; borrowed mutably.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        let mut parameters = self.0.as_ptr();
        // SAFETY: the one owner frees it once.
        unsafe { ffi::avcodec_parameters_free(&raw mut parameters) };
    }
}
