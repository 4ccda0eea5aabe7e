//! What is known of an analysed video.

use std::collections::BTreeMap;

use flatbed_media::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use super::passage::{Embedding, Hit, Kind, Passage};
pub use super::seconds;
use super::{Seen, Writer};
use crate::job::JobId;
use crate::store::Key;

/// Everything that is known of a video, but for the vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Analysis {
    /// The video.
    pub video_id: Uuid,
    /// Where it came from, without what an address may hold of secrets.
    pub source_url: Option<String>,
    /// Changes with the video's content: what was found of another one is worth
    /// nothing.
    pub source_version: Option<String>,
    /// The job that looks at it, did so last, or was asked for.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub job_id: Option<JobId>,
    /// How far it is.
    pub status: Status,
    /// Why it failed, or what is missing of it.
    pub error: Option<String>,
    /// How long the video is, in seconds.
    #[serde(default, with = "seconds::option")]
    #[schema(value_type = Option<f64>)]
    pub duration: Option<Timestamp>,
    /// In pixels, upright.
    pub width: Option<u32>,
    /// In pixels, upright.
    pub height: Option<u32>,
    /// The video in a form that everything plays, where one was made.
    #[schema(value_type = Option<String>)]
    pub proxy: Option<Key>,
    /// What became of each step.
    pub steps: BTreeMap<Step, StepReport>,
    /// What a user should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// When it was last written, as RFC 3339 has it.
    pub updated_at: Option<String>,
    /// The scenes, in order.
    #[serde(default)]
    pub scenes: Vec<Scene>,
    /// The frames that stand for them, in order.
    #[serde(default)]
    pub frames: Vec<Frame>,
    /// What is said.
    #[serde(default)]
    pub transcript: Option<Transcript>,
}

impl Analysis {
    /// A video of which nothing is known.
    pub fn of(video_id: Uuid) -> Self {
        Self {
            video_id,
            source_url: None,
            source_version: None,
            job_id: None,
            status: Status::Queued,
            error: None,
            duration: None,
            width: None,
            height: None,
            proxy: None,
            steps: BTreeMap::new(),
            notes: Vec::new(),
            updated_at: None,
            scenes: Vec::new(),
            frames: Vec::new(),
            transcript: None,
        }
    }

    /// Who writes it.
    pub fn writer(&self) -> Writer {
        Writer {
            video: self.video_id,
            job: self.job_id.clone(),
        }
    }

    /// Says what became of a step.
    pub fn set(&mut self, step: Step, state: StepState, note: Option<String>) {
        let report = StepReport {
            state,
            note,
            model: None,
        };
        self.steps.insert(step, report);
    }

    /// Says which model has done a step.
    pub fn set_model(&mut self, step: Step, model: &str) {
        if let Some(report) = self.steps.get_mut(&step) {
            report.model = Some(model.to_owned());
        }
    }

    /// Whether all of a step is there.
    pub fn is_done(&self, step: Step) -> bool {
        let report = self.steps.get(&step);
        report.is_some_and(|report| report.state == StepState::Done)
    }

    /// Notes what was seen in a frame.
    pub fn see(&mut self, seen: Seen) {
        let frame = self
            .frames
            .iter_mut()
            .find(|frame| frame.index == seen.frame);
        if let Some(frame) = frame {
            (frame.caption, frame.refusal) = match seen.caption {
                Ok(caption) => (Some(caption), None),
                Err(refusal) => (None, Some(refusal)),
            };
        }
    }
}

/// How far an analysis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AnalysisState)]
pub enum Status {
    /// Nobody has looked at it yet.
    Queued,
    /// A worker has it, or will try it again.
    Processing,
    /// All steps that are on are done.
    Completed,
    /// A step failed for good; what the others found is kept.
    Failed,
}

impl Status {
    /// As tables have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

/// A step, in the order in which they are taken.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A proxy, and the sound as recognisers take it.
    Normalize,
    /// What is said.
    Transcribe,
    /// Where scenes begin.
    Scenes,
    /// A picture of each.
    Frames,
    /// What is to be seen in them.
    Vision,
    /// Vectors, to search by.
    Embed,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Normalize,
        Self::Transcribe,
        Self::Scenes,
        Self::Frames,
        Self::Vision,
        Self::Embed,
    ];

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normalize => "normalize",
            Self::Transcribe => "transcribe",
            Self::Scenes => "scenes",
            Self::Frames => "frames",
            Self::Vision => "vision",
            Self::Embed => "embed",
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepReport {
    /// In one word.
    pub state: StepState,
    /// Why it is off, failed, or has nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The model that vectors are of: those of another cannot be compared with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// What became of a step, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// All of it is there.
    Done,
    /// Some of it is there, and the rest will be tried again, or was given up.
    Partial,
    /// Nothing of it is there.
    Failed,
    /// It is switched off, or has no key.
    Off,
}

/// From one cut to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scene {
    /// From 0.
    pub index: u32,
    /// Its first frame's time, in seconds.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub start: Timestamp,
    /// When its last frame's time is over, in seconds.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub end: Timestamp,
}

/// A picture that stands for a scene: JPEG.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Frame {
    /// From 0, in the order of their times.
    pub index: u32,
    /// The scene's index.
    pub scene: u32,
    /// Its time, in seconds.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub at: Timestamp,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How large it is.
    pub bytes: u64,
    /// Where it is in the store, if it is there and not in the database.
    #[schema(value_type = Option<String>)]
    pub key: Option<Key>,
    /// What is to be seen, once somebody looked.
    pub caption: Option<String>,
    /// Why nobody could say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

impl Frame {
    /// Whether a model has had its say.
    pub fn is_seen(&self) -> bool {
        self.caption.is_some() || self.refusal.is_some()
    }
}

/// What is said in a video.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Transcript {
    /// As the recogniser calls it, where it tells.
    pub language: Option<String>,
    /// What was sent to the recogniser, piece by piece, and whether it answered.
    pub pieces: Vec<Piece>,
    /// What it understood, in order.
    pub segments: Vec<Segment>,
}

impl Transcript {
    /// Whether all pieces are there.
    pub fn is_whole(&self) -> bool {
        self.pieces.iter().all(|piece| piece.is_done)
    }

    /// The text without times.
    pub fn text(&self) -> String {
        let texts: Vec<_> = self
            .segments
            .iter()
            .map(|segment| segment.text.trim())
            .collect();
        texts.join(" ")
    }
}

/// A stretch of sound in which there is something to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Piece {
    /// In seconds.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub start: Timestamp,
    /// In seconds.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub end: Timestamp,
    /// Whether its segments are there.
    pub is_done: bool,
}

/// A sentence or so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Segment {
    /// In seconds.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub start: Timestamp,
    /// In seconds.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub end: Timestamp,
    /// What was understood.
    pub text: String,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Videos of which something is known.
    pub videos: u64,
    /// Frames of them.
    pub frames: u64,
    /// Bytes of the frames.
    pub frame_bytes: u64,
    /// Scenes.
    pub scenes: u64,
    /// Transcripts.
    pub transcripts: u64,
    /// Vectors.
    pub embeddings: u64,
}
