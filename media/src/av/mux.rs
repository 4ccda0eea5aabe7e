//! `AVFormatContext` for writing.

mod closed;
mod front;

use std::ffi::CString;
use std::ptr::{self, NonNull};

use super::code::{Code, check};
use super::demux::{interrupt, path_url};
use super::dictionary::Dictionary;
use super::io::{self as custom, CustomIo};
use super::packet::Packet;
use super::parameters::{CodecId, Parameters};
use super::{ffi, rational, time_base};
use crate::context::Cancel;
use crate::output::{Container, PartialFile, Target};
pub(crate) use closed::Closed;

use crate::time::TimeBase;
use crate::{Context, Error, Result};

/// An output that is being written.
pub(crate) struct Muxer {
    // Declared before what it writes to: freeing the context comes first.
    context: FormatContext,
    stream_io: Option<CustomIo>,
    // Boxed: the interrupt callback holds its address.
    cancel: Box<Cancel>,
    file: Option<PartialFile>,
    name: String,
    container: Container,
    streams: Vec<Clock>,
    /// Bytes kept free at the front for the index of an MP4 or MOV.
    reserved: Option<u64>,
    /// Where the reserved room begins: behind the `ftyp` box.
    front: i64,
    seekable: bool,
}

/// A stream's time base, as its packets come and as the container keeps it.
struct Clock {
    given: TimeBase,
    kept: TimeBase,
    /// What is added to the times of Opus in Matroska: its blocks tell when
    /// decoding gives them, `CodecDelay` later than they are heard, and
    /// libavformat 5.1 writes that element and leaves the times as they are.
    delay: i64,
    /// When the last packet was decoded, in AVI.
    last: Option<i64>,
}

// SAFETY: the context belongs to this value alone, and its callbacks touch only
// a stream that is `Send` and an atomic flag.
unsafe impl Send for Muxer {}

struct FormatContext {
    raw: NonNull<ffi::AVFormatContext>,
    /// Whether the `AVIOContext` is libavformat's own.
    owns_io: bool,
}

impl Drop for FormatContext {
    fn drop(&mut self) {
        // SAFETY: allocated by avformat_alloc_output_context2, freed once; the
        // I/O was opened by avio_open2 if it is owned.
        unsafe {
            if self.owns_io {
                ffi::avio_closep(&raw mut (*self.raw.as_ptr()).pb);
            }
            ffi::avformat_free_context(self.raw.as_ptr());
        }
    }
}

/// What the muxer must know of one stream.
pub(crate) struct Track<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) time_base: TimeBase,
    /// The length of a frame.
    pub(crate) frame_rate: Option<TimeBase>,
    pub(crate) rotation: i32,
    pub(crate) language: Option<&'a str>,
}

impl Muxer {
    /// Opens `target`; nothing is written yet.
    pub(crate) fn open(
        target: Target,
        container: Container,
        name: &str,
        context: &Context,
    ) -> Result<Self> {
        super::init();
        let failed = |code: Code| code.failed(name, "opening the output");
        let muxer = CString::new(container.muxer()).map_err(|_| failed(Code::INVALID))?;
        let cancel = Box::new(context.cancel().clone());
        let (url, mut stream_io, file, seekable) = match target {
            Target::File(file) => (path_url(file.place(), name)?, None, Some(file), true),
            Target::Seekable(stream) => {
                let stream_io = custom::write_seek(stream, &cancel, name)?;
                (CString::default(), Some(stream_io), None, true)
            }
            Target::Live(stream) => {
                let stream_io = custom::write(stream, &cancel, name)?;
                (CString::default(), Some(stream_io), None, false)
            }
        };
        let mut raw = ptr::null_mut();
        // SAFETY: all pointers are valid C strings or null.
        check(unsafe {
            ffi::avformat_alloc_output_context2(
                &raw mut raw,
                ptr::null(),
                muxer.as_ptr(),
                url.as_ptr(),
            )
        })
        .map_err(|_| {
            Error::unsupported(name, format!("the linked FFmpeg has no {container} muxer"))
        })?;
        let raw = NonNull::new(raw).ok_or_else(|| failed(Code::NO_MEMORY))?;
        let mut context = FormatContext {
            raw,
            owns_io: false,
        };
        // SAFETY: just allocated, not shared.
        let fields = unsafe { context.raw.as_mut() };
        fields.interrupt_callback = interrupt(&cancel);
        // The same bits for the same input: no version strings.
        fields.flags |= ffi::AVFMT_FLAG_BITEXACT;
        // FLAC in MP4, which FFmpeg 5.1 still calls an experiment.
        fields.strict_std_compliance = ffi::FF_COMPLIANCE_EXPERIMENTAL;
        if let Some(stream_io) = &mut stream_io {
            fields.pb = stream_io.as_mut_ptr();
        } else {
            let callback = interrupt(&cancel);
            // The file is new and empty. Truncating it would make ext4 write
            // everything to the disk when it is closed (`auto_da_alloc`).
            let mut options = Dictionary::new(&[("truncate", "0")]);
            // SAFETY: `pb` is written on success; the callback outlives the I/O.
            check(unsafe {
                ffi::avio_open2(
                    &raw mut fields.pb,
                    url.as_ptr(),
                    ffi::AVIO_FLAG_WRITE,
                    &raw const callback,
                    options.as_mut_ptr(),
                )
            })
            .map_err(failed)?;
            context.owns_io = true;
        }
        Ok(Self {
            context,
            stream_io,
            cancel,
            file,
            name: name.to_owned(),
            container,
            streams: Vec::new(),
            reserved: None,
            front: 0,
            seekable,
        })
    }

