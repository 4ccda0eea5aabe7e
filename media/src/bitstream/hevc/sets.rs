//! The parameter sets of a stream by their ids, as a decoder keeps them
//! (ITU-T H.265 section 7.4.2.4.2).

use super::pps::Pps;
use super::sps::Sps;
use super::unit::{NalHeader, NalType};
use super::vps::Vps;
use crate::bitstream::bits::{Result, SyntaxError};
use crate::bitstream::nal::push_prefixed;

/// What [`ParameterSets::insert`] found under the set's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Nothing: the set is new.
    New,
    /// The same bytes: a repetition.
    Same,
    /// Another set, which is now replaced. Pictures on both sides of this
    /// point cannot share one MP4 sample entry.
    Changed,
}

/// A set as read and as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored<T> {
    parsed: T,
    unit: Vec<u8>,
}

/// All sets seen so far, the last one of each id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSets {
    vps: [Option<Stored<Vps>>; 16],
    sps: [Option<Stored<Sps>>; 16],
    pps: [Option<Stored<Pps>>; 64],
}

impl Default for ParameterSets {
    fn default() -> Self {
        Self {
            vps: [const { None }; 16],
            sps: [const { None }; 16],
            pps: [const { None }; 64],
        }
    }
}

impl ParameterSets {
    /// The longest set that fits into `hvcC` (ISO/IEC 14496-15: `nalUnitLength`
    /// has 16 bits).
    pub const MAX_BYTES: usize = 65_535;

    /// No sets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores a VPS, SPS or PPS under its id.
    pub fn insert(&mut self, unit: &[u8]) -> Result<Inserted> {
        if unit.len() > Self::MAX_BYTES {
            return Err(SyntaxError("a parameter set longer than 65535 bytes"));
        }
        match NalHeader::parse(unit)?.kind {
            NalType::VPS => {
                let vps = Vps::parse(unit)?;
                Ok(store(&mut self.vps, vps.id, vps, unit))
            }
            NalType::SPS => {
                let sps = Sps::parse(unit)?;
                Ok(store(&mut self.sps, sps.id, sps, unit))
            }
            NalType::PPS => {
                let pps = Pps::parse(unit)?;
                Ok(store(&mut self.pps, pps.id, pps, unit))
            }
            _ => Err(SyntaxError("not a parameter set")),
        }
    }

    /// Stores the base layer's sets among `units` and passes over the rest;
    /// answers whether any set replaced another.
    #[cfg(test)]
    pub fn insert_all<'a>(&mut self, units: impl IntoIterator<Item = &'a [u8]>) -> Result<bool> {
        let mut changed = false;
        for unit in units {
            let header = NalHeader::parse(unit)?;
            if header.layer_id == 0 && header.kind.is_parameter_set() {
                changed |= self.insert(unit)? == Inserted::Changed;
            }
        }
        Ok(changed)
    }

    /// The sequence parameter set of this id.
    pub fn sps(&self, id: u8) -> Option<&Sps> {
        find(&self.sps, id)
    }

    /// The picture parameter set of this id.
    pub fn pps(&self, id: u8) -> Option<&Pps> {
        find(&self.pps, id)
    }

    /// The sets that a slice with this PPS id is decoded with.
    pub fn active(&self, pps_id: u8) -> Option<(&Sps, &Pps)> {
        let pps = self.pps(pps_id)?;
        Some((self.sps(pps.sps_id)?, pps))
    }

    /// Every sequence parameter set, by id.
    pub fn all_sps(&self) -> impl Iterator<Item = &Sps> {
        self.sps.iter().flatten().map(|stored| &stored.parsed)
    }

    /// The lowest VPS id not in use.
    pub fn free_vps_id(&self) -> Option<u8> {
        free(&self.vps, 0..16)
    }

    /// The lowest SPS id not in use.
    pub fn free_sps_id(&self) -> Option<u8> {
        free(&self.sps, 0..16)
    }

    /// The lowest PPS id not in use within `range`.
    pub fn free_pps_id(&self, range: std::ops::Range<u8>) -> Option<u8> {
        free(&self.pps, range)
    }

    /// The sets as they came: all VPS, then SPS, then PPS, each by id. In this
    /// order a decoder meets no set before the one that it refers to.
    pub fn units(&self) -> impl Iterator<Item = (NalType, &[u8])> {
        let vps = units(&self.vps, NalType::VPS);
        let sps = units(&self.sps, NalType::SPS);
        let pps = units(&self.pps, NalType::PPS);
        vps.chain(sps).chain(pps)
    }

    /// [`Self::units`], each behind its length in four bytes.
    pub fn prefixed(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (_, unit) in self.units() {
            push_prefixed(&mut out, unit);
        }
        out
    }
}

