//! A watermark's image: read once, and made ready for the pictures it is laid
//! over.

use std::fmt::Write as _;

use super::step::{Laid, Mark};
use crate::av::canvas::Canvas;
use crate::av::decode::Decoder;
use crate::av::demux::Demuxer;
use crate::av::filter::Graph;
use crate::av::frame::Frame;
use crate::{Context, Error, Input, Result};

/// Reads a picture as it is.
pub(super) fn read(mut input: Input, context: &Context) -> Result<Frame> {
    let name = input.name().to_owned();
    let none = || Error::malformed(&name, "no picture in it: give a PNG, JPEG or WebP");
    let mut demuxer = Demuxer::open_picture(&mut input, context).map_err(|error| match error {
        Error::Malformed { .. } => none(),
        error => error,
    })?;
    let stream = demuxer.streams().first().ok_or_else(none)?;
    let mut decoder = Decoder::open(&stream.parameters, stream.time_base, &name, context)?;
    while let Some(packet) = demuxer.read(context)? {
        if packet.stream() == 0 {
            let _ = decoder.send(Some(&packet));
            if let Some(frame) = decoder.receive()? {
                return Ok(frame);
            }
        }
    }
    let _ = decoder.send(None);
    decoder.receive()?.ok_or_else(none)
}

/// The size that the image gets on pictures like `canvas`, in their samples.
fn size(mark: &Mark, image: &Frame, canvas: &Canvas) -> (i32, i32) {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    // A sample of the video may be wider than high, one of the image is not.
    let shape = f64::from(canvas.aspect.0) / f64::from(canvas.aspect.1);
    let (wide, high) = match mark.watermark.scale {
        Some(part) => {
            let wide = part * f64::from(canvas.width);
            (wide, wide * shape * height / width)
        }
        None => (width / shape, height),
    };
    #[allow(clippy::cast_possible_truncation)] // clamped
    let side = |length: f64| length.round().clamp(1.0, 16_384.0) as i32;
    (side(wide), side(high))
}

/// The image in the size and format in which it is laid over pictures like
/// `canvas`, with its opacity.
pub(super) fn ready(
    mark: &Mark,
    image: &Frame,
    canvas: &Canvas,
    context: &Context,
) -> Result<Frame> {
    let name = &mark.watermark.image;
    let (width, height) = size(mark, image, canvas);
    let mut filters = "format=rgba".to_owned();
    if (width, height) != (image.width(), image.height()) {
        let _ = write!(filters, ",scale={width}:{height}:flags=bicubic");
    }
    if mark.watermark.opacity < 1.0 {
        let _ = write!(filters, ",colorchannelmixer=aa={}", mark.watermark.opacity);
    }
    let format = Laid::on(canvas).image();
    if format != "rgba" {
        let matrix = match canvas.matrix {
            1 => "bt709",
            9 | 10 => "bt2020",
            2 if canvas.height > 576 => "bt709",
            _ => "bt601",
        };
        let range = if canvas.full_range { "full" } else { "limited" };
        let _ = write!(
            filters,
            ",scale=out_color_matrix={matrix}:out_range={range},format={format}"
        );
    }
    let mut frame = image
        .another()
        .map_err(|code| code.failed(name, "reading the image"))?;
    frame.set_pts(Some(0));
    Graph::once(&filters, frame, name, context)
}
