//! `/api/exports`: exports are asked for, watched, fetched and cancelled.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::{Body, parse};
use super::events;
use super::failure::{ErrorBody, Failure};
use super::openapi::Operation;
use super::rfc3339;
use super::webhook::Check;
use crate::catalogue::Catalogue;
use crate::job::{JobId, Progress};
use crate::queue::{Added, Admin, Cancel, Counts, Ledger, NewJob, Page, Record, State as JobState};
use crate::store::Store;
use crate::workload::export::{self, Export, Files, operations};

/// What these answers are made from.
#[derive(Clone)]
pub struct Exports {
    /// The queue of exports.
    pub queue: Arc<dyn Admin>,
    /// Which videos there are.
    pub catalogue: Catalogue,
    /// Where results are.
    pub store: Store,
    /// How long a link to a result works.
    pub link_life: Duration,
}

/// The routes.
pub fn routes(exports: Exports) -> Router {
    Router::new()
        .route("/api/exports", post(create).get(list))
        .route("/api/exports/queue/stats", get(stats))
        .route("/api/exports/{id}", get(show).delete(cancel))
        .route("/api/exports/{id}/download", get(download))
        .route("/api/exports/{id}/retry", post(retry))
        .route("/api/exports/{id}/events", get(events::stream))
        .with_state(exports)
}

/// What to export.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateExport {
    /// The video's id, as `POST /api/videos` gave it.
    pub video_id: String,
    /// What to do, in this order.
    #[schema(value_type = Vec<Operation>, min_items = 1, max_items = 32)]
    pub operations: serde_json::Value,
}

/// An export that was taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    /// The export's id.
    id: JobId,
    /// The same.
    job_id: JobId,
    /// What it is doing.
    status: Status,
}

impl Taken {
    pub(super) fn queued(id: JobId) -> Self {
        Self::with(id, Status::Queued)
    }

    fn with(id: JobId, status: Status) -> Self {
        Self {
            job_id: id.clone(),
            id,
            status,
        }
    }
}

/// What an export is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It waits for a worker, or for its next attempt.
    Queued,
    /// A worker has it.
    Processing,
    /// Done; it can be fetched.
    Completed,
    /// It failed for good.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

impl From<JobState> for Status {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Waiting | JobState::Delayed | JobState::Paused => Self::Queued,
            JobState::Active => Self::Processing,
            JobState::Completed => Self::Completed,
            JobState::Failed => Self::Failed,
            JobState::Cancelled => Self::Cancelled,
        }
    }
}

/// What is known of an export.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportStatus {
    id: JobId,
    status: Status,
    job_status: JobStatus,
    /// The video it is made of, where the job says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    video_id: Option<String>,
    /// Attempts begun.
    attempts: u32,
    /// Attempts in all.
    max_attempts: u32,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When it was asked for, begun and finished, as RFC 3339 has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
}

/// The job behind an export.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// The queue's word for it.
    state: JobState,
    /// Percent.
    #[schema(maximum = 100)]
    progress: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    detailed_progress: Option<Progress>,
}

impl From<Record> for ExportStatus {
    fn from(record: Record) -> Self {
        let video = serde_json::from_slice::<Export>(&record.payload).ok();
        let percent = match record.state {
            JobState::Completed => 100,
            _ => record
                .progress
                .as_ref()
                .map_or(0, |progress| progress.percent),
        };
        Self {
            status: record.state.into(),
            job_status: JobStatus {
                state: record.state,
                progress: percent,
                detailed_progress: record.progress,
            },
            id: record.id,
            video_id: video.map(|export| export.video_id),
            attempts: record.attempts,
            max_attempts: record.max_attempts,
            error: record.failed_reason,
            created_at: record.enqueued_at.map(rfc3339),
            started_at: record.started_at.map(rfc3339),
            finished_at: record.finished_at.map(rfc3339),
        }
    }
}

impl ExportStatus {
    /// Whether nothing more will happen by itself.
    pub fn is_final(&self) -> bool {
        self.job_status.state.is_final()
    }
}

