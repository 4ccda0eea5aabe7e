//! `AVCodecContext` for encoding.

use std::ffi::{CStr, CString};
use std::ptr;

use super::code::{Code, check};
use super::decode::CodecContext;
use super::dictionary::Dictionary;
use super::ffi;
use super::frame::Frame;
use super::packet::Packet;
use super::parameters::Parameters;
use super::rational;
use crate::time::TimeBase;
use crate::{Context, Error, Result};

/// An encoder of one stream.
pub(crate) struct Encoder {
    context: CodecContext,
    name: String,
}

// SAFETY: the context belongs to this value alone.
unsafe impl Send for Encoder {}

/// How pictures are to be encoded.
pub(crate) struct Video<'a> {
    /// The encoder's name, as `libx264`.
    pub(crate) encoder: &'a str,
    /// Size, colour and aspect are taken from here.
    pub(crate) like: &'a Parameters,
    pub(crate) pixel_format: i32,
    /// Of the frames' times.
    pub(crate) time_base: TimeBase,
    /// The length of a frame.
    pub(crate) frame: TimeBase,
    /// How many bits, where the options do not say it.
    pub(crate) rate: Rate,
    /// Whether the container holds the codec's header, and the packets none
    /// ([`Container::holds_headers`](crate::Container::holds_headers)).
    pub(crate) header_apart: bool,
    /// The encoder's own options.
    pub(crate) options: &'a [(&'a str, String)],
}

/// How many bits pictures may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    /// On average, in bits a second.
    pub(crate) average: Option<i64>,
    /// At most, in bits a second.
    pub(crate) most: Option<i64>,
    /// Over how many bits the most is measured.
    pub(crate) buffer: Option<i64>,
    /// A fixed quantiser, in the codec's own scale.
    pub(crate) quantiser: Option<i32>,
    /// Frames from a keyframe to the next, at most.
    pub(crate) keyframe_every: Option<i32>,
}

/// One of two passes over the same frames.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pass<'a> {
    /// Only to learn what the frames take.
    First,
    /// With what the first pass told ([`Encoder::statistics`]), for encoders that
    /// do not keep it in a file of their own.
    Second(Option<&'a CStr>),
}

/// How sound is to be encoded.
pub(crate) struct Audio<'a> {
    /// The encoder's name, as `aac`.
    pub(crate) encoder: &'a str,
    pub(crate) sample_rate: i32,
    /// The channel layout is taken from here.
    pub(crate) like: &'a Parameters,
    /// At most so many channels.
    pub(crate) channels: Option<i32>,
    /// In bits a second; none is the encoder's own choice.
    pub(crate) bit_rate: Option<i64>,
    /// Whether the container holds the codec's header.
    pub(crate) header_apart: bool,
}

fn find(name: &str, what: &str) -> Result<*const ffi::AVCodec> {
    let encoder = CString::new(name).unwrap_or_default();
    // SAFETY: a C string; returns a static codec or null.
    let codec = unsafe { ffi::avcodec_find_encoder_by_name(encoder.as_ptr()) };
    if codec.is_null() {
        return Err(Error::unsupported(
            what,
            format!("the linked FFmpeg has no encoder {name}"),
        ));
    }
    Ok(codec)
}

impl Encoder {
    /// An encoder of pictures for the output `name`.
    pub(crate) fn video(video: &Video<'_>, name: &str, context: &Context) -> Result<Self> {
        Self::video_pass(video, None, name, context)
    }

    /// The same, in one of two passes.
    pub(crate) fn video_pass(
        video: &Video<'_>,
        pass: Option<Pass<'_>>,
        name: &str,
        context: &Context,
    ) -> Result<Self> {
        let failed = |code: Code| code.failed(name, "opening the video encoder");
        let codec = find(video.encoder, name)?;
        let mut codec_context = CodecContext::new(codec).map_err(failed)?;
        let fields = codec_context.get_mut();
        let like = video.like.get();
        fields.width = like.width;
        fields.height = like.height;
        fields.pix_fmt = super::scale::pixel_format(video.pixel_format);
        fields.sample_aspect_ratio = like.sample_aspect_ratio;
        fields.color_range = like.color_range;
        fields.colorspace = like.color_space;
        fields.color_trc = like.color_trc;
        fields.color_primaries = like.color_primaries;
        fields.chroma_sample_location = like.chroma_location;
        fields.field_order = like.field_order;
        fields.time_base = rational(video.time_base);
        let frame = rational(video.frame);
        fields.framerate = ffi::AVRational {
            num: frame.den,
            den: frame.num,
        };
        if video.header_apart {
            // Parameter sets go to the extradata, and none into the packets.
            fields.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
        }
        video.rate.apply(fields);
        match pass {
            None => {}
            Some(Pass::First) => fields.flags |= ffi::AV_CODEC_FLAG_PASS1 as i32,
            Some(Pass::Second(statistics)) => {
                fields.flags |= ffi::AV_CODEC_FLAG_PASS2 as i32;
                if let Some(statistics) = statistics {
                    // SAFETY: copies a C string; the context frees it.
                    fields.stats_in = unsafe { ffi::av_strdup(statistics.as_ptr()) };
                }
            }
        }
        fields.thread_count = i32::try_from(context.threads()).unwrap_or(1);
        Self::open(codec_context, codec, video.options, name)
    }

