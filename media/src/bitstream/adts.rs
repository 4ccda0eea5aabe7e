//! AAC's transport header in MPEG streams (ISO/IEC 13818-7, section 6.2), and
//! the `AudioSpecificConfig` (ISO/IEC 14496-3, section 1.6.2.1) that stands for
//! it in other containers.

/// The header of one AAC frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// In bytes: 7, or 9 with a checksum.
    pub(crate) length: usize,
    /// In bytes, the header included.
    frame: usize,
    profile: u8,
    frequency: u8,
    channels: u8,
}

impl Header {
    /// Reads the header at the start of `data`, if there is one.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let [first, second, third, fourth, fifth, sixth, _, ..] = *data else {
            return None;
        };
        // Twelve ones, then layer 0.
        if first != 0xff || second & 0xf6 != 0xf0 {
            return None;
        }
        let has_checksum = second & 1 == 0;
        let [high, middle, low] = [fourth & 3, fifth, sixth >> 5].map(usize::from);
        Some(Self {
            frame: high << 11 | middle << 3 | low,
            length: if has_checksum { 9 } else { 7 },
            profile: third >> 6,
            frequency: third >> 2 & 0xf,
            channels: (third & 1) << 2 | fourth >> 6,
        })
    }

    /// What other containers hold instead: object type, frequency, channels.
    pub(crate) fn audio_specific_config(self) -> [u8; 2] {
        let object = self.profile + 1;
        [
            object << 3 | self.frequency >> 1,
            (self.frequency & 1) << 7 | self.channels << 3,
        ]
    }
}

/// Takes the frames out of packets that hold any number of them, and parts.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    /// The beginning of a frame whose end is in the next packet.
    pending: Vec<u8>,
}

/// A frame without its header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) header: Header,
    pub(crate) body: &'a [u8],
    /// It is the first to begin in the packet, whose time is its own.
    pub(crate) has_time: bool,
}

impl Splitter {
    /// Forgets what is pending: the next packet begins anew.
    pub(crate) fn reset(&mut self) {
        self.pending.clear();
    }

    /// Hands the frames that `packet` completes to `take`. Bytes that are no
    /// frame are passed over.
    pub(crate) fn split<E>(
        &mut self,
        packet: &[u8],
        mut take: impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let carried = self.pending.len();
        let joined;
        let data = if carried == 0 {
            packet
        } else {
            self.pending.extend_from_slice(packet);
            joined = std::mem::take(&mut self.pending);
            &joined
        };
        let mut at = 0;
        let mut timed = false;
        while at + 7 <= data.len() {
            let Some(header) = Header::parse(&data[at..]).filter(|h| h.frame > h.length) else {
                at += 1;
                continue;
            };
            let Some(body) = data.get(at + header.length..at + header.frame) else {
                break;
            };
            let begins_here = at >= carried;
            take(Frame {
                header,
                body,
                has_time: begins_here && !timed,
            })?;
            timed |= begins_here;
            at += header.frame;
        }
        self.pending = data[at.min(data.len())..].to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_becomes_its_configuration() {
        // AAC LC, 48 kHz, stereo, no checksum.
        let header = Header::parse(&[0xff, 0xf1, 0x4c, 0x80, 0x01, 0x7f, 0xfc]).expect("a header");
        assert_eq!(header.length, 7);
        assert_eq!(header.audio_specific_config(), [0x11, 0x90]);
        assert_eq!(Header::parse(&[0x21, 0x10, 0x04, 0, 0, 0, 0]), None);
        assert_eq!(Header::parse(&[0xff]), None);
    }

    /// A frame of AAC LC with this body.
    fn frame(body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len() + 7).expect("short");
        let mut data = vec![
            0xff,
            0xf1,
            0x4c,
            0x80,
            length >> 3,
            length << 5 | 0x1f,
            0xfc,
        ];
        data.extend(body);
        data
    }

    #[test]
    fn frames_are_found_across_packets() {
        let stream = [frame(&[1, 2, 3]), frame(&[4]), frame(&[5, 6])].concat();
        for cut in 0..stream.len() {
            let mut splitter = Splitter::default();
            let mut found = Vec::new();
            let mut timed = 0;
            for part in [&stream[..cut], &stream[cut..]] {
                let split = splitter.split(part, |frame| {
                    found.push(frame.body.to_vec());
                    timed += u32::from(frame.has_time);
                    Ok::<_, ()>(())
                });
                assert_eq!(split, Ok(()));
            }
            assert_eq!(found, [&[1, 2, 3][..], &[4], &[5, 6]], "{cut}");
            assert!((1..=2).contains(&timed));
        }
    }
}
