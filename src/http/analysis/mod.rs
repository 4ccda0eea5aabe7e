//! Analyses: asked for, read, searched.
//!
//! | file | what it does |
//! |---|---|
//! | [`order`] | an analysis is asked for |
//! | [`result`] | what was found, with links |
//! | [`search`] | passages near to a question |
//! | [`push`] | jobs that are pushed, signed as their documents have it |
//! | [`stats`] | `/jobs/peek` and `/stats` |

pub mod order;
pub mod push;
pub mod result;
pub mod search;
pub mod stats;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::routing::{get, post};
use uuid::Uuid;

use super::failure::Failure;
use crate::archive::{self, Analysis, Archive, Writer};
use crate::client::models::Models;
use crate::job::JobId;
use crate::queue::{Added, Admin, Counts};
use crate::store::Store;
use crate::telemetry::JobMetrics;
use crate::workload::analysis::Order;

/// What these answers are made from.
#[derive(Clone)]
pub struct Analyses {
    /// What is known.
    pub archive: Arc<dyn Archive>,
    /// Where jobs go.
    pub orders: Arc<dyn Orders>,
    /// What keeps their records, where something does.
    pub admin: Option<Arc<dyn Admin>>,
    /// Where pictures are, if not in a database.
    pub files: Option<Store>,
    /// How long a link works.
    pub link_life: Duration,
    /// What makes a question a vector, and the model's name.
    pub models: Option<(Models, String)>,
    /// What became of jobs.
    pub metrics: JobMetrics,
}

/// Where jobs go, whatever kind of queue that is.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Adds a job. When it returns, the job outlives a crash.
    async fn add(&self, id: JobId, order: &Order) -> crate::queue::Result<Added>;

    /// How many jobs there are.
    async fn counts(&self) -> crate::queue::Result<Counts>;
}

/// The routes.
pub fn routes(api: Analyses) -> Router {
    Router::new()
        .route("/api/videos/{id}/analyze", post(order::create))
        .route(
            "/api/videos/{id}/analysis",
            get(result::show).delete(result::forget),
        )
        .route("/api/videos/{id}/analysis/{part}", get(result::part))
        .route(
            "/api/videos/{id}/analysis/frames/{frame}",
            get(result::frame),
        )
        .route("/api/search", get(search::search))
        .route("/jobs/peek", get(stats::peek))
        .route("/stats", get(stats::stats))
        .with_state(api)
}

impl From<archive::Error> for Failure {
    fn from(error: archive::Error) -> Self {
        match error {
            archive::Error::Store(error) => error.into(),
            archive::Error::Database(error) => error.into(),
            superseded @ archive::Error::Superseded(_) => Self::conflict(superseded.to_string()),
            unreadable @ archive::Error::Unreadable { .. } => Self::internal(&unreadable),
        }
    }
}

impl Analyses {
    /// Adds a job, and has readers see that the video is queued: before the job is
    /// there, which may begin at once.
    async fn order(&self, job: &JobId, order: &Order) -> Result<Added, Failure> {
        let before = match self.show_queued(job, order).await {
            Ok(before) => Some(before),
            Err(error) => {
                tracing::warn!(%job, %error, "a video's status does not show that it is queued");
                None
            }
        };
        let added = self.orders.add(job.clone(), order).await;
        if let (Err(_), Some(before)) = (&added, before) {
            let undone = match &before {
                Some(known) => self.archive.begin(known).await,
                None => self.archive.forget(order.video_id).await,
            };
            if let Err(error) = undone {
                tracing::warn!(%job, %error, "a video's status shows a job that was not added");
            }
        }
        Ok(added?)
    }

    /// What was known of the video before.
    async fn show_queued(&self, job: &JobId, order: &Order) -> archive::Result<Option<Analysis>> {
        let before = self.archive.load(order.video_id).await?;
        let asked = Writer {
            video: order.video_id,
            // Queues without records have names of their own for their jobs.
            job: self.admin.is_some().then(|| job.clone()),
        };
        self.archive.ask(&asked, None).await?;
        Ok(before)
    }
}

/// What is no id is the id of no video.
fn video_id(id: &str) -> Result<Uuid, Failure> {
    id.parse().map_err(|_| absent(id))
}

fn absent(id: impl std::fmt::Display) -> Failure {
    Failure::not_found(format!("video {id} has not been analysed"))
}
