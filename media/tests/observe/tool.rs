//! Running ffmpeg and ffprobe, and holding them to their word.

use std::fs;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// Said of any PCM in Matroska, which has no field for the layout: nothing is wrong.
const HARMLESS: &str = "Guessed Channel Layout";

/// ffprobe's JSON about `path`: `show` names the sections, `-show_format -show_streams`.
pub fn probe(path: &Path, show: &[&str]) -> Value {
    let mut command = Command::new("ffprobe");
    command
        .args(["-v", "error", "-of", "json"])
        .args(show)
        .arg(path);
    let output = command.output().unwrap_or_else(|error| {
        panic!("ffprobe does not start ({error}): apt-get install -y ffmpeg")
    });
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "ffprobe {}: {message}",
        path.display()
    );
    serde_json::from_slice(&output.stdout).expect("ffprobe writes JSON")
}

/// ffprobe's facts about the first stream of `kind` (`v` or `a`).
pub fn stream(path: &Path, kind: &str) -> Value {
    let mut facts = probe(
        path,
        &["-select_streams", &format!("{kind}:0"), "-show_streams"],
    );
    let stream = facts["streams"][0].take();
    assert!(stream.is_object(), "{}: no {kind} stream", path.display());
    stream
}

/// One decoded frame or chunk of sound in the list that ffmpeg's `framemd5` muxer writes.
pub struct Decoded {
    /// Presentation time in seconds, as the container gives it and edit lists shift it.
    pub pts: f64,
    /// Bytes of decoded samples or pixels in the decoder's own format.
    pub bytes: usize,
    pub md5: String,
}

/// Decodes a stream as a player does: `read` gets the raw bytes of the second output, and the
/// answer lists each frame. `stream` is ffmpeg's specifier (`0:v:0`), `list` and `raw` are the
/// arguments of either output.
///
/// # Panics
/// If ffmpeg fails or warns of anything but lines that hold one of `allowed`.
pub fn decode<T: Send>(
    path: &Path,
    (stream, list, raw): (&str, &[&str], &[&str]),
    allowed: &[&str],
    read: impl FnOnce(&mut dyn Read) -> io::Result<T> + Send,
) -> (Vec<Decoded>, T) {
    let work = tempfile::tempdir().expect("a temporary folder");
    let frames = work.path().join("frames.md5");
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-v", "warning", "-copyts", "-i"])
        .arg(path);
    command
        .args(["-map", stream])
        .args(list)
        .args(["-f", "framemd5"])
        .arg(&frames);
    command.args(["-map", stream]).args(raw).arg("pipe:1");
    // In MPEG-TS and PS ffmpeg moves the clock's zero to the first stream that is mapped, in
    // spite of -copyts: with all of them mapped, sound and picture stay on one clock.
    command.args(["-map", "0:v:u?", "-map", "0:a:u?", "-c", "copy"]);
    command.args(["-frames:v", "0", "-frames:a", "0", "-f", "null", "-"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("ffmpeg does not start ({error}): apt-get install -y ffmpeg")
    });
    let mut pipe = BufReader::with_capacity(1 << 20, child.stdout.take().expect("piped"));
    let (value, output) = thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let value = read(&mut pipe)?;
            // What the reader did not want must still flow, or ffmpeg would wait.
            io::copy(&mut pipe, &mut io::sink()).map(|_| value)
        });
        let output = child.wait_with_output().expect("ffmpeg can be waited for");
        (reader.join(), output)
    });
    // First, for a reader that gave up makes ffmpeg fail too.
    let value = value.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{message}",
        output.status
    );
    check_silence(&message, allowed, path);
    let value = value.expect("ffmpeg's output can be read");
    let list = fs::read_to_string(&frames).expect("ffmpeg wrote its list");
    (parse(&list), value)
}

fn check_silence(message: &str, allowed: &[&str], path: &Path) {
    let unexpected: Vec<&str> = message
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.contains(HARMLESS))
        .filter(|line| !allowed.iter().any(|part| line.contains(part)))
        .collect();
    assert!(
        unexpected.is_empty(),
        "playing {}:\n{}",
        path.display(),
        unexpected.join("\n")
    );
}

/// Reads lines of `stream, dts, pts, duration, size, md5` under a header that gives the time base.
fn parse(list: &str) -> Vec<Decoded> {
    let base = list
        .lines()
        .find_map(|line| line.strip_prefix("#tb 0: "))
        .map_or(1.0, |base| {
            let (numerator, denominator) = base.split_once('/').expect("a time base is a ratio");
            let number = |text: &str| text.parse::<f64>().expect("a number");
            number(numerator) / number(denominator)
        });
    let frame = |line: &str| {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [_, _, pts, _, bytes, md5] = fields[..] else {
            panic!("{line:?}: not six fields")
        };
        let pts = pts
            .parse::<f64>()
            .unwrap_or_else(|_| panic!("{line:?}: a frame without a time"));
        Decoded {
            pts: pts * base,
            bytes: bytes.parse().expect("a size"),
            md5: md5.into(),
        }
    };
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .map(frame)
        .collect()
}
