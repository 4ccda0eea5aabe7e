//! Everything encoded: for the mode `reencode`, and where nothing can be copied.

use std::collections::{BTreeMap, VecDeque};

use crate::av::code::Code;
use crate::av::decode::Decoder;
use crate::av::encode::{Encoder, Rate, Video};
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::av::parameters::{CodecId, Parameters};
use crate::av::scale::{Scaler, format_name, format_number};
use crate::time::TimeBase;
use crate::{Context, Result};

use super::report::Report;
use super::video::Window;

/// The pictures of an output that is encoded whole.
pub(super) struct Encode {
    /// What the first segment's pictures are like; all become so.
    like: Parameters,
    frame: TimeBase,
    clock: TimeBase,
    decoder: Option<Decoder>,
    name: String,
    window: Window,
    scaler: Option<Scaler>,
    encoder: Option<Encoder>,
    /// The time and length of each frame that went in, by its number.
    times: BTreeMap<i64, (i64, i64)>,
    fed: i64,
    /// The time of the keyframe that the segment's decoder began with.
    entry: Option<Entry>,
    /// The time of the last frame decoded, wanted or not.
    decoded: Option<i64>,
    done: bool,
    last_pts: Option<i64>,
    pub(super) ready: VecDeque<Packet>,
    pub(super) shown_to: i64,
}

/// Where decoding began.
struct Entry {
    /// When that frame is shown.
    at: Option<i64>,
    /// Its packet told when it is decoded only. The frame's time is then a guess
    /// of the decoder's, and late by as much as frames are reordered; so are
    /// those of the frames that follow.
    guessed: bool,
    /// How late, once it is known.
    late: i64,
    /// Whether frames' packets told when they are shown, and whether some did
    /// not.
    tells: bool,
    lacks: bool,
}

impl Encode {
    pub(super) fn new(like: Parameters, frame: TimeBase, clock: TimeBase) -> Self {
        Self {
            like,
            frame,
            clock,
            decoder: None,
            name: String::new(),
            window: Window { from: 0, to: 0 },
            scaler: None,
            encoder: None,
            times: BTreeMap::new(),
            fed: 0,
            entry: None,
            decoded: None,
            done: false,
            last_pts: None,
            ready: VecDeque::new(),
            shown_to: i64::MIN,
        }
    }

    /// Begins a segment, of which the frames in `window` are wanted.
    pub(super) fn begin(
        &mut self,
        name: &str,
        parameters: &Parameters,
        window: Window,
        context: &Context,
    ) -> Result<()> {
        self.decoder = Some(Decoder::open(parameters, self.clock, name, context)?);
        name.clone_into(&mut self.name);
        self.window = window;
        self.entry = None;
        self.decoded = None;
        self.done = false;
        Ok(())
    }

    /// Whether no further frame of the segment is wanted.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// The header of the encoded stream, once a frame went in.
    pub(super) fn parameters(&self, container: crate::Container) -> Result<Option<Parameters>> {
        let Some(encoder) = &self.encoder else {
            return Ok(None);
        };
        let mut parameters = encoder.parameters()?;
        if container.is_iso() && parameters.codec() == CodecId::AV_CODEC_ID_HEVC {
            parameters.set_tag(Some(b"hvc1"));
        }
        Ok(Some(parameters))
    }

    /// Takes the next packet of the segment, its times in ticks of the output.
    pub(super) fn push(
        &mut self,
        packet: &Packet,
        context: &Context,
        report: &mut Report,
    ) -> Result<()> {
        if self.done || self.entry.is_none() && !packet.is_key() {
            return Ok(());
        }
        self.entry.get_or_insert(Entry {
            at: packet.pts().or(packet.dts()),
            guessed: packet.pts().is_none(),
            late: 0,
            tells: false,
            lacks: false,
        });
        if let Some(decoder) = &mut self.decoder
            && decoder.send(Some(packet)) == Err(Code::NO_MEMORY)
        {
            return Err(Code::NO_MEMORY.failed(&self.name, "decoding"));
        }
        self.take_frames(context, report)
    }

    /// The frames that the segment's decoder still holds.
    pub(super) fn finish_segment(&mut self, context: &Context, report: &mut Report) -> Result<()> {
        if let Some(decoder) = &mut self.decoder {
            let _ = decoder.send(None);
        }
        self.take_frames(context, report)?;
        self.decoder = None;
        self.done = true;
        Ok(())
    }

    /// The packets that the encoder still holds.
    pub(super) fn finish(&mut self) -> Result<()> {
        if let Some(encoder) = &mut self.encoder {
            encoder.send(None)?;
        }
        self.take_packets()
    }

