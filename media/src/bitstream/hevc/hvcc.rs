//! `HEVCDecoderConfigurationRecord`, ISO/IEC 14496-15 section 8.3.3.1: what the
//! `hvcC` box of an MP4 sample entry holds, and libavformat's extradata.

use super::fields::{small, wide};
use super::profile::ProfileTierLevel;
use super::sets::ParameterSets;
use super::sps::Sps;
use super::unit::{NalHeader, NalType};
use crate::bitstream::bits::{BitReader, Result, SyntaxError};
use crate::bitstream::nal::annex_b;

/// The units of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// `array_completeness`: no more units of this type are in the samples.
    /// `hvc1` demands it of parameter sets; `hev1` does not.
    pub complete: bool,
    /// VPS, SPS, PPS, or declarative SEI.
    pub kind: NalType,
    /// In the order in which they stand.
    pub units: Vec<Vec<u8>>,
}

/// The record: a summary of what the stream asks of a decoder, then its
/// parameter sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hvcc {
    /// Covers all SPS: see [`ProfileTierLevel::covering`].
    pub profile: ProfileTierLevel,
    /// `min_spatial_segmentation_idc`, 12 bits; 0 promises nothing.
    pub min_spatial_segmentation: u16,
    /// `parallelismType`, 2 bits; 0 is mixed or unknown.
    pub parallelism: u8,
    /// `chroma_format_idc`.
    pub chroma_format_idc: u8,
    /// In bits.
    pub bit_depth_luma: u8,
    /// In bits.
    pub bit_depth_chroma: u8,
    /// `avgFrameRate` in frames per 256 seconds; 0 is unspecified.
    pub average_frame_rate: u16,
    /// `constantFrameRate`, 2 bits; 0 is unknown.
    pub constant_frame_rate: u8,
    /// `numTemporalLayers`; 0 is unknown.
    pub temporal_layers: u8,
    /// `temporalIdNested`.
    pub temporal_id_nested: bool,
    /// How many bytes the length in front of each unit has: 1, 2 or 4.
    pub length_size: u8,
    /// By type.
    pub arrays: Vec<Array>,
}

impl Hvcc {
    /// Reads the payload of an `hvcC` box.
    pub fn parse(data: &[u8]) -> Result<Self> {
        let reader = &mut BitReader::new(data);
        if small(reader, 8)? != 1 {
            return Err(SyntaxError("hvcC: configurationVersion is not 1"));
        }
        let profile = ProfileTierLevel::parse_general(reader)?;
        let mut hvcc = Self {
            profile,
            min_spatial_segmentation: wide(reader)? & 0x0fff,
            parallelism: small(reader, 8)? & 3,
            chroma_format_idc: small(reader, 8)? & 3,
            bit_depth_luma: (small(reader, 8)? & 7) + 8,
            bit_depth_chroma: (small(reader, 8)? & 7) + 8,
            average_frame_rate: wide(reader)?,
            constant_frame_rate: small(reader, 2)?,
            temporal_layers: small(reader, 3)?,
            temporal_id_nested: reader.flag()?,
            length_size: small(reader, 2)? + 1,
            arrays: Vec::new(),
        };
        if hvcc.length_size == 3 {
            return Err(SyntaxError("hvcC: lengthSizeMinusOne"));
        }
        for _ in 0..small(reader, 8)? {
            hvcc.arrays.push(read_array(reader, data)?);
        }
        Ok(hvcc)
    }

