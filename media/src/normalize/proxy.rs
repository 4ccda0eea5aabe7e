//! The proxy: shaped frames in, an MP4 out.

use crate::av::encode::{Encoder, Rate, Video};
use crate::av::frame::Frame;
use crate::av::mux::{Closed, Muxer, Track};
use crate::av::parameters::Parameters;
use crate::av::scale::format_number;
use crate::cut::index_size::{Expected, IndexSize, room};
use crate::output::{Container, Output};
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Result};

use super::report::Proxy;

/// How far keyframes lie apart at most, in seconds: a player seeks fast then.
const KEYFRAME_EVERY: i32 = 2;

/// A proxy that is being written.
pub(super) struct ProxyWriter {
    output: Option<Output>,
    name: String,
    frame: TimeBase,
    quality: u8,
    /// How long it is going to be, where that is known.
    total: Option<Timestamp>,
    open: Option<Open>,
    frames: u64,
}

struct Open {
    encoder: Encoder,
    muxer: Muxer,
    index: IndexSize,
    container: Container,
    track: usize,
    size: (i32, i32),
}

impl ProxyWriter {
    /// To `output`, of frames that are shown for `frame` each.
    pub(super) fn new(
        output: Output,
        frame: TimeBase,
        quality: u8,
        total: Option<Timestamp>,
    ) -> Self {
        Self {
            name: output.name().to_owned(),
            output: Some(output),
            frame,
            quality,
            total,
            open: None,
            frames: 0,
        }
    }

    /// Encodes a frame, whose time is its number.
    pub(super) fn push(&mut self, mut frame: Frame, context: &Context) -> Result<()> {
        context.check()?;
        if self.open.is_none()
            && let Some(output) = self.output.take()
        {
            self.open = Some(self.begin(output, &frame, context)?);
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        frame.forget_coding(false);
        self.frames += 1;
        open.encoder.send(Some(&frame))?;
        open.write()
    }

    /// Encodes what the encoder still holds. The file has no name yet.
    pub(super) fn flush(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.encoder.send(None)?;
        open.write()
    }

    /// Writes the index; none where there was no frame. The file has no name yet.
    pub(super) fn finish(self) -> Result<Option<(Proxy, Closed)>> {
        let Some(open) = self.open else {
            return Ok(None);
        };
        let frames = i64::try_from(self.frames).unwrap_or(i64::MAX);
        let side = |side: i32| side.unsigned_abs();
        let written = open.muxer.close(open.index.bound())?;
        let proxy = Proxy {
            width: side(open.size.0),
            height: side(open.size.1),
            frame_rate: (self.frame.den(), self.frame.num()),
            frames: self.frames,
            duration: self.frame.timestamp(frames),
            bytes: written.bytes(),
        };
        Ok(Some((proxy, written)))
    }

    fn begin(&self, output: Output, first: &Frame, context: &Context) -> Result<Open> {
        let container = output.container();
        let mut like = Parameters::new();
        like.set_size(first.width(), first.height());
        like.set_aspect(Some((1, 1)));
        like.set_colours(first);
        let rate = f64::from(self.frame.den()) / f64::from(self.frame.num());
        #[allow(clippy::cast_possible_truncation)] // at most 240
        let every = (rate.ceil() as i32).max(1) * KEYFRAME_EVERY;
        let options = [
            ("preset", "veryfast".to_owned()),
            ("crf", self.quality.to_string()),
        ];
        let video = Video {
            encoder: "libx264",
            like: &like,
            pixel_format: format_number("yuv420p"),
            time_base: self.frame,
            frame: self.frame,
            rate: Rate {
                keyframe_every: Some(every),
                ..Rate::default()
            },
            header_apart: container.holds_headers(),
            options: &options,
        };
        let encoder = Encoder::video(&video, &self.name, context)?;
        let mut muxer = Muxer::open(output.into_target()?, container, &self.name, context)?;
        let track = muxer.add(&Track {
            parameters: &encoder.parameters()?,
            time_base: self.frame,
            frame_rate: Some(self.frame),
            rotation: 0,
            language: None,
        })?;
        let mut index = IndexSize::default();
        let headers = encoder.parameters()?.extradata().len();
        index.add_track(headers);
        let room = self.total.map(|total| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small and positive
            let samples = ((total.as_secs_f64().max(0.0) + 1.0) * rate * 1.05) as u64;
            let expected = Expected {
                samples,
                reorders: true,
            };
            room(&[expected], headers)
        });
        muxer.write_header(room, None)?;
        Ok(Open {
            encoder,
            muxer,
            index,
            container,
            track,
            size: (first.width(), first.height()),
        })
    }
}

impl Open {
    fn write(&mut self) -> Result<()> {
        while let Some(mut packet) = self.encoder.receive()? {
            packet.set_stream(self.track);
            packet.set_duration(1);
            if self.container == Container::Avi {
                // It has decoding times alone.
                packet.set_pts(packet.dts());
            }
            self.index.count(self.track, &packet);
            self.muxer.write(&mut packet)?;
        }
        Ok(())
    }
}
