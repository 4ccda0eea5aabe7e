//! The Prometheus registry and every metric in it.
//!
//! The six names of the exports document stand as they are there and are about
//! exports alone; everything else is `flatbed_*`, in base units. Label values
//! come from the program, never from jobs: their number is small and fixed.
//!
//! | file | what it holds |
//! |---|---|
//! | `exports.rs` | the six of the exports document |
//! | `workloads.rs` | those of all workloads |
//! | `jobs.rs` | what a job reports |
//! | `clips.rs` | what is counted of clips of cameras |
//! | `images.rs` | what is counted of requests for images |
//! | `access.rs` | what is counted of people on their way to the gates |
//! | `models.rs` | what is asked of models, and what it costs |
//! | `adding.rs` | makes them and registers them |

mod access;
mod adding;
mod clips;
mod exports;
mod images;
mod jobs;
mod models;
mod workloads;

use prometheus::{IntGauge, Registry, Result, TextEncoder};

use self::adding::{Adding, gauge};
use self::exports::Exports;
use self::workloads::Workloads;

pub use self::access::{AccessMetrics, PersonStep, Photo};
pub use self::clips::ClipMetrics;
pub use self::images::{Answered, ImageMetrics, ImageRequest};
pub use self::jobs::{BusyThread, Finished, JobMetrics, Stage};
pub use self::models::ModelMetrics;

/// All metrics of the process. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    exports: Exports,
    workloads: Workloads,
    access: AccessMetrics,
    clips: ClipMetrics,
    images: ImageMetrics,
    models: ModelMetrics,
    engine_threads: IntGauge,
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
            access: AccessMetrics::new(&add)?,
            clips: ClipMetrics::new(&add)?,
            images: ImageMetrics::new(&add)?,
            models: ModelMetrics::new(&add)?,
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

    /// The part that people on their way to the gates report to.
    pub fn access(&self) -> AccessMetrics {
        self.access.clone()
    }

    /// The part that clips of cameras report to.
    pub fn clips(&self) -> ClipMetrics {
        self.clips.clone()
    }

    /// The part that requests for images report to.
    pub fn images(&self) -> ImageMetrics {
        self.images.clone()
    }

    /// The part that calls of models report to.
    pub fn models(&self) -> ModelMetrics {
        self.models.clone()
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
