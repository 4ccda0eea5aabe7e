//! The queue that the settings name, opened.

use std::sync::Arc;

use anyhow::Context as _;

use super::config::{Config, QueueChoice, WorkloadName};
use crate::http::health::{Answer, Health};
use crate::http::metrics::{Count, counting};
use crate::queue::bullmq::{self, BullmqQueue};
use crate::queue::postgres::PostgresQueue;
use crate::queue::sqlite::SqliteQueue;
use crate::queue::{Admin, Error, Options, Source};

/// A queue as all who need it have it.
#[derive(Clone)]
pub struct Queue {
    /// As its consumer has it.
    pub source: Arc<dyn Source>,
    /// As producers and operators have it.
    pub admin: Arc<dyn Admin>,
    /// For people.
    pub text: String,
    /// What `/health` calls it.
    pub dependency: &'static str,
    postgres: Option<PostgresQueue>,
}

impl Queue {
    /// The queue of exports. One on a server is connected to when it is first used.
    pub async fn exports(config: &Config) -> anyhow::Result<Self> {
        Self::open(config, &config.exports.queue_name).await
    }

    /// The queue of images over HTTP: of the same kind, at the same server.
    pub async fn image_api(config: &Config) -> anyhow::Result<Self> {
        Self::open(config, &config.image_api.queue_name).await
    }

    async fn open(config: &Config, name: &str) -> anyhow::Result<Self> {
        let exports = &config.exports;
        let options = Options {
            lease: exports.lease,
            ..Options::new(name)
        };
        Ok(match &exports.queue {
            QueueChoice::Sqlite => {
                std::fs::create_dir_all(&config.data)
                    .with_context(|| format!("FLATBED_DATA_DIR {}", config.data.display()))?;
                let file = config.data.join("queue.sqlite");
                let queue = SqliteQueue::open(&file, options).await?;
                Self::of(queue, format!("SQLite {}", file.display()), "database")
            }
            QueueChoice::BullMq(url) => {
                let options = bullmq::Options {
                    lease: exports.lease,
                    ..bullmq::Options::new(name)
                };
                let queue = BullmqQueue::new(url.expose(), options)?;
                Self::of(queue, format!("BullMQ {name}"), "redis")
            }
            QueueChoice::Postgres(url) => {
                let queue = PostgresQueue::new(url.expose(), options)?;
                let text = format!("Postgres {}, queue {name}", queue.server());
                Self {
                    postgres: Some(queue.clone()),
                    ..Self::of(queue, text, "database")
                }
            }
        })
    }

    fn of<Q>(queue: Q, text: String, dependency: &'static str) -> Self
    where
        Q: Source + Admin + Clone + 'static,
    {
        Self {
            source: Arc::new(queue.clone()),
            admin: Arc::new(queue),
            text,
            dependency,
            postgres: None,
        }
    }

    /// Has `/health` ask it.
    pub fn add_check(&self, health: &mut Health) {
        let queue = self.clone();
        health.add(queue.dependency, move || {
            let queue = queue.clone();
            async move {
                let counts = queue.admin.counts().await;
                counts
                    .map(|_| queue.text)
                    .map_err(|error| error.to_string())
            }
        });
    }

    /// How its jobs are counted.
    pub fn counting(&self) -> Count {
        let admin = Arc::clone(&self.admin);
        counting(move || {
            let admin = Arc::clone(&admin);
            async move { admin.counts().await }
        })
    }

    /// How it is. Unlike the first use it makes no tables.
    pub async fn examine(&self) -> Answer {
        let examining = async {
            if let Some(postgres) = &self.postgres
                && !postgres.schema().await?.is_current()
            {
                return Ok(format!(
                    "{}: its tables are made at the first start, or by `flatbed migrate`",
                    self.text
                ));
            }
            let counts = self.admin.counts().await?;
            Ok(format!(
                "{}: {} waiting, {} active, {} failed",
                self.text, counts.waiting, counts.active, counts.failed
            ))
        };
        examining.await.map_err(|error: Error| error.to_string())
    }

    /// Fails if somebody must mend it; a queue that is away may come back.
    pub async fn greet(&self) -> Result<(), Error> {
        match self.admin.counts().await {
            Err(error @ Error::Away { .. }) => {
                tracing::warn!(%error, "starting without the queue");
                Ok(())
            }
            answer => answer.map(drop),
        }
    }
}

/// Makes or updates the tables of the workloads that are on: those in `DATABASE_URL`,
/// whatever they are used for, or else those of the queues of exports and images,
/// those of clips and those of analyses; what was done.
pub async fn migrate(config: &Config) -> anyhow::Result<Vec<String>> {
    let mut done = Vec::new();
    let exports = config.wants(WorkloadName::Exports);
    let images = config.wants(WorkloadName::ImageApi);
    if let Some(url) = &config.database
        && (exports || images)
    {
        let options = Options::new(&config.exports.queue_name);
        let postgres = PostgresQueue::new(url.expose(), options)?;
        let before = postgres.migrate().await?;
        let (server, known) = (postgres.server(), before.known);
        done.push(match before.found {
            0 => format!("Postgres {server}: made the tables, schema {known}"),
            found if found == known => format!("Postgres {server}: nothing to do, schema {known}"),
            found => {
                format!("Postgres {server}: updated the tables from schema {found} to {known}")
            }
        });
    }
    if (exports || images) && !matches!(config.exports.queue, QueueChoice::Postgres(_)) {
        // What has tables makes them when it is opened; both have the same.
        let queue = if exports {
            Queue::exports(config).await?
        } else {
            Queue::image_api(config).await?
        };
        done.push(format!("{}: nothing to do", queue.text));
    }
    if let Ok(settings) = config.clips() {
        done.push(super::cctv::migrate(config, settings).await?);
    }
    if let Ok(settings) = config.analyses() {
        done.extend(super::analysis::migrate(settings).await?);
    }
    Ok(done)
}
