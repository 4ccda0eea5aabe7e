//! Links to the files of a finished export.

use std::time::SystemTime;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::Exports;
use crate::http::failure::{ErrorBody, Failure};
use crate::http::rfc3339;
use crate::queue::State as JobState;
use crate::workload::export::{Files, Kind};

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
    kind: Kind,
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
