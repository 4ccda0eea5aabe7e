//! What runs and what answers: the parts of all workloads that are on. The log says
//! of each whether it is, and else why not.

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;

use super::access::Access;
use super::analysis::Analysis;
use super::cctv::Cctv;
use super::config::{self, Config, WorkloadName};
use super::exports::{self, Exports};
use super::image_api::ImageApi;
use super::images::Images;
use crate::http::health::Health;
use crate::http::images::desk::Desk;
use crate::http::metrics::{Count, counting};
use crate::queue::DeadLetters as _;
use crate::runner::{Runner, WorkThreads};
use crate::telemetry::{JobMetrics, Metrics};
use crate::workload::access::Stage;

/// What `serve` is put together of.
pub(super) struct Parts {
    pub(super) metrics: Metrics,
    pub(super) health: Health,
    /// Routes that need the token.
    pub(super) guarded: Router,
    /// Those that do not.
    pub(super) open: Router,
    /// How the jobs of each queue are counted.
    pub(super) queues: Vec<(JobMetrics, Count)>,
    /// The runners, by what `/health` calls them.
    pub(super) runners: Vec<(&'static str, Runner)>,
    /// Where images are asked for, if they can be.
    pub(super) desk: Option<Desk>,
}

impl Parts {
    /// Opens all that `config` asks for.
    pub(super) async fn of(config: &Config) -> anyhow::Result<Self> {
        let mut health = Health::default();
        health.add("ffmpeg", async || {
            Ok(flatbed_media::ffmpeg_version().version.to_owned())
        });
        let mut parts = Self {
            metrics: Metrics::new().context("metrics")?,
            health,
            guarded: Router::new(),
            open: Router::new(),
            queues: Vec::new(),
            runners: Vec::new(),
            desk: None,
        };
        if config.wants(WorkloadName::Exports) {
            parts.exports(config).await?;
        } else {
            tracing::info!("exports: off, FLATBED_WORKLOADS does not name it");
        }
        if config.wants(WorkloadName::ImageApi) {
            parts.image_api(config).await?;
        } else {
            tracing::info!("image-api: off, FLATBED_WORKLOADS does not name it");
        }
        match config.clips() {
            Ok(settings) => parts.clips(config, settings).await?,
            Err(reason) => tracing::info!("cctv: off, {reason}"),
        }
        match config.images() {
            Ok(settings) => parts.images(settings).await?,
            Err(reason) => tracing::info!("images: off, {reason}"),
        }
        match config.analyses() {
            Ok(settings) => parts.analyses(config, settings).await?,
            Err(reason) => tracing::info!("analysis: off, {reason}"),
        }
        match config.access() {
            Ok(settings) => parts.access(settings).await?,
            Err(reason) => tracing::info!("access: off, {reason}"),
        }
        Ok(parts)
    }

    async fn exports(&mut self, config: &Config) -> anyhow::Result<()> {
        let exports = Exports::open(config).await?;
        exports.queue.greet().await?;
        exports.add_checks(&mut self.health);
        self.guard(exports.guarded_routes());
        self.open = std::mem::take(&mut self.open).merge(exports.open_routes());
        let reports = self.metrics.workload("export");
        self.queues
            .push((reports.clone(), exports.queue.counting()));
        tracing::info!(
            queue = exports.queue.text,
            store = exports.store.name(),
            "exports: on"
        );
        let measured = exports::measure(exports.store.clone(), self.metrics.clone());
        tokio::spawn(measured);
        let runner = exports.runner(threads()?, reports);
        self.runners.push(("processor", runner));
        Ok(())
    }

