//! The way that always works: decoding all frames from a keyframe on, which
//! tell themselves when they are shown.

use crate::av::decode::Skip;
use crate::av::frame::Frame;
use crate::{Error, Result};

use super::grab::{Grabber, Taken};

/// The frames around a time.
#[derive(Default)]
struct Around {
    /// The last one at or before it.
    before: Option<Frame>,
    /// The first one behind it.
    behind: Option<Frame>,
}

impl Grabber {
    /// Hands on the frame shown at `wanted`, or the nearest that decodes: from
    /// the keyframe before it, then from the beginning.
    pub(super) fn plain(&mut self, index: usize, wanted: i64, taken: Taken<'_>) -> Result<()> {
        let mut behind = None;
        for whole in [false, true] {
            if self.source.is_live() {
                break;
            }
            if whole {
                self.source.rewind(&self.context)?;
            } else {
                self.source.seek_anew(wanted, &self.context)?;
            }
            let around = self.around(wanted)?;
            if let Some(frame) = around.before {
                let time = self.time(frame.pts().unwrap_or(wanted));
                return taken(index, &frame, time);
            }
            behind = around.behind;
        }
        match behind {
            Some(frame) => taken(index, &frame, self.time(frame.pts().unwrap_or(wanted))),
            None => Err(Error::malformed(
                self.source.name(),
                format!("no frame can be decoded at {}", self.time(wanted)),
            )),
        }
    }

    /// Decodes from here on until a frame is shown behind `wanted`.
    fn around(&mut self, wanted: i64) -> Result<Around> {
        let mut around = Around::default();
        let mut begun = false;
        let mut next = None;
        self.decoder.forget();
        self.decoder.skip(Skip::Nothing);
        while around.behind.is_none() {
            let packet = self.next_packet()?;
            begun |= packet
                .as_ref()
                .is_none_or(|packet| self.source.is_key(packet));
            if !begun {
                continue;
            }
            // What does not decode gives no frame, and the one before it stays.
            let _ = self.decoder.send(packet.as_ref());
            while let Some(frame) = self.decoder.receive()? {
                // The last frames of a recording may come without a time.
                let shown = frame.pts().or(next);
                next = shown.map(|shown: i64| shown.saturating_add(self.source.frame));
                if shown.is_none_or(|shown| shown <= wanted) {
                    around.before = Some(frame);
                } else if around.behind.is_none() {
                    around.behind = Some(frame);
                }
            }
            if packet.is_none() {
                break;
            }
        }
        self.decoder.forget();
        Ok(around)
    }
}
