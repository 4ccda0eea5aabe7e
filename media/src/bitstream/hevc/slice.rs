//! The beginning of a slice segment, ITU-T H.265 section 7.3.6.1.

use super::fields::limited;
use super::sets::ParameterSets;
use super::slice_qp;
use super::unit::NalHeader;
use crate::bitstream::bits::{BitReader, Result, SyntaxError};
use crate::bitstream::nal::unescape;

/// How much of a slice is unescaped for its first fields.
const START_BYTES: usize = 64;
/// And where they go on behind that: 15 weighted references with long-term
/// pictures and a list modification take no more.
const HEADER_BYTES: usize = 512;

/// `slice_type`, table 7-7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SliceType {
    /// Refers to up to two pictures a block.
    B,
    /// Refers to one picture a block.
    P,
    /// Refers to none.
    I,
}

/// The fields that can be read without any parameter set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SliceStart {
    /// The unit's header.
    pub header: NalHeader,
    /// `first_slice_segment_in_pic_flag`.
    pub first_in_picture: bool,
    /// `no_output_of_prior_pics_flag`: a decoder drops what it has not shown
    /// yet. False where it is absent, which is outside IRAP pictures.
    pub no_output_of_prior_pics: bool,
    /// `slice_pic_parameter_set_id`, 0 to 63.
    pub pps_id: u8,
}

impl SliceStart {
    /// Reads the first bytes of `unit`, whatever its length.
    pub fn parse(unit: &[u8]) -> Result<Self> {
        // Three bytes of header and flags, three of an id: no emulation
        // prevention can fall between them unless the unit is broken.
        let rbsp = unescape(unit.get(..8).unwrap_or(unit));
        Self::read(&mut BitReader::new(&rbsp), unit)
    }

    fn read(reader: &mut BitReader<'_>, unit: &[u8]) -> Result<Self> {
        let header = NalHeader::parse(unit)?;
        if !header.kind.is_vcl() {
            return Err(SyntaxError("not a slice"));
        }
        reader.skip(16)?;
        Ok(Self {
            header,
            first_in_picture: reader.flag()?,
            no_output_of_prior_pics: header.kind.is_irap() && reader.flag()?,
            pps_id: limited(reader, 63, "slice_pic_parameter_set_id")?,
        })
    }
}

/// The slice segment header as far as a cutter reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SliceHeader {
    /// The fields in front.
    pub start: SliceStart,
    /// None in a dependent slice segment, which takes over its predecessor's.
    pub slice: Option<SliceFields>,
}

/// What only an independent slice segment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SliceFields {
    /// `slice_type`.
    pub slice_type: SliceType,
    /// `slice_pic_order_cnt_lsb`; 0 in IDR pictures, which do not carry it.
    pub poc_lsb: u32,
    /// `SliceQpY` (7-54). None where the header does not follow the profiles up
    /// to the range extensions (screen content coding puts more in front of it).
    pub qp: Option<i32>,
}

impl SliceHeader {
    /// Reads a slice of the base layer with the sets that it refers to, which
    /// must have been inserted already.
    pub fn parse(unit: &[u8], sets: &ParameterSets) -> Result<Self> {
        let read = |bytes: usize| {
            let rbsp = unescape(unit.get(..bytes).unwrap_or(unit));
            Self::read(&mut BitReader::new(&rbsp), unit, sets)
        };
        match read(START_BYTES)? {
            Self {
                slice: Some(SliceFields { qp: None, .. }),
                ..
            } if unit.len() > START_BYTES => read(HEADER_BYTES),
            header => Ok(header),
        }
    }

    fn read(reader: &mut BitReader<'_>, unit: &[u8], sets: &ParameterSets) -> Result<Self> {
        let start = SliceStart::read(reader, unit)?;
        let (sps, pps) = sets
            .active(start.pps_id)
            .ok_or(SyntaxError("a slice without its parameter sets"))?;
        if !start.first_in_picture {
            let dependent = pps.dependent_slice_segments && reader.flag()?;
            reader.bits(sps.coding.address_width)?;
            if dependent {
                return Ok(Self { start, slice: None });
            }
        }
        reader.skip(usize::from(pps.num_extra_slice_header_bits))?;
        let slice_type = match reader.ue()? {
            0 => SliceType::B,
            1 => SliceType::P,
            2 => SliceType::I,
            _ => return Err(SyntaxError("slice_type")),
        };
        if pps.output_flag_present {
            reader.skip(1)?; // pic_output_flag
        }
        if sps.format.separate_colour_planes {
            reader.skip(2)?; // colour_plane_id
        }
        let idr = start.header.kind.is_idr();
        let poc_lsb = if idr {
            0
        } else {
            reader.bits(sps.log2_max_poc_lsb.into())?
        };
        let qp = slice_qp::read(reader, slice_type, idr, sps, pps)
            .ok()
            .flatten();
        Ok(Self {
            start,
            slice: Some(SliceFields {
                slice_type,
                poc_lsb,
                qp,
            }),
        })
    }
}

/// Whether the unit is a slice that begins a picture: the cheapest look at it.
pub fn begins_picture(unit: &[u8]) -> bool {
    NalHeader::parse(unit).is_ok_and(|header| header.kind.is_vcl() && header.layer_id == 0)
        && unit.get(2).is_some_and(|third| third & 0x80 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::NalType;
    use crate::bitstream::hevc::samples::{IDR, PPS, SPS, TRAIL, VPS, assert_no_panic};

    fn sets() -> ParameterSets {
        let mut sets = ParameterSets::new();
        sets.insert_all([VPS, SPS, PPS]).expect("sets");
        sets
    }

    #[test]
    fn first_fields_are_read() {
        let header = SliceHeader::parse(IDR, &sets()).expect("IDR");
        assert!(header.start.first_in_picture && !header.start.no_output_of_prior_pics);
        let slice = header.slice.expect("independent");
        assert_eq!((slice.slice_type, slice.poc_lsb), (SliceType::I, 0));
        assert_eq!(slice.qp, Some(26 + 7));

        let header = SliceHeader::parse(TRAIL, &sets()).expect("P");
        let slice = header.slice.expect("independent");
        assert_eq!((slice.slice_type, slice.poc_lsb), (SliceType::P, 5));
        assert_eq!(slice.qp, Some(26 + 7));
        assert_eq!(header.start.header.kind, NalType(1));
        assert!(SliceHeader::parse(IDR, &ParameterSets::new()).is_err());
        assert!(SliceHeader::parse(SPS, &sets()).is_err());
    }

    #[test]
    fn broken_slices_are_errors() {
        let sets = sets();
        for unit in [IDR, TRAIL] {
            assert_no_panic(unit, |unit| {
                let _ = SliceHeader::parse(unit, &sets);
                begins_picture(unit);
            });
        }
    }
}
