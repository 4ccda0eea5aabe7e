//! `AVFormatContext` for reading.

mod seek;

use std::ffi::{CString, c_int, c_void};
use std::ptr::{self, NonNull};

use super::code::{Code, check};
use super::dictionary::Dictionary;
use super::io::{self, CustomIo};
use super::packet::Packet;
use super::stream::{Stream, describe};
use super::{ffi, text, ticks};
use crate::context::Cancel;
use crate::input::{Input, Opened};
use crate::time::Timestamp;
use crate::{Context, Error, Result};

/// The demuxers that may open an input. Playlists are not among them: they
/// make a demuxer open other files.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,h264,hevc,\
                       mjpeg,aac,mp3,wav,flac,ogg,ac3,eac3,ivf,mpegvideo,m4v";

/// The demuxers that may open a single picture.
const PICTURES: &str = "png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,gif";

/// An opened input.
pub(crate) struct Demuxer {
    // Declared before `stream_io`: closing the context comes first.
    context: FormatContext,
    stream_io: Option<CustomIo>,
    // Boxed: the interrupt callback holds its address.
    _cancel: Box<Cancel>,
    name: String,
    streams: Vec<Stream>,
    live: bool,
}

// SAFETY: the context belongs to this value alone, its callbacks touch only a
// stream that is `Send` and an atomic flag, and FFmpeg's worker threads are
// joined when it is closed.
unsafe impl Send for Demuxer {}

struct FormatContext(NonNull<ffi::AVFormatContext>);

impl Drop for FormatContext {
    fn drop(&mut self) {
        let mut context = self.0.as_ptr();
        // SAFETY: opened by avformat_open_input, closed once. A custom
        // AVIOContext is left alone, as its flag says.
        unsafe { ffi::avformat_close_input(&raw mut context) };
    }
}

unsafe extern "C" fn interrupted(opaque: *mut c_void) -> c_int {
    // SAFETY: `opaque` is the boxed token that lives as long as the context.
    let cancel = unsafe { &*opaque.cast::<Cancel>() };
    c_int::from(cancel.is_cancelled())
}

/// The interrupt callback that watches `cancel`, which must not move.
pub(super) fn interrupt(cancel: &Cancel) -> ffi::AVIOInterruptCB {
    ffi::AVIOInterruptCB {
        callback: Some(interrupted),
        opaque: ptr::from_ref(cancel).cast_mut().cast(),
    }
}

impl Demuxer {
    /// Opens `input` and reads its header; with `probe`, enough packets to know
    /// every stream's parameters as well.
    pub(crate) fn open(input: &mut Input, probe: bool, context: &Context) -> Result<Self> {
        Self::open_as(input, FORMATS, probe, context)
    }

    /// Opens a single picture: PNG, JPEG, WebP, BMP or GIF.
    pub(crate) fn open_picture(input: &mut Input, context: &Context) -> Result<Self> {
        Self::open_as(input, PICTURES, true, context)
    }

