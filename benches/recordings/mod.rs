//! The recordings that benches run on, made once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// 720p25 with B-frames and a keyframe each 2 s, made by the `ffmpeg` command.
pub fn made(name: &str, seconds: i64) -> PathBuf {
    let path = folder().join(name);
    if path.exists() {
        return path;
    }
    let unfinished = folder().join(format!("part-{name}"));
    let picture = format!(
        "testsrc2=size=1280x720:rate=25:duration={seconds},noise=alls=8:allf=t+u,format=yuv420p"
    );
    let sound = format!("anoisesrc=color=pink:amplitude=0.2:seed=1:duration={seconds}");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound])
        .args(["-c:v", "libx264", "-preset", "veryfast", "-b:v", "2M"])
        .args([
            "-g",
            "50",
            "-keyint_min",
            "50",
            "-sc_threshold",
            "0",
            "-bf",
            "3",
        ])
        .args(["-c:a", "aac"])
        .arg(&unfinished)
        .status()
        .expect("ffmpeg, which scripts/setup --bench installs");
    assert!(status.success(), "ffmpeg could not make {name}");
    fs::rename(unfinished, &path).expect("a recording under its name");
    path
}

/// Where recordings and results lie.
pub fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    fs::create_dir_all(&folder).expect("a folder for the recordings");
    folder
}
