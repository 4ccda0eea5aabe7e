//! Supplemental enhancement information: finding the recovery point among the
//! messages, and taking it out (ITU-T H.264, sections 7.3.2.3.1 and D.1.8).

use crate::bitstream::bits::{BitReader, Result, SyntaxError};
use crate::bitstream::nal::{escape, unescape};

use super::unit;

/// `payloadType` of a recovery point.
const RECOVERY_POINT: usize = 6;

/// A recovery point: decoding may start at this access unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// `recovery_frame_cnt`: after how many frames the picture is right; 0 for an
    /// I picture of an open GOP.
    pub frames: u32,
    /// `exact_match_flag`: right to the bit from there on.
    pub exact_match: bool,
    /// `broken_link_flag`: pictures before it in output order are damaged, since
    /// what they refer to was cut away.
    pub broken_link: bool,
}

/// The recovery point in an SEI NAL unit (header included, escaped), if any.
pub fn recovery_point(nal: &[u8]) -> Option<RecoveryPoint> {
    if unit::kind(nal) != unit::SEI {
        return None;
    }
    let rbsp = unescape(nal);
    let payload = Messages::new(&rbsp).find(|message| message.kind == RECOVERY_POINT)?;
    let mut reader = BitReader::new(payload.payload);
    Some(RecoveryPoint {
        frames: reader.ue().ok()?,
        exact_match: reader.flag().ok()?,
        broken_link: reader.flag().ok()?,
    })
}

/// An SEI NAL unit without its recovery point: nothing if no message is left.
pub(super) fn without_recovery_point(nal: &[u8]) -> Result<Option<Vec<u8>>> {
    unit::expect(nal, unit::SEI, "not an SEI unit")?;
    let rbsp = unescape(nal);
    let mut out = rbsp[..1].to_vec();
    let mut left = false;
    for message in Messages::new(&rbsp) {
        if message.kind != RECOVERY_POINT {
            out.extend_from_slice(message.whole);
            left = true;
        }
    }
    out.push(0x80); // rbsp_trailing_bits
    Ok(left.then(|| escape(&out)))
}

/// One SEI message.
struct Message<'a> {
    kind: usize,
    payload: &'a [u8],
    /// Type, size and payload.
    whole: &'a [u8],
}

/// The messages of an SEI RBSP; it ends early where one is broken.
struct Messages<'a>(&'a [u8]);

impl<'a> Messages<'a> {
    fn new(rbsp: &'a [u8]) -> Self {
        Self(rbsp.get(1..).unwrap_or_default())
    }

    fn message(&mut self) -> Result<Message<'a>> {
        let whole = self.0;
        let kind = self.number()?;
        let size = self.number()?;
        let (payload, rest) = self
            .0
            .split_at_checked(size)
            .ok_or(SyntaxError("an SEI message ends early"))?;
        self.0 = rest;
        Ok(Message {
            kind,
            payload,
            whole: &whole[..whole.len() - rest.len()],
        })
    }

    /// A number in bytes of 255 and a smaller last one.
    fn number(&mut self) -> Result<usize> {
        let mut number = 0usize;
        loop {
            let (&byte, rest) = self
                .0
                .split_first()
                .ok_or(SyntaxError("an SEI message ends early"))?;
            self.0 = rest;
            number += usize::from(byte);
            if byte != 0xff {
                return Ok(number);
            }
        }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        // What is left at the end is rbsp_trailing_bits, and maybe zero bytes.
        if matches!(self.0, [] | [0x80] | [0x80, 0, ..]) {
            return None;
        }
        self.message().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recovery_point_is_found_and_taken_out() {
        // User data of 256 bytes, and a recovery point: ue(0), exact, not broken.
        let mut nal = vec![6, 5, 0xff, 1];
        nal.extend_from_slice(&[7; 256]);
        let user_data = nal.clone();
        nal.extend_from_slice(&[6, 1, 0xc4, 0x80]);
        let point = RecoveryPoint {
            frames: 0,
            exact_match: true,
            broken_link: false,
        };
        assert_eq!(recovery_point(&nal), Some(point));
        let mut rest = user_data;
        rest.push(0x80);
        assert_eq!(without_recovery_point(&nal), Ok(Some(rest.clone())));
        assert_eq!(recovery_point(&rest), None);
        assert_eq!(without_recovery_point(&[6, 6, 1, 0xc4, 0x80]), Ok(None));
    }

    #[test]
    fn cut_off_messages_are_no_recovery_point() {
        let nal = [6, 6, 1, 0xc4, 0x80];
        for end in 0..4 {
            assert_eq!(recovery_point(&nal[..end]), None);
        }
        assert_eq!(recovery_point(&[6, 0xff, 0xff]), None);
        assert!(without_recovery_point(&[]).is_err());
    }
}
