//! The six metrics that the exports document names.

use prometheus::{
    Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Result, exponential_buckets,
};

use super::adding::{Adding, job_durations};
use super::workloads::states;
use crate::queue::Counts;

/// What the exports document names.
#[derive(Clone)]
pub(super) struct Exports {
    pub(super) jobs: IntCounterVec,
    pub(super) duration: Histogram,
    pub(super) queue_size: IntGaugeVec,
    pub(super) errors: IntCounter,
    pub(super) storage_used: IntGauge,
    pub(super) export_size: Histogram,
}

impl Exports {
    pub(super) fn new(add: &Adding<'_>) -> Result<Self> {
        let jobs = add.counters(
            "video_processing_jobs_total",
            "Exports that ended, by status.",
            &["status"],
        )?;
        let queue_size = add.gauges(
            "video_processing_queue_size",
            "Exports in the queue, by state.",
            &["state"],
        )?;
        // There from the start: a rate over a series that only just began is wrong.
        for status in ["completed", "failed", "cancelled"] {
            jobs.with_label_values(&[status]);
        }
        for (state, _) in states(&Counts::default()) {
            queue_size.with_label_values(&[state]);
        }
        Ok(Self {
            jobs,
            queue_size,
            duration: add.histogram(
                "video_processing_job_duration_seconds",
                "How long an attempt at an export took, from claim to settlement.",
                job_durations()?,
            )?,
            errors: add.counter(
                "video_processing_errors_total",
                "Attempts at exports that failed, those that are tried again too.",
            )?,
            storage_used: add.gauge(
                "video_storage_used_bytes",
                "What videos and exports take in the store.",
            )?,
            export_size: add.histogram(
                "video_export_size_bytes",
                "Size of the files of finished exports.",
                exponential_buckets(64.0 * 1024.0, 4.0, 10)?,
            )?,
        })
    }
}
