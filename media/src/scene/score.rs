//! How much a frame differs from the one before it.

use crate::av::code::Code;
use crate::av::frame::Frame;
use crate::av::planes::{Layout, Planes};
use crate::av::scale::{Scaler, format_number};

use super::colour::Colours;
use super::light::Seen;
use super::options::Weights;
use super::reduce::{Reducer, Strip};

/// How far a frame's pixels are, on the mean, from those of the frame before.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Difference {
    /// In half degrees, 0 to 179.
    pub hue: f64,
    /// 0 to 255.
    pub saturation: f64,
    /// 0 to 255.
    pub brightness: f64,
}

impl Difference {
    /// The mean of the three.
    pub(super) fn content(&self, weights: &Weights) -> f64 {
        let sum = weights.hue.abs() + weights.saturation.abs() + weights.brightness.abs();
        if sum <= 0.0 {
            return 0.0;
        }
        (self.hue * weights.hue
            + self.saturation * weights.saturation
            + self.brightness * weights.brightness)
            / sum
    }
}

/// Compares each frame with the one before.
#[derive(Default)]
pub(super) struct Scorer {
    reducer: Option<Reducer>,
    /// For pixel formats that are not read as they are.
    scaler: Option<(Scaler, (i32, i32))>,
    strip: Strip,
    now: Colours,
    before: Colours,
}

impl Scorer {
    /// The difference to the frame before; none for the first.
    pub(super) fn score(&mut self, frame: &Frame) -> Result<Difference, Code> {
        std::mem::swap(&mut self.now, &mut self.before);
        if Layout::of(frame.format()).is_some() {
            self.take(frame)?;
        } else {
            let plain = self.plain(frame)?;
            self.take(&plain)?;
        }
        Ok(Difference {
            hue: mean_distance(&self.now.hue, &self.before.hue),
            saturation: mean_distance(&self.now.saturation, &self.before.saturation),
            brightness: mean_distance(&self.now.brightness, &self.before.brightness),
        })
    }

    /// What there is to be seen in the last frame.
    pub(super) fn seen(&self) -> Seen {
        Seen::of(&self.now)
    }

    fn take(&mut self, frame: &Frame) -> Result<(), Code> {
        let planes = Planes::of(frame).ok_or(Code::INVALID)?;
        let reducer = self
            .reducer
            .get_or_insert_with(|| Reducer::new(planes.width, planes.height));
        self.now.take(&planes, reducer, &mut self.strip);
        Ok(())
    }

    /// The picture in a format that is read as it is.
    fn plain(&mut self, frame: &Frame) -> Result<Frame, Code> {
        let size = (frame.width(), frame.height());
        if self.scaler.as_ref().is_none_or(|(_, of)| *of != size) {
            let scaler = Scaler::new(size.0, size.1, format_number("yuv444p"));
            self.scaler = Some((scaler, size));
        }
        match &mut self.scaler {
            Some((scaler, _)) => scaler.scale(frame.share()?),
            None => Err(Code::INVALID),
        }
    }
}

/// The mean of the absolute differences; zero where there is nothing to compare.
fn mean_distance(left: &[u8], right: &[u8]) -> f64 {
    if left.len() != right.len() || left.is_empty() {
        return 0.0;
    }
    // Rows of bytes whose sum fits 32 bits: the compiler has an instruction for
    // it.
    let sum: u64 = left
        .chunks(4096)
        .zip(right.chunks(4096))
        .map(|(left, right)| {
            let pairs = left.iter().zip(right);
            u64::from(
                pairs
                    .map(|(&left, &right)| u32::from(left.abs_diff(right)))
                    .sum::<u32>(),
            )
        })
        .sum();
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    let mean = sum as f64 / left.len() as f64;
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_a_mean_of_absolutes() {
        assert!((mean_distance(&[0, 255, 10, 10], &[255, 0, 10, 12]) - 128.0).abs() < 1e-9);
        assert!(mean_distance(&[], &[]).abs() < 1e-9);
        assert!(mean_distance(&[1], &[]).abs() < 1e-9);
    }

    #[test]
    fn weights_make_a_mean() {
        let difference = Difference {
            hue: 30.0,
            saturation: 60.0,
            brightness: 90.0,
        };
        let content = |weights| difference.content(&weights);
        assert!((content(Weights::default()) - 60.0).abs() < 1e-9);
        assert!((content(Weights::BRIGHTNESS) - 90.0).abs() < 1e-9);
        let none = Weights {
            brightness: 0.0,
            ..Weights::BRIGHTNESS
        };
        assert!(content(none).abs() < 1e-9);
    }
}
