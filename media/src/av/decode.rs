//! `AVCodecContext` for decoding.

use std::ptr::{self, NonNull};

use super::code::{Code, check};
use super::ffi;
use super::frame::Frame;
use super::packet::Packet;
use super::parameters::Parameters;
use super::rational;
use crate::time::TimeBase;
use crate::{Context, Error, Result};

/// An `AVCodecContext` with its owner.
pub(super) struct CodecContext(pub(super) NonNull<ffi::AVCodecContext>);

impl CodecContext {
    pub(super) fn new(codec: *const ffi::AVCodec) -> std::result::Result<Self, Code> {
        // SAFETY: `codec` is a static codec or null.
        let context = unsafe { ffi::avcodec_alloc_context3(codec) };
        NonNull::new(context).map(Self).ok_or(Code::NO_MEMORY)
    }

    pub(super) fn get_mut(&mut self) -> &mut ffi::AVCodecContext {
        // SAFETY: allocated by `new`, freed by `drop` alone.
        unsafe { self.0.as_mut() }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::AVCodecContext {
        self.0.as_ptr()
    }
}

impl Drop for CodecContext {
    fn drop(&mut self) {
        let mut context = self.0.as_ptr();
        // SAFETY: freed once; joins the codec's threads.
        unsafe { ffi::avcodec_free_context(&raw mut context) };
    }
}

/// How many broken pictures in a row are passed over while a decoder is asked
/// for one frame.
const MOST_BROKEN: u32 = 1024;

/// Which packets a decoder passes over unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    Nothing,
    /// Those of frames that no other frame refers to.
    Unreferenced,
}

/// A decoder of one stream.
pub(crate) struct Decoder {
    context: CodecContext,
    name: String,
}

// SAFETY: the context belongs to this value alone.
unsafe impl Send for Decoder {}

impl Decoder {
    /// A decoder for packets of the input `name` in `time_base`.
    pub(crate) fn open(
        parameters: &Parameters,
        time_base: TimeBase,
        name: &str,
        context: &Context,
    ) -> Result<Self> {
        let failed = |code: Code| code.failed(name, "opening the decoder");
        // SAFETY: returns a static codec or null.
        let codec = unsafe { ffi::avcodec_find_decoder(parameters.codec()) };
        if codec.is_null() {
            return Err(Error::unsupported(
                name,
                format!("no decoder for {}", parameters.codec_name()),
            ));
        }
        let mut codec_context = CodecContext::new(codec).map_err(failed)?;
        // SAFETY: both are valid.
        check(unsafe {
            ffi::avcodec_parameters_to_context(codec_context.as_ptr(), parameters.as_ptr())
        })
        .map_err(failed)?;
        let fields = codec_context.get_mut();
        fields.pkt_timebase = rational(time_base);
        fields.thread_count = i32::try_from(context.threads()).unwrap_or(1);
        // H.264: behind a recovery point frames count as corrupt until that is
        // shown; at the end of the stream, and with threads, for ever.
        fields.flags |= ffi::AV_CODEC_FLAG_OUTPUT_CORRUPT as i32;
        fields.max_pixels = i64::try_from(context.limits().max_pixels).unwrap_or(i64::MAX);
        // SAFETY: a context made for this codec.
        check(unsafe { ffi::avcodec_open2(codec_context.as_ptr(), codec, ptr::null_mut()) })
            .map_err(|code| code.reading(name, "opening the decoder", context))?;
        Ok(Self {
            context: codec_context,
            name: name.to_owned(),
        })
    }

    /// Feeds a packet, or with `None` says that no more come. A packet that
    /// cannot be decoded is the caller's to judge.
    pub(crate) fn send(&mut self, packet: Option<&Packet>) -> std::result::Result<(), Code> {
        let packet = packet.map_or(ptr::null(), Packet::as_ptr);
        // SAFETY: an open decoder, and a valid packet or null.
        check(unsafe { ffi::avcodec_send_packet(self.context.as_ptr(), packet) }).map(drop)
    }

    /// Which of the packets from here on are passed over. Decoders that do not
    /// know how decode them.
    pub(crate) fn skip(&mut self, skip: Skip) {
        self.context.get_mut().skip_frame = match skip {
            Skip::Nothing => ffi::AVDiscard::AVDISCARD_DEFAULT,
            Skip::Unreferenced => ffi::AVDiscard::AVDISCARD_NONREF,
        };
    }

    /// Forgets all packets and frames, to begin anew at a keyframe.
    pub(crate) fn forget(&mut self) {
        // SAFETY: an open decoder.
        unsafe { ffi::avcodec_flush_buffers(self.context.as_ptr()) };
    }

    /// The next frame; `None` when it wants another packet, or has ended.
    pub(crate) fn receive(&mut self) -> Result<Option<Frame>> {
        let mut frame = Frame::new();
        // A picture that does not decode is told in its turn, and others wait
        // behind it: at most one for each thread and each place to reorder.
        for _ in 0..MOST_BROKEN {
            // SAFETY: an open decoder and an empty frame.
            let received =
                unsafe { ffi::avcodec_receive_frame(self.context.as_ptr(), frame.as_mut_ptr()) };
            match check(received) {
                Ok(_) => return Ok(Some(frame)),
                Err(Code::AGAIN | Code::EOF) => return Ok(None),
                Err(code) if code.is_data() => {}
                Err(code) => return Err(code.failed(&self.name, "decoding")),
            }
        }
        Ok(None)
    }
}
