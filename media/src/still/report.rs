//! What came of a run.

use crate::time::Timestamp;

/// What pictures were taken.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// In the order they were asked for.
    pub pictures: Vec<Picture>,
    /// What the caller may want to know.
    pub notes: Vec<String>,
}

/// One picture.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Picture {
    /// The file's path, or the stream's name.
    pub name: String,
    /// The time that was asked for.
    pub asked: Timestamp,
    /// When the frame begins to be shown.
    pub time: Timestamp,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The file's size.
    pub bytes: u64,
}

/// What sprite sheets were made.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct SpriteReport {
    /// The path of the list of cues.
    pub list: String,
    /// In order.
    pub sheets: Vec<Sheet>,
    /// How many pictures are in all of them.
    pub tiles: u64,
    /// A picture's width in pixels.
    pub tile_width: u32,
    /// A picture's height in pixels.
    pub tile_height: u32,
    /// How many of the pictures are keyframes; the others were decoded from
    /// the keyframe before them.
    pub keyframes: u64,
    /// How long the recording is.
    pub duration: Timestamp,
}

/// One sheet.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sheet {
    /// The file's path.
    pub name: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The file's size.
    pub bytes: u64,
}