    fn open_as(input: &mut Input, formats: &str, probe: bool, context: &Context) -> Result<Self> {
        super::init();
        context.check()?;
        let opened = input.open(context)?;
        let name = input.name().to_owned();
        let cancel = Box::new(context.cancel().clone());
        let (url, mut stream_io, live) = match opened {
            // The prefix keeps a name like `http:x` from being a protocol.
            Opened::Path(path) => (path_url(&path, &name)?, None, false),
            Opened::Seekable(stream) => (
                CString::default(),
                Some(io::seekable(stream, &cancel, &name)?),
                false,
            ),
            Opened::Live(stream) => (
                CString::default(),
                Some(io::live(stream, &cancel, &name)?),
                true,
            ),
        };
        // SAFETY: allocates, or returns null.
        let raw = unsafe { ffi::avformat_alloc_context() };
        let Some(mut allocated) = NonNull::new(raw) else {
            return Err(Code::NO_MEMORY.failed(&name, "opening"));
        };
        // SAFETY: just allocated, not shared.
        let fields = unsafe { allocated.as_mut() };
        fields.interrupt_callback = interrupt(&cancel);
        if let Some(stream_io) = &mut stream_io {
            fields.pb = stream_io.as_mut_ptr();
        }
        let mut options = Dictionary::new(&[
            ("protocol_whitelist", "file,pipe"),
            ("format_whitelist", formats),
        ]);
        let mut raw = allocated.as_ptr();
        // SAFETY: all pointers are valid; on failure the context is freed and
        // `raw` set to null.
        let opened = unsafe {
            ffi::avformat_open_input(
                &raw mut raw,
                url.as_ptr(),
                ptr::null(),
                options.as_mut_ptr(),
            )
        };
        if let Err(code) = check(opened) {
            context.check()?;
            let failure = stream_io.and_then(|stream_io| stream_io.failure());
            return Err(match failure {
                Some(source) => Error::io(name, source),
                None => open_error(code, &name, context),
            });
        }
        // avformat_open_input leaves the pointer it was given.
        let mut demuxer = Self {
            context: FormatContext(allocated),
            stream_io,
            _cancel: cancel,
            name,
            streams: Vec::new(),
            live,
        };
        if probe {
            demuxer.probe(context)?;
        } else {
            demuxer.streams = demuxer.describe(context)?;
        }
        Ok(demuxer)
    }

    /// Reads enough packets to know every stream's parameters.
    pub(crate) fn probe(&mut self, context: &Context) -> Result<()> {
        // SAFETY: an open context.
        let found = unsafe { ffi::avformat_find_stream_info(self.as_mut_ptr(), ptr::null_mut()) };
        check(found).map_err(|code| self.broken(code, "reading the streams", context))?;
        self.streams = self.describe(context)?;
        Ok(())
    }

    fn describe(&self, context: &Context) -> Result<Vec<Stream>> {
        let fields = self.get();
        let count = fields.nb_streams as usize;
        let most = context.limits().max_streams;
        if count > most {
            return Err(Error::limit(
                &self.name,
                format!("{count} streams; the limit is {most}"),
            ));
        }
        let mut streams = Vec::with_capacity(count);
        for index in 0..count {
            // SAFETY: `streams` holds `nb_streams` valid pointers.
            let stream = unsafe { *fields.streams.add(index) };
            // SAFETY: a stream of the open context.
            let stream = unsafe { describe(stream) }
                .map_err(|code| code.failed(&self.name, "reading the streams"))?;
            let pixels =
                i64::from(stream.parameters.width()) * i64::from(stream.parameters.height());
            let most = context.limits().max_pixels;
            if u64::try_from(pixels).is_ok_and(|pixels| pixels > most) {
                return Err(Error::limit(
                    &self.name,
                    format!("a picture of {pixels} pixels; the limit is {most}"),
                ));
            }
            streams.push(stream);
        }
        Ok(streams)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// What was told of the streams, for a caller that opens the input again.
    pub(crate) fn take_streams(&mut self) -> Vec<Stream> {
        std::mem::take(&mut self.streams)
    }

    /// Whether it can only be read from front to back.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// The demuxer's names, as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub(crate) fn format(&self) -> &'static str {
        // SAFETY: an open context has a static input format with a name.
        unsafe { text((*self.get().iformat).name) }
    }

    /// The container's duration, where it tells one or it was estimated.
    pub(crate) fn duration(&self) -> Option<Timestamp> {
        ticks(self.get().duration)
            .filter(|&micros| micros > 0)
            .map(Timestamp::from_micros)
    }

    /// When the first stream starts.
    pub(crate) fn start(&self) -> Option<Timestamp> {
        ticks(self.get().start_time).map(Timestamp::from_micros)
    }

    pub(crate) fn bit_rate(&self) -> Option<i64> {
        Some(self.get().bit_rate).filter(|&rate| rate > 0)
    }

    /// The size in bytes, where it is known.
    pub(crate) fn size(&mut self) -> Option<i64> {
        let pb = self.get().pb;
        if pb.is_null() {
            return None;
        }
        // SAFETY: the open context's I/O.
        Some(unsafe { ffi::avio_size(pb) }).filter(|&size| size > 0)
    }