    /// An encoder of sound for the output `name`. It may choose another rate,
    /// layout and sample format: [`Encoder::parameters`] tells them.
    pub(crate) fn audio(audio: &Audio<'_>, name: &str) -> Result<Self> {
        let failed = |code: Code| code.failed(name, "opening the audio encoder");
        let codec = find(audio.encoder, name)?;
        let mut codec_context = CodecContext::new(codec).map_err(failed)?;
        let fields = codec_context.get_mut();
        let like = audio.like.get();
        // SAFETY: a static codec; its lists end with zero or -1.
        let (rate, format) = unsafe {
            (
                nearest_rate((*codec).supported_samplerates, audio.sample_rate),
                first_format((*codec).sample_fmts),
            )
        };
        fields.sample_rate = rate;
        fields.sample_fmt = format;
        if let Some(bit_rate) = audio.bit_rate {
            fields.bit_rate = bit_rate;
        }
        fields.time_base = ffi::AVRational { num: 1, den: rate };
        if audio.header_apart {
            fields.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
        }
        let channels = like.ch_layout.nb_channels;
        let most = audio.channels.unwrap_or(channels).min(channels).max(1);
        let plain = like.ch_layout.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC;
        // SAFETY: both layouts are valid, the codec's list ends with an empty
        // one; the copy is freed with the context.
        unsafe {
            if plain || most < channels {
                ffi::av_channel_layout_default(&raw mut fields.ch_layout, most);
            } else {
                check(ffi::av_channel_layout_copy(
                    &raw mut fields.ch_layout,
                    &raw const like.ch_layout,
                ))
                .map_err(failed)?;
            }
            let known = (*codec).ch_layouts;
            if let Some(nearest) = nearest_layout(known, &raw const fields.ch_layout) {
                check(ffi::av_channel_layout_copy(
                    &raw mut fields.ch_layout,
                    nearest,
                ))
                .map_err(failed)?;
            }
        }
        Self::open(codec_context, codec, &[], name)
    }

    fn open(
        context: CodecContext,
        codec: *const ffi::AVCodec,
        options: &[(&str, String)],
        name: &str,
    ) -> Result<Self> {
        let failed = |code: Code| code.failed(name, "opening the encoder");
        let pairs: Vec<_> = options
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        let mut options = Dictionary::new(&pairs);
        // SAFETY: a context made for this codec.
        check(unsafe { ffi::avcodec_open2(context.as_ptr(), codec, options.as_mut_ptr()) })
            .map_err(failed)?;
        debug_assert_eq!(options.left_over(), None);
        Ok(Self {
            context,
            name: name.to_owned(),
        })
    }

    /// What the muxer must know of the encoded stream.
    pub(crate) fn parameters(&self) -> Result<Parameters> {
        let mut parameters = Parameters::new();
        // SAFETY: both are valid.
        check(unsafe {
            ffi::avcodec_parameters_from_context(parameters.as_mut_ptr(), self.context.as_ptr())
        })
        .map_err(|code| code.failed(&self.name, "describing the encoder"))?;
        Ok(parameters)
    }

    /// What the first pass learned, once it has ended, unless the encoder keeps
    /// that in a file.
    pub(crate) fn statistics(&self) -> Option<CString> {
        // SAFETY: an open encoder; its statistics are null or a C string.
        unsafe {
            let statistics = (*self.context.as_ptr()).stats_out;
            (!statistics.is_null()).then(|| CStr::from_ptr(statistics).to_owned())
        }
    }

    /// Samples that each frame of sound but the last must have.
    pub(crate) fn frame_size(&self) -> i32 {
        // SAFETY: an open encoder.
        unsafe { (*self.context.as_ptr()).frame_size }
    }

