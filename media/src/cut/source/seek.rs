//! Going to a frame without reading what comes before it.

use crate::av::packet::Packet;
use crate::time::TimeBase;
use crate::{Context, Result};

use super::Source;

impl Source {
    /// Reads the pictures alone from here on.
    pub(crate) fn without_sound(&mut self) {
        self.audio.clear();
        self.demuxer.select(&[self.video]);
        let video = self.video;
        self.replay.retain(|packet| packet.stream() == video);
    }

    /// Whether the container's index knows every frame.
    pub(crate) fn has_sample_tables(&self) -> bool {
        self.iso
    }

    /// When the last keyframe at or before `time` is decoded that is in the
    /// container's index.
    pub(crate) fn key_before(&self, time: i64) -> Option<i64> {
        if !self.iso && !self.demuxer.format().starts_with("matroska") {
            return None;
        }
        self.demuxer.key_before(self.video, time)
    }

    /// Goes to the first keyframe behind `time`, as far as the container can
    /// tell; false where there is none, or it cannot be entered there.
    pub(crate) fn seek_behind(&mut self, time: i64, context: &Context) -> Result<bool> {
        if self.demuxer.is_live() || self.demuxer.seek_behind(self.video, time, context).is_err() {
            return context.check().map(|()| false);
        }
        self.forget();
        Ok(true)
    }

    /// Goes to the last keyframe at or before `time` (in ticks of the video
    /// stream), and to the sound before it. Stays at the beginning where the
    /// input cannot be entered elsewhere.
    pub(crate) fn seek(&mut self, time: i64, context: &Context) -> Result<()> {
        let buffered = self
            .replay
            .iter()
            .filter(|packet| packet.stream() == self.video && !self.is_key(packet))
            .filter_map(Packet::dts)
            .max();
        if self.demuxer.is_live() || buffered.is_some_and(|dts| time <= dts) {
            return Ok(());
        }
        let clock = self.clock();
        let second = TimeBase::per_second(1).convert(1, clock);
        // Sound lies behind the picture in some containers, and a packet more
        // than the start's is wanted.
        let mut margin = match (self.iso, self.audio.is_empty()) {
            (true, true) => 0,
            (true, false) => second * 3 / 10,
            (false, _) => second,
        };
        loop {
            let target = time.saturating_sub(margin);
            if target <= self.first {
                return self.rewind(context);
            }
            if self.demuxer.seek(self.video, target, context).is_err() {
                context.check()?;
                return self.rewind(context);
            }
            self.forget();
            if self.reaches(time - margin.min(second), context)? {
                return Ok(());
            }
            margin = (margin * 2).max(second);
        }
    }

    /// The same after packets were read, of which none is to be had again.
    pub(crate) fn seek_anew(&mut self, time: i64, context: &Context) -> Result<()> {
        if !self.demuxer.is_live() {
            self.forget();
        }
        self.seek(time, context)
    }

    /// Reads up to the next keyframe; whether that is at or before `time`.
    fn reaches(&mut self, time: i64, context: &Context) -> Result<bool> {
        let mut bytes = 0;
        while let Some(packet) = self.demux(context)? {
            bytes += packet.data().len();
            let key = packet.stream() == self.video && self.is_key(&packet);
            let shown = packet.pts().or(packet.dts());
            self.replay.push_back(packet);
            if key {
                return Ok(shown.is_some_and(|shown| shown <= time));
            }
            if bytes > context.limits().max_buffered_bytes {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// When the last keyframe at or before `time` is shown, in ticks of the video
    /// stream; `None` where the input can only be read from front to back. The
    /// source stands somewhere behind it then.
    pub(crate) fn keyframe_before(&mut self, time: i64, context: &Context) -> Result<Option<i64>> {
        if self.is_live() {
            return Ok(None);
        }
        self.seek(time, context)?;
        let mut key = None;
        while let Some(packet) = self.read(context)? {
            if packet.stream() != self.video {
                continue;
            }
            let shown = packet.pts().or(packet.dts());
            if self.is_key(&packet) && shown.is_some_and(|shown| shown <= time) {
                key = key.max(shown);
            }
            if packet.dts().or(shown).is_some_and(|decoded| decoded > time) {
                break;
            }
        }
        Ok(key)
    }

    /// When the first frame at or behind `time` is shown, in ticks of the video
    /// stream; `None` where that cannot be told. The source stands somewhere
    /// behind it then.
    pub(crate) fn frame_from(&mut self, time: i64, context: &Context) -> Result<Option<i64>> {
        if self.is_live() {
            return Ok(None);
        }
        self.seek(time, context)?;
        let (mut entered, mut first) = (false, None);
        while let Some(packet) = self.read(context)? {
            if packet.stream() != self.video {
                continue;
            }
            entered |= self.is_key(&packet);
            let shown = match packet.pts() {
                None if !self.parameters().is_reordered() => packet.dts(),
                told => told,
            };
            let Some(shown) = shown else {
                return Ok(None);
            };
            if entered && shown >= time && !packet.is_discarded() {
                first = Some(first.map_or(shown, |first: i64| first.min(shown)));
            }
            // No later packet is shown before it is decoded.
            let decoded = packet.dts().unwrap_or(shown);
            if first.is_some_and(|first| decoded >= first) {
                break;
            }
        }
        Ok(first)
    }

    /// Drops what was read ahead.
    pub(crate) fn forget(&mut self) {
        self.replay.clear();
        self.held = None;
    }

    /// Goes back to the beginning.
    pub(crate) fn rewind(&mut self, context: &Context) -> Result<()> {
        let begins = self
            .replay
            .iter()
            .find(|packet| packet.stream() == self.video && self.is_key(packet))
            .and_then(|packet| packet.pts().or(packet.dts()));
        if begins.is_some_and(|begins| begins <= self.first) {
            return Ok(());
        }
        self.forget();
        let before = self
            .first
            .saturating_sub(TimeBase::per_second(10).convert(1, self.clock()));
        if self.demuxer.seek_to_byte(0, context).is_err()
            && self.demuxer.seek(self.video, before, context).is_err()
        {
            // AVI knows no time before its first frame.
            self.demuxer.seek(self.video, self.first, context)?;
        }
        Ok(())
    }
}
