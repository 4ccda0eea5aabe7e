//! What jobs report, to the metrics of their workload.

use std::time::Duration;

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec};

use super::Metrics;
use super::adding::gauge;
use super::exports::Exports;
use super::workloads::states;
use crate::queue::{Counts, State};

/// The workload that the names of the exports document are about.
const EXPORT: &str = "export";

/// A stage of a job's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Getting the input.
    Fetch,
    /// The engine's work.
    Engine,
    /// Putting the output away.
    Store,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Engine => "engine",
            Self::Store => "store",
        }
    }
}

/// What the jobs of one workload report to. Clones share it.
#[derive(Clone)]
pub struct JobMetrics {
    pub(super) metrics: Metrics,
    pub(super) workload: &'static str,
}

impl JobMetrics {
    /// A job began.
    pub fn began(&self) {
        self.of(&self.metrics.workloads.active).inc();
    }

    /// An attempt ended after `duration`.
    pub fn ended(&self, duration: Duration) {
        self.of(&self.metrics.workloads.active).dec();
        let seconds = duration.as_secs_f64();
        let all = &self.metrics.workloads.duration;
        all.with_label_values(&[self.workload]).observe(seconds);
        if let Some(exports) = self.exports() {
            exports.duration.observe(seconds);
        }
    }

    /// A job is finished: `completed`, `failed` or `cancelled`.
    pub fn finished(&self, status: &'static str) {
        let all = &self.metrics.workloads.jobs;
        all.with_label_values(&[self.workload, status]).inc();
        if status == "failed" {
            self.count(&self.metrics.workloads.dead);
        }
        if let Some(exports) = self.exports() {
            exports.jobs.with_label_values(&[status]).inc();
        }
    }

    /// An attempt failed, and whether the job will be tried again.
    pub fn failed(&self, again: bool) {
        if again {
            self.count(&self.metrics.workloads.retries);
        }
        if let Some(exports) = self.exports() {
            exports.errors.inc();
        }
    }

    /// A job ended at a claim: its worker was lost, in its last attempt or with a
    /// cancel asked for.
    pub fn set_aside(&self, state: State) {
        if state == State::Failed {
            self.failed(false);
        }
        self.finished(state.as_str());
    }

    /// A job was given back.
    pub fn put_back(&self) {
        self.count(&self.metrics.workloads.put_back);
    }

    /// A lease was lost.
    pub fn lease_lost(&self) {
        self.count(&self.metrics.workloads.lease_losses);
    }

    /// A call to the queue failed.
    pub fn queue_error(&self) {
        self.count(&self.metrics.workloads.queue_errors);
    }

    /// How many jobs the workload's queue has.
    pub fn set_queue_size(&self, counts: &Counts) {
        for (state, number) in states(counts) {
            let all = &self.metrics.workloads.queue_size;
            all.with_label_values(&[self.workload, state])
                .set(gauge(number));
            if let Some(exports) = self.exports() {
                exports
                    .queue_size
                    .with_label_values(&[state])
                    .set(gauge(number));
            }
        }
    }

    /// A stage took this long.
    pub fn stage(&self, stage: Stage, duration: Duration) {
        let stages = &self.metrics.workloads.stages;
        stages
            .with_label_values(&[self.workload, stage.as_str()])
            .observe(duration.as_secs_f64());
    }

    /// Bytes that were read.
    pub fn bytes_in(&self, bytes: u64) {
        let all = &self.metrics.workloads.bytes;
        all.with_label_values(&[self.workload, "in"]).inc_by(bytes);
    }

    /// Bytes that were written, of one finished output.
    pub fn bytes_out(&self, bytes: u64) {
        let all = &self.metrics.workloads.bytes;
        all.with_label_values(&[self.workload, "out"]).inc_by(bytes);
        if let Some(exports) = self.exports() {
            #[allow(clippy::cast_precision_loss)] // exact up to 9 PB
            exports.export_size.observe(bytes as f64);
        }
    }

    /// Pictures that were written.
    pub fn frames(&self, copied: u64, encoded: u64) {
        let all = &self.metrics.workloads.frames;
        all.with_label_values(&[self.workload, "copied"])
            .inc_by(copied);
        all.with_label_values(&[self.workload, "encoded"])
            .inc_by(encoded);
    }

    /// What became of jobs since the process started.
    pub fn finished_so_far(&self) -> Finished {
        let jobs = &self.metrics.workloads.jobs;
        let ended = |status| jobs.with_label_values(&[self.workload, status]).get();
        let attempts = &self.metrics.workloads.duration;
        let attempts = attempts.with_label_values(&[self.workload]);
        Finished {
            completed: ended("completed"),
            failed: ended("failed"),
            attempts: attempts.get_sample_count(),
            seconds: attempts.get_sample_sum(),
        }
    }

    /// Counts an engine thread as busy until the value is dropped.
    pub fn engine_thread(&self) -> BusyThread {
        self.metrics.engine_threads.inc();
        BusyThread(self.metrics.engine_threads.clone())
    }

    fn exports(&self) -> Option<&Exports> {
        (self.workload == EXPORT).then_some(&self.metrics.exports)
    }

    fn of(&self, gauges: &IntGaugeVec) -> IntGauge {
        gauges.with_label_values(&[self.workload])
    }

    fn count(&self, counters: &IntCounterVec) {
        counters.with_label_values(&[self.workload]).inc();
    }
}

/// What became of jobs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finished {
    /// Jobs that ended well.
    pub completed: u64,
    /// Jobs that failed for good.
    pub failed: u64,
    /// Attempts that ended, in whatever way.
    pub attempts: u64,
    /// How long they took, all together.
    pub seconds: f64,
}

/// An engine thread that is running.
pub struct BusyThread(IntGauge);

impl Drop for BusyThread {
    fn drop(&mut self) {
        self.0.dec();
    }
}
