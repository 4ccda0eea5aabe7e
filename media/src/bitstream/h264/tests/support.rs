//! Making, splitting, joining and decoding streams.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::bitstream::h264::{ParameterSets, SlicePeek, unit};
use crate::bitstream::nal::{annex_b, prefixed, push_prefixed};

/// A folder that is removed with its files.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "flatbed-h264-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs `ffmpeg`, which must succeed and say nothing at this level.
fn ffmpeg(level: &str, args: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-y", "-v", level, "-xerror"])
        .args(args)
        .output()
        .expect("ffmpeg runs");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg {args:?}: {messages}");
    assert_eq!(messages, "", "ffmpeg {args:?}");
    output.stdout
}

/// How a stream is encoded.
#[derive(Clone, Copy)]
pub struct Coding<'a> {
    pub pixels: &'a str,
    pub profile: &'a str,
    /// The `x264-params`, colons between them.
    pub params: &'a str,
}

/// `frames` frames of a moving picture that fades in, as annex B.
pub fn source(frames: usize, coding: Coding) -> Vec<u8> {
    source_of_size("160x120", frames, coding)
}

/// The same in another size.
pub fn source_of_size(size: &str, frames: usize, coding: Coding) -> Vec<u8> {
    let folder = Folder::new();
    let output = folder.file("out.h264");
    let input = format!(
        "testsrc2=size={size}:rate=25,fade=in:0:{frames},format={}",
        coding.pixels
    );
    let frames = frames.to_string();
    let mut args = vec!["-f", "lavfi", "-i", &input, "-frames:v", &frames];
    args.extend(encoder(&coding));
    args.push(&output);
    ffmpeg("error", &args);
    std::fs::read(&output).expect("the stream")
}

/// The frames `from..to` of a stream, decoded and encoded again.
pub fn encode_again(stream: &[u8], from: usize, to: usize, coding: Coding) -> Vec<u8> {
    let folder = Folder::new();
    let (input, output) = (folder.file("in.h264"), folder.file("out.h264"));
    std::fs::write(&input, stream).expect("the input");
    let trim = format!("trim=start_frame={from}:end_frame={to},setpts=N/25/TB");
    let mut args = ONE_THREAD.to_vec();
    args.extend(["-i", &input, "-vf", &trim, "-fps_mode", "passthrough"]);
    args.extend(encoder(&coding));
    args.push(&output);
    ffmpeg("error", &args);
    std::fs::read(&output).expect("the stream")
}

fn encoder<'a>(coding: &Coding<'a>) -> Vec<&'a str> {
    let mut args = vec![
        "-c:v",
        "libx264",
        "-threads",
        "1",
        "-pix_fmt",
        coding.pixels,
    ];
    if !coding.profile.is_empty() {
        args.extend(["-profile:v", coding.profile]);
    }
    args.extend(["-x264-params", coding.params]);
    args
}

/// `ffmpeg` 5.1 takes fields in packets of their own for corrupt when it decodes
/// frames in parallel.
const ONE_THREAD: [&str; 2] = ["-threads", "1"];

/// The MD5 of each frame in output order. The decoder may not warn.
pub fn decode(stream: &[u8]) -> Vec<String> {
    let folder = Folder::new();
    let input = folder.file("in.h264");
    std::fs::write(&input, stream).expect("the input");
    let mut args = ONE_THREAD.to_vec();
    args.extend(["-i", &input, "-fps_mode", "passthrough"]);
    args.extend(["-f", "framemd5", "-"]);
    let list = ffmpeg("warning", &args);
    String::from_utf8_lossy(&list)
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit(',').next())
        .map(|sum| sum.trim().to_owned())
        .collect()
}

/// The units of each access unit: those before a first slice go with it.
pub fn access_units(stream: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut pictures: Vec<Vec<&[u8]>> = Vec::new();
    let mut open = true;
    for nal in annex_b(stream) {
        let slice = SlicePeek::parse(nal).ok();
        let starts = slice.is_none_or(|slice| slice.first_mb == 0);
        if pictures.is_empty() || (starts && !open) {
            pictures.push(Vec::new());
            open = true;
        }
        if slice.is_some() {
            open = false;
        }
        if let Some(picture) = pictures.last_mut() {
            picture.push(nal);
        }
    }
    pictures
}

/// Whether an access unit is an IDR picture.
pub fn is_idr(units: &[&[u8]]) -> bool {
    units.iter().any(|nal| unit::kind(nal) == unit::IDR)
}

/// Where the IDR pictures are.
pub fn idr_positions(pictures: &[Vec<&[u8]>]) -> Vec<usize> {
    (0..pictures.len())
        .filter(|&at| is_idr(&pictures[at]))
        .collect()
}

/// Units as an MP4 sample with four-byte lengths.
pub fn pack(units: &[&[u8]]) -> Vec<u8> {
    let mut sample = Vec::new();
    for nal in units {
        push_prefixed(&mut sample, nal);
    }
    sample
}

/// The parameter sets of a stream.
pub fn sets(stream: &[u8]) -> ParameterSets {
    ParameterSets::from_units(annex_b(stream)).expect("parameter sets")
}

/// A stream being put together.
#[derive(Default)]
pub struct Splice(pub Vec<u8>);

impl Splice {
    pub fn unit(&mut self, nal: &[u8]) {
        self.0.extend_from_slice(&[0, 0, 0, 1]);
        self.0.extend_from_slice(nal);
    }

    /// An MP4 sample with four-byte lengths.
    pub fn sample(&mut self, sample: &[u8]) {
        for nal in prefixed(sample, 4) {
            self.unit(nal.expect("a unit"));
        }
    }

    /// Source pictures, without their sets and delimiters.
    pub fn copy(&mut self, pictures: &[Vec<&[u8]>]) {
        for nal in pictures.iter().flatten() {
            if !matches!(unit::kind(nal), unit::SPS | unit::PPS | unit::AUD) {
                self.unit(nal);
            }
        }
    }
}
