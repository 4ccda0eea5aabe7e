//! What is known of an image's job.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::exports::status::{JobStatus, Status};
use crate::http::rfc3339;
use crate::job::JobId;
use crate::queue::Record;
use crate::workload::image_api::Made;

/// What an image's job is doing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageStatus {
    id: JobId,
    status: Status,
    job_status: JobStatus,
    /// What it came to, once it is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    image: Option<Shown>,
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

/// An image that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Image)]
pub struct Shown {
    /// In pixels.
    width: u32,
    /// In pixels.
    height: u32,
    /// The pictures: 1 unless it is an animation.
    frames: u64,
    /// The size of the WebP.
    bytes: u64,
    /// What a person should know.
    notes: Vec<String>,
}

impl From<Made> for Shown {
    fn from(made: Made) -> Self {
        Self {
            width: made.width,
            height: made.height,
            frames: made.frames,
            bytes: made.bytes,
            notes: made.notes,
        }
    }
}

impl From<Record> for ImageStatus {
    fn from(record: Record) -> Self {
        let job_status = JobStatus::from(&record);
        let made = record
            .result
            .and_then(|result| serde_json::from_value::<Made>(result).ok());
        Self {
            status: record.state.into(),
            job_status,
            id: record.id,
            image: made.map(Shown::from),
            attempts: record.attempts,
            max_attempts: record.max_attempts,
            error: record.failed_reason,
            created_at: record.enqueued_at.map(rfc3339),
            started_at: record.started_at.map(rfc3339),
            finished_at: record.finished_at.map(rfc3339),
        }
    }
}
