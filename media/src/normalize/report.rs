//! What a normalisation made and found.

use crate::scene::Scenes;
use crate::time::{Span, Timestamp};

/// What a normalisation made and found. All times count from the same zero as
/// those of [`cut`](crate::cut), which is the beginning of the proxy and of the
/// sound too.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Report {
    /// The proxy; none where there is no video, or it was not asked for.
    pub proxy: Option<Proxy>,
    /// The sound; none where there is none, or it was not asked for.
    pub sound: Option<Sound>,
    /// The scenes, where they or frames were asked for.
    pub scenes: Option<Scenes>,
    /// The frames that stand for the video, in its order, where they were asked
    /// for.
    pub frames: Option<Vec<SceneFrame>>,
    /// What a user should know.
    pub notes: Vec<String>,
}

/// The proxy that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proxy {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// In frames a second, as a fraction.
    pub frame_rate: (u32, u32),
    /// How many.
    pub frames: u64,
    /// How long it is.
    pub duration: Timestamp,
    /// How large the file is.
    pub bytes: u64,
}

/// A frame that stands for its scene.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SceneFrame {
    /// Which scene, counted from 0.
    pub scene: usize,
    /// When it begins to be shown.
    pub time: Timestamp,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How large the file is.
    pub bytes: u64,
    /// The file's path, or where it goes elsewhere, `frame-1.jpg` and so on.
    pub name: String,
    /// Black, or of one colour: the scene has no other.
    pub blank: bool,
}

/// The sound that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sound {
    /// How long it is.
    pub duration: Timestamp,
    /// How large the file is.
    pub bytes: u64,
    /// Where nothing is to be heard, in order.
    pub silences: Vec<Span>,
}