    /// Adds a stream; packets name it by the number returned.
    pub(crate) fn add(&mut self, track: &Track<'_>) -> Result<usize> {
        let failed = |code: Code| code.failed(&self.name, "adding a stream");
        // SAFETY: an open context before its header.
        let stream = unsafe { ffi::avformat_new_stream(self.context.raw.as_ptr(), ptr::null()) };
        let Some(mut stream) = NonNull::new(stream) else {
            return Err(failed(Code::NO_MEMORY));
        };
        // SAFETY: just created, not shared.
        let fields = unsafe { stream.as_mut() };
        // SAFETY: both are valid parameters.
        check(unsafe { ffi::avcodec_parameters_copy(fields.codecpar, track.parameters.as_ptr()) })
            .map_err(failed)?;
        // AVI keeps no times: each tick is a frame, and an empty one where none
        // is.
        let slot = track
            .frame_rate
            .filter(|_| self.container == Container::Avi);
        fields.time_base = rational(slot.unwrap_or(track.time_base));
        fields.sample_aspect_ratio = track.parameters.get().sample_aspect_ratio;
        if let Some(frame) = track.frame_rate {
            let rate = rational(frame);
            fields.avg_frame_rate = ffi::AVRational {
                num: rate.den,
                den: rate.num,
            };
        }
        if track.rotation != 0 {
            // SAFETY: a valid stream.
            unsafe { set_rotation(stream.as_ptr(), track.rotation) }.map_err(failed)?;
        }
        if let Some(language) = track.language.and_then(|text| CString::new(text).ok()) {
            // SAFETY: a valid stream; the strings are copied.
            unsafe {
                ffi::av_dict_set(
                    &raw mut (*stream.as_ptr()).metadata,
                    c"language".as_ptr(),
                    language.as_ptr(),
                    0,
                );
            }
        }
        let matroska = matches!(self.container, Container::Mkv | Container::WebM);
        let opus = track.parameters.codec() == CodecId::AV_CODEC_ID_OPUS;
        let delay = i64::from(track.parameters.delay().max(0));
        let delay = TimeBase::per_second(48_000).convert(delay, track.time_base);
        self.streams.push(Clock {
            given: track.time_base,
            kept: track.time_base,
            delay: if matroska && opus { delay } else { 0 },
            last: None,
        });
        Ok(self.streams.len() - 1)
    }

    /// Whether the file gets one index of all its samples.
    pub(crate) fn has_index(&self) -> bool {
        self.container.is_iso() && self.seekable
    }

    /// Writes the header. `index` is the most bytes that the index of an MP4
    /// or MOV can take, where that is known: it then goes to the front at once.
    pub(crate) fn write_header(
        &mut self,
        index: Option<u64>,
        timescale: Option<u32>,
    ) -> Result<()> {
        let mut options: Vec<(&str, String)> = Vec::new();
        if self.container.is_iso() {
            // Times before zero become the edit list, to the tick.
            options.push(("use_editlist", "1".into()));
            if let Some(timescale) = timescale {
                options.push(("video_track_timescale", timescale.to_string()));
            }
            if !self.seekable {
                options.push((
                    "movflags",
                    "+frag_keyframe+empty_moov+default_base_moof+delay_moov".into(),
                ));
            } else if let Some(index) = index {
                self.reserved = Some(index);
                options.push(("moov_size", index.to_string()));
            } else if self.file.is_some() {
                options.push(("movflags", "+faststart".into()));
            }
        }
        let pairs: Vec<_> = options
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        let mut options = Dictionary::new(&pairs);
        // SAFETY: an open context whose streams are set up.
        let written =
            unsafe { ffi::avformat_write_header(self.context.raw.as_ptr(), options.as_mut_ptr()) };
        check(written).map_err(|code| self.refused(code, "writing the header"))?;
        debug_assert_eq!(options.left_over(), None);
        if let Some(reserved) = self.reserved {
            // `ftyp`, the room, and a `wide` or `free` box and the `mdat` header
            // of 8 bytes each.
            self.front = self.position() - 16 - i64::try_from(reserved).unwrap_or(0);
        }
        for (index, clock) in self.streams.iter_mut().enumerate() {
            // SAFETY: as many streams as were added.
            let kept = unsafe { (**(*self.context.raw.as_ptr()).streams.add(index)).time_base };
            clock.kept = time_base(kept).unwrap_or(clock.given);
        }
        Ok(())
    }

