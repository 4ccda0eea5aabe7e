//! The metrics of all workloads, exports among them.

use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec, Result, exponential_buckets};

use super::adding::{Adding, job_durations};
use crate::queue::Counts;

/// The same for all workloads, and more.
#[derive(Clone)]
pub(super) struct Workloads {
    pub(super) jobs: IntCounterVec,
    pub(super) duration: HistogramVec,
    pub(super) queue_size: IntGaugeVec,
    pub(super) active: IntGaugeVec,
    pub(super) retries: IntCounterVec,
    pub(super) dead: IntCounterVec,
    pub(super) put_back: IntCounterVec,
    pub(super) lease_losses: IntCounterVec,
    pub(super) queue_errors: IntCounterVec,
    pub(super) stages: HistogramVec,
    pub(super) bytes: IntCounterVec,
    pub(super) frames: IntCounterVec,
}

impl Workloads {
    pub(super) fn new(add: &Adding<'_>) -> Result<Self> {
        let by_workload = |name, help| add.counters(name, help, &["workload"]);
        Ok(Self {
            jobs: add.counters(
                "flatbed_jobs_total",
                "Jobs that ended, by workload and status.",
                &["workload", "status"],
            )?,
            duration: add.histograms(
                "flatbed_job_duration_seconds",
                "How long an attempt at a job took, from claim to settlement.",
                &["workload"],
                job_durations()?,
            )?,
            queue_size: add.gauges(
                "flatbed_queue_jobs",
                "Jobs in the queue, by workload and state.",
                &["workload", "state"],
            )?,
            active: add.gauges(
                "flatbed_jobs_running",
                "Jobs that this process works on.",
                &["workload"],
            )?,
            retries: by_workload(
                "flatbed_job_retries_total",
                "Attempts that failed and are tried again.",
            )?,
            dead: by_workload(
                "flatbed_jobs_dead_total",
                "Jobs set aside: out of attempts, or rejected.",
            )?,
            put_back: by_workload(
                "flatbed_jobs_put_back_total",
                "Jobs given back uncharged: this process ended, or what all jobs need was away.",
            )?,
            lease_losses: by_workload(
                "flatbed_lease_losses_total",
                "Jobs whose lease was lost while they ran.",
            )?,
            queue_errors: by_workload(
                "flatbed_queue_errors_total",
                "Calls to the queue that failed.",
            )?,
            stages: add.histograms(
                "flatbed_stage_duration_seconds",
                "How long a stage of a job took.",
                &["workload", "stage"],
                exponential_buckets(0.01, 4.0, 10)?,
            )?,
            bytes: add.counters(
                "flatbed_bytes_total",
                "Bytes that jobs read and wrote, by direction: in or out.",
                &["workload", "direction"],
            )?,
            frames: add.counters(
                "flatbed_frames_total",
                "Pictures that jobs wrote: copied or encoded.",
                &["workload", "how"],
            )?,
        })
    }
}

/// The six states of the exports API.
pub(super) fn states(counts: &Counts) -> [(&'static str, u64); 6] {
    counts
        .by_state()
        .map(|(state, number)| (state.as_str(), number))
}
