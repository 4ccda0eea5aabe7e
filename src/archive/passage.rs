//! Texts that are searched, by their vectors.

use flatbed_media::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::seconds;

/// What a vector stands for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[schema(as = PassageKind)]
pub enum Kind {
    /// A segment of the transcript, or several short ones together.
    Speech,
    /// A frame's caption.
    Frame,
}

impl Kind {
    /// As tables have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Speech => "speech",
            Self::Frame => "frame",
        }
    }
}

/// A text of a video, and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Passage {
    /// What it is.
    pub kind: Kind,
    /// From 0, among those of its kind; a frame's is the frame's.
    pub index: u32,
    /// In seconds.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub start: Timestamp,
    /// In seconds.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub end: Timestamp,
    /// What the vector was made of.
    pub text: String,
}

/// A text and its vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    /// The text.
    #[serde(flatten)]
    pub passage: Passage,
    /// Of the model's number of dimensions.
    pub vector: Vec<f32>,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// In which video.
    pub video_id: Uuid,
    /// What was found.
    #[serde(flatten)]
    pub passage: Passage,
    /// How near it is: the cosine, 1 for the same direction.
    pub score: f32,
}
