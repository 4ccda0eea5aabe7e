//! An export is asked for, once however often.

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Exports;
use super::status::Status;
use crate::http::body::{Body, parse};
use crate::http::failure::{ErrorBody, Failure};
use crate::http::openapi::Operation;
use crate::http::webhook::Check;
use crate::job::JobId;
use crate::queue::{Added, Ledger, NewJob};
use crate::workload::export::{self, Export, operations};

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
    pub(in crate::http) fn queued(id: JobId) -> Self {
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
pub(in crate::http) fn id_of_key(key: &[u8]) -> Result<JobId, Failure> {
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
pub(in crate::http) async fn known(
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
            "{header}: it was used for other work; use a new one"
        ))),
        // Forgotten between the two calls.
        None => Ok(Taken::with(id, Status::Completed)),
    }
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
}
