//! What one packet of a stream holds, learned from the beginnings of its units.

use super::sets::ParameterSets;
use super::slice::{SliceHeader, SliceStart, SliceType};
use super::unit::{NalHeader, NalType};
use crate::bitstream::bits::Result;

/// A leading picture: later in the stream than its IRAP, earlier on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leading {
    /// Random access skipped: refers to pictures before the IRAP.
    Rasl,
    /// Random access decodable: needs nothing before the IRAP.
    Radl,
}

/// The facts about an access unit. Only the base layer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccessUnit {
    /// How many pictures begin here; one, unless a packet is torn or holds
    /// two fields.
    pub pictures: u32,
    /// How many slice segments there are.
    pub slices: u32,
    /// The type of the random access point, if it is one.
    pub irap: Option<NalType>,
    /// Whether and how the picture leads its random access point.
    pub leading: Option<Leading>,
    /// The temporal sub-layer of the slices.
    pub temporal_id: u8,
    /// No picture of the same sub-layer refers to this one.
    pub sub_layer_non_reference: bool,
    /// No picture at all refers to this one: a decoder may skip it when it is
    /// not shown.
    pub disposable: bool,
    /// The first slice's beginning.
    pub first: Option<SliceStart>,
    /// The first slice's type and order count; none when its parameter sets
    /// are not known.
    pub slice_type: Option<SliceType>,
    /// `slice_pic_order_cnt_lsb` of the first slice, 0 for IDR pictures.
    pub poc_lsb: Option<u32>,
    /// The mean QP of the slices, where their headers tell. It is the slices'
    /// own: an encoder with adaptive quantisation moves each block around it.
    pub qp: Option<i32>,
}

/// Looks at the units of a packet. `sets` must hold those of the packet itself
/// already ([`ParameterSets::insert`]); a slice whose sets are missing or
/// whose header is broken behind its first fields leaves the facts from behind
/// them unset.
pub fn inspect<'a>(
    units: impl IntoIterator<Item = &'a [u8]>,
    sets: &ParameterSets,
) -> Result<AccessUnit> {
    let mut facts = AccessUnit::default();
    let mut qp = Mean::default();
    for unit in units {
        let header = NalHeader::parse(unit)?;
        if header.layer_id == 0 && header.kind.is_vcl() {
            facts.add_slice(unit, sets, &mut qp)?;
        }
    }
    facts.qp = qp.value();
    Ok(facts)
}

impl AccessUnit {
    fn add_slice(&mut self, unit: &[u8], sets: &ParameterSets, qp: &mut Mean) -> Result<()> {
        let start = SliceStart::parse(unit)?;
        self.slices += 1;
        self.pictures += u32::from(start.first_in_picture);
        let fields = SliceHeader::parse(unit, sets)
            .ok()
            .and_then(|header| header.slice);
        if let Some(value) = fields.and_then(|fields| fields.qp) {
            qp.add(value);
        }
        if self.first.is_some() {
            return Ok(());
        }
        let kind = start.header.kind;
        self.first = Some(start);
        self.irap = kind.is_irap().then_some(kind);
        self.leading = match kind {
            _ if kind.is_rasl() => Some(Leading::Rasl),
            _ if kind.is_radl() => Some(Leading::Radl),
            _ => None,
        };
        self.temporal_id = start.header.temporal_id;
        self.sub_layer_non_reference = kind.is_sub_layer_non_reference();
        // Pictures of a higher sub-layer may refer to a lower one's.
        let highest = sets
            .active(start.pps_id)
            .map(|(sps, _)| sps.max_sub_layers - 1);
        self.disposable = self.sub_layer_non_reference
            && highest.is_some_and(|highest| self.temporal_id >= highest);
        if let Some(fields) = fields {
            self.slice_type = Some(fields.slice_type);
            self.poc_lsb = Some(fields.poc_lsb);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Mean {
    sum: i64,
    count: i64,
}

impl Mean {
    fn add(&mut self, value: i32) {
        self.sum += i64::from(value);
        self.count += 1;
    }

    /// Rounded to the nearest.
    fn value(&self) -> Option<i32> {
        let rounded = (self.sum + self.count / 2).checked_div_euclid(self.count)?;
        i32::try_from(rounded).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::hevc::samples::{IDR, PPS, SPS, VPS};

    fn sets() -> ParameterSets {
        let mut sets = ParameterSets::new();
        sets.insert_all([VPS, SPS, PPS]).expect("sets");
        sets
    }

    #[test]
    fn a_keyframe_with_everything_around_it() {
        let units = [
            &[0x46, 0x01, 0x50][..],
            VPS,
            SPS,
            PPS,
            &[0x4e, 0x01, 5],
            IDR,
        ];
        let facts = inspect(units, &sets()).expect("inspect");
        assert_eq!(facts.irap, Some(NalType::IDR_N_LP));
        assert_eq!((facts.pictures, facts.slices, facts.qp), (1, 1, Some(33)));
        assert!(!facts.disposable);
        assert_eq!(
            (facts.slice_type, facts.poc_lsb),
            (Some(SliceType::I), Some(0))
        );
    }

    #[test]
    fn facts_behind_missing_sets_stay_unset() {
        let facts = inspect([IDR], &ParameterSets::new()).expect("inspect");
        assert_eq!(facts.irap, Some(NalType::IDR_N_LP));
        assert_eq!(
            (facts.slice_type, facts.poc_lsb, facts.qp),
            (None, None, None)
        );
    }

    #[test]
    fn leading_and_disposable_pictures_are_told_by_type() {
        let typed = |kind: u8, tid: u8| [kind << 1, tid + 1, 0xd0, 0x29, 0x4b, 0xe1, 0x0c, 0x63];
        for (kind, leading, disposable) in [
            (0, None, true),
            (1, None, false),
            (6, Some(Leading::Radl), true),
            (7, Some(Leading::Radl), false),
            (8, Some(Leading::Rasl), true),
            (9, Some(Leading::Rasl), false),
        ] {
            let facts = inspect([&typed(kind, 0)[..]], &sets()).expect("inspect");
            assert_eq!(
                (facts.leading, facts.disposable),
                (leading, disposable),
                "{kind}"
            );
        }
        // A second layer does not count, nor does a torn picture begin.
        let mut second = typed(1, 0);
        second[1] |= 1 << 3;
        let facts = inspect([&second[..]], &sets()).expect("inspect");
        assert!(facts.first.is_none() && facts.slices == 0);
        let mut torn = typed(1, 0);
        torn[2] = 0x50;
        let facts = inspect([&torn[..]], &sets()).expect("inspect");
        assert_eq!((facts.pictures, facts.slices), (0, 1));
    }

    #[test]
    fn the_mean_is_rounded() {
        let mut mean = Mean::default();
        assert_eq!(mean.value(), None);
        for value in [-2, -3, -3] {
            mean.add(value);
        }
        assert_eq!(mean.value(), Some(-3));
    }
}
