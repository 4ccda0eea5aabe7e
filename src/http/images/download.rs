//! A link to the WebP that a job made.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::status::Shown;
use super::{Images, absent};
use crate::http::failure::{ErrorBody, Failure};
use crate::http::rfc3339;
use crate::queue::State as JobState;
use crate::store;
use crate::workload::image_api::Made;

/// Where the WebP of a finished job is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageDownload {
    url: String,
    /// When the link ends, as RFC 3339 has it; absent where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    image: Shown,
}

/// A link to the WebP of a finished job.
#[utoipa::path(
    get, path = "/api/images/{id}/download", operation_id = "getImageDownload", tag = "images",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, body = ImageDownload),
        (status = 404, body = ErrorBody, description = "There is no such job, or its result was removed after IMAGE_API_KEEP_DAYS"),
        (status = 409, body = ErrorBody, description = "It is not done"),
    )
)]
pub async fn download(
    State(api): State<Images>,
    Path(id): Path<String>,
) -> Result<Json<ImageDownload>, Failure> {
    let record = api.find(&id).await?;
    if record.state != JobState::Completed {
        let state = record.state.as_str();
        return Err(Failure::conflict(format!(
            "image job {id} is {state}; it can be fetched once it is completed"
        )));
    }
    let made = record
        .result
        .and_then(|result| serde_json::from_value::<Made>(result).ok());
    let made = made.ok_or_else(|| absent(&id))?;
    match api.store().head(&made.key).await {
        Err(store::Error::Absent { .. }) => {
            let gone = format!("the result of image job {id} is not kept any more");
            return Err(Failure::not_found(gone));
        }
        found => found?,
    };
    let link = api.store().link(&made.key, api.link_life, None).await?;
    Ok(Json(ImageDownload {
        url: link.url,
        expires_at: link.expires.map(rfc3339),
        image: made.into(),
    }))
}
