//! How deep pictures are reordered, and an SPS that says so.
//!
//! A player that meets a second SPS with a smaller depth than the first drops
//! frames (Chromium after the head of a cut). So the second one is patched to
//! the source's depth.

use crate::bitstream::bits::{BitWriter, Result, SyntaxError};
use crate::bitstream::nal::{escape, unescape};

use super::sps::Sps;

impl Sps {
    /// The size of the decoded picture buffer in frames: what the VUI says,
    /// else what the level allows (`MaxDpbFrames`, A.3.1 and A.3.2).
    pub fn dpb_frames(&self) -> u32 {
        match self.vui.as_ref().and_then(|vui| vui.restriction) {
            Some(restriction) => restriction
                .dec_frame_buffering
                .clamp(self.max_num_ref_frames, 16.max(self.max_num_ref_frames)),
            None if self.is_intra_only() => 0,
            None => self.max_dpb_frames().max(self.max_num_ref_frames),
        }
    }

    /// How many frames may precede one in decoding order and follow it in
    /// output order: what the VUI says, else what E.2.1 infers. Without a VUI
    /// this is an upper bound, often far above what the stream does.
    pub fn reorder_frames(&self) -> u32 {
        match self.vui.as_ref().and_then(|vui| vui.restriction) {
            Some(restriction) => restriction.reorder_frames.min(self.dpb_frames()),
            // Output order is decoding order (8.2.1.3).
            None if self.poc_type == 2 => 0,
            None => self.dpb_frames(),
        }
    }

    fn max_dpb_frames(&self) -> u32 {
        let frame = self
            .width_in_mbs
            .saturating_mul(self.height_in_mbs())
            .max(1);
        (self.max_dpb_mbs() / frame).min(16)
    }

    /// `MaxDpbMbs` of the level (table A-1).
    fn max_dpb_mbs(&self) -> u32 {
        let constraint_set3 = self.constraints & 0x10 != 0;
        match self.level_idc {
            11 if constraint_set3 && matches!(self.profile_idc, 66 | 77 | 88) => 396, // level 1b
            9 | 10 => 396,
            11 => 900,
            12 | 13 | 20 => 2_376,
            21 => 4_752,
            22 | 30 => 8_100,
            31 => 18_000,
            32 => 20_480,
            40 | 41 => 32_768,
            42 => 34_816,
            50 => 110_400,
            51 | 52 => 184_320,
            // 6 to 6.2, and levels that do not exist yet.
            _ => 696_320,
        }
    }
}

/// The same SPS with `max_num_reorder_frames` and `max_dec_frame_buffering` set;
/// every other field keeps its bits. A VUI is added when there is none.
///
/// `nal` is the NAL unit with its header, escaped, and so is the result.
pub fn with_restriction(nal: &[u8], reorder_frames: u32, dpb_frames: u32) -> Result<Vec<u8>> {
    let rbsp = unescape(nal);
    let sps = Sps::parse_rbsp(&rbsp)?;
    if reorder_frames > 16 || dpb_frames > 16 {
        return Err(SyntaxError("more frames than a decoder buffers"));
    }
    let mut writer = BitWriter::with_capacity(rbsp.len() + 16);
    let restriction = sps.vui.as_ref().and_then(|vui| vui.restriction);
    match (&sps.vui, restriction) {
        (_, Some(restriction)) => writer.copy(&rbsp, 0, restriction.starts_at),
        (Some(vui), None) => {
            writer.copy(&rbsp, 0, vui.restriction_at);
            open_restriction(&mut writer);
        }
        (None, None) => {
            writer.copy(&rbsp, 0, sps.vui_at);
            writer.flag(true); // vui_parameters_present_flag
            // No aspect ratio, overscan, signal type, chroma location, timing,
            // NAL HRD, VCL HRD, pic_struct.
            writer.bits(0, 8);
            open_restriction(&mut writer);
        }
    }
    // A buffer smaller than the references, or than the reordering, is none.
    let dpb_frames = dpb_frames.max(reorder_frames).max(sps.max_num_ref_frames);
    writer.ue(reorder_frames);
    writer.ue(dpb_frames);
    writer.trailing();
    Ok(escape(&writer.into_bytes()))
}

/// The fields before `max_num_reorder_frames`, restricting nothing.
fn open_restriction(writer: &mut BitWriter) {
    writer.flag(true); // bitstream_restriction_flag
    writer.flag(true); // motion_vectors_over_pic_boundaries_flag
    writer.ue(0); // max_bytes_per_pic_denom: no limit
    writer.ue(0); // max_bits_per_mb_denom: no limit
    writer.ue(15); // log2_max_mv_length_horizontal
    writer.ue(15); // log2_max_mv_length_vertical
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::h264::sps::tests::{BASELINE, HRD, INTERLACED};

    #[test]
    fn the_restriction_is_set_and_all_else_stays() {
        for nal in [BASELINE, HRD, INTERLACED] {
            let before = Sps::parse(nal).expect("an SPS");
            let patched = with_restriction(nal, 3, 5).expect("a patched SPS");
            let mut after = Sps::parse(&patched).expect("an SPS");
            assert_eq!((after.reorder_frames(), after.dpb_frames()), (3, 5));
            after.vui = before.vui.clone();
            assert_eq!(after, before);
        }
        assert!(with_restriction(BASELINE, 17, 17).is_err());
    }

    #[test]
    fn the_same_restriction_gives_the_same_bytes() {
        for nal in [BASELINE, HRD, INTERLACED] {
            let sps = Sps::parse(nal).expect("an SPS");
            let patched = with_restriction(nal, sps.reorder_frames(), sps.dpb_frames());
            assert_eq!(patched.as_deref(), Ok(nal));
        }
    }

    #[test]
    fn a_vui_is_added_where_there_is_none() {
        let sps = Sps::parse(BASELINE).expect("an SPS");
        let rbsp = unescape(BASELINE);
        let mut writer = BitWriter::new();
        writer.copy(&rbsp, 0, sps.vui_at);
        writer.flag(false);
        writer.trailing();
        let bare = escape(&writer.into_bytes());
        let before = Sps::parse(&bare).expect("an SPS");
        assert_eq!(before.vui, None);
        // Level 1.1, 99 macroblocks: 900 / 99 frames; POC type 2: no reordering.
        assert_eq!((before.reorder_frames(), before.dpb_frames()), (0, 9));
        let patched = with_restriction(&bare, 2, 4).expect("a patched SPS");
        let mut after = Sps::parse(&patched).expect("an SPS");
        assert_eq!((after.reorder_frames(), after.dpb_frames()), (2, 4));
        after.vui = None;
        assert_eq!(after, before);
    }
}
