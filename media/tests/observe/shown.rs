//! The frames that a player shows: decoded, edit lists honoured, numbers read from the picture.

use std::io::{self, Read};
use std::path::Path;

use super::tool;
use crate::fixture::barcode::{self, Misread};

/// One frame as shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The number painted on it.
    pub number: u32,
    /// When it is shown, in seconds on the container's own clock.
    pub pts: f64,
    /// Checksum of all its decoded planes: equal to the source's where the GOP was copied.
    pub md5: String,
}

/// The luma plane of a frame, 8 bits a pixel.
#[derive(Clone, Debug)]
pub struct Luma {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

/// The frames of `path` in the order shown.
///
/// # Panics
/// If ffmpeg warns of anything, or a frame's number cannot be read: it is damaged.
pub fn shown(path: &Path) -> Vec<Shown> {
    shown_despite(path, &[])
}

/// The same, letting pass the decoder's warnings that contain one of `allowed`. For sources that
/// are damaged on purpose; a result should need no excuse.
pub fn shown_despite(path: &Path, allowed: &[&str]) -> Vec<Shown> {
    let mut bad = None;
    let frames = watch(path, allowed, |index, reading, _| {
        if let (Err(misread), None) = (reading, bad) {
            bad = Some((index, misread));
        }
    });
    if let Some((index, misread)) = bad {
        let pts = frames.get(index).map(|frame| frame.pts);
        panic!(
            "{}: frame {index} (at {pts:?} s) is damaged: {misread:?}",
            path.display()
        );
    }
    frames
}

/// The numbers of `frames` alone.
pub fn numbers(frames: &[Shown]) -> Vec<u32> {
    frames.iter().map(|frame| frame.number).collect()
}

/// Shows each frame's index, number and luma to `visit`. Where a number cannot be read, the
/// frame's `number` in the answer is `u32::MAX`.
///
/// # Panics
/// If ffmpeg warns of anything but lines that contain one of `allowed`.
pub fn watch(
    path: &Path,
    allowed: &[&str],
    mut visit: impl FnMut(usize, Result<u32, Misread>, &Luma) + Send,
) -> Vec<Shown> {
    let facts = tool::stream(path, "v");
    let size = |name: &str| facts[name].as_u64().unwrap_or_else(|| panic!("{name}?")) as usize;
    let (width, height) = (size("width"), size("height"));
    // `extractplanes` hands luma over untouched; a conversion to gray would stretch its range.
    let depth = sample_bits(facts["pix_fmt"].as_str().unwrap_or_default());
    let passthrough = ["-fps_mode", "passthrough", "-enc_time_base", "-1"];
    let luma = [
        &passthrough[..],
        &["-vf", "extractplanes=y", "-f", "rawvideo"],
    ]
    .concat();
    let (decoded, numbers) = tool::decode(path, ("0:v:0", &passthrough, &luma), allowed, |pipe| {
        let mut luma = Luma {
            width,
            height,
            pixels: vec![0; width * height],
        };
        let mut numbers = Vec::new();
        while next_plane(pipe, depth, &mut luma.pixels)? {
            let reading = barcode::read(&luma.pixels, width, height).map(u32::from);
            visit(numbers.len(), reading, &luma);
            numbers.push(reading.unwrap_or(u32::MAX));
        }
        Ok(numbers)
    });
    assert_eq!(
        decoded.len(),
        numbers.len(),
        "{}: two decodings differ",
        path.display()
    );
    let frames = decoded.into_iter().zip(numbers);
    frames
        .map(|(frame, number)| Shown {
            number,
            pts: frame.pts,
            md5: frame.md5,
        })
        .collect()
}

/// Bits a sample in ffmpeg's pixel format `name`: `yuv420p10le` has ten.
fn sample_bits(name: &str) -> u32 {
    let digits = name
        .trim_end_matches("le")
        .rsplit_once('p')
        .map_or("", |(_, digits)| digits);
    digits.parse().unwrap_or(8)
}

/// Reads one plane as 8 bits a pixel; false at the end.
fn next_plane(pipe: &mut dyn Read, bits: u32, pixels: &mut [u8]) -> io::Result<bool> {
    let mut bytes = vec![0; pixels.len() * if bits > 8 { 2 } else { 1 }];
    match pipe.read(&mut bytes[..1])? {
        0 => return Ok(false),
        _ => pipe.read_exact(&mut bytes[1..])?,
    }
    if bits > 8 {
        for (pixel, pair) in pixels.iter_mut().zip(bytes.chunks_exact(2)) {
            *pixel = (u16::from_le_bytes([pair[0], pair[1]]) >> (bits - 8)) as u8;
        }
    } else {
        pixels.copy_from_slice(&bytes);
    }
    Ok(true)
}
