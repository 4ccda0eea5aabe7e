//! Finds the quality at which something grows past a bound, in few tries.

use crate::Result;

/// Tries at most; each is a whole encode.
const TRIES: usize = 7;
/// About how much the logarithm of bytes, and that of the likeness, grow with
/// one step of quality, for the second try.
const SLOPE: f64 = 0.025;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// The quality that is tried first.
    pub(super) first: u8,
    /// The largest quality that is tried.
    pub(super) most: u8,
    /// What may not be exceeded.
    pub(super) value: f64,
    /// So near is near enough, on the side that is wanted.
    pub(super) near: f64,
    /// Whether the side below the bound is wanted, or the one above it.
    pub(super) below: bool,
}

impl Bound {
    /// Calls `measure` with qualities until it found the largest one below the
    /// bound, or the smallest one above it, or one near enough; `None` where
    /// there is none, though all of the scale was looked at.
    pub(super) fn cross(&self, mut measure: impl FnMut(u8) -> Result<f64>) -> Result<Option<u8>> {
        let (mut low, mut high): (Side, Side) = ((0, None), (self.most + 1, None));
        let mut quality = self.first.clamp(1, self.most);
        for turn in 1.. {
            let value = measure(quality)?;
            if value <= self.value {
                low = (quality, Some(value));
            } else {
                high = (quality, Some(value));
            }
            let found = if self.below { low } else { high };
            let near = found
                .1
                .is_some_and(|value| (value - self.value).abs() <= self.near);
            if near || high.0 - low.0 <= 1 || turn >= TRIES && found.1.is_some() {
                break;
            }
            quality = self.next(low, high, turn);
        }
        let found = if self.below { low } else { high };
        Ok(found.1.map(|_| found.0))
    }

    fn next(&self, low: Side, high: Side, turn: usize) -> u8 {
        let (least, most) = (low.0 + 1, high.0 - 1);
        if turn >= TRIES {
            // Nothing that is wanted was found yet: the far end, to be sure.
            return if self.below { least.min(1) } else { most };
        }
        let guess = match (low, high) {
            ((low, Some(below)), (high, Some(above))) if above > below => {
                let part = (self.value - below) / (above - below);
                f64::from(low) + part * f64::from(high - low)
            }
            ((low, Some(below)), _) => f64::from(low) + (self.value - below) / SLOPE,
            (_, (high, Some(above))) => f64::from(high) - (above - self.value) / SLOPE,
            _ => f64::from(least.midpoint(most)),
        };
        // Just on the side that is wanted.
        let guess = if self.below {
            guess.floor()
        } else {
            guess.ceil()
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
        let guess = guess.clamp(f64::from(least), f64::from(most)) as u8;
        guess
    }
}

/// A quality, and what was measured there.
type Side = (u8, Option<f64>);

#[cfg(test)]
mod tests {
    use super::*;

    fn search(below: bool, value: f64, law: impl Fn(f64) -> f64) -> (Option<u8>, usize) {
        let bound = Bound {
            first: 80,
            most: 100,
            value,
            near: 0.0,
            below,
        };
        let mut tries = 0;
        let found = bound.cross(|quality| {
            tries += 1;
            Ok(law(f64::from(quality)))
        });
        (found.expect("no failure"), tries)
    }

    #[test]
    fn the_edge_is_found_in_few_tries() {
        let bytes = |quality: f64| (2000.0 * (0.02 * quality).exp()).ln();
        for edge in [1.0_f64, 17.0, 50.0, 79.0, 99.0, 100.0] {
            let (found, tries) = search(true, bytes(edge + 0.5), bytes);
            let found = f64::from(found.expect("one fits"));
            assert!(found <= edge && edge - found <= 2.0, "{edge}: {found}");
            assert!(tries <= TRIES + 1, "{edge}: {tries}");
            let (found, _) = search(false, bytes(edge - 0.5), bytes);
            let found = f64::from(found.expect("one is good enough"));
            assert!(found >= edge && found - edge <= 2.0, "{edge}: {found}");
        }
    }

    #[test]
    fn where_there_is_none() {
        let flat = |_: f64| 1.0;
        assert_eq!(search(true, 0.5, flat).0, None);
        assert_eq!(search(false, 1.5, flat).0, None);
        assert_eq!(search(true, 1.5, flat).0, Some(100));
        assert_eq!(search(false, 0.5, flat).0, Some(1));
    }

    #[test]
    fn jumps_are_no_obstacle() {
        let jump = |quality: f64| if quality < 3.5 { 0.0 } else { 10.0 };
        assert_eq!(search(true, 5.0, jump).0, Some(3));
    }
}
