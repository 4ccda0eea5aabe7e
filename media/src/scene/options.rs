//! What is asked of scene detection; the defaults are `PySceneDetect`'s.

use crate::time::{TimeBase, Timestamp};

/// How scenes are found.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The rule by which a change is a cut.
    pub detector: Detector,
    /// How long a scene lasts at least: cuts that follow faster, as in a flash
    /// of light, are not taken.
    pub min_length: MinLength,
    /// How much each of the three differences counts.
    pub weights: Weights,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            detector: Detector::default(),
            min_length: MinLength::Time(Timestamp::from_micros(600_000)),
            weights: Weights::default(),
        }
    }
}

/// The rule by which a change is a cut. Each is about a frame's *content value*:
/// how far its pixels are, on the mean, from those of the frame before, in hue,
/// saturation and brightness, from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Detector {
    /// The content value stands out from those around it: this tolerates motion
    /// of the camera.
    Adaptive {
        /// How many times the mean of its neighbours it is at least.
        threshold: f64,
        /// How many neighbours there are on each side, at least one.
        window: usize,
        /// What it is at least.
        min_content: f64,
    },
    /// The content value is above a threshold.
    Content {
        /// What it is at least.
        threshold: f64,
    },
}

impl Detector {
    /// `PySceneDetect`'s `AdaptiveDetector`, with its defaults.
    pub const ADAPTIVE: Self = Self::Adaptive {
        threshold: 3.0,
        window: 2,
        min_content: 15.0,
    };
    /// `PySceneDetect`'s `ContentDetector`, with its defaults.
    pub const CONTENT: Self = Self::Content { threshold: 27.0 };

    /// How many frames may each still become a cut when later ones have come.
    pub(crate) fn delay(self) -> usize {
        match self {
            Self::Adaptive { window, .. } => window.max(1),
            // The last change alone.
            Self::Content { .. } => 3,
        }
    }

    /// The same rule with another threshold.
    #[must_use]
    pub fn with_threshold(self, value: f64) -> Self {
        match self {
            Self::Adaptive {
                window,
                min_content,
                ..
            } => Self::Adaptive {
                threshold: value,
                window,
                min_content,
            },
            Self::Content { .. } => Self::Content { threshold: value },
        }
    }
}

impl Default for Detector {
    /// [`ADAPTIVE`](Self::ADAPTIVE), as on `PySceneDetect`'s command line.
    fn default() -> Self {
        Self::ADAPTIVE
    }
}

/// How long a scene lasts at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinLength {
    /// So long, which is rounded to whole frames of the nominal frame rate.
    Time(Timestamp),
    /// So many frames of the nominal frame rate.
    Frames(u32),
}

impl MinLength {
    /// The least distance of two cuts, where a frame lasts `frame`.
    ///
    /// It lies half a frame below a whole number of frames: times that were
    /// rounded by a container, and frame rates without an end in decimals, then
    /// do not decide.
    pub(super) fn least(self, frame: Option<TimeBase>) -> Timestamp {
        let Some(frame) = frame else {
            return match self {
                Self::Time(time) => time,
                // Without a frame rate there is nothing better to go by.
                Self::Frames(count) => TimeBase::per_second(25).timestamp(count.into()),
            };
        };
        let count = match self {
            Self::Time(time) => TimeBase::MICROS.convert(time.as_micros(), frame),
            Self::Frames(count) => count.into(),
        };
        if count <= 0 {
            return Timestamp::ZERO;
        }
        let half = Timestamp::from_micros(frame.timestamp(1).as_micros() / 2);
        frame.timestamp(count) - half
    }
}

/// How much each difference counts in the content value, which is their mean
/// with these weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of hue.
    pub hue: f64,
    /// Of saturation.
    pub saturation: f64,
    /// Of brightness.
    pub brightness: f64,
}

impl Weights {
    /// Brightness alone, for pictures whose colours wander.
    pub const BRIGHTNESS: Self = Self {
        hue: 0.0,
        saturation: 0.0,
        brightness: 1.0,
    };
}

impl Default for Weights {
    /// All alike.
    fn default() -> Self {
        Self {
            hue: 1.0,
            saturation: 1.0,
            brightness: 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_length_is_a_whole_number_of_frames_less_a_half() {
        let default = Options::default().min_length;
        let least = |num, den| default.least(TimeBase::new(num, den)).as_micros();
        // 0.6 s are 14.4 frames of 24 fps, 15 of 25, 17.98 of 29.97.
        assert_eq!(least(1, 24), 14 * 1_000_000 / 24 - 20_833);
        assert_eq!(least(1, 25), 14 * 40_000 + 20_000);
        assert_eq!(least(1001, 30_000), 600_600 - 16_683);
        assert_eq!(default.least(None).as_micros(), 600_000);
        let frames = MinLength::Frames(15);
        assert_eq!(frames.least(TimeBase::new(1, 10)).as_micros(), 1_450_000);
        assert_eq!(MinLength::Frames(0).least(None), Timestamp::ZERO);
        let none = MinLength::Time(Timestamp::ZERO);
        assert_eq!(none.least(TimeBase::new(1, 25)), Timestamp::ZERO);
    }
}
