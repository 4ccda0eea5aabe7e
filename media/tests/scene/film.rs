//! Clips whose cuts are known, because they are painted scene by scene.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What is painted, a frame at a time.
#[derive(Default)]
pub struct Film {
    size: (usize, usize),
    frames: Vec<Frame>,
    noise: u8,
}

/// One frame: two scenes, and how much of the second is seen, out of 256.
#[derive(Clone, Copy)]
struct Frame {
    scenes: [u32; 2],
    second: u32,
    time: usize,
    white: bool,
}

/// A film that is encoded.
pub struct Clip {
    pub path: PathBuf,
    _folder: TempDir,
}

impl Film {
    pub fn new() -> Self {
        Self {
            size: (96, 64),
            ..Self::default()
        }
    }

    pub fn size(self, width: usize, height: usize) -> Self {
        Self {
            size: (width, height),
            ..self
        }
    }

    /// Grain, as a camera at night has it.
    pub fn noise(self, noise: u8) -> Self {
        Self { noise, ..self }
    }

    /// So many frames of the scene `seed`, in which something moves.
    pub fn scene(self, seed: u32, frames: usize) -> Self {
        self.fade(seed, seed, frames)
    }

    /// One scene becomes another.
    pub fn fade(mut self, from: u32, to: u32, frames: usize) -> Self {
        for place in 0..frames {
            self.frames.push(Frame {
                scenes: [from, to],
                second: (256 * (place + 1) / (frames + 1)) as u32,
                time: self.frames.len(),
                white: false,
            });
        }
        self
    }

    /// A flash of light in front of the scene `seed`.
    pub fn flash(mut self, seed: u32, frames: usize) -> Self {
        let from = self.frames.len();
        self = self.scene(seed, frames);
        for frame in &mut self.frames[from..] {
            frame.white = true;
        }
        self
    }

    pub fn frames(&self) -> usize {
        self.frames.len()
    }

    fn paint(&self, frame: Frame, into: &mut Vec<u8>) {
        into.clear();
        let (width, height) = self.size;
        let mut random = 1 + frame.time as u32;
        for y in 0..height {
            for x in 0..width {
                let [first, second] = frame
                    .scenes
                    .map(|seed| pixel(seed, frame.time, (x, y), self.size));
                for (first, second) in first.into_iter().zip(second) {
                    let mixed = (first * (256 - frame.second) + second * frame.second) / 256;
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let noise = (random >> 16) % (u32::from(self.noise) + 1);
                    let lit = if frame.white { 235 + mixed / 16 } else { mixed };
                    into.push((lit + noise).min(255) as u8);
                }
            }
        }
    }

    /// The film as a file, encoded by ffmpeg with these arguments. Frames come
    /// to it at `rate` a second.
    pub fn encode(&self, rate: &str, arguments: &str, extension: &str) -> Clip {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("film").with_extension(extension);
        let size = format!("{}x{}", self.size.0, self.size.1);
        let mut command = Command::new("ffmpeg");
        command
            .args(["-nostdin", "-v", "error", "-y", "-f", "rawvideo"])
            .args(["-pix_fmt", "rgb24", "-s", &size, "-framerate", rate])
            .args(["-i", "pipe:0"])
            .args(arguments.split_whitespace())
            .arg(&path)
            .stdin(Stdio::piped());
        let mut child = command.spawn().expect("ffmpeg starts");
        let mut pipe = BufWriter::new(child.stdin.take().expect("piped"));
        let mut bytes = Vec::new();
        for &frame in &self.frames {
            self.paint(frame, &mut bytes);
            pipe.write_all(&bytes).expect("ffmpeg reads");
        }
        drop(pipe);
        assert!(child.wait().expect("ffmpeg ends").success(), "{command:?}");
        Clip {
            path,
            _folder: folder,
        }
    }

    /// The same as H.264 with B-frames, at 25 frames a second.
    pub fn h264(&self) -> Clip {
        self.encode("25", H264, "mp4")
    }
}

/// As most recordings are.
pub const H264: &str = "-c:v libx264 -preset veryfast -crf 20 -bf 2 -pix_fmt yuv420p";

/// A pixel of a scene at a time: a colour, a slope of it, and a box that moves.
fn pixel(
    seed: u32,
    time: usize,
    (x, y): (usize, usize),
    (width, height): (usize, usize),
) -> [u32; 3] {
    let base = [seed * 97 + 20, seed * 57 + 90, seed * 151 + 45].map(|colour| 20 + colour % 170);
    let side = (width / 6).max(1);
    let left = (time * width / 200) % width;
    let boxed = (left..left + side).contains(&x) && (height / 3..2 * height / 3).contains(&y);
    let slope = [
        40 * x / width,
        40 * y / height,
        20 * (x + y) / (width + height),
    ];
    let mut pixel = [0; 3];
    for colour in 0..3 {
        let plain = base[colour] + slope[colour] as u32;
        pixel[colour] = if boxed { 255 - plain } else { plain };
    }
    pixel
}