    /// Describes a stream by its parameter sets, other units and those of
    /// other layers being passed over. Lengths are of four bytes.
    pub fn from_units<'a>(
        units: impl IntoIterator<Item = &'a [u8]>,
        complete: bool,
    ) -> Result<Self> {
        let units: Vec<_> = units
            .into_iter()
            .filter(|unit| NalHeader::parse(unit).is_ok_and(is_base_set))
            .collect();
        let first = units
            .iter()
            .find_map(|unit| Sps::parse(unit).ok())
            .ok_or(SyntaxError("hvcC: no sequence parameter set"))?;
        let mut hvcc = Self {
            profile: first.profile,
            min_spatial_segmentation: 0,
            parallelism: 0,
            chroma_format_idc: first.format.chroma_format_idc,
            bit_depth_luma: first.format.bit_depth_luma,
            bit_depth_chroma: first.format.bit_depth_chroma,
            average_frame_rate: 0,
            constant_frame_rate: 0,
            temporal_layers: first.max_sub_layers,
            temporal_id_nested: first.temporal_id_nesting,
            length_size: 4,
            arrays: Vec::new(),
        };
        for unit in units {
            hvcc.push(unit, complete)?;
        }
        Ok(hvcc)
    }

    /// [`Self::from_units`] for extradata with start codes.
    pub fn from_annex_b(data: &[u8], complete: bool) -> Result<Self> {
        Self::from_units(annex_b(data), complete)
    }

    /// Either form of extradata: a record as it is, start codes as a record.
    pub fn from_extradata(data: &[u8], complete: bool) -> Result<Self> {
        match data.first() {
            Some(1) => Self::parse(data),
            _ => Self::from_annex_b(data, complete),
        }
    }

    /// Adds a parameter set behind those of its type, unless it is there
    /// already; an SPS widens the summary so that it covers both streams.
    /// `complete` holds for an array that is new.
    pub fn push(&mut self, unit: &[u8], complete: bool) -> Result<()> {
        let header = NalHeader::parse(unit)?;
        if !is_base_set(header) {
            return Err(SyntaxError("hvcC: not a parameter set of the base layer"));
        }
        let kind = header.kind;
        if unit.len() > ParameterSets::MAX_BYTES {
            return Err(SyntaxError("a parameter set longer than 65535 bytes"));
        }
        let known = self
            .arrays
            .iter()
            .any(|array| array.units.iter().any(|each| each == unit));
        if known {
            return Ok(());
        }
        if kind == NalType::SPS {
            self.cover(&Sps::parse(unit)?)?;
        }
        let units = vec![unit.to_vec()];
        if let Some(array) = self.arrays.iter_mut().find(|array| array.kind == kind) {
            array.units.extend(units);
        } else {
            let behind = |array: &Array| array.kind.is_parameter_set() && array.kind < kind;
            let at = self
                .arrays
                .iter()
                .rposition(behind)
                .map_or(0, |last| last + 1);
            self.arrays.insert(
                at,
                Array {
                    complete,
                    kind,
                    units,
                },
            );
        }
        Ok(())
    }

    fn cover(&mut self, sps: &Sps) -> Result<()> {
        let format = sps.format;
        let own = (
            self.chroma_format_idc,
            self.bit_depth_luma,
            self.bit_depth_chroma,
        );
        if own
            != (
                format.chroma_format_idc,
                format.bit_depth_luma,
                format.bit_depth_chroma,
            )
        {
            return Err(SyntaxError(
                "hvcC: sequence parameter sets of different formats",
            ));
        }
        self.profile = self.profile.covering(&sps.profile)?;
        if self.arrays.iter().any(|array| array.kind == NalType::SPS) {
            // What was promised of the first SPS alone.
            self.min_spatial_segmentation = 0;
            self.parallelism = 0;
        }
        if self.temporal_layers != 0 {
            self.temporal_layers = self.temporal_layers.max(sps.max_sub_layers);
        }
        self.temporal_id_nested &= sps.temporal_id_nesting;
        Ok(())
    }

    /// The units of all arrays, in order.
    pub fn units(&self) -> impl Iterator<Item = &[u8]> {
        self.arrays
            .iter()
            .flat_map(|array| array.units.iter().map(Vec::as_slice))
    }

    /// The parameter sets by their ids.
    #[cfg(test)]
    pub fn sets(&self) -> Result<ParameterSets> {
        let mut sets = ParameterSets::new();
        sets.insert_all(self.units())?;
        Ok(sets)
    }

    /// The payload of an `hvcC` box.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        if self.bit_depth_luma > 15 || self.bit_depth_chroma > 15 {
            return Err(SyntaxError("hvcC: a bit depth over 15"));
        }
        let mut out = vec![1];
        self.profile.write_general(&mut out);
        out.extend_from_slice(&(0xf000 | self.min_spatial_segmentation & 0x0fff).to_be_bytes());
        out.push(0xfc | self.parallelism & 3);
        out.push(0xfc | self.chroma_format_idc & 3);
        out.push(0xf8 | self.bit_depth_luma.saturating_sub(8) & 7);
        out.push(0xf8 | self.bit_depth_chroma.saturating_sub(8) & 7);
        out.extend_from_slice(&self.average_frame_rate.to_be_bytes());
        out.push(
            (self.constant_frame_rate & 3) << 6
                | (self.temporal_layers & 7) << 3
                | u8::from(self.temporal_id_nested) << 2
                | self.length_size.saturating_sub(1) & 3,
        );
        let too_many = |_| SyntaxError("hvcC: more units than it can count");
        out.push(u8::try_from(self.arrays.len()).map_err(too_many)?);
        for array in &self.arrays {
            out.push(u8::from(array.complete) << 7 | array.kind.0 & 0x3f);
            let count = u16::try_from(array.units.len()).map_err(too_many)?;
            out.extend_from_slice(&count.to_be_bytes());
            for unit in &array.units {
                let length = u16::try_from(unit.len()).map_err(too_many)?;
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(unit);
            }
        }
        Ok(out)
    }
}

