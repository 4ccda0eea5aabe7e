//! Material by ffmpeg's own sources, and lists of operations run on it.

use std::path::{Path, PathBuf};
use std::process::Command;

use flatbed_media::render::{self, Kind, Operation, Options, Outputs, Report};
use flatbed_media::{Context, Error, Input};
use serde_json::Value;
use tempfile::TempDir;

use crate::observe::{Luma, watch};

/// A folder with the results of a list.
pub struct Done {
    pub folder: TempDir,
    pub report: Report,
}

impl Done {
    /// The video's path.
    pub fn video(&self) -> PathBuf {
        let videos = self.report.outputs.iter();
        let mut videos = videos.filter(|output| output.kind == Kind::Video);
        let path = videos.next().and_then(|video| video.path.clone());
        path.expect("a video")
    }

    /// The path of the thumbnail with this number.
    pub fn picture(&self, number: usize, extension: &str) -> PathBuf {
        let name = format!("thumbnail-{number}.{extension}");
        self.folder.path().join(name)
    }

    /// The numbers painted on the frames shown.
    pub fn numbers(&self) -> Vec<u32> {
        numbers(&self.video())
    }
}

/// The numbers painted on the frames that a file shows.
pub fn numbers(path: &Path) -> Vec<u32> {
    watch(path, HARMLESS, |_, _, _| ())
        .iter()
        .map(|frame| frame.number)
        .collect()
}

/// The luma of all frames that a file shows.
pub fn lumas(path: &Path) -> Vec<Luma> {
    let mut frames = Vec::new();
    watch(path, HARMLESS, |_, _, luma| frames.push(luma.clone()));
    frames
}

/// What ffmpeg says of pictures in full range, and of MPEG-TS that it reads to the end.
pub const HARMLESS: &[&str] = &[
    "deprecated pixel format",
    "No accelerated colorspace",
    "EOI missing",
];

/// Runs a list given as JSON.
pub fn attempt(source: &Path, json: &str, folder: &Path) -> Result<Report, Error> {
    let operations = Operation::list(json)?;
    render::render(
        Input::path(source),
        &operations,
        Outputs::folder(folder),
        &Options::default(),
        &Context::new(),
    )
}

/// Runs a list that must go well.
pub fn run(source: &Path, json: &str) -> Done {
    let folder = tempfile::tempdir().expect("a folder");
    let report = attempt(source, json, folder.path())
        .unwrap_or_else(|error| panic!("{}: {json}: {error}", source.display()));
    Done { folder, report }
}

/// Runs a list that must fail, and leave nothing behind.
pub fn refused(source: &Path, json: &str) -> Error {
    let folder = tempfile::tempdir().expect("a folder");
    let error = attempt(source, json, folder.path()).expect_err(json);
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("list").collect();
    assert!(left.is_empty(), "{json}: {left:?} left behind");
    error
}

/// One operation as JSON.
pub fn operation(kind: &str, options: Value) -> Value {
    serde_json::json!({ "type": kind, "options": options })
}

/// Makes a file with the ffmpeg command line; `arguments` are split at spaces.
pub fn make(folder: &Path, name: &str, arguments: &str) -> PathBuf {
    let path = folder.join(name);
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]);
    command.args(arguments.split_whitespace()).arg(&path);
    let output = command.output().expect("ffmpeg starts");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments}: {message}");
    path
}

/// The facts of a stream that ffprobe tells as numbers or texts.
pub fn fact(path: &Path, kind: &str, name: &str) -> String {
    match &crate::observe::stream(path, kind)[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Width and height of a file's pictures.
pub fn size(path: &Path) -> (u32, u32) {
    let side = |name| fact(path, "v", name).parse().expect("a side");
    (side("width"), side("height"))
}

/// The codecs of all streams, in order.
pub fn codecs(path: &Path) -> Vec<String> {
    let facts = crate::observe::probe(path, &["-show_streams"]);
    let streams = facts["streams"].as_array().expect("streams");
    let name = |stream: &Value| stream["codec_name"].as_str().unwrap_or("?").to_owned();
    streams.iter().map(name).collect()
}
