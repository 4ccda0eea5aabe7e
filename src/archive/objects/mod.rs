//! An archive of JSON and pictures in a store: `analysis/<video>/...`.
//!
//! | file | what it does |
//! |---|---|
//! | `documents.rs` | the JSON of a video, and how its parts are known to belong together |
//! | `writing.rs` | what a step found; the object that makes it count comes last |
//! | `scan.rs` | the search through the vectors of all videos, and what there is in all |

mod documents;
mod scan;
mod writing;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use self::documents::{Album, Main, Scenes, Vectors, Words, fingerprint};
use super::pictures::{self, Pictures, absent_is_none};
use super::{
    Analysis, Archive, Embedding, Error, Hit, NewFrame, Query, Result, Scene, Seen, Transcript,
    Usage, Writer,
};
use crate::store::{self, Describe, Key, Store};

const ANALYSIS: &str = "analysis.json";
const SCENES: &str = "scenes.json";
const FRAMES: &str = "frames.json";
const TRANSCRIPT: &str = "transcript.json";
const EMBEDDINGS: &str = "embeddings.json";

/// No object of ours is larger: some 3800 vectors of 1536 dimensions.
const LARGEST: u64 = 32 << 20;

/// JSON and pictures in a store. Clones are the same.
///
/// A search reads the vectors of all videos, four objects of 32 MiB at once at the
/// most: seconds for thousands of videos in a bucket. For more than that, Postgres.
#[derive(Clone)]
pub struct ObjectArchive(Arc<Shared>);

struct Shared {
    store: Store,
    pictures: Pictures,
    /// What was counted of each video, and of which state of it.
    counted: Mutex<HashMap<Uuid, scan::Counted>>,
}

impl ObjectArchive {
    /// In `store`, below its own prefix.
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Shared {
            pictures: Pictures {
                store: store.clone(),
            },
            store,
            counted: Mutex::default(),
        }))
    }
}

impl Shared {
    async fn read<T: DeserializeOwned>(&self, video: Uuid, name: &str) -> Result<Option<T>> {
        self.read_key(&pictures::key(video, name)?).await
    }

    async fn read_key<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>> {
        let unreadable = |reason: String| Error::Unreadable {
            what: self.store.name_of(key),
            reason,
        };
        let read = absent_is_none(self.store.get_within(key, LARGEST).await)?;
        let Some(within) = read else {
            return Ok(None);
        };
        let Some(bytes) = within else {
            return Err(unreadable(format!(
                "it is larger than {} MiB",
                LARGEST >> 20
            )));
        };
        let document = serde_json::from_slice(&bytes);
        document
            .map(Some)
            .map_err(|error| unreadable(error.to_string()))
    }

    async fn write(&self, video: Uuid, name: &str, document: &impl Serialize) -> Result<()> {
        let key = pictures::key(video, name)?;
        let bytes = serde_json::to_vec(document).map_err(|error| Error::Unreadable {
            what: key.to_string(),
            reason: error.to_string(),
        })?;
        if u64::try_from(bytes.len()).is_ok_and(|bytes| bytes > LARGEST) {
            return Err(Error::Store(store::Error::Refused {
                object: self.store.name_of(&key),
                reason: format!(
                    "it would be larger than {} MiB; a database takes as much \
                     (STORAGE_TYPE=postgres)",
                    LARGEST >> 20
                ),
            }));
        }
        self.store.put(&key, bytes, Describe::default()).await?;
        Ok(())
    }

    async fn main(&self, video: Uuid) -> Result<Option<Main>> {
        self.read(video, ANALYSIS).await
    }

    /// Frames and the scenes that came with them; nothing unless both are there.
    async fn seen(
        &self,
        video: Uuid,
        version: Option<&String>,
    ) -> Result<Option<(Vec<Scene>, Album)>> {
        let Some(frames) = self.read::<Album>(video, FRAMES).await? else {
            return Ok(None);
        };
        let Some(Scenes { scenes, .. }) = self.read(video, SCENES).await? else {
            return Ok(None);
        };
        let are_whole =
            frames.source_version.as_ref() == version && frames.scenes == fingerprint(&scenes);
        Ok(are_whole.then_some((scenes, frames)))
    }

