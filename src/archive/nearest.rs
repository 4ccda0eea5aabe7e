//! The nearest of many vectors, where no database looks for them.

use super::model::Hit;

/// What is longer takes more than anybody reads.
const MOST: u32 = 1000;

/// How many hits are looked for.
pub(super) fn limit(asked: u32) -> usize {
    usize::try_from(asked.min(MOST)).unwrap_or_default()
}

/// The best hits so far, the nearest first.
pub(super) struct Nearest {
    limit: usize,
    hits: Vec<Hit>,
}

impl Nearest {
    pub(super) fn new(asked: u32) -> Self {
        Self {
            limit: limit(asked),
            hits: Vec::new(),
        }
    }

    /// Takes a hit of this score, if it is one of the best. Equal ones stand in the
    /// order in which they came.
    pub(super) fn offer(&mut self, score: f32, hit: impl FnOnce() -> Hit) {
        let place = self.hits.partition_point(|other| other.score >= score);
        if place < self.limit {
            self.hits.truncate(self.limit.saturating_sub(1));
            self.hits.insert(place, hit());
        }
    }

    pub(super) fn hits(self) -> Vec<Hit> {
        self.hits
    }
}

/// A vector that others are compared with.
pub(super) struct Compass<'a> {
    vector: &'a [f32],
    norm: f32,
}

impl<'a> Compass<'a> {
    pub(super) fn new(vector: &'a [f32]) -> Self {
        Self {
            norm: dot(vector, vector).sqrt(),
            vector,
        }
    }

    /// The cosine; 0 where one has no direction, none where the sizes differ.
    pub(super) fn cosine(&self, other: &[f32]) -> Option<f32> {
        if other.len() != self.vector.len() {
            return None;
        }
        let cosine = dot(self.vector, other) / (self.norm * dot(other, other).sqrt());
        Some(if cosine.is_finite() { cosine } else { 0.0 })
    }
}

/// In eight sums, which the compiler keeps in one register.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use flatbed_media::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::archive::model::{Kind, Passage};

    fn hit(score: f32) -> Hit {
        Hit {
            video_id: Uuid::nil(),
            passage: Passage {
                kind: Kind::Speech,
                index: 0,
                start: Timestamp::ZERO,
                end: Timestamp::ZERO,
                text: String::new(),
            },
            score,
        }
    }

    #[test]
    fn the_best_are_kept_in_their_order() {
        let mut nearest = Nearest::new(3);
        for score in [0.1, 0.9, -0.5, 0.4, 0.3, 0.95] {
            nearest.offer(score, || hit(score));
        }
        let scores: Vec<f32> = nearest.hits().iter().map(|hit| hit.score).collect();
        assert_eq!(scores, [0.95, 0.9, 0.4]);
        let mut none = Nearest::new(0);
        none.offer(1.0, || hit(1.0));
        assert!(none.hits().is_empty());
    }

    #[test]
    fn cosines_are_of_directions() {
        let vector: Vec<f32> = (0..19_u8).map(f32::from).collect();
        let compass = Compass::new(&vector);
        let twice: Vec<f32> = vector.iter().map(|x| x * 2.0).collect();
        let against: Vec<f32> = vector.iter().map(|x| -x).collect();
        let near = |a: Option<f32>, b: f32| (a.unwrap() - b).abs() < 1e-6;
        assert!(near(compass.cosine(&twice), 1.0));
        assert!(near(compass.cosine(&against), -1.0));
        assert_eq!(compass.cosine(&[0.0; 19]), Some(0.0));
        assert_eq!(compass.cosine(&[1.0; 18]), None);
    }
}
