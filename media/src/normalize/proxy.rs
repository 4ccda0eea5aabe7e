//! The proxy: shaped frames in, an MP4 out.

use crate::av::encode::{Encoder, Rate, Video};
use crate::av::frame::Frame;
use crate::av::mux::{Muxer, Track};
use crate::av::parameters::Parameters;
use crate::av::scale::format_number;
use crate::output::{Container, Output};
use crate::time::TimeBase;
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
    open: Option<Open>,
    frames: u64,
}

struct Open {
    encoder: Encoder,
    muxer: Muxer,
    container: Container,
    track: usize,
    size: (i32, i32),
}

impl ProxyWriter {
    /// To `output`, of frames that are shown for `frame` each.
    pub(super) fn new(output: Output, frame: TimeBase, quality: u8) -> Self {
        Self {
            name: output.name().to_owned(),
            output: Some(output),
            frame,
            quality,
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

    /// Writes the index and gives the file its name; none where there was no
    /// frame.
    pub(super) fn finish(self) -> Result<Option<Proxy>> {
        let Some(open) = self.open else {
            return Ok(None);
        };
        let frames = i64::try_from(self.frames).unwrap_or(i64::MAX);
        let side = |side: i32| side.unsigned_abs();
        Ok(Some(Proxy {
            width: side(open.size.0),
            height: side(open.size.1),
            frame_rate: (self.frame.den(), self.frame.num()),
            frames: self.frames,
            duration: self.frame.timestamp(frames),
            bytes: open.muxer.close(0)?.keep()?,
        }))
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
        muxer.write_header(None, None)?;
        Ok(Open {
            encoder,
            muxer,
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
            self.muxer.write(&mut packet)?;
        }
        Ok(())
    }
}
