//! Random cuts of random recordings: always the same ones, others with `FLATBED_SEED=clock`, and
//! those of a failure with the seed that it printed.

use std::env;
use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::original::Original;
use crate::fixture::Source;

/// Recordings, and cuts of each.
const SOURCES: u32 = 10;
const CUTS: u32 = 4;
/// On a slow machine fewer are made.
const PATIENCE: Duration = Duration::from_secs(60);

/// Marsaglia's xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From `low` up to and with `high`.
    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + (self.next() >> 33) as u32 % (high - low + 1)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.between(1, 100) <= percent
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.between(0, choices.len() as u32 - 1) as usize]
    }
}

#[test]
fn random_cuts_show_the_frames_asked_for() {
    let seed = match env::var("FLATBED_SEED").as_deref() {
        Ok("clock") => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |now| now.as_micros() as u64),
        Ok(text) => text.parse().expect("FLATBED_SEED is a number, or `clock`"),
        Err(_) => 6,
    };
    println!("to repeat: FLATBED_SEED={seed}");
    let random = &mut Random(seed.max(1));
    let begun = Instant::now();
    for _ in 0..SOURCES {
        let source = recording(random);
        println!("{source:?}");
        let original = Original::of(&source);
        for _ in 0..CUTS {
            if begun.elapsed() > PATIENCE {
                break;
            }
            let count = original.frames.len() as u32;
            let start = random.between(0, count - 1);
            let end = random.between(start + 1, count);
            // In a few milliseconds of TS there is no packet of sound to tell what it is.
            let outputs = ["mp4", "mov", "mkv", "ts"];
            let output = random.of(if end - start < 8 {
                &outputs[..3]
            } else {
                &outputs
            });
            println!("frames {start} to {end} as {output}");
            original.cut(start..end, output).check();
        }
        // Nobody will ask for this one again.
        let _ = fs::remove_file(&original.path);
        if begun.elapsed() > PATIENCE {
            break;
        }
    }
}

/// A recording of two to four seconds.
fn recording(random: &mut Random) -> Source {
    let hevc = random.chance(35);
    let container = random.of(&["mp4", "mov", "mkv", "ts"]);
    let frames = random.between(40, 90);
    let source = Source::new()
        .size(160, 120)
        .container(container)
        .frames(frames);
    let source = source.codec(if hevc { "libx265" } else { "libx264" });
    let source = source.params(&if hevc { x265(random) } else { x264(random) });
    let source = match container {
        "mp4" | "mkv" if random.chance(35) => source.times(&uneven(random, frames)),
        _ => source.fps(random.of(&["25", "30000/1001", "50", "15"])),
    };
    match random.of(&["none", "aac", "aac", "libmp3lame", "ac3"]) {
        "none" => source,
        codec => source.audio(codec),
    }
}

fn x264(random: &mut Random) -> String {
    let keyint = random.between(3, 40);
    format!(
        "keyint={keyint}:min-keyint={}:scenecut=0:open-gop={}:bframes={}:b-adapt={}:b-pyramid={}:\
         ref={}:cabac={}:weightp={}:slices={}:qp={}",
        random.between(1, keyint / 2 + 1),
        random.between(0, 1),
        random.between(0, 5),
        random.between(0, 2),
        random.of(&["none", "strict", "normal"]),
        random.between(1, 6),
        random.between(0, 1),
        random.between(0, 2),
        random.between(1, 3),
        random.between(18, 30),
    )
}

fn x265(random: &mut Random) -> String {
    let keyint = random.between(5, 40);
    format!(
        "keyint={keyint}:min-keyint={}:scenecut=0:open-gop={}:bframes={}:b-adapt={}:b-pyramid={}:\
         ref={}:qp={}",
        random.between(1, keyint / 2 + 1),
        random.between(0, 1),
        random.between(0, 4),
        random.between(0, 2),
        random.between(0, 1),
        random.between(1, 4),
        random.between(18, 30),
    )
}

/// Frame times in microseconds that follow one another by 10 to 90 ms.
fn uneven(random: &mut Random, frames: u32) -> Vec<u64> {
    let mut at = 0;
    let mut times = vec![0];
    for _ in 1..frames {
        at += u64::from(random.between(10, 90)) * 1000;
        times.push(at);
    }
    times
}
