//! `POST /api/videos/{id}/analyze`: an analysis is asked for.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Analyses;
use crate::http::failure::{ErrorBody, Failure};
use crate::job::JobId;
use crate::workload::analysis::Order;

/// What may be said of it; an empty body says nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Analyze {
    /// Where the video is, if it is not in the catalogue: https, s3 or file.
    #[serde(default)]
    source_url: Option<String>,
    /// Find out everything anew.
    #[serde(default)]
    force: bool,
}

/// It was taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ordered {
    /// The job's id.
    pub job_id: JobId,
    /// The video's.
    pub video_id: Uuid,
    /// Always `queued`.
    #[schema(pattern = "^queued$")]
    pub status: &'static str,
}

/// Has a video analysed: proxy, scenes and frames, and what models make of them.
///
/// One that was analysed and has not changed is done at once; steps that failed or
/// were off are made up for.
#[utoipa::path(
    post, path = "/api/videos/{id}/analyze", operation_id = "analyzeVideo", tag = "analysis",
    params(("id" = String, Path, description = "The video's id, a UUID")),
    request_body(content = Option<Analyze>),
    responses(
        (status = 202, body = Ordered),
        (status = 400, body = ErrorBody, description = "The id or the body is not what it should be"),
    )
)]
pub async fn create(
    State(api): State<Analyses>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Ordered>), Failure> {
    let video_id: Uuid = id
        .parse()
        .map_err(|_| Failure::bad_request(format!("id: {id:?} is no UUID")))?;
    let asked: Analyze = if body.is_empty() {
        Analyze::default()
    } else {
        serde_json::from_slice(&body)
            .map_err(|error| Failure::bad_request(format!("the body: {error}")))?
    };
    let order = Order {
        video_id,
        source_url: asked.source_url,
        force: asked.force,
    };
    let job_id = JobId::random();
    api.order(&job_id, &order).await?;
    let ordered = Ordered {
        job_id,
        video_id,
        status: "queued",
    };
    Ok((StatusCode::ACCEPTED, Json(ordered)))
}
