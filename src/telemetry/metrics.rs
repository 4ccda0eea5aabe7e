//! The Prometheus registry and every metric in it.
//!
//! The six names of the exports document stand as they are there and are about
//! exports alone; everything else is `flatbed_*`, in base units. Label values
//! come from the program, never from jobs: their number is small and fixed.

use std::time::Duration;

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, Result, TextEncoder, exponential_buckets,
};

use crate::queue::Counts;

/// The workload that the names of the exports document are about.
const EXPORT: &str = "export";

/// All metrics of the process. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    exports: Exports,
    workloads: Workloads,
    engine_threads: IntGauge,
}

/// What the exports document names.
#[derive(Clone)]
struct Exports {
    jobs: IntCounterVec,
    duration: Histogram,
    queue_size: IntGaugeVec,
    errors: IntCounter,
    storage_used: IntGauge,
    export_size: Histogram,
}

/// The same for all workloads, and more.
#[derive(Clone)]
struct Workloads {
    jobs: IntCounterVec,
    duration: HistogramVec,
    queue_size: IntGaugeVec,
    active: IntGaugeVec,
    retries: IntCounterVec,
    dead: IntCounterVec,
    put_back: IntCounterVec,
    lease_losses: IntCounterVec,
    queue_errors: IntCounterVec,
    stages: HistogramVec,
    bytes: IntCounterVec,
    frames: IntCounterVec,
}

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

impl Metrics {
    /// A registry with all metrics in it. An error is a mistake in this file.
    pub fn new() -> Result<Self> {
        let registry = Registry::new();
        let add = Adding(&registry);
        let build = add.gauges(
            "flatbed_build_info",
            "What this program is made of; always 1.",
            &["version", "revision", "ffmpeg"],
        )?;
        build
            .with_label_values(&[
                env!("CARGO_PKG_VERSION"),
                env!("FLATBED_GIT_REVISION"),
                flatbed_media::ffmpeg_version().version,
            ])
            .set(1);
        Ok(Self {
            exports: Exports::new(&add)?,
            workloads: Workloads::new(&add)?,
            engine_threads: add.gauge(
                "flatbed_engine_threads_busy",
                "Engine threads that jobs have started and that are running.",
            )?,
            registry,
        })
    }

    /// The part that the jobs of one workload report to.
    pub fn workload(&self, workload: &'static str) -> JobMetrics {
        JobMetrics {
            metrics: self.clone(),
            workload,
        }
    }

    /// `video_storage_used_bytes`: what videos and exports take in the store.
    pub fn set_storage_used(&self, bytes: u64) {
        self.exports.storage_used.set(gauge(bytes));
    }

    /// Where other modules add metrics of their own.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// All of it in Prometheus's text format (`text/plain; version=0.0.4`).
    pub fn render(&self) -> Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

impl Exports {
    fn new(add: &Adding<'_>) -> Result<Self> {
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

impl Workloads {
    fn new(add: &Adding<'_>) -> Result<Self> {
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
                "Jobs given back because this process ended.",
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

/// What the jobs of one workload report to. Clones share it.
#[derive(Clone)]
pub struct JobMetrics {
    metrics: Metrics,
    workload: &'static str,
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

/// An engine thread that is running.
pub struct BusyThread(IntGauge);

impl Drop for BusyThread {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The six states of the exports API.
fn states(counts: &Counts) -> [(&'static str, u64); 6] {
    counts
        .by_state()
        .map(|(state, number)| (state.as_str(), number))
}

/// From an image to an hour's deadline.
fn job_durations() -> Result<Vec<f64>> {
    exponential_buckets(0.05, 2.5, 14)
}

fn gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Makes metrics and registers them.
struct Adding<'a>(&'a Registry);

impl Adding<'_> {
    fn register<M: prometheus::core::Collector + Clone + 'static>(&self, metric: M) -> Result<M> {
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter> {
        self.register(IntCounter::new(name, help)?)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
        self.register(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge> {
        self.register(IntGauge::new(name, help)?)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec> {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn histogram(&self, name: &str, help: &str, buckets: Vec<f64>) -> Result<Histogram> {
        self.register(Histogram::with_opts(
            HistogramOpts::new(name, help).buckets(buckets),
        )?)
    }

    fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: Vec<f64>,
    ) -> Result<HistogramVec> {
        let options = HistogramOpts::new(name, help).buckets(buckets);
        self.register(HistogramVec::new(options, labels)?)
    }
}