/// Asks for an export.
///
/// The header `Idempotency-Key` makes asking again harmless: the same key gives
/// the same export.
#[utoipa::path(
    post, path = "/api/exports", operation_id = "createExport", tag = "exports", request_body = CreateExport,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the same export")),
    responses(
        (status = 202, body = Taken),
        (status = 400, body = ErrorBody, description = "A field is wrong; the message names it"),
        (status = 404, body = ErrorBody, description = "There is no such video"),
        (status = 413, body = ErrorBody, description = "More than a description of work can be"),
        (status = 422, body = ErrorBody, description = "The video is a picture, or the idempotency key was used for other work"),
    )
)]
pub async fn create(
    State(api): State<Exports>,
    headers: HeaderMap,
    Body(asked): Body<CreateExport>,
) -> Result<(StatusCode, Json<Taken>), Failure> {
    let payload = api.payload(asked).await?;
    let id = match headers.get("idempotency-key") {
        Some(key) => id_of_key(key.as_bytes())?,
        None => JobId::random(),
    };
    let job = NewJob::new(export::JOB_NAME, payload.clone()).with_id(id.clone());
    let taken = match api.queue.add(job).await? {
        Added::New => Taken::queued(id),
        Added::Known => known(api.queue.as_ref(), id, &payload, "Idempotency-Key").await?,
    };
    Ok((StatusCode::ACCEPTED, Json(taken)))
}

/// The id of the job that a key stands for. Not the key itself: one who knows the
/// id of a foreign job could else ask whether it exists.
fn id_of_key(key: &[u8]) -> Result<JobId, Failure> {
    const LONGEST: usize = 255;
    if key.is_empty() || key.len() > LONGEST {
        return Err(Failure::bad_request(format!(
            "Idempotency-Key: expected 1 to {LONGEST} bytes"
        )));
    }
    let space = Uuid::new_v5(&Uuid::NAMESPACE_OID, b"flatbed idempotency key");
    Ok(JobId::of_foreign(&Uuid::new_v5(&space, key).to_string()))
}

/// What became of the job that `header` named earlier.
pub(super) async fn known(
    queue: &dyn Ledger,
    id: JobId,
    payload: &[u8],
    header: &str,
) -> Result<Taken, Failure> {
    let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
    let is_same = |before: &[u8]| {
        before == payload || value(before).is_some_and(|before| value(payload) == Some(before))
    };
    match queue.find(&id).await? {
        Some(record) if is_same(&record.payload) => Ok(Taken::with(id, record.state.into())),
        Some(_) => Err(Failure::unfit(format!(
            "{header}: it was used for another export; use a new one"
        ))),
        // Forgotten between the two calls.
        None => Ok(Taken::with(id, Status::Completed)),
    }
}

/// What an export is doing.
#[utoipa::path(
    get, path = "/api/exports/{id}", operation_id = "getExport", tag = "exports",
    params(("id" = String, Path, description = "The export's id")),
    responses((status = 200, body = ExportStatus), (status = 404, body = ErrorBody))
)]
pub async fn show(
    State(api): State<Exports>,
    Path(id): Path<String>,
) -> Result<Json<ExportStatus>, Failure> {
    Ok(Json(api.find(&id).await?.into()))
}

#[async_trait]
impl Check for Exports {
    async fn check(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        self.payload(parse(body)?).await
    }
}

impl Exports {
    /// The job of what is asked for, once it is known that it can be done.
    async fn payload(&self, asked: CreateExport) -> Result<Vec<u8>, Failure> {
        let operations = operations::check(&asked.operations).map_err(Failure::bad_request)?;
        let video = self.catalogue.find(&asked.video_id).await?;
        let video = video.ok_or_else(|| {
            Failure::not_found(format!("videoId: there is no video {:?}", asked.video_id))
        })?;
        video.check_operations().map_err(Failure::unfit)?;
        for name in operations::images(&operations) {
            let found = self.catalogue.image(name).await?;
            found.ok_or_else(|| {
                Failure::bad_request(format!(
                    "operations: watermark: image: there is no {name:?}; upload it by POST \
                 /api/videos, or give the key of an object in the store"
                ))
            })?;
        }
        let export = Export {
            video_id: asked.video_id,
            operations: asked.operations,
        };
        serde_json::to_vec(&export).map_err(|error| Failure::internal(&error))
    }

    pub(super) async fn find(&self, id: &str) -> Result<Record, Failure> {
        let absent = || Failure::not_found(format!("there is no export {id:?}"));
        let id: JobId = id.parse().map_err(|_| absent())?;
        self.queue.find(&id).await?.ok_or_else(absent)
    }
}

/// Which exports are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// `waiting`, `active`, `completed`, `failed`, `delayed`, `paused` or
    /// `cancelled`.
    #[param(inline)]
    state: JobState,
    /// How many to pass over.
    #[serde(default)]
    offset: u32,
    /// How many at most, up to 1000.
    #[serde(default = "hundred")]
    limit: u32,
}

fn hundred() -> u32 {
    100
}

