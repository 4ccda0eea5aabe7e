//! What `ffprobe` says of a result.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// How many frames a player shows: decoded, and edit lists honoured.
pub fn shown_frames(path: &Path) -> u64 {
    frames(&ffprobe(FRAMES, path, &[]))
}

/// The same of a file in memory, read as a pipe.
pub fn shown_frames_of(bytes: &[u8]) -> u64 {
    frames(&ffprobe(FRAMES, Path::new("-"), bytes))
}

/// The demuxer's names.
pub fn container(path: &Path) -> String {
    ffprobe("-show_entries format=format_name", path, &[])
}

/// A picture's codec, width and height: `mjpeg,320,240`.
pub fn picture_size(path: &Path) -> String {
    let facts = "-show_entries stream=codec_name,width,height";
    ffprobe(facts, path, &[]).replace('\n', ",")
}

const FRAMES: &str = "-select_streams v:0 -count_frames -show_entries stream=nb_read_frames";

fn frames(text: &str) -> u64 {
    // A transport stream lists its streams again under its program.
    let count = text.split_whitespace().next().unwrap_or_default();
    count.parse().expect("a number of frames")
}

fn ffprobe(arguments: &str, path: &Path, stdin: &[u8]) -> String {
    let mut child = Command::new("ffprobe")
        .args(["-v", "error", "-of", "default=nokey=1:noprint_wrappers=1"])
        .args(arguments.split_whitespace())
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ffprobe starts (apt-get install ffmpeg)");
    let mut pipe = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        // It may close the pipe when it has seen enough.
        scope.spawn(move || pipe.write_all(stdin));
        let output = child.wait_with_output().expect("ffprobe ends");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {complaints}", path.display());
        assert_eq!(complaints, "", "{}", path.display());
        String::from_utf8(output.stdout)
            .expect("text")
            .trim()
            .to_owned()
    })
}
