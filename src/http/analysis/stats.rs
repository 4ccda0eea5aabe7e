//! `/jobs/peek` and `/stats`: what an operator looks at.

use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Analyses;
use crate::archive::Usage;
use crate::http::failure::Failure;
use crate::http::rfc3339;
use crate::job::JobId;
use crate::queue::{Counts, Page, Record, State as JobState};
use crate::telemetry::Finished;
use crate::workload::analysis::Order;

/// How many jobs are shown of each state.
const SHOWN: u32 = 10;

/// What the queue has.
#[derive(Debug, Serialize, ToSchema)]
pub struct Peek {
    /// How many jobs there are in each state.
    queue: Counts,
    /// Those that run and those that are next; none where the queue keeps no records.
    jobs: Vec<Peeked>,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub struct Peeked {
    id: JobId,
    /// Nothing where the message is no order.
    video_id: Option<Uuid>,
    status: JobState,
    /// Charged so far.
    attempts: u32,
    /// As RFC 3339 has it.
    enqueued_at: Option<String>,
    /// Why the last attempt failed.
    error: Option<String>,
}

/// The jobs that run and those that are next. Nothing is claimed.
#[utoipa::path(
    get, path = "/jobs/peek", operation_id = "peekJobs", tag = "analysis",
    responses((status = 200, body = Peek))
)]
pub async fn peek(State(api): State<Analyses>) -> Result<Json<Peek>, Failure> {
    let mut jobs = Vec::new();
    if let Some(admin) = &api.admin {
        for state in [JobState::Active, JobState::Waiting, JobState::Delayed] {
            let records = admin.list(state, Page::first(SHOWN)).await?;
            jobs.extend(records.into_iter().map(Peeked::from));
        }
    }
    let queue = api.orders.counts().await?;
    Ok(Json(Peek { queue, jobs }))
}

impl From<Record> for Peeked {
    fn from(record: Record) -> Self {
        let order = Order::parse(&record.payload).ok();
        let shown = |time: SystemTime| rfc3339(time);
        Self {
            video_id: order.map(|order| order.video_id),
            id: record.id,
            status: record.state,
            attempts: record.attempts,
            enqueued_at: record.enqueued_at.map(shown),
            error: record.failed_reason,
        }
    }
}

/// What this worker has done since it started, and what there is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stats {
    /// Jobs that ended well here.
    jobs_processed: u64,
    /// Jobs that failed here for good.
    jobs_failed: u64,
    /// Of those that ended, the part that ended well; nothing before the first.
    success_rate: Option<f64>,
    /// Of attempts, in seconds; nothing before the first.
    average_processing_seconds: Option<f64>,
    /// What is kept.
    storage: Usage,
    /// How many jobs there are in each state.
    queue: Counts,
}

/// Jobs, times, rates and sizes.
#[utoipa::path(
    get, path = "/stats", operation_id = "getStats", tag = "analysis",
    responses((status = 200, body = Stats))
)]
#[allow(clippy::cast_precision_loss, reason = "rates are rounded anyhow")]
pub async fn stats(State(api): State<Analyses>) -> Result<Json<Stats>, Failure> {
    let Finished {
        completed,
        failed,
        attempts,
        seconds,
    } = api.metrics.finished_so_far();
    let ended = completed + failed;
    Ok(Json(Stats {
        jobs_processed: completed,
        jobs_failed: failed,
        success_rate: (ended > 0).then(|| completed as f64 / ended as f64),
        average_processing_seconds: (attempts > 0).then(|| seconds / attempts as f64),
        storage: api.archive.usage().await?,
        queue: api.orders.counts().await?,
    }))
}
