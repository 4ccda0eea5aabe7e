//! AAC's transport header in MPEG streams (ISO/IEC 13818-7, section 6.2), and
//! the `AudioSpecificConfig` (ISO/IEC 14496-3, section 1.6.2.1) that stands for
//! it in other containers.

/// The header of one AAC frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// In bytes: 7, or 9 with a checksum.
    pub(crate) length: usize,
    profile: u8,
    frequency: u8,
    channels: u8,
}

impl Header {
    /// Reads the header at the start of `data`, if there is one.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let [first, second, third, fourth, ..] = *data else {
            return None;
        };
        // Twelve ones, then layer 0.
        if first != 0xff || second & 0xf6 != 0xf0 || data.len() < 7 {
            return None;
        }
        let has_checksum = second & 1 == 0;
        Some(Self {
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
}
