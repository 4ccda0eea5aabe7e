//! How long before it is shown a segment decodes a frame.

use crate::av::packet::Packet;

use super::Source;

/// Of the first frames, in ticks of the video stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delay {
    /// From when the first is decoded to when the first is shown.
    pub(crate) lead: i64,
    /// By how much every frame could be decoded later.
    pub(crate) slack: i64,
}

impl Source {
    /// Tells the delay, before the first seek; `None` where the container has
    /// no presentation or no decoding times.
    pub(crate) fn delay(&self) -> Option<Delay> {
        let packets = || self.packets(self.video);
        let shown = packets().filter_map(Packet::pts).min()?;
        // Matroska tells no decoding time, and libavformat not the first ones.
        let (place, decoded) = packets()
            .enumerate()
            .find_map(|(place, packet)| Some((place, packet.dts()?)))?;
        let slack = packets()
            .filter_map(|packet| Some(packet.pts()? - packet.dts()?))
            .min()?;
        let missing = i64::try_from(place).unwrap_or(0) * self.frame;
        Some(Delay {
            lead: shown - decoded + missing,
            slack: slack.max(0),
        })
    }
}
