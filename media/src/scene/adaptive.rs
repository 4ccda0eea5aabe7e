//! The adaptive rule: a cut is where the content value stands out from those of
//! the frames around it.

use std::collections::VecDeque;

use crate::time::Timestamp;

use super::cut::Moment;

/// The largest ratio, and that of a change among frames that are all alike.
const MOST: f64 = 255.0;

/// A mean below which frames are all alike.
const NOTHING: f64 = 1e-5;

/// Finds cuts by the ratio of the content value to the mean of its neighbours.
///
/// The first and the last frames, which have not enough neighbours, are never
/// cuts.
#[derive(Debug)]
pub(super) struct Adaptive {
    threshold: f64,
    window: usize,
    min_content: f64,
    least: Timestamp,
    /// A frame and its neighbours on both sides.
    around: VecDeque<(Moment, f64)>,
    /// The last cut, or the first frame.
    last: Option<Moment>,
}

/// What came of a frame whose neighbours are all known.
pub(super) struct Judged {
    pub(super) frame: Moment,
    pub(super) ratio: f64,
    pub(super) is_cut: bool,
}

impl Adaptive {
    pub(super) fn new(threshold: f64, window: usize, min_content: f64, least: Timestamp) -> Self {
        Self {
            threshold,
            window,
            min_content,
            least,
            around: VecDeque::new(),
            last: None,
        }
    }

    /// How many frames later one is judged.
    pub(super) fn delay(&self) -> usize {
        self.window
    }

    /// The first frame that may still become a cut, after the one numbered `now`.
    pub(super) fn undecided(&self, now: u64) -> u64 {
        let window = u64::try_from(self.window).unwrap_or(u64::MAX);
        (now + 1).saturating_sub(window)
    }

    /// Takes the next frame, and judges the one that lies the window before it.
    pub(super) fn push(&mut self, now: Moment, content: f64) -> Option<Judged> {
        let last = *self.last.get_or_insert(now);
        self.around.push_back((now, content));
        let needed = self.window.saturating_mul(2).saturating_add(1);
        if self.around.len() > needed {
            self.around.pop_front();
        }
        if self.around.len() < needed {
            return None;
        }
        let &(frame, content) = self.around.get(self.window)?;
        let sum: f64 = self.around.iter().map(|(_, content)| content).sum();
        #[allow(clippy::cast_precision_loss)] // a small number
        let mean = (sum - content) / (2 * self.window) as f64;
        let ratio = if mean >= NOTHING {
            (content / mean).min(MOST)
        } else if content >= self.min_content {
            MOST
        } else {
            0.0
        };
        let stands_out = ratio >= self.threshold && content >= self.min_content;
        let is_cut = stands_out && frame.at - last.at >= self.least;
        if is_cut {
            self.last = Some(frame);
        }
        Some(Judged {
            frame,
            ratio,
            is_cut,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(contents: &[f64]) -> Vec<u64> {
        let mut rule = Adaptive::new(3.0, 2, 15.0, Timestamp::from_micros(500_000));
        (0..)
            .zip(contents)
            .filter_map(|(number, &content)| rule.push(Moment::test(number, 10), content))
            .filter(|judged| judged.is_cut)
            .map(|judged| judged.frame.number)
            .collect()
    }

    /// Contents of 2, and what is given at some frames.
    fn mostly(changes: &[(usize, f64)]) -> Vec<f64> {
        let mut contents = vec![2.0; 40];
        for &(at, content) in changes {
            contents[at] = content;
        }
        contents
    }

    #[test]
    fn what_stands_out_is_a_cut() {
        assert_eq!(cuts(&mostly(&[(10, 40.0), (30, 15.0)])), [10, 30]);
        assert_eq!(cuts(&mostly(&[(10, 14.9)])), [0_u64; 0]);
        // As a lamp that flickers, or a camera that turns.
        assert_eq!(cuts(&[40.0; 40]), [0_u64; 0]);
    }

    #[test]
    fn a_cut_too_soon_is_none() {
        assert_eq!(cuts(&mostly(&[(4, 40.0)])), [0_u64; 0]);
        assert_eq!(
            cuts(&mostly(&[(10, 40.0), (14, 40.0), (19, 40.0)])),
            [10, 19]
        );
    }

    #[test]
    fn among_stills_any_change_stands_out() {
        let mut contents = vec![0.0; 40];
        contents[20] = 16.0;
        assert_eq!(cuts(&contents), [20]);
        contents[20] = 14.0;
        assert_eq!(cuts(&contents), [0_u64; 0]);
    }

    #[test]
    fn the_last_frames_are_not_judged() {
        let mut contents = mostly(&[(37, 40.0)]);
        assert_eq!(cuts(&contents), [37]);
        contents.pop();
        assert_eq!(cuts(&contents), [0_u64; 0]);
    }
}
