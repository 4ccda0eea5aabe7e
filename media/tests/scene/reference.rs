//! The definitions once more, plainly: whole frames as ffmpeg decodes them to
//! BGR, scaled and converted pixel by pixel, and the rules applied to the list
//! of all values. Slow, and with nothing in common with the engine.

use std::path::Path;
use std::process::Command;

use crate::observe;

/// The mean differences of hue, saturation and brightness to the frame before,
/// for each frame.
pub fn differences(path: &Path) -> Vec<[f64; 3]> {
    let stream = observe::stream(path, "v");
    let side = |name: &str| stream[name].as_u64().expect("a size") as usize;
    let (width, height) = (side("width"), side("height"));
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough"])
        .args(["-f", "rawvideo", "-pix_fmt", "bgr24", "-"])
        .output()
        .expect("ffmpeg starts");
    assert!(output.status.success());
    let longer = width.max(height) as f64;
    let scale = if longer < 256.0 { 1.0 } else { longer / 256.0 };
    let small = |side: usize| ((side as f64 / scale).round_ties_even() as usize).max(1);
    let (columns, rows) = (small(width), small(height));
    let mut before: Option<Vec<[f64; 3]>> = None;
    let mut all = Vec::new();
    for frame in output.stdout.chunks_exact(width * height * 3) {
        let mut now = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let at = |place: usize, count: usize, side: usize| {
                    let at = (place as f64 + 0.5) * side as f64 / count as f64 - 0.5;
                    at.clamp(0.0, (side - 1) as f64)
                };
                let (x, y) = (at(column, columns, width), at(row, rows, height));
                let colour = |channel: usize| {
                    let (x0, y0) = (x.floor() as usize, y.floor() as usize);
                    let (x1, y1) = ((x0 + 1).min(width - 1), (y0 + 1).min(height - 1));
                    let sample =
                        |x: usize, y: usize| f64::from(frame[(y * width + x) * 3 + channel]);
                    let (right, below) = (x - x.floor(), y - y.floor());
                    let upper = sample(x0, y0) * (1.0 - right) + sample(x1, y0) * right;
                    let lower = sample(x0, y1) * (1.0 - right) + sample(x1, y1) * right;
                    (upper * (1.0 - below) + lower * below).round()
                };
                now.push(hsv(colour(2), colour(1), colour(0)));
            }
        }
        let sum = |before: &Vec<[f64; 3]>, channel: usize| {
            let pairs = now.iter().zip(before);
            let sum: f64 = pairs.map(|(a, b)| (a[channel] - b[channel]).abs()).sum();
            sum / now.len() as f64
        };
        all.push(match &before {
            Some(before) => [0, 1, 2].map(|channel| sum(before, channel)),
            None => [0.0; 3],
        });
        before = Some(now);
    }
    all
}

#[allow(clippy::float_cmp, reason = "whole numbers, one of which was taken")]
fn hsv(red: f64, green: f64, blue: f64) -> [f64; 3] {
    let value = red.max(green).max(blue);
    let chroma = value - red.min(green).min(blue);
    if chroma == 0.0 {
        return [0.0, 0.0, value];
    }
    let degrees = if value == red {
        60.0 * (green - blue) / chroma
    } else if value == green {
        120.0 + 60.0 * (blue - red) / chroma
    } else {
        240.0 + 60.0 * (red - green) / chroma
    };
    let hue = (degrees.rem_euclid(360.0) / 2.0).round();
    [hue, (255.0 * chroma / value).round(), value]
}

/// The mean of the three.
pub fn contents(differences: &[[f64; 3]]) -> Vec<f64> {
    differences
        .iter()
        .map(|all| all.iter().sum::<f64>() / 3.0)
        .collect()
}

/// The frames that the adaptive rule cuts at, scenes having `least` frames.
pub fn adaptive(contents: &[f64], least: usize) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut last = 0;
    for at in 2..contents.len().saturating_sub(2) {
        let around = [at - 2, at - 1, at + 1, at + 2].map(|at| contents[at]);
        let mean = around.iter().sum::<f64>() / 4.0;
        let stands_out = if mean < 1e-5 {
            true
        } else {
            contents[at] / mean >= 3.0
        };
        if stands_out && contents[at] >= 15.0 && at - last >= least {
            cuts.push(at);
            last = at;
        }
    }
    cuts
}

/// The frames that the content rule cuts at, fast changes merged.
pub fn content(contents: &[f64], least: usize) -> Vec<usize> {
    let changes: Vec<usize> = (0..contents.len())
        .filter(|&at| contents[at] >= 27.0)
        .collect();
    let mut cuts: Vec<usize> = Vec::new();
    let mut run: Option<usize> = None;
    for (number, &at) in changes.iter().enumerate() {
        let before = if number == 0 { 0 } else { changes[number - 1] };
        if run.is_none() && at - before >= least {
            cuts.push(at);
        } else if run.is_none() && !cuts.is_empty() {
            run = Some(at);
        }
        // A run ends behind a change that has stood long enough.
        let next = changes.get(number + 1).copied().unwrap_or(contents.len());
        if let Some(start) = run
            && at - start >= least
            && next - at > least
        {
            cuts.push(at);
            run = None;
        }
    }
    cuts
}
