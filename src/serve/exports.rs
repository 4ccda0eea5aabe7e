//! Exports: queue, store, workload and routes, put together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::time::sleep;

use super::config::Config;
use super::queues::Queue;
use crate::catalogue::{self, Catalogue};
use crate::http;
use crate::http::health::Health;
use crate::http::webhook::Webhook;
use crate::queue::Ledger;
use crate::queue::webhook::Door;
use crate::runner::{Runner, WorkThreads};
use crate::store::{Key, Store};
use crate::telemetry::{JobMetrics, Metrics};
use crate::workload::export;

/// Measuring the store lists all of its objects: it is done so seldom that it takes
/// a two-hundredth of the time, and within these bounds.
const MEASURE_PART: u32 = 200;
const MEASURE_OFTEN: Duration = Duration::from_secs(10);
const MEASURE_SELDOM: Duration = Duration::from_secs(15 * 60);

/// What exports are made of.
pub struct Exports {
    /// Where jobs are queued.
    pub queue: Queue,
    /// Where videos and results are.
    pub store: Store,
    catalogue: Catalogue,
    config: super::config::Exports,
}

impl Exports {
    /// Opens the queue and the store.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let exports = config.exports.clone();
        let queue = Queue::exports(config).await?;
        let store = Store::open(&exports.store)?;
        Ok(Self {
            catalogue: Catalogue::new(store.clone()),
            queue,
            store,
            config: exports,
        })
    }

    /// Has `/health` ask the queue and the store.
    pub fn add_checks(&self, health: &mut Health) {
        self.queue.add_check(health);
        health.add_store("storage", &self.store);
    }

    /// What needs the token.
    pub fn guarded_routes(&self) -> Router {
        http::exports::routes(self.api()).merge(http::videos::routes(http::videos::Videos {
            catalogue: self.catalogue.clone(),
            store: self.store.clone(),
            largest: self.config.largest_upload,
        }))
    }

    /// What a signature guards.
    pub fn open_routes(&self) -> Router {
        let files = http::files::routes(self.store.clone());
        let Some(config) = &self.config.webhook else {
            return files;
        };
        tracing::info!("exports can be pushed to /api/jobs/webhook");
        files.merge(http::webhook::routes(Webhook {
            door: Door::new(config),
            queue: Arc::clone(&self.queue.admin) as Arc<dyn Ledger>,
            job: export::JOB_NAME,
            check: Arc::new(self.api()),
        }))
    }

    fn api(&self) -> http::exports::Exports {
        http::exports::Exports {
            queue: Arc::clone(&self.queue.admin),
            catalogue: self.catalogue.clone(),
            store: self.store.clone(),
            link_life: self.config.link_life,
        }
    }

    /// What does the jobs.
    pub fn runner(self, work: WorkThreads, metrics: JobMetrics) -> Runner {
        let workload = export::Exports {
            catalogue: self.catalogue,
            store: self.store,
        };
        let workload = Arc::new(workload);
        Runner::new(
            self.queue.source,
            workload,
            self.config.runner,
            work,
            metrics,
        )
    }
}

/// Keeps `video_storage_used_bytes` up to date.
pub async fn measure(store: Store, metrics: Metrics) {
    loop {
        let begun = Instant::now();
        match used(&store).await {
            Ok(bytes) => metrics.set_storage_used(bytes),
            Err(error) => tracing::warn!(%error, "the store's size is not known"),
        }
        let pause = begun.elapsed().saturating_mul(MEASURE_PART);
        sleep(pause.clamp(MEASURE_OFTEN, MEASURE_SELDOM)).await;
    }
}

async fn used(store: &Store) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for prefix in [catalogue::PREFIX, export::PREFIX] {
        let folder: Key = prefix.parse()?;
        bytes += store.usage(Some(&folder)).await?.bytes;
    }
    Ok(bytes)
}
