//! How like two frames look, whatever their format.

use crate::av::canvas::Sampling;
use crate::av::code::Code;
use crate::av::frame::Frame;
use crate::av::scale::{Scaler, format_number};
use crate::ssim::of_rows;

/// The mean SSIM of two pictures of one size, at most 1.
pub(super) fn ssim(one: &Frame, other: &Frame) -> Result<f64, Code> {
    let (one, other) = (plain(one)?, plain(other)?);
    Ok(of_rows(&one.luma(), &other.luma()))
}

/// The picture with luma of 8 bits.
fn plain(frame: &Frame) -> Result<Frame, Code> {
    let sampling = Sampling::of(frame.format());
    let shared = frame.another()?;
    if sampling.depth == 8 && !sampling.rgb {
        return Ok(shared);
    }
    Scaler::new(frame.width(), frame.height(), format_number("yuv444p")).scale(shared)
}