    /// How far the video is, if it is still the writer's.
    async fn of(&self, writer: &Writer) -> Result<Main> {
        let main = self.main(writer.video).await?;
        main.filter(|main| main.analysis.job_id == writer.job)
            .ok_or(Error::Superseded(writer.video))
    }
}

#[async_trait]
impl Archive for ObjectArchive {
    fn name(&self) -> &str {
        self.0.store.name()
    }

    fn keeps_proxies(&self) -> bool {
        true
    }

    /// Nobody but Flatbed writes here.
    async fn source(&self, _video: Uuid) -> Result<Option<String>> {
        Ok(None)
    }

    async fn load(&self, video: Uuid) -> Result<Option<Analysis>> {
        let Some(Main { mut analysis, .. }) = self.0.main(video).await? else {
            return Ok(None);
        };
        let version = analysis.source_version.as_ref();
        let seen = self.0.seen(video, version).await?;
        let words = self.0.read::<Words>(video, TRANSCRIPT).await?;
        analysis.transcript = words
            .filter(|words| words.source_version.as_ref() == version)
            .map(|words| words.transcript);
        (analysis.scenes, analysis.frames, analysis.proxy) = match seen {
            Some((scenes, frames)) => (scenes, frames.frames, frames.proxy),
            None => (Vec::new(), Vec::new(), None),
        };
        Ok(Some(analysis))
    }

    async fn ask(&self, asked: &Writer, source_url: Option<&str>) -> Result<()> {
        self.0.ask(asked, source_url).await
    }

    async fn begin(&self, analysis: &Analysis) -> Result<()> {
        self.0.begin(analysis).await
    }

    async fn keep_pictures(
        &self,
        writer: &Writer,
        scenes: &[Scene],
        frames: &[NewFrame],
        proxy: Option<PathBuf>,
    ) -> Result<()> {
        self.0.keep_pictures(writer, scenes, frames, proxy).await
    }

    async fn keep_transcript(&self, writer: &Writer, transcript: &Transcript) -> Result<()> {
        self.0.keep_transcript(writer, transcript).await
    }

    async fn keep_seen(&self, writer: &Writer, seen: &[Seen]) -> Result<()> {
        self.0.keep_seen(writer, seen).await
    }

    async fn embeddings(&self, video: Uuid, model: &str) -> Result<Vec<Embedding>> {
        let main = self.0.main(video).await?;
        let version = main.and_then(|main| main.analysis.source_version);
        let vectors = self.0.read::<Vectors>(video, EMBEDDINGS).await?;
        let is_ours =
            |vectors: &Vectors| vectors.model == model && vectors.source_version == version;
        let Some(vectors) = vectors.filter(is_ours) else {
            return Ok(Vec::new());
        };
        let mut all: Vec<Embedding> =
            vectors
                .unpack()
                .collect::<Result<_, String>>()
                .map_err(|reason| Error::Unreadable {
                    what: format!("{EMBEDDINGS} of video {video}"),
                    reason,
                })?;
        // As the tables have them: by the kind's name.
        all.sort_by_key(|one| (one.passage.kind.as_str(), one.passage.index));
        Ok(all)
    }

    async fn keep_embeddings(&self, writer: &Writer, model: &str, all: &[Embedding]) -> Result<()> {
        self.0.keep_embeddings(writer, model, all).await
    }

    async fn report(&self, analysis: &Analysis) -> Result<()> {
        self.0.report(analysis).await
    }

    async fn picture(&self, video: Uuid, frame: u32) -> Result<Option<Bytes>> {
        let key = pictures::key(video, &pictures::picture(frame))?;
        self.0.pictures.get(&key).await
    }

    async fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        self.0.search(query).await
    }

    async fn forget(&self, video: Uuid) -> Result<()> {
        let folder = pictures::parsed(&format!("{}/{video}", pictures::ROOT))?;
        self.0.store.delete_all(&folder).await?;
        Ok(())
    }

    /// Lists the objects, and reads `analysis.json` of those videos that were written
    /// since this process last counted: of all of them at the first call.
    async fn usage(&self) -> Result<Usage> {
        self.0.usage().await
    }

    async fn check(&self) -> Result<()> {
        Ok(self.0.store.check().await?)
    }
}
