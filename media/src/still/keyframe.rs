//! The keyframe near a time: a single frame to decode.

use crate::Result;
use crate::av::decode::Skip;
use crate::av::frame::Frame;
use crate::av::packet::Packet;

use super::grab::Grabber;

impl Grabber {
    /// The last keyframe shown at or before `wanted`, and when it is shown;
    /// `None` where none decodes.
    pub(super) fn keyframe_before(&mut self, wanted: i64) -> Result<Option<(Frame, i64)>> {
        self.source.seek_anew(wanted, &self.context)?;
        match self.last_key(wanted)? {
            Some(packet) => self.decode_key(&packet),
            None => Ok(None),
        }
    }

    /// The keyframe nearest to `wanted`, if there is one at most `reach` off.
    pub(super) fn keyframe_near(
        &mut self,
        wanted: i64,
        reach: i64,
    ) -> Result<Option<(Frame, i64)>> {
        let off = |packet: &Packet| {
            packet
                .pts()
                .or(packet.dts())
                .map(|shown| shown.abs_diff(wanted))
        };
        let reach = reach.unsigned_abs();
        self.source.seek_anew(wanted, &self.context)?;
        let before = self.last_key(wanted)?;
        let before_off = before.as_ref().and_then(off);
        let mut nearest = before.filter(|_| before_off.is_some_and(|off| off <= reach));
        // One behind can only be nearer where the one before is far.
        let far = before_off.is_none_or(|off| off.saturating_mul(2) > reach);
        if far && self.source.seek_behind(wanted, &self.context)? {
            let limit = i64::try_from(reach)
                .unwrap_or(i64::MAX)
                .saturating_add(wanted);
            let behind = self.next_key(wanted, limit)?;
            if let Some(behind) = behind
                && off(&behind) < nearest.as_ref().and_then(off).or(Some(reach))
            {
                nearest = Some(behind);
            }
        }
        match nearest {
            Some(packet) => self.decode_key(&packet),
            None => Ok(None),
        }
    }

    /// The last keyframe from here on that is shown at or before `wanted`.
    fn last_key(&mut self, wanted: i64) -> Result<Option<Packet>> {
        let mut last = None;
        // Where every keyframe is in the index, seeking has found the last.
        let found = self.source.has_sample_tables();
        while let Some(packet) = self.next_packet()? {
            let shown = packet.pts().or(packet.dts());
            if self.source.is_key(&packet) && shown.is_some() {
                if shown > Some(wanted) {
                    break;
                }
                last = Some(packet);
                if found {
                    break;
                }
            } else if packet.dts().or(shown) > Some(wanted) {
                break;
            }
        }
        Ok(last)
    }

    /// The next keyframe from here on that is shown behind `wanted` and at or
    /// before `limit`.
    fn next_key(&mut self, wanted: i64, limit: i64) -> Result<Option<Packet>> {
        while let Some(packet) = self.next_packet()? {
            let shown = packet.pts().or(packet.dts());
            if packet.dts().or(shown) > Some(limit) {
                break;
            }
            if self.source.is_key(&packet) && shown > Some(wanted) {
                return Ok((shown <= Some(limit)).then_some(packet));
            }
        }
        Ok(None)
    }

    fn decode_key(&mut self, packet: &Packet) -> Result<Option<(Frame, i64)>> {
        self.context.check()?;
        self.decoder.forget();
        self.decoder.skip(Skip::Nothing);
        let _ = self.decoder.send(Some(packet));
        let _ = self.decoder.send(None);
        let frame = self.decoder.receive()?;
        self.decoder.forget();
        Ok(frame.zip(packet.pts().or(packet.dts())))
    }
}
