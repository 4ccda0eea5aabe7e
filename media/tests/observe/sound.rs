//! Where the sound lies against the picture, by cross-correlation.

use std::ops::Range;
use std::path::Path;

use super::shown::{Shown, shown_despite};
use super::tool;
use crate::fixture;

/// All comparisons are made at this rate; the resolution is 1/48 ms.
const RATE: f64 = 48_000.0;
/// The coarse search looks at means of ten samples: the noise is mostly below 2 kHz.
const COARSE: usize = 10;
/// How far off a sound is looked for, in seconds.
const REACH: f64 = 0.25;
/// Matroska counts milliseconds: two chunks' rounding, in seconds, is no hole.
const ROUNDING: f64 = 0.0011;

/// Decoded sound on the container's own clock, mixed to mono.
#[derive(Clone, Debug)]
pub struct Sound {
    pub rate: u32,
    /// Time of the first sample in seconds, where edit lists and priming are honoured.
    pub start: f64,
    pub samples: Vec<f32>,
    /// Where the timestamps leave samples out or lay them over one another.
    pub holes: Vec<Hole>,
}

/// A place where a decoded chunk does not continue the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hole {
    /// Seconds on the container's clock.
    pub at: f64,
    /// Seconds left out; negative where two chunks overlap.
    pub seconds: f64,
}

/// The answer of a cross-correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lag {
    /// How much later than due the sound is heard; negative: too early.
    pub ms: f64,
    /// The correlation there: 1 for the same sound, about 0 for silence or another sound.
    pub peak: f64,
}

/// The lag of the sound against one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub number: u32,
    pub ms: f64,
    pub peak: f64,
}

impl Sound {
    /// Decodes the first audio stream, each chunk put where its timestamp says.
    ///
    /// # Panics
    /// If there is none, or ffmpeg warns of anything but lines that contain one of `allowed`.
    pub fn of(path: &Path, allowed: &[&str]) -> Self {
        let facts = tool::stream(path, "a");
        let channels = facts["channels"].as_u64().expect("sound has channels") as usize;
        let rate = facts["sample_rate"]
            .as_str()
            .and_then(|text| text.parse().ok());
        let rate = rate.expect("sound has a sample rate");
        let list = ["-c:a", "pcm_s16le"];
        let raw = ["-c:a", "pcm_s16le", "-f", "s16le"];
        let (chunks, bytes) = tool::decode(path, ("0:a:0", &list, &raw), allowed, |pipe| {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).map(|_| bytes)
        });
        let mut mono = bytes.chunks_exact(2 * channels).map(|frame| {
            let sum: i32 = frame
                .chunks_exact(2)
                .map(|sample| i32::from(i16::from_le_bytes([sample[0], sample[1]])))
                .sum();
            sum as f32 / (32_768 * channels) as f32
        });
        let start = chunks.first().map_or(0.0, |chunk| chunk.pts);
        let mut sound = Self {
            rate,
            start,
            samples: Vec::new(),
            holes: Vec::new(),
        };
        for chunk in chunks {
            sound.place(chunk.pts, mono.by_ref().take(chunk.bytes / (2 * channels)));
        }
        sound
    }

    /// The sound that fixtures hold between two times of the endless noise: what a perfect codec
    /// would give back (mono: the mean of both channels where there are two).
    pub fn ideal(start: f64, seconds: f64, channels: u16) -> Self {
        let rate = RATE as u32;
        let level = |index: u32| {
            let time = start + f64::from(index) / RATE;
            let sum: f64 = (0..channels)
                .map(|channel| fixture::sound::level(time, channel))
                .sum();
            (sum / f64::from(channels)) as f32
        };
        let samples = (0..(seconds * RATE) as u32).map(level).collect();
        Self {
            rate,
            start,
            samples,
            holes: Vec::new(),
        }
    }

    /// When the last sample ends, in seconds.
    pub fn end(&self) -> f64 {
        self.start + self.samples.len() as f64 / f64::from(self.rate)
    }

    /// Appends a chunk, as a player does: it follows the one before unless its time says clearly
    /// otherwise.
    fn place(&mut self, pts: f64, chunk: impl Iterator<Item = f32>) {
        let seconds = pts - self.end();
        if seconds.abs() > ROUNDING {
            let missing = (seconds * f64::from(self.rate)).round() as i64;
            self.holes.push(Hole {
                at: self.end(),
                seconds,
            });
            // A wild timestamp must not become gigabytes of silence.
            assert!(
                missing.abs() < 600 * i64::from(self.rate),
                "a jump of {seconds} s in the sound"
            );
            let length = (self.samples.len() as i64 + missing).max(0) as usize;
            self.samples.resize(length, 0.0);
        }
        self.samples.extend(chunk);
    }

    /// `count` samples at the common rate from the time `start`; silence outside.
    fn resampled(&self, start: f64, count: usize) -> Vec<f32> {
        let level = |index: i64| {
            usize::try_from(index)
                .ok()
                .and_then(|index| self.samples.get(index))
                .copied()
                .unwrap_or(0.0)
        };
        let sample = |index: usize| {
            let place = (start + index as f64 / RATE - self.start) * f64::from(self.rate);
            let part = (place - place.floor()) as f32;
            let before = place.floor() as i64;
            level(before) * (1.0 - part) + level(before + 1) * part
        };
        (0..count).map(sample).collect()
    }
}

