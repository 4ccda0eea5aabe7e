//! The table `jobs`, by which producers that speak SQL ask for an analysis.
//!
//! Triggers keep it in step with the queue ([`QUEUE`], `sql/jobs.sql`); who consumes
//! that queue has to do here only that the tables are made.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::Schema;
use super::schema;
use crate::archive::{Error, Result};
use crate::queue::postgres::address::Address;
use crate::queue::postgres::connection::Lane;
use crate::queue::postgres::failure::Trouble;

/// The queue that the triggers write to.
pub const QUEUE: &str = "video-analysis";

/// The name of the jobs in it.
pub const JOB: &str = "analyze";

/// Between two looks whether `jobs` is behind.
const PAUSE: Duration = Duration::from_secs(5);

/// How long a statement may take.
const ANSWER: Duration = Duration::from_secs(10);

/// The tables `videos` and `jobs` of a database, whoever keeps what is found.
#[derive(Clone)]
pub struct Requests(Arc<Shared>);

struct Shared {
    address: Arc<Address>,
    lane: Lane,
}

impl Requests {
    /// Those of the database at `url`. Connects when it is first used, and then makes or
    /// updates the tables.
    pub fn new(url: &str) -> Result<Self> {
        let address = Arc::new(Address::of(url, super::WHAT)?);
        let lane = Lane::patient(Arc::clone(&address), schema::ANALYSIS, "", ANSWER);
        Ok(Self(Arc::new(Shared { address, lane })))
    }

    /// Looks how far the tables are, and changes nothing.
    pub async fn schema(&self) -> Result<Schema> {
        Ok(schema::examine(&self.0.address).await?)
    }

    /// Makes or updates the tables, and says how far they were before.
    pub async fn migrate(&self) -> Result<Schema> {
        Ok(schema::migrate(&self.0.address).await?)
    }

    /// Makes the tables that are missing, and sets down how often a job is tried that
    /// comes by them from now on.
    pub async fn prepare(&self, attempts: u32) -> Result<()> {
        const SET: &str = "
            INSERT INTO flatbed_analysis_settings AS set (max_attempts) VALUES ($1)
            ON CONFLICT (is_only) DO UPDATE SET max_attempts = EXCLUDED.max_attempts
            WHERE set.max_attempts <> EXCLUDED.max_attempts";
        let attempts = i32::try_from(attempts.max(1)).unwrap_or(i32::MAX);
        self.0.lane.execute(SET, &[&attempts]).await?;
        Ok(())
    }

    /// Where a producer said that the video is.
    pub async fn source(&self, video: Uuid) -> Result<Option<String>> {
        const SOURCE: &str = "SELECT source_url::text FROM videos WHERE id = $1";
        let row = self.0.lane.query_row(SOURCE, &[&video]).await?;
        let source = row.map(|row| row.try_get(0)).transpose();
        let source = source.map_err(|error| Trouble::from(error).error(&self.0.address));
        Ok(source.map_err(Error::from)?.flatten())
    }

    /// Brings `jobs` up to date where somebody held a row of it while a worker had news
    /// of that; how many rows. Every few seconds is often enough: it is one look at a
    /// table that is empty as a rule.
    pub async fn catch_up(&self) -> Result<u64> {
        const SOME: &str = "SELECT flatbed_jobs_catch_up()";
        let mut all = 0;
        loop {
            let row = self.0.lane.query_row(SOME, &[]).await?;
            let told = row.map(|row| row.try_get::<_, i64>(0)).transpose();
            let told = told.map_err(|error| Trouble::from(error).error(&self.0.address))?;
            match told.unwrap_or_default().unsigned_abs() {
                0 => return Ok(all),
                some => all += some,
            }
        }
    }

    /// Does so every few seconds, for as long as it is polled.
    pub async fn keep_up(&self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            if let Err(error) = self.catch_up().await {
                tracing::warn!(%error, "the table jobs may be behind");
            }
        }
    }

    /// Lets go of the connection, once the calls on it are done.
    pub async fn close(&self) {
        self.0.lane.close().await;
    }
}
