//! The decoder configuration record of MP4, `avcC` (ISO/IEC 14496-15, section
//! 5.3.3.1.2): the parameter sets, and how wide the NAL units' lengths are.

use crate::bitstream::bits::{Result, SyntaxError};
use crate::bitstream::nal::annex_b;

use super::sets::MAX_BYTES;
use super::sps::Sps;
use super::unit;

/// An `AVCDecoderConfigurationRecord`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvcConfig {
    /// How many bytes a NAL unit's length has: 1, 2 or 4.
    pub length_width: usize,
    /// The SPS, as NAL units.
    pub sps: Vec<Vec<u8>>,
    /// The PPS, as NAL units.
    pub pps: Vec<Vec<u8>>,
    /// The SPS extensions, as NAL units.
    pub sps_extensions: Vec<Vec<u8>>,
}

impl AvcConfig {
    /// Reads extradata in either form: an `avcC` payload, which starts with its
    /// version 1, or NAL units behind start codes.
    pub fn from_extradata(data: &[u8]) -> Result<Self> {
        match data {
            [1, ..] => Self::parse(data),
            [0, 0, 0 | 1, ..] => Self::from_units(annex_b(data)),
            _ => Err(SyntaxError("neither avcC nor annex B")),
        }
    }

    /// Collects the parameter sets among these NAL units, for four-byte lengths.
    /// Fails on a set that is too long for the record.
    pub fn from_units<'a>(units: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let mut config = Self {
            length_width: 4,
            sps: Vec::new(),
            pps: Vec::new(),
            sps_extensions: Vec::new(),
        };
        for nal in units {
            let sets = match unit::kind(nal) {
                unit::SPS => &mut config.sps,
                unit::PPS => &mut config.pps,
                unit::SPS_EXTENSION => &mut config.sps_extensions,
                _ => continue,
            };
            if nal.len() > MAX_BYTES {
                return Err(SyntaxError("an oversized parameter set"));
            }
            if !sets.iter().any(|set| set == nal) {
                sets.push(nal.to_vec());
            }
        }
        Ok(config)
    }

    /// Reads the payload of an `avcC` box.
    pub fn parse(data: &[u8]) -> Result<Self> {
        let mut bytes = Bytes(data);
        let version = bytes.byte()?;
        if version != 1 {
            return Err(SyntaxError("configurationVersion"));
        }
        bytes.take(3)?; // AVCProfileIndication, profile_compatibility, AVCLevelIndication
        let length_width = usize::from(bytes.byte()? & 3) + 1;
        if length_width == 3 {
            return Err(SyntaxError("lengthSizeMinusOne"));
        }
        let count = bytes.byte()? & 0x1f;
        let sps = bytes.sets(count)?;
        let count = bytes.byte()?;
        let pps = bytes.sets(count)?;
        // The tail of the high profiles: some writers leave it out.
        let sps_extensions = match bytes.0 {
            [_, _, _, count, rest @ ..] => Bytes(rest).sets(*count).unwrap_or_default(),
            _ => Vec::new(),
        };
        Ok(Self {
            length_width,
            sps,
            pps,
            sps_extensions,
        })
    }

    /// The payload of the `avcC` box. Fails without an SPS, or with more sets
    /// than it can count.
    pub fn build(&self) -> Result<Vec<u8>> {
        let first = self.sps.first().ok_or(SyntaxError("avcC without an SPS"))?;
        let Some(&[profile, constraints, level]) = first.get(1..4) else {
            return Err(SyntaxError("the SPS ends early"));
        };
        let width = match self.length_width {
            width @ (1 | 2) => width,
            _ => 4,
        };
        let [_, _, _, width_minus1] = (u32::try_from(width).unwrap_or(4) - 1).to_be_bytes();
        let sps_count = unit::ranged(count(&self.sps), 31, "more than 31 SPS")?;
        let mut out = vec![1, profile, constraints, level, 0xfc | width_minus1];
        out.push(0xe0 | sps_count);
        push_sets(&mut out, &self.sps)?;
        out.push(unit::ranged(count(&self.pps), 255, "more than 255 PPS")?);
        push_sets(&mut out, &self.pps)?;
        if !matches!(profile, 66 | 77 | 88) {
            let sps = Sps::parse(first)?;
            out.push(0xfc | sps.chroma_format_idc);
            out.push(0xf8 | (sps.bit_depth_luma - 8));
            out.push(0xf8 | (sps.bit_depth_chroma - 8));
            let extensions = count(&self.sps_extensions);
            out.push(unit::ranged(extensions, 255, "more than 255 extensions")?);
            push_sets(&mut out, &self.sps_extensions)?;
        }
        Ok(out)
    }
}

fn count(sets: &[Vec<u8>]) -> u32 {
    u32::try_from(sets.len()).unwrap_or(u32::MAX)
}

fn push_sets(out: &mut Vec<u8>, sets: &[Vec<u8>]) -> Result<()> {
    for set in sets {
        let length =
            u16::try_from(set.len()).map_err(|_| SyntaxError("an oversized parameter set"))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(set);
    }
    Ok(())
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(SyntaxError("avcC ends early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn sets(&mut self, count: u8) -> Result<Vec<Vec<u8>>> {
        let mut sets = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let length = self.take(2)?;
            let length = usize::from(length[0]) << 8 | usize::from(length[1]);
            let set = self.take(length)?;
            if !set.is_empty() {
                sets.push(set.to_vec());
            }
        }
        Ok(sets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `ffmpeg -f lavfi -i testsrc2=s=160x120 -c:v libx264`: High, 160x120.
    const AVCC: &[u8] = &[
        1, 0x64, 0, 0x0a, 0xff, 0xe1, 0, 5, 0x67, 0x64, 0, 0x0a, 0xac, 1, 0, 2, 0x68, 0xee,
    ];

    #[test]
    fn a_record_without_the_high_tail_is_read() {
        let config = AvcConfig::parse(AVCC).expect("a record");
        assert_eq!(config.length_width, 4);
        assert_eq!(config.sps, [&AVCC[8..13]]);
        assert_eq!(config.pps, [&AVCC[16..]]);
        assert_eq!(config.sps_extensions, Vec::<Vec<u8>>::new());
    }

    #[test]
    fn cut_off_records_are_errors() {
        for end in 0..AVCC.len() {
            assert!(AvcConfig::parse(&AVCC[..end]).is_err(), "{end}");
        }
        let mut three = AVCC.to_vec();
        three[4] = 0xfe;
        assert!(AvcConfig::parse(&three).is_err());
        assert!(AvcConfig::from_extradata(&[]).is_err());
        assert!(AvcConfig::from_extradata(&[7, 7]).is_err());
    }
}