    /// Hands packets on as the container holds them, without a parser.
    pub(crate) fn without_parser(&mut self) {
        // SAFETY: an open context; the flag is read at each packet.
        unsafe { self.context.0.as_mut().flags |= ffi::AVFMT_FLAG_NOPARSE };
    }

    /// Reads only the streams in `wanted`.
    pub(crate) fn select(&mut self, wanted: &[usize]) {
        for index in 0..self.get().nb_streams as usize {
            let discard = if wanted.contains(&index) {
                ffi::AVDiscard::AVDISCARD_DEFAULT
            } else {
                ffi::AVDiscard::AVDISCARD_ALL
            };
            // SAFETY: `index` is below `nb_streams`.
            unsafe { (**self.get().streams.add(index)).discard = discard };
        }
    }

    /// The next packet; `None` at the end.
    pub(crate) fn read(&mut self, context: &Context) -> Result<Option<Packet>> {
        context.check()?;
        let mut packet = Packet::new();
        loop {
            // SAFETY: an open context and an empty packet.
            let read = unsafe { ffi::av_read_frame(self.as_mut_ptr(), packet.as_mut_ptr()) };
            return match check(read) {
                Ok(_) => Ok(Some(packet)),
                Err(Code::EOF) => self.end_of_input(context),
                Err(Code::AGAIN) => {
                    context.check()?;
                    continue;
                }
                Err(code) => Err(self.broken(code, "reading", context)),
            };
        }
    }

    /// The error of reading; a pipe has one reason more for it.
    fn broken(&self, code: Code, operation: &'static str, context: &Context) -> Error {
        let failure = self.stream_io.as_ref().and_then(CustomIo::failure);
        if context.cancel().is_cancelled() {
            Error::Cancelled
        } else if let Some(source) = failure {
            Error::io(&self.name, source)
        } else if self.live && code.is_data() && self.format().starts_with("mov") {
            Error::malformed(
                &self.name,
                "its index is missing or at its end, and a pipe cannot be sought: \
                 give the file itself, or one with the index in front",
            )
        } else {
            code.reading(&self.name, operation, context)
        }
    }

    /// A read error reaches a demuxer as the end of the file: tell them apart.
    fn end_of_input(&self, context: &Context) -> Result<Option<Packet>> {
        let pb = self.get().pb;
        if pb.is_null() {
            return Ok(None);
        }
        // SAFETY: the open context's I/O.
        match unsafe { (*pb).error } {
            0 | ffi::AVERROR_EOF => Ok(None),
            code => Err(self.broken(Code(code), "reading", context)),
        }
    }

    fn get(&self) -> &ffi::AVFormatContext {
        // SAFETY: open until `drop`.
        unsafe { self.context.0.as_ref() }
    }

    fn as_mut_ptr(&mut self) -> *mut ffi::AVFormatContext {
        self.context.0.as_ptr()
    }
}

/// A path as a URL of the `file` protocol.
pub(super) fn path_url(path: &std::path::Path, name: &str) -> Result<CString> {
    use std::os::unix::ffi::OsStrExt;
    let bytes = [b"file:".as_slice(), path.as_os_str().as_bytes()].concat();
    CString::new(bytes).map_err(|_| {
        Error::io(
            name,
            std::io::Error::new(std::io::ErrorKind::InvalidInput, "a NUL byte in the path"),
        )
    })
}

fn open_error(code: Code, name: &str, context: &Context) -> Error {
    if code == Code::NO_MEMORY {
        return Error::limit(
            name,
            "its header asks for more memory or more streams than a recording has",
        );
    }
    if code.is_data() || code == Code::INVALID {
        return Error::malformed(
            name,
            "not a media file that Flatbed reads (MP4, MOV, MKV, WebM, MPEG-TS, MPEG-PS, AVI), or cut off",
        );
    }
    code.reading(name, "opening", context)
}
