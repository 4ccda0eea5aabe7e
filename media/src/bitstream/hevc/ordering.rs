//! The sub-layer ordering info of VPS and SPS: how many pictures a decoder
//! keeps and how far output lags behind decoding (ITU-T H.265 sections
//! 7.4.3.1, 7.4.3.2.1 and C.5.2).

use super::fields::limited;
use crate::bitstream::bits::{BitReader, BitWriter, Result};

/// The limits of one temporal sub-layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubLayer {
    /// `max_dec_pic_buffering_minus1` + 1: pictures, the current one included.
    pub dpb_pictures: u8,
    /// `max_num_reorder_pics`: pictures that may come before another one in
    /// the stream and after it on the screen.
    pub max_num_reorder: u8,
    /// `max_latency_increase_plus1`; 0 sets no limit.
    pub max_latency_increase_plus1: u32,
}

impl SubLayer {
    /// `SpsMaxLatencyPictures` (7-9), none without a limit.
    pub fn max_latency_pictures(self) -> Option<u64> {
        let increase = u64::from(self.max_latency_increase_plus1).checked_sub(1)?;
        Some(u64::from(self.max_num_reorder) + increase)
    }

    /// The least limits under which streams of both kinds decode.
    #[must_use]
    pub fn covering(self, other: Self) -> Self {
        let max_num_reorder = self.max_num_reorder.max(other.max_num_reorder);
        let latency = self
            .max_latency_pictures()
            .zip(other.max_latency_pictures());
        let max_latency_increase_plus1 = latency.map_or(0, |(a, b)| {
            let increase = a.max(b).saturating_sub(u64::from(max_num_reorder));
            u32::try_from(increase + 1).unwrap_or(0)
        });
        Self {
            dpb_pictures: self.dpb_pictures.max(other.dpb_pictures),
            max_num_reorder,
            max_latency_increase_plus1,
        }
    }
}

/// What a rewritten set promises at least, so that a decoder which adapts to
/// it has room for the other stream too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Floor {
    /// The buffering limits. (The default sets no limit to the latency.)
    pub buffering: SubLayer,
    /// `general_level_idc`: the buffer's largest size depends on it (section
    /// A.4.2), and a higher level is always a true statement.
    pub level_idc: u8,
}

/// The limits of a stream: of its highest sub-layer alone, or of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ordering {
    /// As they stand in the stream, lowest sub-layer first; never empty.
    pub layers: Vec<SubLayer>,
}

impl Ordering {
    /// Reads what follows the `sub_layer_ordering_info_present_flag`.
    pub(super) fn parse(reader: &mut BitReader<'_>, each: bool, sub_layers: u8) -> Result<Self> {
        let count = if each { sub_layers } else { 1 };
        let mut layers = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            layers.push(SubLayer {
                dpb_pictures: limited(reader, 15, "max_dec_pic_buffering_minus1")? + 1,
                max_num_reorder: limited(reader, 15, "max_num_reorder_pics")?,
                max_latency_increase_plus1: reader.ue()?,
            });
        }
        Ok(Self { layers })
    }

    /// The opposite of [`Self::parse`].
    pub(super) fn write(&self, writer: &mut BitWriter) {
        for layer in &self.layers {
            writer.ue(u32::from(layer.dpb_pictures.saturating_sub(1)));
            writer.ue(u32::from(layer.max_num_reorder));
            writer.ue(layer.max_latency_increase_plus1);
        }
    }

    /// The limits that a decoder of the whole stream goes by.
    pub fn highest(&self) -> SubLayer {
        self.layers.last().copied().unwrap_or_default()
    }

    /// Every sub-layer raised to at least `floor`.
    #[must_use]
    pub fn raised_to(&self, floor: SubLayer) -> Self {
        Self {
            layers: self
                .layers
                .iter()
                .map(|layer| layer.covering(floor))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(dpb: u8, reorder: u8, latency: u32) -> SubLayer {
        SubLayer {
            dpb_pictures: dpb,
            max_num_reorder: reorder,
            max_latency_increase_plus1: latency,
        }
    }

    #[test]
    fn covering_takes_the_larger_limit_of_each_kind() {
        // Latency pictures: 0 + 4 and 2 + 1; over a reorder of 2 that is 2 more.
        assert_eq!(layer(2, 0, 5).covering(layer(5, 2, 2)), layer(5, 2, 3));
        assert_eq!(layer(5, 2, 2).covering(layer(2, 0, 5)), layer(5, 2, 3));
        // No limit on one side is no limit.
        assert_eq!(layer(2, 0, 0).covering(layer(5, 2, 2)), layer(5, 2, 0));
        assert_eq!(layer(2, 0, 1).covering(layer(2, 0, 1)), layer(2, 0, 1));
        let huge = layer(16, 15, u32::MAX - 1);
        assert_eq!(huge.covering(layer(1, 0, 1)), huge);
    }

    #[test]
    fn ordering_survives_a_round_trip_and_rejects_large_buffers() {
        let ordering = Ordering {
            layers: vec![layer(3, 1, 0), layer(5, 2, 9)],
        };
        let mut writer = BitWriter::new();
        ordering.write(&mut writer);
        writer.trailing();
        let data = writer.into_bytes();
        let parsed = Ordering::parse(&mut BitReader::new(&data), true, 2);
        assert_eq!(parsed, Ok(ordering.clone()));
        assert_eq!(ordering.highest(), layer(5, 2, 9));

        let mut writer = BitWriter::new();
        writer.ue(16);
        writer.ue(0);
        writer.ue(0);
        let data = writer.into_bytes();
        assert!(Ordering::parse(&mut BitReader::new(&data), false, 1).is_err());
    }
}
