//! What becomes of an image's pixels, and how much of that its decoder does.

use super::jpeg::Reduction;
use super::orientation::Orientation;
use super::resize::Part;

/// What becomes of the pixels.
pub(super) struct Plan {
    /// The part that is shown, of the picture as it is decoded.
    pub(super) part: Part,
    /// The size that it gets, before it is put upright.
    pub(super) size: (u32, u32),
    pub(super) orientation: Orientation,
    /// How much smaller the decoder makes it.
    pub(super) reduction: Reduction,
}

/// Bytes of memory from which on a picture is made smaller while it is decoded, where
/// the better kernel would do as well.
pub(super) const MUCH: u64 = 8 << 20;

impl Plan {
    /// How many pixels on a side may become one by their mean, so that the kernel still
    /// halves what is left.
    pub(super) fn means(&self) -> u32 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
        let times = |shown: f64, scaled: u32| (shown / f64::from(scaled)).clamp(1.0, 1e6) as u32;
        let across = times(self.part.width, self.size.0);
        let down = times(self.part.height, self.size.1);
        (across.min(down) / 2).max(1)
    }
}

/// How much smaller a picture is decoded of which `shown` is to become `scaled`.
pub(super) fn reduction(scaled: (i32, i32), shown: (i32, i32), most: Reduction) -> Reduction {
    // Neither to a quarter, unless the better kernel halves it yet, nor where little is
    // left for that to do: both are seen (docs/PERFORMANCE.md).
    let is = |by: i64, at_least: i64| {
        let much = |scaled: i32, shown: i32| i64::from(scaled) * at_least <= i64::from(shown) * by;
        much(scaled.0, shown.0) && much(scaled.1, shown.1)
    };
    match most {
        Reduction::Quarter if is(1, 8) => Reduction::Quarter,
        Reduction::Half | Reduction::Quarter if is(2, 5) => Reduction::Half,
        _ => Reduction::Whole,
    }
}
