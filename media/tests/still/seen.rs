//! A picture as ffmpeg's command line decodes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixture::barcode;
use crate::observe::Luma;

/// A picture's pixels.
#[derive(Clone, Debug)]
pub struct Seen {
    pub width: usize,
    pub height: usize,
    /// Red, green, blue and alpha of each pixel.
    pub pixels: Vec<[u8; 4]>,
}

/// Looks at a picture, or at the first frame behind some of ffmpeg's arguments.
pub fn seen(path: &Path) -> Seen {
    seen_by(&[], path, &[])
}

/// The same with arguments before and behind the input.
pub fn seen_by(before: &[&str], path: &Path, behind: &[&str]) -> Seen {
    // PAM tells the size, and holds transparency.
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error"])
        .args(before)
        .arg("-i")
        .arg(path)
        .args(behind)
        .args([
            "-frames:v",
            "1",
            "-pix_fmt",
            "rgba",
            "-c:v",
            "pam",
            "-f",
            "image2pipe",
            "-",
        ])
        .output()
        .expect("ffmpeg starts (apt-get install ffmpeg)");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaints}", path.display());
    picture(&output.stdout).unwrap_or_else(|| panic!("{}: {complaints}", path.display()))
}

/// Looks at many pictures at once: a process each takes longer than the looking.
pub fn all_seen(paths: &[PathBuf]) -> Vec<Seen> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error"]);
    for path in paths {
        command.args(["-threads", "1", "-i"]).arg(path);
    }
    let pam = |path: &Path| path.with_extension("pam");
    for (input, path) in paths.iter().enumerate() {
        command.args(["-map", &format!("{input}:v"), "-frames:v", "1"]);
        command.args(["-pix_fmt", "rgba", "-c:v", "pam", "-f", "image2pipe"]);
        command.arg(pam(path));
    }
    let output = command.output();
    let output = output.expect("ffmpeg starts (apt-get install ffmpeg)");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    let seen = |path: &PathBuf| {
        let pam = fs::read(pam(path)).expect("a picture");
        picture(&pam).unwrap_or_else(|| panic!("{}: {complaints}", path.display()))
    };
    paths.iter().map(seen).collect()
}

/// A picture in a PAM file.
fn picture(pam: &[u8]) -> Option<Seen> {
    let end = b"ENDHDR\n";
    let begin = pam.windows(end.len()).position(|word| word == end)?;
    let (header, pixels) = pam.split_at(begin + end.len());
    let header = String::from_utf8_lossy(header);
    let side = |name: &str| -> usize {
        let line = header.lines().find_map(|line| line.strip_prefix(name));
        line.expect("a size").trim().parse().expect("a number")
    };
    let pixels: Vec<[u8; 4]> = pixels.as_chunks().0.to_vec();
    assert_eq!(pixels.len(), side("WIDTH") * side("HEIGHT"));
    Some(Seen {
        width: side("WIDTH"),
        height: side("HEIGHT"),
        pixels,
    })
}

impl Seen {
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The number painted on the frame.
    #[track_caller]
    pub fn number(&self) -> u32 {
        match barcode::read(&self.luma().pixels, self.width, self.height) {
            Ok(number) => number.into(),
            Err(misread) => panic!("{}x{}: {misread:?}", self.width, self.height),
        }
    }

    pub fn luma(&self) -> Luma {
        let light = |&[red, green, blue, _]: &[u8; 4]| {
            ((u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114) / 1000) as u8
        };
        Luma {
            width: self.width,
            height: self.height,
            pixels: self.pixels.iter().map(light).collect(),
        }
    }

    /// The mean of a channel.
    pub fn mean(&self, channel: usize) -> f64 {
        let sum: u64 = self
            .pixels
            .iter()
            .map(|pixel| u64::from(pixel[channel]))
            .sum();
        sum as f64 / self.pixels.len() as f64
    }

    /// The mean difference of red, green and blue.
    #[track_caller]
    pub fn difference(&self, other: &Self) -> f64 {
        assert_eq!(self.size(), other.size());
        let pairs = self.pixels.iter().zip(&other.pixels);
        let sum: u64 = pairs
            .flat_map(|(one, other)| (0..3).map(|c| u64::from(one[c].abs_diff(other[c]))))
            .sum();
        sum as f64 / (3 * self.pixels.len()) as f64
    }

    /// A part of it.
    pub fn part(&self, (left, top, width, height): (usize, usize, usize, usize)) -> Self {
        let rows = (top..top + height).flat_map(|row| {
            let begin = row * self.width + left;
            self.pixels[begin..begin + width].iter().copied()
        });
        Self {
            width,
            height,
            pixels: rows.collect(),
        }
    }
}
