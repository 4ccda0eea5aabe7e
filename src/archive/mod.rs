//! What is known of analysed videos: scenes, frames, transcripts, captions, vectors.
//!
//! | file | what it does |
//! |---|---|
//! | [`model`] | what there is to be known |
//! | [`passage`] | texts that are searched, by their vectors |
//! | [`seconds`] | times as JSON has them |
//! | [`subtitles`] | a transcript as `WebVTT` and SRT |
//! | [`objects`] | as JSON and pictures in a store |
//! | `pictures.rs` | frames and proxies in a store, for both |
//! | `nearest.rs` | the nearest of many vectors, where no database looks for them |
//! | [`postgres`] | as rows, the pictures in the rows or in a store |
//!
//! # What every archive guarantees
//!
//! Each sentence has a test in `tests/archive`, which every archive passes.
//!
//! 1. **Step by step.** What a step found is visible when its call returned, all of
//!    it or nothing, and outlives a crash as far as the database's or the store's own
//!    settings go.
//! 2. **Again.** A call that is repeated changes nothing that a reader can see: keys
//!    and rows are named by the video and an index.
//! 3. **Another content** (`source_version`) begins anew: [`Archive::begin`] forgets
//!    what was found of the one before.
//! 4. **One writer at a time.** The job that began last writes; what another one says
//!    from then on is refused as [`Error::Superseded`]. In a store that is looked up
//!    before each write, and a write that is on its way meanwhile comes through.

pub mod model;
mod nearest;
pub mod objects;
pub mod passage;
mod pictures;
pub mod postgres;
pub mod seconds;
pub mod subtitles;

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

pub use model::{Analysis, Embedding, Frame, Hit, Piece, Scene, Segment, Step, Transcript, Usage};

use crate::job::JobId;
use crate::{queue, store};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store's fault.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The database's, which the queue's module talks to.
    #[error(transparent)]
    Database(#[from] queue::Error),
    /// The video is no longer the writer's: another job has begun with it, or it was
    /// forgotten.
    #[error("video {0} is another job's by now, or was forgotten")]
    Superseded(Uuid),
    /// What was read is not understood, and why.
    #[error("{what} cannot be read: {reason}; remove it, or have the video analysed with force")]
    Unreadable {
        /// A row or an object.
        what: String,
        /// In one line.
        reason: String,
    },
}

impl Error {
    /// Whether it may pass by itself.
    pub fn is_away(&self) -> bool {
        matches!(
            self,
            Self::Store(store::Error::Away { .. }) | Self::Database(queue::Error::Away { .. })
        )
    }
}

/// What calls to an archive return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who writes what was found of a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// The video.
    pub video: Uuid,
    /// The job, as [`Archive::begin`] was told.
    pub job: Option<JobId>,
}

/// A frame that was just made.
#[derive(Debug, Clone)]
pub struct NewFrame {
    /// What it is; an archive that has a store says its key.
    pub frame: Frame,
    /// The JPEG.
    pub file: PathBuf,
}

/// What was seen in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The frame's index.
    pub frame: u32,
    /// What is to be seen, or why the model would not say.
    pub caption: std::result::Result<String, String>,
}

/// What is searched for.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Made by `model`.
    pub vector: Vec<f32>,
    /// Vectors of other models are not compared.
    pub model: String,
    /// In this video alone.
    pub video: Option<Uuid>,
    /// How many at most, the nearest first.
    pub limit: u32,
}

/// Keeps what is known of videos.
///
/// No method is cancelled half-way by the workload; a future that is dropped has done
/// all of it or nothing, or leaves files that the next call replaces.
#[async_trait]
pub trait Archive: Send + Sync {
    /// For people: a database or a store.
    fn name(&self) -> &str;

    /// Whether proxies can be kept: they are too large for a database.
    fn keeps_proxies(&self) -> bool;

    /// Where a producer said that the video is, if somebody put it down here. What
    /// [`Archive::begin`] is told is no such thing: it is for people.
    async fn source(&self, video: Uuid) -> Result<Option<String>>;

    /// All that is known.
    async fn load(&self, video: Uuid) -> Result<Option<Analysis>>;

    /// Says that somebody has asked for a video, where no job is at work with it, nor
    /// this one has been. To be said before there is the job. `source_url` is for people.
    async fn ask(&self, asked: &Writer, source_url: Option<&str>) -> Result<()>;

    /// Sets down the video, its job, status, steps, notes and what else is known of it
    /// as a whole; its scenes, frames and transcript are not looked at. What was found
    /// of another `source_version` is forgotten first.
    async fn begin(&self, analysis: &Analysis) -> Result<()>;

    /// Replaces scenes and frames, and keeps the frames' pictures and the proxy.
    async fn keep_pictures(
        &self,
        writer: &Writer,
        scenes: &[Scene],
        frames: &[NewFrame],
        proxy: Option<PathBuf>,
    ) -> Result<()>;

    /// Replaces the transcript.
    async fn keep_transcript(&self, writer: &Writer, transcript: &Transcript) -> Result<()>;

    /// Sets down what was seen in some frames.
    async fn keep_seen(&self, writer: &Writer, seen: &[Seen]) -> Result<()>;

    /// The vectors that there are, of this model.
    async fn embeddings(&self, video: Uuid, model: &str) -> Result<Vec<Embedding>>;

    /// Replaces all vectors of the video.
    async fn keep_embeddings(&self, writer: &Writer, model: &str, all: &[Embedding]) -> Result<()>;

    /// Sets down status, error, steps and notes, of the analysis' own job.
    async fn report(&self, analysis: &Analysis) -> Result<()>;

    /// A frame's JPEG.
    async fn picture(&self, video: Uuid, frame: u32) -> Result<Option<Bytes>>;

    /// The passages nearest to a vector.
    async fn search(&self, query: &Query) -> Result<Vec<Hit>>;

    /// Forgets what was found of a video, files too. One that is not known is no error;
    /// a row that a producer made stays, as if nobody had looked yet.
    async fn forget(&self, video: Uuid) -> Result<()>;

    /// How much there is.
    async fn usage(&self) -> Result<Usage>;

    /// Whether it answers, for `/health`.
    async fn check(&self) -> Result<()>;
}
