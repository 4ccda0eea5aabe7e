//! The JSON of a video, and how its parts are known to belong together.
//!
//! | object | what is in it |
//! |---|---|
//! | `analysis.json` | [`Main`]: how far the video is |
//! | `scenes.json` | [`Scenes`] |
//! | `frames.json` | [`Album`]: written last, it has scenes and proxy count too |
//! | `transcript.json` | [`Words`]; beside it `transcript.vtt` and `transcript.srt` |
//! | `embeddings.json` | [`Vectors`] |
//!
//! Each names the content that it was made of: one of another content is not there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::archive::Analysis;
use crate::archive::model::{Embedding, Frame, Passage, Scene, Transcript};
use crate::store::Key;

/// How far a video is, without what has objects of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Main {
    #[serde(flatten)]
    pub(super) analysis: Analysis,
    /// What is counted without reading the other objects.
    #[serde(default)]
    pub(super) kept: Kept,
}

/// How much there is of a video.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) scenes: u64,
    pub(super) embeddings: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Scenes {
    pub(super) source_version: Option<String>,
    pub(super) scenes: Vec<Scene>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Album {
    pub(super) source_version: Option<String>,
    /// Of the scenes that came with them, by [`fingerprint`].
    pub(super) scenes: String,
    pub(super) proxy: Option<Key>,
    pub(super) frames: Vec<Frame>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Words {
    pub(super) source_version: Option<String>,
    #[serde(flatten)]
    pub(super) transcript: Transcript,
}

/// Texts and their vectors, compactly: 4 bytes a dimension in base64.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Vectors {
    pub(super) source_version: Option<String>,
    pub(super) model: String,
    passages: Vec<Packed>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Packed {
    #[serde(flatten)]
    passage: Passage,
    /// Base64 of 32-bit floats, the lowest byte first.
    vector: String,
}

impl Vectors {
    pub(super) fn pack(source_version: Option<String>, model: &str, all: &[Embedding]) -> Self {
        let packed = all.iter().map(|one| {
            let bytes: Vec<u8> = one.vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            Packed {
                passage: one.passage.clone(),
                vector: STANDARD.encode(bytes),
            }
        });
        Self {
            source_version,
            model: model.to_owned(),
            passages: packed.collect(),
        }
    }

    /// Each with its vector; why not, in one line.
    pub(super) fn unpack(self) -> impl Iterator<Item = Result<Embedding, String>> {
        self.passages.into_iter().map(|packed| {
            let bytes = STANDARD.decode(&packed.vector);
            let bytes = bytes.map_err(|error| format!("a vector is no base64: {error}"))?;
            let (numbers, rest) = bytes.as_chunks::<4>();
            if !rest.is_empty() {
                return Err("a vector is cut off".to_owned());
            }
            Ok(Embedding {
                passage: packed.passage,
                vector: numbers
                    .iter()
                    .map(|four| f32::from_le_bytes(*four))
                    .collect(),
            })
        })
    }
}

/// The same for the same scenes.
pub(super) fn fingerprint(scenes: &[Scene]) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for scene in scenes {
        context.update(&scene.index.to_le_bytes());
        context.update(&scene.start.as_micros().to_le_bytes());
        context.update(&scene.end.as_micros().to_le_bytes());
    }
    STANDARD.encode(context.finish())
}