    /// Writes one packet, whose times are in the time base that its stream was
    /// added with. The packets of one stream come in decoding order; those of
    /// different streams as they should lie in the file.
    pub(crate) fn write(&mut self, packet: &mut Packet) -> Result<()> {
        if let Some(clock) = self.streams.get_mut(packet.stream()) {
            if clock.delay > 0 {
                packet.set_pts(packet.pts().map(|pts| pts + clock.delay));
                packet.set_dts(packet.dts().map(|dts| dts + clock.delay));
            }
            packet.rescale(clock.given, clock.kept);
            if self.container == Container::Avi {
                // Frames that lie closer than its slots follow one another.
                let dts = packet.dts().unwrap_or(0);
                let dts = clock.last.map_or(dts.max(0), |last| dts.max(last + 1));
                clock.last = Some(dts);
                packet.set_dts(Some(dts));
                packet.set_pts(Some(packet.pts().unwrap_or(dts).max(dts)));
            }
        }
        // SAFETY: an open context behind its header, and a valid packet, of
        // which it takes what it keeps by reference.
        let written =
            unsafe { ffi::av_write_frame(self.context.raw.as_ptr(), packet.as_mut_ptr()) };
        check(written)
            .map(drop)
            .map_err(|code| self.refused(code, "writing"))
    }

    /// Writes what the container keeps for the end.
    ///
    /// `index` is again the most bytes that the index can take, now that every
    /// packet is known.
    pub(crate) fn close(mut self, index: u64) -> Result<Closed> {
        if self.reserved.is_some_and(|reserved| index > reserved) {
            self.give_up_reserve()?;
        }
        // SAFETY: an open context behind its header.
        let written = unsafe { ffi::av_write_trailer(self.context.raw.as_ptr()) };
        check(written).map_err(|code| self.refused(code, "writing the end"))?;
        let pb = self.get().pb;
        // SAFETY: the open context's I/O.
        let (error, written) = unsafe {
            ffi::avio_flush(pb);
            ((*pb).error, ffi::avio_size(pb).max((*pb).bytes_written))
        };
        check(error).map_err(|code| self.refused(code, "writing the end"))?;
        if self.context.owns_io {
            self.context.owns_io = false;
            // SAFETY: opened by avio_open2; the pointer becomes null.
            let closed = unsafe { ffi::avio_closep(&raw mut (*self.context.raw.as_ptr()).pb) };
            check(closed).map_err(|code| self.refused(code, "closing"))?;
        }
        let file = self.file.take();
        let bytes = match &file {
            Some(file) => std::fs::metadata(file.place())
                .map_err(|source| Error::io(&self.name, source))?
                .len(),
            None => u64::try_from(written).unwrap_or(0),
        };
        Ok(Closed {
            file,
            bytes,
            name: std::mem::take(&mut self.name),
        })
    }

    fn refused(&self, code: Code, operation: &'static str) -> Error {
        if self.cancel.is_cancelled() {
            return Error::Cancelled;
        }
        if let Some(source) = self.stream_io.as_ref().and_then(CustomIo::failure) {
            return Error::io(&self.name, source);
        }
        let pb = self.get().pb;
        if !pb.is_null() {
            // The muxer's own code may hide the disk's.
            // SAFETY: the open context's I/O.
            let error = unsafe { (*pb).error };
            if error < 0 {
                return Code(error).failed(&self.name, operation);
            }
        }
        code.failed(&self.name, operation)
    }

    fn get(&self) -> &ffi::AVFormatContext {
        // SAFETY: allocated until `drop`.
        unsafe { self.context.raw.as_ref() }
    }
}

/// Has players turn the picture clockwise by so many degrees.
///
/// # Safety
/// `stream` points to a stream of an open context.
unsafe fn set_rotation(
    stream: *mut ffi::AVStream,
    clockwise: i32,
) -> std::result::Result<(), Code> {
    let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
    // SAFETY: by the contract of this function; the new side data has room
    // for the nine numbers of a matrix.
    unsafe {
        let matrix = ffi::av_stream_new_side_data(stream, kind, 9 * 4).cast::<i32>();
        if matrix.is_null() {
            return Err(Code::NO_MEMORY);
        }
        ffi::av_display_rotation_set(matrix.cast(), -f64::from(clockwise));
    }
    Ok(())
}
