//! Sound whose transcript is known: tones at certain times, and how they are heard
//! again in a WAV.

use std::f64::consts::TAU;
use std::time::Duration;

/// Samples a second of what [`wav`] makes.
const RATE: u32 = 16_000;

/// How finely is listened, in milliseconds.
const WINDOW: u32 = 50;

/// A pause that ends a segment, in windows.
const PAUSE: usize = 5;

/// A tone, from when to when, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tone {
    pub start: u32,
    pub end: u32,
    /// In hertz.
    pub pitch: u32,
}

/// A mono WAV of 16 bits and 16 kHz, so many milliseconds long, with these tones in it.
#[allow(
    clippy::cast_possible_truncation,
    reason = "samples are within 16 bits"
)]
pub fn wav(length: u32, tones: &[Tone]) -> Vec<u8> {
    let samples = length * (RATE / 1000);
    let bytes = samples * 2;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(RATE.to_le_bytes());
    wav.extend((RATE * 2).to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(bytes.to_le_bytes());
    for sample in 0..samples {
        let at = sample / (RATE / 1000);
        let tone = tones
            .iter()
            .find(|tone| (tone.start..tone.end).contains(&at));
        let value = tone.map_or(0.0, |tone| {
            let turns = f64::from(tone.pitch) * f64::from(sample) / f64::from(RATE);
            (turns * TAU).sin() * 12_000.0
        });
        wav.extend((value as i16).to_le_bytes());
    }
    wav
}

/// What is heard.
pub struct Heard {
    pub length: Duration,
    /// Each begins and ends at whole windows.
    pub tones: Vec<Tone>,
}

/// The tones in a WAV of 16-bit samples; nothing if it is none.
pub fn listen(wav: &[u8]) -> Option<Heard> {
    let (rate, channels, data) = parse(wav)?;
    let (samples, _) = data.as_chunks::<2>();
    let samples: Vec<f64> = samples
        .iter()
        .step_by(channels)
        .map(|bytes| f64::from(i16::from_le_bytes(*bytes)))
        .collect();
    let count = u32::try_from(samples.len()).ok()?;
    let length = Duration::from_secs_f64(f64::from(count) / f64::from(rate));
    let window = usize::try_from(rate * WINDOW / 1000).ok()?;
    let sounding: Vec<bool> = samples.chunks(window).map(is_loud).collect();
    let mut tones = Vec::new();
    let mut at = 0;
    while at < sounding.len() {
        if !sounding[at] {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        let mut ahead = end;
        while ahead < sounding.len() && ahead - end < PAUSE {
            ahead += 1;
            if sounding[ahead - 1] {
                end = ahead;
            }
        }
        let sound = &samples[at * window..(end * window).min(samples.len())];
        let seconds = f64::from(u32::try_from(sound.len()).ok()?) / f64::from(rate);
        let millis = |windows: usize| u32::try_from(windows).unwrap_or_default() * WINDOW;
        tones.push(Tone {
            start: millis(at),
            end: millis(end),
            pitch: pitch(sound, seconds),
        });
        at = end;
    }
    Some(Heard { length, tones })
}

fn is_loud(window: &[f64]) -> bool {
    let power: f64 = window.iter().map(|sample| sample * sample).sum();
    let count = f64::from(u32::try_from(window.len()).unwrap_or(1));
    (power / count).sqrt() > 300.0
}

/// By how often it crosses zero upwards, to the next ten.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no pitch is that high"
)]
fn pitch(sound: &[f64], seconds: f64) -> u32 {
    let crossings = sound.windows(2).filter(|two| two[0] < 0.0 && two[1] >= 0.0);
    let crossings = u32::try_from(crossings.count()).unwrap_or_default();
    (f64::from(crossings) / seconds / 10.0).round() as u32 * 10
}

/// Samples a second, channels, and the bytes of the samples.
fn parse(wav: &[u8]) -> Option<(u32, usize, &[u8])> {
    if !wav.starts_with(b"RIFF") || wav.get(8..12)? != b"WAVE" {
        return None;
    }
    let mut at = 12;
    let mut format = None;
    loop {
        let name = wav.get(at..at + 4)?;
        let length = u32::from_le_bytes(wav.get(at + 4..at + 8)?.try_into().ok()?);
        let length = usize::try_from(length).ok()?;
        let body = wav.get(at + 8..)?;
        match name {
            b"fmt " => {
                let channels = u16::from_le_bytes(body.get(2..4)?.try_into().ok()?);
                let rate = u32::from_le_bytes(body.get(4..8)?.try_into().ok()?);
                let bits = u16::from_le_bytes(body.get(14..16)?.try_into().ok()?);
                format = Some((rate, usize::from(channels))).filter(|_| bits == 16);
            }
            b"data" => {
                let (rate, channels) =
                    format.filter(|(rate, channels)| *rate > 0 && *channels > 0)?;
                // Streams have no length.
                return Some((rate, channels, &body[..length.min(body.len())]));
            }
            _ => {}
        }
        at += 8 + length + length % 2;
    }
}
