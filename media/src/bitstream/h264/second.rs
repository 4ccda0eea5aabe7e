//! Encoded edges under an SPS of their own, where the source's cannot serve
//! ("way 1" of the design notes): both pairs of sets stand in one `avcC`.

use super::reorder::with_restriction;
use super::sets::ParameterSets;
use super::unsuitable::Unsuitable;

/// The encoder's sets, ready to stand beside the source's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondSets {
    /// The SPS, as a NAL unit.
    pub sps: Vec<u8>,
    /// The PPS, as NAL units.
    pub pps: Vec<Vec<u8>>,
}

/// Takes the encoder's sets beside the source's. The encoder must have been
/// given ids that the source does not use (x264's `sps-id` from
/// [`ParameterSets::free_id`]).
///
/// The encoder's SPS is patched to the reordering and buffering of the source's
/// SPS `sps_id`, else Chromium drops frames where the sets change. The encoder's
/// samples go into the track as [`slices_only`](super::slices_only) makes them.
pub fn second_sets(
    source: &ParameterSets,
    sps_id: u8,
    encoder: &ParameterSets,
) -> Result<SecondSets, Unsuitable> {
    let sps = source.sps(sps_id).ok_or(Unsuitable::MissingSets)?;
    let mut all = encoder.all_sps();
    let (Some(theirs), None) = (all.next(), all.next()) else {
        return Err(Unsuitable::MissingSets);
    };
    let nal = encoder.sps_unit(theirs.id).ok_or(Unsuitable::MissingSets)?;
    let taken = source.sps(theirs.id).is_some()
        || encoder.all_pps().any(|pps| source.pps(pps.id).is_some());
    if taken {
        return Err(Unsuitable::IdsTaken);
    }
    let reorder = sps.reorder_frames().max(theirs.reorder_frames());
    let buffering = sps.dpb_frames().max(theirs.dpb_frames());
    Ok(SecondSets {
        sps: with_restriction(nal, reorder, buffering)?,
        pps: encoder.pps_units().map(<[u8]>::to_vec).collect(),
    })
}