    fn take_frames(&mut self, context: &Context, report: &mut Report) -> Result<()> {
        let Some(mut decoder) = self.decoder.take() else {
            return Ok(());
        };
        while let Some(frame) = decoder.receive()? {
            context.check()?;
            let length = self.frame.convert(1, self.clock).max(1);
            let pts = self.time_of(&frame, length);
            self.decoded = Some(pts);
            if pts >= self.window.to {
                self.done = true;
                break;
            }
            if pts < self.window.from {
                continue;
            }
            if self.last_pts.is_some_and(|last| pts <= last) {
                report.note(format!(
                    "{}: frames that come twice at a time were left out",
                    self.name
                ));
                continue;
            }
            self.last_pts = Some(pts);
            self.shown_to = pts + length;
            self.feed(frame, (pts, length), context)?;
            // At its end the decoder gives many frames at once: more than an
            // encoder takes before it wants to be emptied.
            self.take_packets()?;
            report.frames += 1;
            report.frames_encoded += 1;
        }
        self.decoder = Some(decoder);
        Ok(())
    }

    /// When a decoded frame is shown, if need be one frame after the last.
    fn time_of(&mut self, frame: &Frame, length: i64) -> i64 {
        let (Some(entry), told) = (&mut self.entry, frame.pts()) else {
            return self.window.from;
        };
        let after = self.decoded.map(|last| last + length);
        let own = frame.told_pts();
        entry.tells |= own.is_some();
        entry.lacks |= own.is_none();
        if entry.tells {
            // The first of several frames in a PES packet tells its time (which
            // libavformat may give to the one before), the others follow; the
            // decoder's guess goes by their decoding times.
            let own = own.filter(|&own| !entry.lacks || self.decoded.is_none_or(|last| own > last));
            return own.or(after).or(told).unwrap_or(self.window.from);
        }
        if let (None, true, Some(at), Some(told)) = (self.decoded, entry.guessed, entry.at, told) {
            entry.late = told - at;
        }
        told.map(|told| told - entry.late)
            .or(after)
            .or(entry.at)
            .unwrap_or(self.window.from)
    }

    fn feed(&mut self, frame: Frame, time: (i64, i64), context: &Context) -> Result<()> {
        if self.encoder.is_none() {
            let format = encodable(frame.format());
            self.scaler = Some(Scaler::new(frame.width(), frame.height(), format));
            self.encoder = Some(self.open(&frame, format, context)?);
        }
        let (Some(scaler), Some(encoder)) = (&mut self.scaler, &mut self.encoder) else {
            return Ok(());
        };
        let mut frame = scaler
            .scale(frame)
            .map_err(|code| code.failed(&self.name, "scaling"))?;
        frame.forget_coding(false);
        // The encoder counts frames, so that its rate control and the stream's
        // own timing see the frame rate; the times are put back behind it.
        frame.set_pts(Some(self.fed));
        self.times.insert(self.fed, time);
        self.fed += 1;
        encoder.send(Some(&frame))
    }

    fn open(&self, first: &Frame, format: i32, context: &Context) -> Result<Encoder> {
        let hevc = self.like.codec() == CodecId::AV_CODEC_ID_HEVC;
        let mut like = self
            .like
            .try_clone()
            .map_err(|code| code.failed(&self.name, "encoding"))?;
        like.set_size(first.width(), first.height());
        like.set_colours(first);
        let mut options = vec![("preset", "veryfast".to_owned()), ("crf", "18".to_owned())];
        if hevc {
            options.push(("x265-params", "log-level=none".to_owned()));
        } else if like.is_interlaced() {
            // x264 takes the order of the fields from each frame.
            options.push(("flags", "+ildct".to_owned()));
        }
        let video = Video {
            encoder: if hevc { "libx265" } else { "libx264" },
            like: &like,
            pixel_format: format,
            time_base: self.frame,
            frame: self.frame,
            rate: Rate::default(),
            header_apart: true,
            options: &options,
        };
        Encoder::video(&video, &self.name, context)
    }

    fn take_packets(&mut self) -> Result<()> {
        let Some(encoder) = &mut self.encoder else {
            return Ok(());
        };
        while let Some(mut packet) = encoder.receive()? {
            let number = packet.pts().unwrap_or(0);
            let slot = packet.dts().unwrap_or(number);
            let Some(&(pts, length)) = self.times.get(&number) else {
                continue;
            };
            // Slots before the first frame lie as far before it.
            let dts = match self.times.get(&slot) {
                Some(&(time, _)) => time,
                None => self
                    .times
                    .first_key_value()
                    .map_or(pts, |(&first, &(time, length))| {
                        time + (slot - first) * length
                    }),
            };
            let keyed = packet.is_key();
            packet.strip();
            packet.set_key(keyed);
            packet.set_pts(Some(pts));
            packet.set_dts(Some(dts.min(pts)));
            packet.set_duration(length);
            self.ready.push_back(packet);
            // Frames are reordered by a few places only.
            while self.times.len() > 256 {
                self.times.pop_first();
            }
        }
        Ok(())
    }
}

/// The pixel format to encode from one that was decoded: the same where the
/// encoder takes it, else the nearest one that every player shows.
fn encodable(format: i32) -> i32 {
    let name = format_name(format);
    let taken = [
        "yuv420p",
        "yuvj420p",
        "yuv422p",
        "yuvj422p",
        "yuv444p",
        "yuvj444p",
        "yuv420p10le",
        "yuv422p10le",
        "yuv444p10le",
    ];
    if taken.contains(&name) {
        format
    } else {
        format_number("yuv420p")
    }
}