/// Finds the `window` seconds of `source` from the time `from` in `result`, where they are due at
/// the time `at`. Looks up to 250 ms either way.
pub fn lag(source: &Sound, from: f64, result: &Sound, at: f64, window: f64) -> Lag {
    let count = (window * RATE) as usize;
    let reach = (REACH * RATE) as usize;
    let needle = source.resampled(from, count);
    let hay = result.resampled(at - REACH, count + 2 * reach);
    let coarse = best(&thinned(&needle), &thinned(&hay), 0..2 * reach / COARSE);
    let middle = coarse.0 * COARSE;
    let (offset, peak) = best(
        &needle,
        &hay,
        middle.saturating_sub(2 * COARSE)..(middle + 2 * COARSE).min(2 * reach),
    );
    Lag {
        ms: (offset as f64 - reach as f64) / RATE * 1000.0,
        peak,
    }
}

/// For each frame of `numbers`: how far the sound in `result` is off the picture, when compared
/// with `source`, in a window of 0.3 s that begins with that frame (so leave 0.3 s before a cut's
/// end). Positive: the sound is late.
///
/// # Panics
/// If a frame is not shown in both files.
pub fn in_step(source: &Path, result: &Path, numbers: &[u32]) -> Vec<Step> {
    let (frames, cut) = (shown_despite(source, &[""]), shown_despite(result, &[]));
    let (before, after) = (Sound::of(source, &[""]), Sound::of(result, &[]));
    let time = |frames: &[Shown], number: u32, path: &Path| {
        let frame = frames.iter().find(|frame| frame.number == number);
        frame
            .unwrap_or_else(|| panic!("{}: frame {number} is not shown", path.display()))
            .pts
    };
    let step = |&number: &u32| {
        let (from, at) = (time(&frames, number, source), time(&cut, number, result));
        let Lag { ms, peak } = lag(&before, from, &after, at, 0.3);
        Step { number, ms, peak }
    };
    numbers.iter().map(step).collect()
}

/// Means of [`COARSE`] samples each.
fn thinned(samples: &[f32]) -> Vec<f32> {
    samples
        .chunks_exact(COARSE)
        .map(|group| group.iter().sum::<f32>() / COARSE as f32)
        .collect()
}

/// The offset of `needle` in `hay` with the highest normalised correlation, and that value.
fn best(needle: &[f32], hay: &[f32], offsets: Range<usize>) -> (usize, f64) {
    let square = |sample: &f32| f64::from(sample * sample);
    let own: f64 = needle.iter().map(square).sum();
    // Power from the beginning up to each sample: a window's is a difference.
    let mut power = vec![0.0];
    power.extend(hay.iter().scan(0.0, |sum, sample| {
        *sum += square(sample);
        Some(*sum)
    }));
    let mut best = (offsets.start, 0.0);
    for offset in offsets {
        let Some(there) = hay.get(offset..offset + needle.len()) else {
            break;
        };
        let dot: f32 = needle.iter().zip(there).map(|(a, b)| a * b).sum();
        let scale = (own * (power[offset + needle.len()] - power[offset])).sqrt();
        // A millionth of the loudness is silence, and rounding.
        let peak = if scale > own * 1e-6 {
            f64::from(dot) / scale
        } else {
            0.0
        };
        if peak > best.1 {
            best = (offset, peak);
        }
    }
    best
}