/// Sets of other layers belong into `lhvC`.
fn is_base_set(header: NalHeader) -> bool {
    header.kind.is_parameter_set() && header.layer_id == 0
}

fn read_array(reader: &mut BitReader<'_>, data: &[u8]) -> Result<Array> {
    let complete = reader.flag()?;
    reader.skip(1)?; // reserved
    let kind = NalType(small(reader, 6)?);
    let mut units = Vec::new();
    for _ in 0..wide(reader)? {
        let length = usize::from(wide(reader)?);
        let at = reader.position() / 8;
        let unit = data
            .get(at..at + length)
            .ok_or(SyntaxError("hvcC: a unit is longer than the record"))?;
        reader.skip(length * 8)?;
        units.push(unit.to_vec());
    }
    Ok(Array {
        complete,
        kind,
        units,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::ordering::Floor;
    use crate::bitstream::hevc::pps::Pps;
    use crate::bitstream::hevc::samples::{PPS, SPS, SPS_FULL, VPS, assert_no_panic};

    #[test]
    fn a_record_survives_a_round_trip() {
        let hvcc = Hvcc::from_units([VPS, SPS, PPS], true).expect("build");
        let bytes = hvcc.to_bytes().expect("write");
        assert_eq!(bytes[..13], [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 30]);
        assert_eq!(
            bytes[13..23],
            [0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 3]
        );
        assert_eq!(Hvcc::parse(&bytes), Ok(hvcc.clone()));
        assert_eq!(Hvcc::from_extradata(&bytes, false), Ok(hvcc.clone()));
        let annex_b = [&[0, 0, 0, 1][..], VPS, &[0, 0, 1], SPS, &[0, 0, 1], PPS].concat();
        assert_eq!(Hvcc::from_extradata(&annex_b, true), Ok(hvcc.clone()));
        assert!(hvcc.sets().expect("sets").active(0).is_some());
    }

    #[test]
    fn several_sets_of_a_type_stand_in_one_array() {
        let mut hvcc = Hvcc::from_units([VPS, SPS, PPS], true).expect("build");
        hvcc.min_spatial_segmentation = 5;
        let sps = Sps::rewrite(SPS, 1, 1, &Floor::default()).expect("rewrite");
        let pps = Pps::rewrite(PPS, 15, 1).expect("rewrite");
        for unit in [&sps, &pps, &pps] {
            hvcc.push(unit, true).expect("push");
        }
        assert_eq!(hvcc.min_spatial_segmentation, 0);
        let counts: Vec<_> = hvcc
            .arrays
            .iter()
            .map(|array| (array.kind.0, array.complete, array.units.len()))
            .collect();
        assert_eq!(counts, [(32, true, 1), (33, true, 2), (34, true, 2)]);
        assert!(hvcc.push(SPS_FULL, true).is_err(), "10 bits beside 8");
        assert!(hvcc.push(&[0x28, 1, 2], true).is_err());
    }

    #[test]
    fn broken_records_are_errors() {
        let hvcc = Hvcc::from_units([VPS, SPS_FULL, PPS], true).expect("build");
        assert_no_panic(&hvcc.to_bytes().expect("write"), |data| {
            if let Ok(hvcc) = Hvcc::parse(data) {
                let _ = hvcc.sets();
                let _ = hvcc.to_bytes();
            }
        });
        assert!(
            Hvcc {
                bit_depth_luma: 16,
                ..hvcc
            }
            .to_bytes()
            .is_err(),
            "three bits"
        );
        assert!(Hvcc::parse(&[]).is_err());
        assert!(Hvcc::from_annex_b(&[0, 0, 1, 0x40, 1], true).is_err());
    }
}