    /// Feeds a frame, or with `None` says that no more come.
    pub(crate) fn send(&mut self, frame: Option<&Frame>) -> Result<()> {
        let frame = frame.map_or(ptr::null(), Frame::as_ptr);
        // SAFETY: an open encoder, and a valid frame or null.
        check(unsafe { ffi::avcodec_send_frame(self.context.as_ptr(), frame) })
            .map(drop)
            .map_err(|code| code.failed(&self.name, "encoding"))
    }

    /// The next packet; `None` when it wants another frame, or has ended.
    pub(crate) fn receive(&mut self) -> Result<Option<Packet>> {
        let mut packet = Packet::new();
        // SAFETY: an open encoder and an empty packet.
        let received =
            unsafe { ffi::avcodec_receive_packet(self.context.as_ptr(), packet.as_mut_ptr()) };
        match check(received) {
            Ok(_) => Ok(Some(packet)),
            Err(Code::AGAIN | Code::EOF) => Ok(None),
            Err(code) => Err(code.failed(&self.name, "encoding")),
        }
    }
}

impl Rate {
    fn apply(self, fields: &mut ffi::AVCodecContext) {
        if let Some(average) = self.average {
            fields.bit_rate = average;
        }
        if let Some(most) = self.most {
            fields.rc_max_rate = most;
            let buffer = self.buffer.unwrap_or(most.saturating_mul(2));
            fields.rc_buffer_size = i32::try_from(buffer).unwrap_or(i32::MAX);
        }
        if let Some(quantiser) = self.quantiser {
            fields.flags |= ffi::AV_CODEC_FLAG_QSCALE as i32;
            fields.global_quality = quantiser.saturating_mul(ffi::FF_QP2LAMBDA as i32);
        }
        if let Some(every) = self.keyframe_every {
            fields.gop_size = every;
        }
    }
}

/// The numbers of the pixel formats that the encoder `name` takes, none where it
/// does not say.
pub(crate) fn pixel_formats(name: &str) -> Vec<i32> {
    let Ok(codec) = find(name, name) else {
        return Vec::new();
    };
    let mut formats = Vec::new();
    // SAFETY: a static codec, whose list is null or ends with -1.
    unsafe {
        let mut format = (*codec).pix_fmts.cast::<i32>();
        while !format.is_null() && *format >= 0 {
            formats.push(*format);
            format = format.add(1);
        }
    }
    formats
}

/// Whether the linked FFmpeg has the encoder.
pub(crate) fn has_encoder(name: &str) -> bool {
    find(name, name).is_ok()
}

/// The lowest rate that is not below `wanted`, or the highest.
///
/// # Safety
/// `rates` is null or ends with zero.
unsafe fn nearest_rate(mut rates: *const std::ffi::c_int, wanted: i32) -> i32 {
    let mut above = None;
    let mut highest = None;
    // SAFETY: by the contract of this function.
    unsafe {
        while !rates.is_null() && *rates != 0 {
            let rate = *rates;
            if rate >= wanted && above.is_none_or(|best| rate < best) {
                above = Some(rate);
            }
            highest = highest.max(Some(rate));
            rates = rates.add(1);
        }
    }
    above.or(highest).unwrap_or(wanted)
}

/// Planar floats where the encoder takes them, else what it likes best.
///
/// # Safety
/// `formats` is null or ends with -1.
unsafe fn first_format(formats: *const ffi::AVSampleFormat) -> ffi::AVSampleFormat {
    let floats = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP;
    if formats.is_null() {
        return floats;
    }
    let mut at = formats;
    // SAFETY: by the contract of this function.
    unsafe {
        while *at != ffi::AVSampleFormat::AV_SAMPLE_FMT_NONE {
            if *at == floats {
                return floats;
            }
            at = at.add(1);
        }
        *formats
    }
}

/// The encoder's layout with the most channels that are no more than `wanted`
/// has; none where it takes any, or just this one.
///
/// # Safety
/// `known` is null or ends with a layout of no channels; `wanted` is valid.
unsafe fn nearest_layout(
    mut known: *const ffi::AVChannelLayout,
    wanted: *const ffi::AVChannelLayout,
) -> Option<*const ffi::AVChannelLayout> {
    let mut best: Option<*const ffi::AVChannelLayout> = None;
    // SAFETY: by the contract of this function.
    unsafe {
        while !known.is_null() && (*known).nb_channels > 0 {
            if ffi::av_channel_layout_compare(known, wanted) == 0 {
                return None;
            }
            let channels = (*known).nb_channels;
            if channels <= (*wanted).nb_channels
                && best.is_none_or(|best| (*best).nb_channels < channels)
            {
                best = Some(known);
            }
            known = known.add(1);
        }
    }
    best
}
