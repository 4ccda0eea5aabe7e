//! `/api/images`: images become WebP, at once where they are small, else as jobs.
//!
//! | file | what it does |
//! |---|---|
//! | [`create`] | an image is asked for |
//! | `form.rs`, `coming.rs` | what a request asks for, and its image as it comes |
//! | [`desk`] | how much is taken on at once |
//! | [`answer`] | the image, on its way to who asked |
//! | [`status`], [`download`] | a job: what is known of it, a link to its result |

pub mod answer;
mod coming;
pub mod create;
pub mod desk;
pub mod download;
mod form;
pub mod status;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};

use self::desk::Desk;
use self::form::Ticket;
use self::status::ImageStatus;
use super::exports::Cancelled;
use super::failure::{ErrorBody, Failure};
use crate::fetch::Fetcher;
use crate::job::JobId;
use crate::queue::{Admin, Cancel, Record};
use crate::store::Store;
use crate::telemetry::{ImageMetrics, JobMetrics};
use crate::workload::image_api::ImageApi;

/// What these answers are made from.
#[derive(Clone)]
pub struct Images {
    /// Where jobs wait.
    pub queue: Arc<dyn Admin>,
    /// What makes images, with the store.
    pub images: ImageApi,
    /// How much is taken on at once.
    pub desk: Desk,
    /// How long a link to a result works.
    pub link_life: Duration,
    /// Where requests are counted.
    pub requests: ImageMetrics,
    /// Where the work of those that are made at once is counted.
    pub work: JobMetrics,
}

/// The routes.
pub fn routes(images: Images) -> Router {
    // The upload counts its own bytes, as does what reads JSON.
    let create = post(create::create).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/api/images", create)
        .route("/api/images/{id}", get(show).delete(cancel))
        .route("/api/images/{id}/download", get(download::download))
        .with_state(images)
}

impl Images {
    fn store(&self) -> &Store {
        &self.images.store
    }

    fn fetcher(&self) -> &Fetcher {
        &self.images.fetcher
    }

    fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The most bytes of an image.
    fn largest(&self) -> u64 {
        self.images.optimiser.limits().image.max_bytes
    }

    /// Whether a job is known that its caller named.
    async fn knows(&self, job: &Ticket) -> Result<bool, Failure> {
        Ok(job.is_named && self.queue.find(&job.id).await?.is_some())
    }

    async fn find(&self, id: &str) -> Result<Record, Failure> {
        let found = self.queue.find(&job_id(id)?).await?;
        found.ok_or_else(|| absent(id))
    }
}

/// What cannot be an id is the id of no job.
fn job_id(id: &str) -> Result<JobId, Failure> {
    id.parse().map_err(|_| absent(id))
}

fn absent(id: &str) -> Failure {
    Failure::not_found(format!("there is no image job {id:?}"))
}

/// What an image's job is doing.
#[utoipa::path(
    get, path = "/api/images/{id}", operation_id = "getImage", tag = "images",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, body = ImageStatus), (status = 404, body = ErrorBody))
)]
pub async fn show(
    State(api): State<Images>,
    Path(id): Path<String>,
) -> Result<Json<ImageStatus>, Failure> {
    Ok(Json(api.find(&id).await?.into()))
}

/// Cancels an image's job.
#[utoipa::path(
    delete, path = "/api/images/{id}", operation_id = "cancelImage", tag = "images",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, body = Cancelled), (status = 202, body = Cancelled),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It was finished already"),
    )
)]
pub async fn cancel(
    State(api): State<Images>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Cancelled>), Failure> {
    let job = job_id(&id)?;
    let cancel = api.queue.cancel(&job).await?;
    if cancel == Cancel::Cancelled {
        // No worker will tidy up behind it.
        api.images.remove(&job).await;
    }
    let cancelled = Cancelled::of(job, cancel);
    cancelled.map_err(|state| match state {
        Some(state) => {
            let state = state.as_str();
            Failure::conflict(format!("image job {id} is {state} already"))
        }
        None => absent(&id),
    })
}
