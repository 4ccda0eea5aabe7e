//! Images: list, backend, bucket and workload, put together.

use std::sync::Arc;

use anyhow::Context as _;

use super::config::Images as Settings;
use crate::client::callback::Backend;
use crate::http::health::{Answer, Health};
use crate::queue::redis_list::RedisList;
use crate::queue::{DeadLetters, Error};
use crate::runner::{Runner, WorkThreads};
use crate::store::Store;
use crate::telemetry::JobMetrics;
use crate::workload::image;

/// What images are made of.
pub struct Images {
    /// Where jobs come from.
    pub queue: RedisList,
    /// Where images are, and where results go.
    pub store: Store,
    /// Who orders them.
    pub backend: Backend,
    settings: Settings,
}

impl Images {
    /// Puts it together. Nothing is connected to yet.
    pub fn open(settings: &Settings) -> anyhow::Result<Self> {
        let queue = &settings.queue;
        Ok(Self {
            queue: RedisList::new(queue.url.expose(), queue.options.clone())?,
            store: Store::open(&settings.store)?,
            backend: Backend::new(settings.backend.clone())?,
            settings: settings.clone(),
        })
    }

    /// The list, for people.
    pub fn list(&self) -> &str {
        &self.settings.queue.options.list
    }

    /// Fails if somebody must mend the queue; one that is away may come back. A backend
    /// that does not know us is told of, and asked again with each job.
    pub async fn greet(&self) -> Result<(), Error> {
        if let Err(error) = self.backend.check().await {
            tracing::warn!(%error, "starting without the backend");
        }
        match self.queue.counts().await {
            Err(error @ Error::Away { .. }) => {
                tracing::warn!(%error, "starting without the queue of images");
                Ok(())
            }
            answer => answer.map(drop),
        }
    }

    /// Has `/health` ask the queue, the backend and the bucket.
    pub fn add_checks(&self, health: &mut Health) {
        let (queue, list) = (self.queue.clone(), self.list().to_owned());
        health.add("image_queue", move || {
            let (queue, list) = (queue.clone(), list.clone());
            async move {
                let counts = queue.counts().await;
                counts.map(|_| list).map_err(|error| error.to_string())
            }
        });
        let backend = self.backend.clone();
        health.add("backend", move || {
            let backend = backend.clone();
            async move { greeted(&backend).await }
        });
        health.add_store("image_bucket", &self.store);
    }

    /// How the queue is, and how the backend is.
    pub async fn examine(&self) -> [(&'static str, Answer); 2] {
        let counts = self.queue.counts().await;
        let queue = counts
            .map(|counts| {
                format!(
                    "Redis list {}: {} waiting, {} active, {} set aside",
                    self.list(),
                    counts.waiting,
                    counts.active,
                    counts.failed
                )
            })
            .map_err(|error| error.to_string());
        [("images", queue), ("backend", greeted(&self.backend).await)]
    }

    /// What does the jobs.
    pub async fn runner(self, work: WorkThreads, metrics: JobMetrics) -> anyhow::Result<Runner> {
        let Settings {
            images,
            fetch,
            public,
            runner,
            ..
        } = self.settings;
        let most = images.costs.limits.max_bytes;
        let sources = image::Sources::new(self.store.clone(), public, images.source, most, &fetch)
            .context("downloads")?;
        let workload = image::Images::new(self.backend, sources, self.store, images)
            .await
            .context("threads for images")?;
        let (source, workload) = (Arc::new(self.queue), Arc::new(workload));
        Ok(Runner::new(source, workload, runner, work, metrics))
    }
}

async fn greeted(backend: &Backend) -> Answer {
    let answer = backend.check().await;
    answer
        .map(|()| backend.address().to_owned())
        .map_err(|error| error.to_string())
}