    async fn image_api(&mut self, config: &Config) -> anyhow::Result<()> {
        let images = ImageApi::open(config).await?;
        images.queue.greet().await?;
        if !config.wants(WorkloadName::Exports) {
            // They have the same store, and ask the same server.
            images.add_checks(&mut self.health);
            self.open = std::mem::take(&mut self.open).merge(images.open_routes());
        }
        let reports = self.metrics.workload("image_api");
        self.guard(images.guarded_routes(&self.metrics, reports.clone()));
        self.queues.push((reports.clone(), images.queue.counting()));
        tracing::info!(
            queue = images.queue.text,
            store = images.store.name(),
            "image-api: on"
        );
        self.desk = Some(images.desk.clone());
        tokio::spawn(ImageApi::tidy(images.store.clone(), images.keep()));
        let runner = images.runner(threads()?, reports);
        self.runners.push(("image_processor", runner));
        Ok(())
    }

    async fn clips(&mut self, config: &Config, settings: &config::Cctv) -> anyhow::Result<()> {
        let cctv = Cctv::open(config, settings).await?;
        cctv.greet().await?;
        cctv.add_checks(&mut self.health);
        self.guard(cctv.guarded_routes());
        let reports = self.metrics.workload("cctv");
        let items = cctv.items.clone();
        let count = counting(move || {
            let items = items.clone();
            async move { items.counts().await }
        });
        self.queues.push((reports.clone(), count));
        tracing::info!(
            items = cctv.items.place(),
            store = cctv.store.name(),
            "cctv: on"
        );
        let runner = cctv.runner(threads()?, &self.metrics, reports)?;
        self.runners.push(("clips", runner));
        Ok(())
    }

    async fn images(&mut self, settings: &config::Images) -> anyhow::Result<()> {
        let images = Images::open(settings)?;
        images.greet().await?;
        images.add_checks(&mut self.health);
        let reports = self.metrics.workload("image");
        let queue = images.queue.clone();
        let count = counting(move || {
            let queue = queue.clone();
            async move { queue.counts().await }
        });
        self.queues.push((reports.clone(), count));
        tracing::info!(
            list = images.list(),
            backend = images.backend.address(),
            store = images.store.name(),
            "images: on"
        );
        let runner = images.runner(threads()?, reports).await?;
        self.runners.push(("images", runner));
        Ok(())
    }

    async fn analyses(
        &mut self,
        config: &Config,
        settings: &config::Analysis,
    ) -> anyhow::Result<()> {
        let analysis = Analysis::open(config, settings, &self.metrics).await?;
        analysis.greet().await?;
        analysis.add_checks(&mut self.health);
        let reports = self.metrics.workload("analysis");
        self.guard(analysis.guarded_routes(reports.clone()));
        self.open = std::mem::take(&mut self.open).merge(analysis.open_routes(reports.clone()));
        let orders = Arc::clone(&analysis.jobs.orders);
        let count = counting(move || {
            let orders = Arc::clone(&orders);
            async move { orders.counts().await }
        });
        self.queues.push((reports.clone(), count));
        tracing::info!(
            jobs = analysis.jobs.text,
            archive = analysis.archive.name(),
            "analysis: on"
        );
        let runner = analysis.runner(threads()?, reports)?;
        self.runners.push(("analyses", runner));
        Ok(())
    }

    async fn access(&mut self, settings: &config::Access) -> anyhow::Result<()> {
        let access = Access::open(settings)?;
        access.greet().await?;
        access.add_checks(&mut self.health);
        self.guard(access.guarded_routes(&self.metrics));
        for stage in Stage::ALL {
            let reports = self.metrics.workload(stage.workload());
            self.queues.push((reports, access.counting(stage)));
        }
        tracing::info!(
            stages = access.stages(),
            queue = settings.queues.main.queue,
            "access: on"
        );
        let runners = access.runners(&threads()?, &self.metrics).await?;
        self.runners.extend(runners);
        Ok(())
    }

    fn guard(&mut self, routes: Router) {
        self.guarded = std::mem::take(&mut self.guarded).merge(routes);
    }
}

/// Each workload has threads of its own.
fn threads() -> anyhow::Result<WorkThreads> {
    WorkThreads::new().context("threads")
}
