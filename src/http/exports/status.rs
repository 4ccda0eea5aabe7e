//! What is known of an export.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::rfc3339;
use crate::job::{JobId, Progress};
use crate::queue::{Record, State};
use crate::workload::export::Export;

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

impl From<State> for Status {
    fn from(state: State) -> Self {
        match state {
            State::Waiting | State::Delayed | State::Paused => Self::Queued,
            State::Active => Self::Processing,
            State::Completed => Self::Completed,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
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
    state: State,
    /// Percent.
    #[schema(maximum = 100)]
    progress: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    detailed_progress: Option<Progress>,
}

impl From<&Record> for JobStatus {
    fn from(record: &Record) -> Self {
        let percent = match record.state {
            State::Completed => 100,
            _ => record
                .progress
                .as_ref()
                .map_or(0, |progress| progress.percent),
        };
        Self {
            state: record.state,
            progress: percent,
            detailed_progress: record.progress.clone(),
        }
    }
}

impl From<Record> for ExportStatus {
    fn from(record: Record) -> Self {
        let video = serde_json::from_slice::<Export>(&record.payload).ok();
        Self {
            status: record.state.into(),
            job_status: JobStatus::from(&record),
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
