//! The times of frames, made up where the container has none.

use crate::av::packet::Packet;

use super::super::gop::Coded;
use super::super::splice::{Facts, Refused};
use super::{NO_TIMES, Splice};

impl Splice {
    /// Checks that the first packets, of which [`learn`](Self::learn) was told,
    /// say when each frame is shown: AVI does not where frames are reordered,
    /// and a program stream tells only the first of several frames in a PES
    /// packet.
    pub(in crate::cut) fn check_times<'p>(
        &self,
        packets: impl Iterator<Item = &'p Packet>,
    ) -> std::result::Result<(), Refused> {
        let reorders = self.splicer.reorder_frames() > 0;
        let lacks = |packet: &Packet| packet.pts().is_none() && reorders;
        if packets.skip_while(|packet| !packet.is_key()).any(lacks) {
            return Err(Refused(NO_TIMES.into()));
        }
        Ok(())
    }

    /// The packet with all its times, made up where the container has none.
    pub(super) fn timed(&mut self, mut packet: Packet, facts: Facts) -> Option<Coded> {
        let length = self.frame.convert(1, self.clock).max(1);
        let reorders = self.splicer.reorder_frames() > 0;
        let pts = match (packet.pts(), packet.dts()) {
            (Some(pts), _) => pts,
            (None, Some(dts)) if !reorders => dts,
            (None, None) if !reorders => self.segment.last_dts? + length,
            _ => return None,
        };
        let told = packet.dts().filter(|&dts| dts <= pts);
        let dts = match (told, self.segment.last_dts) {
            (Some(dts), None) => dts,
            (Some(dts), Some(last)) if dts > last => dts,
            (_, Some(last)) => (last + length).min(pts).max(last + 1),
            (None, None) => pts - i64::from(self.splicer.reorder_frames()) * length,
        };
        self.segment.last_dts = Some(dts);
        let hidden = packet.is_discarded();
        let duration = match packet.duration() {
            duration if duration > 0 => duration,
            _ => length,
        };
        packet.strip();
        packet.set_pts(Some(pts));
        packet.set_dts(Some(dts));
        Some(Coded {
            packet,
            pts,
            dts,
            duration,
            entry: facts.entry,
            disposable: facts.disposable,
            hidden,
        })
    }
}
