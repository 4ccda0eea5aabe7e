//! The parameter sets of a stream, by their ids (ITU-T H.264, section 7.4.1.2.1).

use std::collections::BTreeMap;

use crate::bitstream::bits::{Result, SyntaxError};

use super::pps::Pps;
use super::sps::Sps;
use super::unit;

/// All SPS and PPS that were seen, the last one under each id.
#[derive(Debug, Clone, Default)]
pub struct ParameterSets {
    sps: BTreeMap<u8, Stored<Sps>>,
    pps: BTreeMap<u8, Stored<Pps>>,
}

#[derive(Debug, Clone)]
struct Stored<T> {
    nal: Vec<u8>,
    parsed: T,
}

/// What a parameter set was to those already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Its id was free.
    New,
    /// The very same bytes were there.
    Same,
    /// It replaced another SPS of this id.
    SpsChanged(u8),
    /// It replaced another PPS of this id.
    PpsChanged(u8),
}

/// An `avcC` box has 16 bits for a set's length, and no real one comes near.
pub(super) const MAX_BYTES: usize = 0xffff;

impl ParameterSets {
    /// No sets.
    pub fn new() -> Self {
        Self::default()
    }

    /// The sets among these NAL units; other units are passed over.
    pub fn from_units<'a>(units: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let mut sets = Self::new();
        for nal in units {
            if matches!(unit::kind(nal), unit::SPS | unit::PPS) {
                sets.insert(nal)?;
            }
        }
        Ok(sets)
    }

    /// Takes in an SPS or a PPS: the NAL unit with its header, escaped.
    pub fn insert(&mut self, nal: &[u8]) -> Result<Inserted> {
        if nal.len() > MAX_BYTES {
            return Err(SyntaxError("an oversized parameter set"));
        }
        match unit::kind(nal) {
            unit::SPS => self.insert_sps(nal),
            unit::PPS => self.insert_pps(nal),
            _ => Err(SyntaxError("not a parameter set")),
        }
    }

    fn insert_sps(&mut self, nal: &[u8]) -> Result<Inserted> {
        // Streams repeat their sets at each keyframe.
        if self.sps.values().any(|stored| stored.nal == nal) {
            return Ok(Inserted::Same);
        }
        let parsed = Sps::parse(nal)?;
        let id = parsed.id;
        let nal = nal.to_vec();
        let before = self.sps.insert(id, Stored { nal, parsed });
        // How a PPS reads depends on its SPS, and one may come before it.
        let sps = self.sps.get(&id).map(|stored| &stored.parsed);
        self.pps.retain(|_, stored| {
            if stored.parsed.sps_id != id {
                return true;
            }
            let parsed = Pps::parse(&stored.nal, |_| sps);
            parsed.map(|pps| stored.parsed = pps).is_ok()
        });
        Ok(before.map_or(Inserted::New, |_| Inserted::SpsChanged(id)))
    }

    fn insert_pps(&mut self, nal: &[u8]) -> Result<Inserted> {
        if self.pps.values().any(|stored| stored.nal == nal) {
            return Ok(Inserted::Same);
        }
        let parsed = Pps::parse(nal, |id| self.sps(id))?;
        let id = parsed.id;
        let nal = nal.to_vec();
        let before = self.pps.insert(id, Stored { nal, parsed });
        Ok(before.map_or(Inserted::New, |_| Inserted::PpsChanged(id)))
    }

    /// The SPS of this id.
    pub fn sps(&self, id: u8) -> Option<&Sps> {
        self.sps.get(&id).map(|stored| &stored.parsed)
    }

    /// The PPS of this id.
    pub fn pps(&self, id: u8) -> Option<&Pps> {
        self.pps.get(&id).map(|stored| &stored.parsed)
    }

    /// The sets that a slice with this `pic_parameter_set_id` is decoded with.
    pub fn active(&self, pps_id: u8) -> Result<(&Sps, &Pps)> {
        let pps = self.pps(pps_id).ok_or(SyntaxError("an unknown PPS"))?;
        let sps = self.sps(pps.sps_id).ok_or(SyntaxError("an unknown SPS"))?;
        Ok((sps, pps))
    }

    /// All SPS in the order of their ids.
    pub fn all_sps(&self) -> impl Iterator<Item = &Sps> {
        self.sps.values().map(|stored| &stored.parsed)
    }

    /// All PPS in the order of their ids.
    pub fn all_pps(&self) -> impl Iterator<Item = &Pps> {
        self.pps.values().map(|stored| &stored.parsed)
    }

    /// The SPS as NAL units, in the order of their ids.
    pub fn sps_units(&self) -> impl Iterator<Item = &[u8]> {
        self.sps.values().map(|stored| stored.nal.as_slice())
    }

    /// The PPS as NAL units, in the order of their ids.
    pub fn pps_units(&self) -> impl Iterator<Item = &[u8]> {
        self.pps.values().map(|stored| stored.nal.as_slice())
    }

    /// The NAL unit of the SPS of this id.
    pub fn sps_unit(&self, id: u8) -> Option<&[u8]> {
        self.sps.get(&id).map(|stored| stored.nal.as_slice())
    }

    /// The lowest id that no PPS has.
    pub fn free_pps_id(&self) -> Option<u8> {
        (0..=u8::MAX).find(|id| !self.pps.contains_key(id))
    }

    /// The lowest id that neither an SPS nor a PPS has. x264 gives both of its
    /// sets the one id that its `sps-id` option says.
    pub fn free_id(&self) -> Option<u8> {
        (0..=31).find(|id| !self.pps.contains_key(id) && !self.sps.contains_key(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::h264::pps::tests::{BASELINE as BASELINE_PPS, HIGH};
    use crate::bitstream::h264::sps::tests::{BASELINE, INTERLACED};

    #[test]
    fn sets_are_new_the_same_or_changed() {
        let mut sets = ParameterSets::new();
        assert_eq!(sets.insert(INTERLACED), Ok(Inserted::New));
        assert_eq!(sets.insert(HIGH), Ok(Inserted::New));
        assert_eq!(sets.insert(INTERLACED), Ok(Inserted::Same));
        assert_eq!(sets.insert(HIGH), Ok(Inserted::Same));
        assert_eq!(sets.insert(BASELINE), Ok(Inserted::SpsChanged(0)));
        assert_eq!(sets.insert(BASELINE_PPS), Ok(Inserted::PpsChanged(0)));
        assert_eq!(sets.sps(0).map(Sps::width), Some(176));
        assert_eq!(sets.free_pps_id(), Some(1));
        assert_eq!(sets.free_id(), Some(1));
        assert!(sets.active(0).is_ok() && sets.active(1).is_err());
        assert!(sets.insert(&[0x65, 0x88]).is_err() && sets.insert(&[]).is_err());
    }

    #[test]
    fn a_pps_may_come_before_its_sps() {
        let sets = ParameterSets::from_units([HIGH, INTERLACED]).expect("sets");
        let (sps, pps) = sets.active(0).expect("both");
        assert_eq!((sps.width(), pps.cabac), (1920, true));
        assert_eq!(sets.sps_units().chain(sets.pps_units()).count(), 2);
    }
}
