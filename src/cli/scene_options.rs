//! What `scenes`, `frames` and `normalize` share: how scenes are found, and how
//! they are told.

use clap::ValueEnum;
use flatbed_media::Timestamp;
use flatbed_media::scene::{Detector, MinLength, Options, Scene, Weights};
use serde::Serialize;

use super::failure::Failure;

/// How scenes are found.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Scenes")]
pub(super) struct SceneArgs {
    /// What makes a cut
    #[arg(long, value_name = "DETECTOR", default_value = "adaptive")]
    detector: DetectorArg,

    /// How strong a change must be [default: adaptive 3, content 27]
    #[arg(long, value_name = "X")]
    threshold: Option<f64>,

    /// How long a scene lasts at least: a time, or so many frames as 15f
    #[arg(long, value_name = "T", default_value = "0.6s", value_parser = min_length)]
    min_length: MinLength,

    /// Compare brightness alone, not colours
    #[arg(long)]
    luma_only: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DetectorArg {
    /// A change that stands out from those around it: motion of the camera is none
    Adaptive,
    /// Any change above the threshold
    Content,
}

impl SceneArgs {
    pub(super) fn options(&self) -> Result<Options, Failure> {
        let detector = match self.detector {
            DetectorArg::Adaptive => Detector::ADAPTIVE,
            DetectorArg::Content => Detector::CONTENT,
        };
        let detector = match self.threshold {
            Some(threshold) if threshold > 0.0 && threshold <= 255.0 => {
                detector.with_threshold(threshold)
            }
            Some(_) => {
                return Err(Failure::usage(
                    "--threshold must be above 0 and at most 255",
                ));
            }
            None => detector,
        };
        Ok(Options {
            detector,
            min_length: self.min_length,
            weights: if self.luma_only {
                Weights::BRIGHTNESS
            } else {
                Weights::default()
            },
        })
    }
}

fn min_length(text: &str) -> Result<MinLength, String> {
    if let Some(frames) = text.strip_suffix('f')
        && let Ok(frames) = frames.parse()
    {
        return Ok(MinLength::Frames(frames));
    }
    let time: Timestamp = text
        .parse()
        .map_err(|_| format!("{text:?} is not a length: write 0.6s, 600ms or 15f"))?;
    Ok(MinLength::Time(time))
}

/// A scene, for programs; times are in seconds.
#[derive(Debug, Serialize)]
pub(super) struct SceneFacts {
    start: f64,
    end: f64,
    first_frame: u64,
    frames: u64,
}

impl SceneFacts {
    pub(super) fn of(scenes: &[Scene]) -> Vec<Self> {
        let of = |scene: &Scene| Self {
            start: scene.span.start.as_secs_f64(),
            end: scene.span.end.as_secs_f64(),
            first_frame: scene.first_frame,
            frames: scene.frames,
        };
        scenes.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_time_or_frames() {
        assert_eq!(min_length("15f"), Ok(MinLength::Frames(15)));
        let half = Timestamp::from_micros(500_000);
        assert_eq!(min_length("0.5s"), Ok(MinLength::Time(half)));
        assert_eq!(min_length("500ms"), Ok(MinLength::Time(half)));
        assert!(min_length("-1f").is_err());
        assert!(min_length("soon").is_err());
    }
}
