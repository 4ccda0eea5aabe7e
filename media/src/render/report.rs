//! What a render did.

use std::path::PathBuf;

use serde::Serialize;

use crate::time::Timestamp;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// The video first, then the pictures.
    pub outputs: Vec<Written>,
    /// How long the video is.
    #[serde(serialize_with = "seconds")]
    pub duration: Timestamp,
    /// How many frames the video shows.
    pub frames: u64,
    /// How many were decoded, in all passes.
    pub frames_decoded: u64,
    /// How many were encoded for the result.
    pub frames_encoded: u64,
    /// How many were copied as they are.
    pub frames_copied: u64,
    /// How often the input was gone through.
    pub passes: u32,
    /// What a person should know: what was left out, what was changed and why.
    pub notes: Vec<String>,
}

/// A result.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Written {
    /// What it is.
    pub kind: Kind,
    /// Where it is, if it is a file.
    pub path: Option<PathBuf>,
    /// Its size in bytes.
    pub bytes: u64,
    /// In pixels, where there are pictures.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// When a picture's frame is shown, on the timeline at the operation's place
    /// in the list.
    #[serde(
        serialize_with = "maybe_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub time: Option<Timestamp>,
}

impl Written {
    /// A video of so many bytes and pixels.
    pub(super) fn video(path: Option<PathBuf>, bytes: u64, (width, height): (u32, u32)) -> Self {
        Self {
            kind: Kind::Video,
            path,
            bytes,
            width,
            height,
            time: None,
        }
    }
}

/// What a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Kind {
    /// The video, or its sound alone.
    Video,
    /// A frame as a picture.
    Thumbnail,
}

impl Report {
    /// Adds a note, once.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            tracing::debug!(note);
            self.notes.push(note);
        }
    }

    /// The bytes of all results.
    pub fn bytes(&self) -> u64 {
        self.outputs.iter().map(|output| output.bytes).sum()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // what serde calls with
fn seconds<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

#[allow(clippy::ref_option)] // what serde calls with
fn maybe_seconds<S: serde::Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => seconds(time, serializer),
        None => serializer.serialize_none(),
    }
}
