//! Why an encoded edge cannot stand under the source's SPS.

use std::fmt;

use crate::bitstream::bits::SyntaxError;

use super::pps::Pps;
use super::sets::ParameterSets;
use super::sps::Sps;

/// Why an encoder's pictures cannot be rewritten for the source's SPS. The
/// caller then takes an SPS of its own ([`second_sets`](super::second_sets)),
/// or sets the encoder up differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsuitable {
    /// The source's or the encoder's bitstream is broken, or uses syntax that
    /// cannot be rewritten.
    Syntax(SyntaxError),
    /// The encoder must have one SPS and one PPS, and the source the SPS asked for.
    MissingSets,
    /// The encoder's parameter sets have ids that the source uses.
    IdsTaken,
    /// The source counts pictures by POC type 1.
    PocType1,
    /// The sizes in macroblocks differ, or what is cropped off them.
    Size,
    /// The chroma formats differ, or whether planes are coded apart.
    ChromaFormat,
    /// The bit depths differ.
    BitDepth,
    /// One may be lossless at quantiser 0, the other not.
    Lossless,
    /// One is progressive, one has fields or adaptive macroblock pairs. For a
    /// source with fields but without adaptive pairs, x264 has `fake-interlaced`.
    Interlacing,
    /// One is CABAC, the other CAVLC, or the source's profile has no CABAC.
    Entropy,
    /// The source's profile has no 8x8 transform.
    Transform8x8,
    /// The source's profile has no weighted prediction.
    WeightedPrediction,
    /// The source keeps fewer reference frames than the encoder refers to.
    References,
    /// Both have scaling lists, and not the same.
    ScalingMatrix,
    /// The source's profile allows intra pictures only.
    IntraOnly,
    /// The encoder's first picture is not an IDR.
    NoIdr,
    /// The encoder made a B slice: it needs `bframes=0`.
    BSlice,
    /// The encoder made a field picture.
    FieldPicture,
    /// The encoder's `frame_num` is not the next one: an access unit is missing.
    Numbering,
    /// The encoder uses long-term references or resets the numbering.
    Marking,
}

impl From<SyntaxError> for Unsuitable {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl fmt::Display for Unsuitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax(error) => return error.fmt(f),
            Self::MissingSets => "the parameter sets are missing",
            Self::IdsTaken => "the parameter set ids are taken",
            Self::PocType1 => "the source uses POC type 1",
            Self::Size => "the picture sizes differ",
            Self::ChromaFormat => "the chroma formats differ",
            Self::BitDepth => "the bit depths differ",
            Self::Lossless => "only one of the two is lossless",
            Self::Interlacing => "the interlacing modes differ",
            Self::Entropy => "the entropy coders differ",
            Self::Transform8x8 => "the source's profile has no 8x8 transform",
            Self::WeightedPrediction => "the source's profile has no weighted prediction",
            Self::References => "the source keeps too few reference frames",
            Self::ScalingMatrix => "the scaling matrices differ",
            Self::IntraOnly => "the source's profile is intra only",
            Self::NoIdr => "the encoded edge does not start with an IDR picture",
            Self::BSlice => "the encoder made a B slice",
            Self::FieldPicture => "the encoder made a field picture",
            Self::Numbering => "an encoded picture is missing",
            Self::Marking => "the encoder manages its references explicitly",
        })
    }
}

impl std::error::Error for Unsuitable {}

/// Fails with the first reason why pictures coded under `encoder` cannot be
/// decoded under the source's SPS `sps`.
pub(super) fn check(
    source: &ParameterSets,
    sps: &Sps,
    encoder: &Sps,
    pps: &Pps,
) -> Result<(), Unsuitable> {
    let require = |met: bool, otherwise| if met { Ok(()) } else { Err(otherwise) };
    let (baseline, main, extended) = (66, 77, 88);
    let simple = [baseline, main, extended].contains(&sps.profile_idc);
    let same_entropy = source
        .all_pps()
        .any(|other| other.sps_id == sps.id && other.cabac == pps.cabac);

    require(sps.poc_type != 1, Unsuitable::PocType1)?;
    require(size(sps) == size(encoder), Unsuitable::Size)?;
    require(
        sps.chroma_format_idc == encoder.chroma_format_idc
            && sps.separate_colour_plane == encoder.separate_colour_plane,
        Unsuitable::ChromaFormat,
    )?;
    require(
        sps.bit_depth_luma == encoder.bit_depth_luma
            && sps.bit_depth_chroma == encoder.bit_depth_chroma,
        Unsuitable::BitDepth,
    )?;
    require(
        sps.lossless_bypass == encoder.lossless_bypass,
        Unsuitable::Lossless,
    )?;
    require(
        sps.frame_mbs_only == encoder.frame_mbs_only && sps.mbaff == encoder.mbaff,
        Unsuitable::Interlacing,
    )?;
    require(same_entropy, Unsuitable::Entropy)?;
    require(
        !(pps.cabac && [baseline, extended].contains(&sps.profile_idc)),
        Unsuitable::Entropy,
    )?;
    require(!(pps.transform_8x8 && simple), Unsuitable::Transform8x8)?;
    require(
        !(pps.weighted_pred && sps.profile_idc == baseline),
        Unsuitable::WeightedPrediction,
    )?;
    require(
        !(sps.is_intra_only() && encoder.max_num_ref_frames > 0),
        Unsuitable::IntraOnly,
    )?;
    require(
        encoder.max_num_ref_frames <= sps.max_num_ref_frames,
        Unsuitable::References,
    )
}

/// The coded size, and what of it is shown.
fn size(sps: &Sps) -> (u32, u32, u32, u32, u32, u32) {
    let (width, height) = (sps.width(), sps.height());
    let coded = (sps.width_in_mbs, sps.height_in_mbs());
    (coded.0, coded.1, width, height, sps.crop[0], sps.crop[2])
}

/// Whether the PPS must carry flat scaling lists, so that those of the source's
/// SPS do not apply.
pub(super) fn needs_flat_scaling(sps: &Sps, encoder: &Sps, pps: &Pps) -> Result<bool, Unsuitable> {
    let same = sps.has_scaling_matrix == encoder.has_scaling_matrix
        && sps.scaling_bits == encoder.scaling_bits;
    if same {
        return Ok(false);
    }
    // The encoder's own lists would be lost, or completed from the wrong ones.
    if encoder.has_scaling_matrix || pps.has_scaling_matrix {
        return Err(Unsuitable::ScalingMatrix);
    }
    Ok(true)
}
