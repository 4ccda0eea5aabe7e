//! Images over HTTP: queue, store, engine, workload and routes, put together.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;

use super::config::{Config, ImageApi as Settings};
use super::queues::Queue;
use crate::fetch::Fetcher;
use crate::http;
use crate::http::health::Health;
use crate::http::images::desk::Desk;
use crate::runner::{Runner, WorkThreads};
use crate::store::Store;
use crate::telemetry::{JobMetrics, Metrics};
use crate::workload::image::Optimiser;
use crate::workload::image_api;

/// What images over HTTP are made of.
pub struct ImageApi {
    /// Where jobs are queued.
    pub queue: Queue,
    /// Where uploads and results are.
    pub store: Store,
    /// Where requests are taken.
    pub desk: Desk,
    images: image_api::ImageApi,
    settings: Settings,
    link_life: Duration,
}

impl ImageApi {
    /// Opens the queue and the store, and starts threads for the engine.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let settings = config.image_api.clone();
        let store = Store::open(&config.exports.store)?;
        let fetcher = Fetcher::new(settings.fetch.clone()).context("downloads")?;
        let optimiser = Optimiser::new(&settings.costs).await;
        Ok(Self {
            queue: Queue::image_api(config).await?,
            desk: Desk::new(settings.desk.clone()),
            images: image_api::ImageApi {
                store: store.clone(),
                fetcher,
                optimiser: optimiser.context("threads for images")?,
            },
            store,
            settings,
            link_life: config.exports.link_life,
        })
    }

    /// Has `/health` ask the queue and the store.
    pub fn add_checks(&self, health: &mut Health) {
        self.queue.add_check(health);
        health.add_store("storage", &self.store);
    }

    /// What needs the token.
    pub fn guarded_routes(&self, metrics: &Metrics, work: JobMetrics) -> Router {
        http::images::routes(http::images::Images {
            queue: Arc::clone(&self.queue.admin),
            images: self.images.clone(),
            desk: self.desk.clone(),
            link_life: self.link_life,
            requests: metrics.images(),
            work,
        })
    }

    /// What a signature guards.
    pub fn open_routes(&self) -> Router {
        http::files::routes(self.store.clone())
    }

    /// Removes what is old, for as long as it is let.
    pub async fn tidy(store: Store, keep: Option<Duration>) {
        if let Some(keep) = keep {
            image_api::leftovers::remove(store, keep).await;
        }
    }

    /// How long results are kept.
    pub fn keep(&self) -> Option<Duration> {
        self.settings.keep
    }

    /// What does the jobs.
    pub fn runner(self, work: WorkThreads, metrics: JobMetrics) -> Runner {
        let workload = Arc::new(self.images);
        let runner = self.settings.runner;
        Runner::new(self.queue.source, workload, runner, work, metrics)
    }
}