fn store<T>(slots: &mut [Option<Stored<T>>], id: u8, parsed: T, unit: &[u8]) -> Inserted {
    // The parsers keep ids within their arrays.
    let Some(slot) = slots.get_mut(usize::from(id)) else {
        return Inserted::Same;
    };
    let found = match slot {
        None => Inserted::New,
        Some(stored) if stored.unit == unit => return Inserted::Same,
        Some(_) => Inserted::Changed,
    };
    *slot = Some(Stored {
        parsed,
        unit: unit.to_vec(),
    });
    found
}

fn find<T>(slots: &[Option<Stored<T>>], id: u8) -> Option<&T> {
    let stored = slots.get(usize::from(id))?.as_ref()?;
    Some(&stored.parsed)
}

fn free<T>(slots: &[Option<T>], mut range: std::ops::Range<u8>) -> Option<u8> {
    range.find(|&id| matches!(slots.get(usize::from(id)), Some(None)))
}

fn units<T>(slots: &[Option<Stored<T>>], kind: NalType) -> impl Iterator<Item = (NalType, &[u8])> {
    slots
        .iter()
        .flatten()
        .map(move |stored| (kind, stored.unit.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::samples::{PPS, SPS, SPS_FULL, VPS};

    #[test]
    fn a_set_is_new_then_the_same_then_changed() {
        let mut sets = ParameterSets::new();
        assert_eq!(sets.insert_all([VPS, SPS, PPS]), Ok(false));
        assert_eq!(sets.insert(SPS), Ok(Inserted::Same));
        assert_eq!(sets.insert(SPS_FULL), Ok(Inserted::Changed));
        assert_eq!(sets.sps(0).map(|sps| sps.max_sub_layers), Some(2));
        let other = Pps::rewrite(PPS, 5, 1).expect("rewrite");
        assert_eq!(sets.insert(&other), Ok(Inserted::New));
        assert!(sets.active(0).is_some());
        assert!(sets.active(5).is_none(), "its SPS is missing");
        assert!(sets.insert(&[0x26, 1, 2]).is_err());
        assert!(
            sets.insert(&vec![0x40; ParameterSets::MAX_BYTES + 1])
                .is_err()
        );
    }

    #[test]
    fn units_come_in_order_and_ids_run_out() {
        let mut sets = ParameterSets::new();
        assert_eq!(sets.insert_all([PPS, SPS, VPS]), Ok(false));
        let units: Vec<_> = sets.units().collect();
        assert_eq!(
            units,
            [
                (NalType::VPS, VPS),
                (NalType::SPS, SPS),
                (NalType::PPS, PPS)
            ]
        );
        assert_eq!((sets.free_vps_id(), sets.free_sps_id()), (Some(1), Some(1)));
        assert_eq!(sets.free_pps_id(15..31), Some(15));
        for id in 15..31 {
            let unit = Pps::rewrite(PPS, id, 0).expect("rewrite");
            assert_eq!(sets.insert(&unit), Ok(Inserted::New));
        }
        assert_eq!(sets.free_pps_id(15..31), None);
        assert_eq!(sets.free_pps_id(0..64), Some(1));
    }
}
