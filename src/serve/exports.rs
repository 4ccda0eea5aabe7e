//! Exports: queue, store, workload and routes, put together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use tokio::time::sleep;

use super::config::{Config, QueueChoice};
use crate::catalogue::{self, Catalogue};
use crate::http;
use crate::http::health::Health;
use crate::queue::bullmq::{self, BullmqQueue};
use crate::queue::sqlite::{self, SqliteQueue};
use crate::queue::{Admin, Source};
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
    /// The queue as producers and operators have it.
    pub admin: Arc<dyn Admin>,
    /// For people.
    pub queue_text: String,
    /// Where videos and results are.
    pub store: Store,
    source: Arc<dyn Source>,
    catalogue: Catalogue,
    config: super::config::Exports,
}

impl Exports {
    /// Opens the queue and the store.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let exports = config.exports.clone();
        let (source, admin, queue_text) = queue(config).await?;
        let store = Store::open(&exports.store)?;
        Ok(Self {
            catalogue: Catalogue::new(store.clone()),
            admin,
            queue_text,
            store,
            source,
            config: exports,
        })
    }

    /// Has `/health` ask the queue and the store.
    pub fn add_checks(&self, health: &mut Health) {
        let (queue, text) = (Arc::clone(&self.admin), self.queue_text.clone());
        let name = match self.config.queue {
            QueueChoice::Sqlite => "database",
            QueueChoice::BullMq(_) => "redis",
        };
        health.add(name, move || {
            let (queue, text) = (Arc::clone(&queue), text.clone());
            async move {
                let counts = queue.counts().await;
                counts.map(|_| text).map_err(|error| error.to_string())
            }
        });
        let store = self.store.clone();
        health.add("storage", move || {
            let store = store.clone();
            async move {
                let checked = store.check().await;
                checked
                    .map(|()| store.name().to_owned())
                    .map_err(|error| error.to_string())
            }
        });
    }

    /// What needs the token.
    pub fn guarded_routes(&self) -> Router {
        http::exports::routes(http::exports::Exports {
            queue: Arc::clone(&self.admin),
            catalogue: self.catalogue.clone(),
            store: self.store.clone(),
            link_life: self.config.link_life,
        })
        .merge(http::videos::routes(http::videos::Videos {
            catalogue: self.catalogue.clone(),
            store: self.store.clone(),
            largest: self.config.largest_upload,
        }))
    }

    /// What a signature guards.
    pub fn open_routes(&self) -> Router {
        http::files::routes(self.store.clone())
    }

    /// What does the jobs.
    pub fn runner(self, work: WorkThreads, metrics: JobMetrics) -> Runner {
        let workload = export::Exports {
            catalogue: self.catalogue,
            store: self.store,
        };
        let workload = Arc::new(workload);
        Runner::new(self.source, workload, self.config.runner, work, metrics)
    }
}

async fn queue(config: &Config) -> anyhow::Result<(Arc<dyn Source>, Arc<dyn Admin>, String)> {
    match &config.exports.queue {
        QueueChoice::Sqlite => {
            std::fs::create_dir_all(&config.data)
                .with_context(|| format!("FLATBED_DATA_DIR {}", config.data.display()))?;
            let file = config.data.join("queue.sqlite");
            let options = sqlite::Options {
                lease: config.exports.lease,
                ..sqlite::Options::new(&config.exports.queue_name)
            };
            let queue = SqliteQueue::open(&file, options).await?;
            let text = format!("SQLite {}", file.display());
            Ok((Arc::new(queue.clone()), Arc::new(queue), text))
        }
        QueueChoice::BullMq(url) => {
            let options = bullmq::Options {
                lease: config.exports.lease,
                ..bullmq::Options::new(&config.exports.queue_name)
            };
            let queue = BullmqQueue::new(url.expose(), options)?;
            let text = format!("BullMQ {}", config.exports.queue_name);
            Ok((Arc::new(queue.clone()), Arc::new(queue), text))
        }
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
