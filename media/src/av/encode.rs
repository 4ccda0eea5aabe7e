//! `AVCodecContext` for encoding.

use std::ffi::CString;
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
    /// The encoder's own options.
    pub(crate) options: &'a [(&'a str, String)],
}

/// How sound is to be encoded.
pub(crate) struct Audio<'a> {
    /// The encoder's name, as `aac`.
    pub(crate) encoder: &'a str,
    pub(crate) sample_rate: i32,
    /// The channel layout is taken from here.
    pub(crate) like: &'a Parameters,
    pub(crate) bit_rate: i64,
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
        // Parameter sets go to the extradata, and none into the packets.
        fields.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
        fields.thread_count = i32::try_from(context.threads()).unwrap_or(1);
        Self::open(codec_context, codec, video.options, name)
    }

    /// An encoder of sound for the output `name`; it takes planar floats.
    pub(crate) fn audio(audio: &Audio<'_>, name: &str) -> Result<Self> {
        let failed = |code: Code| code.failed(name, "opening the audio encoder");
        let codec = find(audio.encoder, name)?;
        let mut codec_context = CodecContext::new(codec).map_err(failed)?;
        let fields = codec_context.get_mut();
        let like = audio.like.get();
        fields.sample_rate = audio.sample_rate;
        fields.sample_fmt = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP;
        fields.bit_rate = audio.bit_rate;
        fields.time_base = ffi::AVRational {
            num: 1,
            den: audio.sample_rate,
        };
        fields.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
        // SAFETY: both layouts are valid; the copy is freed with the context.
        unsafe {
            if like.ch_layout.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
                let channels = like.ch_layout.nb_channels;
                ffi::av_channel_layout_default(&raw mut fields.ch_layout, channels);
            } else {
                check(ffi::av_channel_layout_copy(
                    &raw mut fields.ch_layout,
                    &raw const like.ch_layout,
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
