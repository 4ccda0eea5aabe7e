//! Where a segment ends, and how many frames it has, without reading it whole.

use crate::time::TimeBase;
use crate::{Context, Error, Result};

use super::Source;

impl Source {
    /// Frames a second on average, where the container counts them: they may vary.
    #[allow(clippy::cast_precision_loss)] // frames
    pub(crate) fn average_rate(&self) -> Option<f64> {
        let stream = self.stream(self.video);
        let (frames, duration) = stream.packets.zip(stream.duration)?;
        let seconds = self.clock().timestamp(duration).as_secs_f64();
        (seconds > 0.0).then(|| frames as f64 / seconds)
    }

    /// When the last frame's time is over by the container's index, in ticks of
    /// the video stream.
    pub(crate) fn told_end(&self) -> Option<i64> {
        let stream = self.stream(self.video);
        let duration = stream.duration.filter(|_| self.iso)?;
        Some(stream.start.unwrap_or(self.first).min(self.first) + duration)
    }

    /// When the last frame's time is over, in ticks of the video stream. Reads
    /// the end of the file, and goes back to its beginning.
    pub(crate) fn end(&mut self, context: &Context) -> Result<i64> {
        if let Some(end) = self.told_end() {
            return Ok(end);
        }
        if self.demuxer.is_live() {
            return Err(Error::unsupported(
                self.name(),
                "a live stream has no known duration; give times instead of percentages",
            ));
        }
        let end = self.last(context)?;
        self.forget();
        self.rewind(context)?;
        Ok(end)
    }

    fn last(&mut self, context: &Context) -> Result<i64> {
        let size = self.demuxer.size().unwrap_or(0);
        let mut tail: i64 = 512 * 1024;
        loop {
            let from = size - tail;
            let whole = from <= 0;
            if whole || self.demuxer.seek_to_byte(from, context).is_err() {
                // By time, to the last keyframe, or from the start on.
                let far = self.demuxer.duration().map_or(self.first, |duration| {
                    self.first + TimeBase::MICROS.convert(duration.as_micros(), self.clock())
                });
                let target = if whole { self.first } else { far };
                self.demuxer.seek(self.video, target, context)?;
            }
            let mut last = None;
            while let Some(packet) = self.demux(context)? {
                if packet.stream() == self.video {
                    let end = packet.pts().or(packet.dts()).map(|time| time + self.frame);
                    last = last.max(end);
                }
            }
            match last {
                Some(last) if last > self.first => return Ok(last),
                _ if whole => return Ok(self.first + self.frame),
                _ => tail *= 8,
            }
        }
    }
}
