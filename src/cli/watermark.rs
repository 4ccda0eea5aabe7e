//! `flatbed watermark`: a picture over the picture.

use std::path::PathBuf;

use clap::ValueHint;
use flatbed_media::render::Operation;
use flatbed_media::render::operation::{Moment, Place, Watermark};

use super::failure::Failure;
use super::video::VideoArgs;

const EXAMPLES: &str = "\
Examples:
  flatbed watermark recording.mp4 --image logo.png -o marked.mp4
  flatbed watermark recording.mp4 --image logo.png --position top-left --scale 0.1 \\
      --opacity 0.5 -o marked.mp4
  flatbed watermark recording.mp4 --image stamp.webp --position 20,-40 --start 2s --end 50% \\
      -o marked.mp4";

/// Lay an image over a recording
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The image: PNG, JPEG or WebP; transparency counts
    #[arg(long, value_name = "IMAGE", value_hint = ValueHint::FilePath)]
    image: PathBuf,

    /// Where: top-left, top, top-right, left, center, right, bottom-left, bottom, bottom-right,
    /// or X,Y in pixels, negative ones from the right and the bottom
    #[arg(
        long,
        value_name = "PLACE",
        default_value = "bottom-right",
        allow_hyphen_values = true
    )]
    position: Place,

    /// How far from the edges, in pixels
    #[arg(long, value_name = "PIXELS", default_value = "10")]
    margin: u32,

    /// 0 is not there, 1 is as the image itself
    #[arg(long, value_name = "PART", default_value = "1")]
    opacity: f64,

    /// How wide, as a part of the pictures' width, 0 to 1 [default: as the image is]
    #[arg(long, value_name = "PART")]
    scale: Option<f64>,

    /// From when on: a time, or a part of the whole as 50%
    #[arg(long, value_name = "TIME")]
    start: Option<Moment>,

    /// Until when
    #[arg(long, value_name = "TIME")]
    end: Option<Moment>,

    #[command(flatten)]
    video: VideoArgs,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(image) = arguments.image.to_str() else {
        return Err(Failure::usage(format!(
            "{}: the name of the image is not UTF-8; give it another one",
            arguments.image.display()
        )));
    };
    let mut watermark = Watermark::new(image);
    watermark.position = arguments.position;
    watermark.margin = arguments.margin;
    watermark.opacity = arguments.opacity;
    watermark.scale = arguments.scale;
    watermark.start = arguments.start;
    watermark.end = arguments.end;
    arguments
        .video
        .run(Operation::Watermark(watermark), &[&arguments.image])
}
