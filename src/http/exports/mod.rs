//! `/api/exports`: exports are asked for, watched, fetched and cancelled.
//!
//! | file | what it does |
//! |---|---|
//! | [`create`] | an export is asked for, once however often |
//! | [`status`] | what is known of one, as its JSON has it |
//! | [`download`] | links to its files |

pub mod create;
pub mod download;
pub mod status;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::create::Taken;
use self::status::{ExportStatus, Status};
use super::events;
use super::failure::{ErrorBody, Failure};
use crate::catalogue::Catalogue;
use crate::job::JobId;
use crate::queue::{Admin, Cancel, Counts, Page, Record, State as JobState};
use crate::store::Store;

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
        .route("/api/exports", post(create::create).get(list))
        .route("/api/exports/queue/stats", get(stats))
        .route("/api/exports/{id}", get(show).delete(cancel))
        .route("/api/exports/{id}/download", get(download::download))
        .route("/api/exports/{id}/retry", post(retry))
        .route("/api/exports/{id}/events", get(events::stream))
        .with_state(exports)
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

impl Exports {
    pub(in crate::http) async fn find(&self, id: &str) -> Result<Record, Failure> {
        let found = self.queue.find(&job_id(id)?).await?;
        found.ok_or_else(|| absent(id))
    }
}

/// What cannot be an id is the id of no export.
fn job_id(id: &str) -> Result<JobId, Failure> {
    id.parse().map_err(|_| absent(id))
}

fn absent(id: &str) -> Failure {
    Failure::not_found(format!("there is no export {id:?}"))
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
    let job = job_id(&id)?;
    let cancel = api.queue.cancel(&job).await?;
    let cancelled = Cancelled::of(job, cancel);
    cancelled.map_err(|state| match state {
        Some(state) => {
            let state = state.as_str();
            Failure::conflict(format!("export {id} is {state} already"))
        }
        None => absent(&id),
    })
}

impl Cancelled {
    /// The answer to a cancel; an error is the state of a job that had ended, or
    /// nothing where there is none.
    pub(in crate::http) fn of(
        id: JobId,
        cancel: Cancel,
    ) -> Result<(StatusCode, Json<Self>), Option<JobState>> {
        let (code, status) = match cancel {
            Cancel::Cancelled | Cancel::TooLate(JobState::Cancelled) => {
                (StatusCode::OK, Status::Cancelled)
            }
            Cancel::Asked => (StatusCode::ACCEPTED, Status::Processing),
            Cancel::TooLate(state) => return Err(Some(state)),
            Cancel::Unknown => return Err(None),
        };
        Ok((code, Json(Self { id, status })))
    }
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
