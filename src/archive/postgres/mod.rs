//! An archive of rows in Postgres, the pictures in the rows or in a store.
//!
//! | file | what it does |
//! |---|---|
//! | `schema.rs`, `sql/` | the tables, in numbered steps |
//! | `reading.rs` | what is known of a video, in one statement |
//! | `writing.rs` | what a step found, in one transaction |
//! | `vectors.rs` | vectors, with pgvector or as arrays, and the search |
//! | `requests.rs` | the table `jobs`, by which producers ask for an analysis |
//!
//! What is one statement goes over a connection that all calls share; a transaction
//! has a connection of its own, for as long as it takes.

mod reading;
mod requests;
mod schema;
mod vectors;
mod writing;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

pub use self::requests::{JOB, QUEUE, Requests};
use self::vectors::Vectors;
use super::pictures::Pictures;
use super::{
    Analysis, Archive, Embedding, Error, Hit, NewFrame, Query, Result, Scene, Seen, Transcript,
    Usage, Writer,
};
use crate::queue;
use crate::queue::postgres::address::Address;
use crate::queue::postgres::connection::Lane;
use crate::queue::postgres::failure::Trouble;
pub use crate::queue::postgres::schema::Schema;
use crate::store::Store;

/// What the tables are called in messages.
const WHAT: &str = "tables of videos";

/// How long a statement may take: a frame on a slow line, or a search through all
/// vectors without an index.
const ANSWER: Duration = Duration::from_secs(30);

/// Rows in a database. Clones share its connection.
#[derive(Clone)]
pub struct PostgresArchive(Arc<Shared>);

struct Shared {
    name: String,
    address: Arc<Address>,
    lane: Lane,
    pictures: Option<Pictures>,
    /// How vectors are kept here; looked at anew after the server refused something.
    vectors: Mutex<Option<Vectors>>,
}

impl PostgresArchive {
    /// In the database at `url`, as
    /// [`PostgresQueue`](crate::queue::postgres::PostgresQueue) has it; frames and
    /// proxies in `store`, if there is one, else frames are in their rows and proxies
    /// are not kept. Connects when it is first used, and then makes or updates the
    /// tables.
    pub fn new(url: &str, store: Option<Store>) -> Result<Self> {
        let address = Arc::new(Address::of(url, WHAT)?);
        let tables = schema::ANALYSIS;
        let lane = Lane::patient(Arc::clone(&address), tables, vectors::SETUP, ANSWER);
        let mut name = format!("Postgres {}", address.server());
        if let Some(store) = &store {
            name = format!("{name} and {}", store.name());
        }
        Ok(Self(Arc::new(Shared {
            name,
            address,
            lane,
            pictures: store.map(|store| Pictures { store }),
            vectors: Mutex::default(),
        })))
    }

    /// Looks how far the tables are, and changes nothing.
    pub async fn schema(&self) -> Result<Schema> {
        Ok(schema::examine(&self.0.address).await?)
    }

    /// Makes or updates the tables, those of the queue too, and says how far they were
    /// before. Vectors that were kept before pgvector was there become its own, and get
    /// their indexes. Takes as long as it takes, up to ten minutes.
    pub async fn migrate(&self) -> Result<Schema> {
        let before = schema::migrate(&self.0.address).await?;
        self.0.index_all().await?;
        Ok(before)
    }

    /// Lets go of the connection, once the calls on it are done.
    pub async fn close(&self) {
        self.0.lane.close().await;
    }
}

impl Shared {
    fn unreadable(&self, error: tokio_postgres::Error) -> Error {
        let error: queue::Error = Trouble::from(error).error(&self.address);
        error.into()
    }
}

#[async_trait]
impl Archive for PostgresArchive {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn keeps_proxies(&self) -> bool {
        self.0.pictures.is_some()
    }

    async fn source(&self, video: Uuid) -> Result<Option<String>> {
        self.0.source(video).await
    }

    async fn load(&self, video: Uuid) -> Result<Option<Analysis>> {
        self.0.load(video).await
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
        self.0.embeddings(video, model).await
    }

    async fn keep_embeddings(&self, writer: &Writer, model: &str, all: &[Embedding]) -> Result<()> {
        self.0.keep_embeddings(writer, model, all).await
    }

    async fn report(&self, analysis: &Analysis) -> Result<()> {
        self.0.report(analysis).await
    }

    async fn picture(&self, video: Uuid, frame: u32) -> Result<Option<Bytes>> {
        self.0.picture(video, frame).await
    }

    async fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        self.0.search(query).await
    }

    async fn forget(&self, video: Uuid) -> Result<()> {
        self.0.forget(video).await
    }

    /// Counts rows: some 100 ms for a million of them.
    async fn usage(&self) -> Result<Usage> {
        self.0.usage().await
    }

    async fn check(&self) -> Result<()> {
        self.0
            .lane
            .execute("SELECT FROM videos LIMIT 1", &[])
            .await?;
        if let Some(pictures) = &self.0.pictures {
            pictures.store.check().await?;
        }
        Ok(())
    }
}
