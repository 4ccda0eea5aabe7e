//! Recordings made by `ffmpeg`, once for all tests.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Frames in each `recording.*`: six seconds.
pub const FRAMES: u64 = 150;
/// Frames in a second.
pub const RATE: f64 = 25.0;

/// How each recording is made.
fn recipe(name: &str) -> String {
    let picture = |size: &str, seconds: u32| {
        format!("-f lavfi -i testsrc2=size={size}:rate=25:duration={seconds}")
    };
    let sound = |seconds: u32| format!("-f lavfi -i sine=frequency=440:duration={seconds}");
    let h264 = "-c:v libx264 -preset veryfast -g 25 -bf 2 -pix_fmt yuv420p";
    match name {
        "recording.mp4" | "recording.ts" => {
            format!("{} {} {h264} -c:a aac", picture("160x120", 6), sound(6))
        }
        // Big enough not to fit into pipes and buffers.
        "large.ts" => {
            let noise = "-vf noise=alls=100:allf=t -b:v 8M";
            format!(
                "{} {} {h264} {noise} -c:a aac",
                picture("320x240", 20),
                sound(20)
            )
        }
        // The index of an MP4 is behind its pictures, unless asked for otherwise.
        "index-behind.mp4" => {
            let noise = "-vf noise=alls=100:allf=t -b:v 8M";
            format!(
                "{} {} {h264} {noise} -c:a aac",
                picture("320x240", 12),
                sound(12)
            )
        }
        "larger-picture.mp4" => format!("{} {h264}", picture("320x240", 1)),
        "tiny.ts" => format!("{} {h264} -frames:v 2", picture("64x64", 1)),
        "three-scenes.mp4" => {
            let part =
                |colour: &str| format!("-f lavfi -i color={colour}:size=160x120:rate=25:d=1");
            format!(
                "{} {} {} -filter_complex [0:v][1:v][2:v]concat=n=3,noise=alls=8:allf=t {h264}",
                part("red"),
                part("0x20ff40"),
                part("0x305030")
            )
        }
        // Four scenes of three seconds; tones of 440 Hz from 1 to 3 s, and of 880 Hz from
        // 8 to 10 s.
        "talk.mp4" => {
            let part = |source: &str| format!("-f lavfi -i {source}=size=160x90:rate=10:d=3");
            let tone = |pitch: u32, from: u32, to: u32| {
                format!("0.4*sin(2*PI*{pitch}*t)*between(t\\,{from}\\,{to})")
            };
            format!(
                "{} {} {} {} -f lavfi -i aevalsrc={}+{}:s=48000:d=12 -filter_complex \
                 [0:v][1:v][2:v][3:v]concat=n=4[v] -map [v] -map 4:a {h264} -c:a aac",
                part("testsrc"),
                part("smptehdbars"),
                part("rgbtestsrc"),
                part("yuvtestsrc"),
                tone(440, 1, 3),
                tone(880, 8, 10),
            )
        }
        "sound.m4a" => format!("{} -c:a aac", sound(1)),
        "mark.png" => "-f lavfi -i color=red@0.5:size=32x16,format=rgba -frames:v 1".to_owned(),
        "many-streams.mkv" => {
            format!("{}{} -c:a pcm_s16le", sound(1), " -map 0".repeat(65))
        }
        _ => panic!("no recording {name}"),
    }
}

/// The file of a recording. It is made under another name and then renamed, as
/// tests may run in several processes.
pub fn made(name: &str) -> PathBuf {
    let recipe = recipe(name);
    let mut hasher = DefaultHasher::new();
    recipe.hash(&mut hasher);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{:016x}", hasher.finish()));
    let path = folder.join(name);
    if !path.exists() {
        fs::create_dir_all(&folder).expect("a folder for recordings");
        let workshop = tempfile::tempdir_in(&folder).expect("a folder to work in");
        let draft = workshop.path().join(name);
        let status = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error"])
            .args(recipe.split_whitespace())
            .arg(&draft)
            .status()
            .expect("ffmpeg starts (apt-get install ffmpeg)");
        assert!(status.success(), "ffmpeg {recipe}: {status}");
        fs::rename(&draft, &path).expect("the recording gets its name");
    }
    path
}
