//! HEVC (ITU-T H.265) as far as a cutter needs it: to tell what each packet is,
//! and to put encoded pictures and copied ones into one stream.
//!
//! | file | what it knows |
//! |---|---|
//! | `unit` | the NAL unit header and types |
//! | `vps`, `sps`, `pps` | the parameter sets, read and under other ids |
//! | `format`, `profile`, `ordering`, `vui`, `coding`, `rps` | parts of them |
//! | `sets` | a stream's sets by id |
//! | `slice`, `slice_qp` | the slice segment header up to the QP |
//! | `slice_edit` | a slice under another PPS id or type |
//! | `access_unit` | what one packet holds |
//! | `edge`, `unsuitable` | the encoder's sets and slices beside the source's, or why not |
//! | `cra`, `seam` | where copying begins: CRA to BLA, the source's sets again |
//! | `hvcc` | the MP4 sample entry's record |
//!
//! A splice, in the order of the output:
//!
//! ```ignore
//! let mut hvcc = Hvcc::from_extradata(source_extradata, true)?;
//! let mut source = ParameterSets::new();
//! for unit in hvcc.units() {
//!     source.insert(unit)?; // of VPS, SPS and PPS
//! }
//! // libx265 with bframes=0, ref=1, no-open-gop, and the source's profile,
//! // range, colours and aspect ratio
//! let edge = EdgeRewriter::new(&source, annex_b(encoder_extradata))?;
//! for (_, unit) in edge.sets() {
//!     hvcc.push(unit, true)?;
//! }
//! // The head: its first packet behind the sets.
//! let mut packet = edge.in_band();
//! packet.extend(edge.rewrite(annex_b(encoded))?);
//! // The first copied packet; then the others as they are, without those for
//! // which `inspect(..)?.leading` is not none up to the next picture.
//! let packet = resume_copy(&source, prefixed_units)?;
//! // The tail: like the head, in a new encoder with the same settings.
//! ```
//!
//! Nothing here panics on any input, and nothing allocates more than its input.

mod access_unit;
mod coding;
mod cra;
mod edge;
mod fields;
mod format;
mod hvcc;
mod ordering;
mod pps;
mod profile;
mod rps;
mod seam;
mod sets;
mod slice;
mod slice_edit;
mod slice_qp;
mod sps;
mod unit;
mod unsuitable;
mod vps;
mod vui;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use access_unit::inspect;
pub use edge::EdgeRewriter;
pub use hvcc::Hvcc;
pub use seam::resume_copy;
pub use sets::{Inserted, ParameterSets};
pub use slice::begins_picture;
pub use sps::Sps;
pub use unit::{NalHeader, NalType};