/// The exports in a state, the last finished ones first.
#[utoipa::path(
    get, path = "/api/exports", operation_id = "listExports", tag = "exports", params(Which),
    responses((status = 200, body = Vec<ExportStatus>), (status = 400, body = ErrorBody))
)]
pub async fn list(
    State(api): State<Exports>,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Vec<ExportStatus>>, Failure> {
    let Query(which) = which.map_err(|error| Failure::bad_request(error.body_text()))?;
    let page = Page {
        offset: which.offset,
        limit: which.limit.min(1000),
    };
    let records = api.queue.list(which.state, page).await?;
    Ok(Json(records.into_iter().map(Into::into).collect()))
}

/// Where the files of a finished export are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Download {
    /// The video's link, or the first picture's where there is no video.
    url: String,
    /// When the links end, as RFC 3339 has it; absent where they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    files: Vec<Link>,
}

/// One file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Link {
    #[schema(example = "video.mp4")]
    name: String,
    /// `video` or `thumbnail`.
    kind: export::Kind,
    bytes: u64,
    url: String,
}

/// Links to the files of a finished export.
#[utoipa::path(
    get, path = "/api/exports/{id}/download", operation_id = "getExportDownload", tag = "exports",
    params(("id" = String, Path, description = "The export's id")),
    responses(
        (status = 200, body = Download), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It is not done"),
    )
)]
pub async fn download(
    State(api): State<Exports>,
    Path(id): Path<String>,
) -> Result<Json<Download>, Failure> {
    let record = api.find(&id).await?;
    if record.state != JobState::Completed {
        let state = record.state.as_str();
        return Err(Failure::conflict(format!(
            "export {id} is {state}; it can be fetched once it is completed"
        )));
    }
    let files = record
        .result
        .and_then(|result| serde_json::from_value::<Files>(result).ok());
    let files = files.ok_or_else(|| {
        Failure::not_found(format!(
            "export {id} was done by another worker, which left no files"
        ))
    })?;
    let mut links = Vec::new();
    let mut expires: Option<SystemTime> = None;
    for file in files.files {
        let link = api
            .store
            .link(&file.key, api.link_life, Some(&file.name))
            .await?;
        expires = [expires, link.expires].into_iter().flatten().min();
        links.push(Link {
            url: link.url,
            name: file.name,
            kind: file.kind,
            bytes: file.bytes,
        });
    }
    let first = links
        .first()
        .ok_or_else(|| Failure::not_found(format!("export {id} came to no files")))?;
    Ok(Json(Download {
        url: first.url.clone(),
        expires_at: expires.map(rfc3339),
        files: links,
    }))
}

/// An export that was cancelled, or whose worker was told to stop.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled {
    id: JobId,
    /// `cancelled`, or `processing` until the worker has stopped, which takes up
    /// to 2 seconds.
    status: Status,
}

/// Cancels an export.
#[utoipa::path(
    delete, path = "/api/exports/{id}", operation_id = "cancelExport", tag = "exports",
    params(("id" = String, Path, description = "The export's id")),
    responses(
        (status = 200, body = Cancelled), (status = 202, body = Cancelled),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It was finished already"),
    )
)]
pub async fn cancel(
    State(api): State<Exports>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Cancelled>), Failure> {
    let absent = || Failure::not_found(format!("there is no export {id:?}"));
    let job: JobId = id.parse().map_err(|_| absent())?;
    let (code, status) = match api.queue.cancel(&job).await? {
        Cancel::Cancelled | Cancel::TooLate(JobState::Cancelled) => {
            (StatusCode::OK, Status::Cancelled)
        }
        Cancel::Asked => (StatusCode::ACCEPTED, Status::Processing),
        Cancel::TooLate(state) => {
            let state = state.as_str();
            return Err(Failure::conflict(format!("export {id} is {state} already")));
        }
        Cancel::Unknown => return Err(absent()),
    };
    Ok((code, Json(Cancelled { id: job, status })))
}

/// Gives a failed or cancelled export all its attempts anew.
#[utoipa::path(
    post, path = "/api/exports/{id}/retry", operation_id = "retryExport", tag = "exports",
    params(("id" = String, Path, description = "The export's id")),
    responses(
        (status = 202, body = Taken), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It is neither failed nor cancelled"),
    )
)]
pub async fn retry(
    State(api): State<Exports>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Taken>), Failure> {
    let record = api.find(&id).await?;
    if !api.queue.retry(&record.id).await? {
        let state = record.state.as_str();
        return Err(Failure::conflict(format!(
            "export {id} is {state}; only what failed or was cancelled can be tried again"
        )));
    }
    Ok((StatusCode::ACCEPTED, Json(Taken::queued(record.id))))
}

/// How many exports there are in each state.
#[utoipa::path(
    get, path = "/api/exports/queue/stats", operation_id = "countExports", tag = "exports",
    responses((status = 200, body = Counts))
)]
pub async fn stats(State(api): State<Exports>) -> Result<Json<Counts>, Failure> {
    Ok(Json(api.queue.counts().await?))
}
