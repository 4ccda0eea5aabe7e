//! H.264 (ITU-T H.264, ISO/IEC 14496-10) at the level of headers: what a cut
//! needs to know of a stream, and what it must rewrite so that encoded and copied
//! pictures become one stream. No picture is decoded here.
//!
//! | file | what it is for |
//! |---|---|
//! | [`unit`](mod@unit) | kinds of NAL unit |
//! | `sps`, `vui`, `scaling`, `pps`, `sets` | parameter sets, read and kept by id |
//! | `reorder` | depth of reordering; an SPS that declares another one |
//! | `avcc` | the sets in MP4 (`avcC`) |
//! | `slice`, `slice_read`, `ref_lists`, `slice_write` | slice headers, read and written |
//! | `sei`, `access_unit` | recovery points; what the slices of an access unit say |
//! | `edge`, `unsuitable` | encoded edges under the source's SPS (way 5) |
//! | `second` | encoded edges under an SPS of their own (way 1) |
//! | `open_gop`, `numbering`, `references`, `relist`, `refusal` | an open GOP made to start a sequence |
//!
//! NAL units go in and out with their header byte and with their emulation
//! prevention bytes; samples have lengths of four bytes. Every error is a value,
//! and no input panics.
//!
//! # An edge
//!
//! ```ignore
//! let mut config = AvcConfig::from_extradata(&extradata)?; // avcC or annex B
//! let mut sets = ParameterSets::new();
//! for unit in config.sps.iter().chain(&config.pps) {
//!     sets.insert(unit)?; // and those inside packets
//! }
//! // x264: bframes=0, ref=1, the source's profile, cabac and 8x8dct; qp from
//! // found.mean_qp(); with fields, tff or bff (mbaff) or fake-interlaced.
//! let found = AccessUnit::inspect(units, &sets);
//! let first = found.first.ok_or(NoSlices)?;
//! let encoder = ParameterSets::from_units(nal::annex_b(&encoder_extradata))?;
//! let pps_id = sets.free_pps_id().ok_or(NoFreeId)?;
//! let mut edge = EdgeRewriter::new(&sets, sps_id, &encoder, pps_id)?;
//! config.length_width = 4;
//! config.pps.push(edge.pps().to_vec());
//! let avcc = config.build()?;
//! edge.begin(idr_before, idr_after, first.delta_poc_bottom < 0);
//! let sample = edge.rewrite(nal::annex_b(&packet))?; // one encoded access unit
//! ```
//!
//! When [`EdgeRewriter::new`] finds the encoder unsuitable, [`second_sets`] and
//! [`slices_only`] are the other way.
//!
//! # An open GOP
//!
//! ```ignore
//! let mut open = OpenGopRewriter::new(sets, idr_pic_id);
//! match open.rewrite(&sample)? {
//!     Rewritten::Picture(sample) => write(sample),
//!     Rewritten::Leading => {} // encoded from the decoder's output, before the IDR
//!     Rewritten::Idr => copy_from_here_on(),
//! }
//! ```

mod access_unit;
mod avcc;
mod edge;
mod numbering;
mod open_gop;
mod pps;
mod ref_lists;
mod references;
mod refusal;
mod relist;
mod reorder;
mod scaling;
mod second;
mod sei;
mod sets;
mod slice;
mod slice_read;
mod slice_write;
mod sps;
pub mod unit;
mod unsuitable;
mod vui;

pub use access_unit::{AccessUnit, slices_only};
pub use avcc::AvcConfig;
pub use edge::EdgeRewriter;
pub use open_gop::{OpenGopRewriter, Rewritten};
pub use second::{SecondSets, second_sets};
pub use sei::recovery_point;
pub use sets::{Inserted, ParameterSets};
pub use slice::SlicePeek;
pub use sps::Sps;

#[cfg(test)]
mod tests;
