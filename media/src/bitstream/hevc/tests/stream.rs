//! A byte stream taken apart into access units that know when they are shown.

use crate::bitstream::hevc::access_unit::AccessUnit;
use crate::bitstream::hevc::{NalHeader, NalType, ParameterSets, begins_picture, inspect};
use crate::bitstream::nal::annex_b;

/// One picture with the units around it.
pub(super) struct Packet {
    pub(super) units: Vec<Vec<u8>>,
    pub(super) facts: AccessUnit,
    /// Its place on the screen, counted from 0.
    pub(super) shown: usize,
}

impl Packet {
    pub(super) fn units(&self) -> impl Iterator<Item = &[u8]> {
        self.units.iter().map(Vec::as_slice)
    }
}

/// Packets in decoding order, and all parameter sets.
pub(super) struct Stream {
    pub(super) packets: Vec<Packet>,
    pub(super) sets: ParameterSets,
}

impl Stream {
    pub(super) fn parse(data: &[u8]) -> Self {
        let mut sets = ParameterSets::new();
        let mut packets: Vec<Packet> = Vec::new();
        for units in split(data) {
            sets.insert_all(units.iter().map(Vec::as_slice))
                .expect("sets");
            let facts = inspect(units.iter().map(Vec::as_slice), &sets).expect("inspect");
            assert_eq!(facts.pictures, 1);
            packets.push(Packet {
                units,
                facts,
                shown: 0,
            });
        }
        let order = order_counts(&packets, &sets);
        let mut places: Vec<_> = (0..packets.len()).collect();
        places.sort_by_key(|&index| order[index]);
        for (shown, index) in places.into_iter().enumerate() {
            packets[index].shown = shown;
        }
        Self { packets, sets }
    }
}

/// Section 7.4.2.4.4: a picture's units end where the next one's first slice, or
/// what may stand in front of it, begins.
fn split(data: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut packets: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut has_slices = true;
    for unit in annex_b(data) {
        let kind = NalHeader::parse(unit).expect("header").kind;
        let in_front = matches!(kind.0, 32..=35 | 39);
        if has_slices && (in_front || begins_picture(unit)) {
            packets.push(Vec::new());
            has_slices = false;
        }
        has_slices |= kind.is_vcl();
        packets.last_mut().expect("a packet").push(unit.to_vec());
    }
    packets
}

/// Section 8.3.1: the sequence's number and the order count in it.
fn order_counts(packets: &[Packet], sets: &ParameterSets) -> Vec<(usize, i64)> {
    let mut sequence = 0;
    let mut previous = 0i64;
    let mut counts = Vec::new();
    for Packet { facts, .. } in packets {
        let pps_id = facts.first.expect("slice").pps_id;
        let (sps, _) = sets.active(pps_id).expect("sets");
        let wrap = 1i64 << sps.log2_max_poc_lsb;
        let lsb = i64::from(facts.poc_lsb.expect("order count"));
        // libx265 makes no BLA pictures, which would restart it too.
        let restarts = facts.irap.is_some_and(NalType::is_idr);
        let count = if restarts {
            sequence += 1;
            lsb
        } else {
            // The one nearest to the previous picture's.
            previous + (lsb - previous + wrap / 2).rem_euclid(wrap) - wrap / 2
        };
        if facts.temporal_id == 0 && facts.leading.is_none() && !facts.sub_layer_non_reference {
            previous = count;
        }
        counts.push((sequence, count));
    }
    counts
}

/// The types of the keyframes.
pub(super) fn keyframes(stream: &Stream) -> Vec<NalType> {
    stream
        .packets
        .iter()
        .filter_map(|packet| packet.facts.irap)
        .collect()
}
