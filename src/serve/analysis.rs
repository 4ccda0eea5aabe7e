//! Analyses of videos: source of jobs, archive, models, workload and routes, put
//! together.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use axum::Router;
use tokio::time::sleep;

use super::config::{Analysis as Settings, Config, JobSource, Storage};
use crate::archive::Archive;
use crate::archive::objects::ObjectArchive;
use crate::archive::postgres::{PostgresArchive, Requests, Schema};
use crate::client::models::Models;
use crate::config::Secret;
use crate::fetch::Fetcher;
use crate::http;
use crate::http::analysis::Orders;
use crate::http::analysis::push::Pushed;
use crate::http::health::{Answer, Health};
use crate::job::JobId;
use crate::queue::postgres::PostgresQueue;
use crate::queue::redis_list::RedisList;
use crate::queue::sqlite::SqliteQueue;
use crate::queue::sqs::SqsQueue;
use crate::queue::webhook::PlainDoor;
use crate::queue::{Added, Admin, Counts, DeadLetters, Error, NewJob, Options, Result, Source};
use crate::runner::{Runner, WorkThreads};
use crate::store::Store;
use crate::store::config::Place;
use crate::telemetry::{JobMetrics, Metrics};
use crate::workload::analysis::{Analyses, JOB_NAME, Order, QUEUE_NAME, Sources};

/// What analyses are made of.
pub struct Analysis {
    /// Where jobs come from, for people.
    pub text: String,
    /// Where results are kept.
    pub archive: Arc<dyn Archive>,
    /// Where jobs go.
    pub orders: Arc<dyn Orders>,
    source: Arc<dyn Source>,
    admin: Option<Arc<dyn Admin>>,
    /// The table `jobs`, where jobs come by it.
    rows: Option<Requests>,
    /// Where pictures are, if not in a database.
    files: Option<Store>,
    models: std::result::Result<Models, &'static str>,
    /// Where the catalogue's videos are.
    own: Store,
    settings: Settings,
}

impl Analysis {
    /// Puts it together. Servers are connected to when they are first used.
    pub async fn open(
        config: &Config,
        settings: &Settings,
        metrics: &Metrics,
    ) -> anyhow::Result<Self> {
        let (archive, files) = archive(settings)?;
        let Jobs {
            source,
            orders,
            admin,
            rows,
            text,
        } = Jobs::open(config, settings).await?;
        let models = match &settings.models {
            Ok(models) => Ok(Models::new(models.clone(), metrics.models())?),
            Err(reason) => Err(*reason),
        };
        Ok(Self {
            text,
            archive,
            orders,
            source,
            admin,
            rows,
            files,
            models,
            own: Store::open(&config.exports.store)?,
            settings: settings.clone(),
        })
    }

    /// Fails if somebody must mend the queue or the archive; what is away may come
    /// back. Models are asked with each job.
    pub async fn greet(&self) -> anyhow::Result<()> {
        if let Some(rows) = &self.rows {
            match rows.prepare(self.settings.retry.attempts).await {
                Err(error) if error.is_away() => {}
                answer => answer?,
            }
        }
        match self.orders.counts().await {
            Err(error @ Error::Away { .. }) => {
                tracing::warn!(%error, "starting without the queue of analyses");
            }
            answer => drop(answer?),
        }
        match self.archive.check().await {
            Err(error) if error.is_away() => {
                tracing::warn!(%error, "starting without the archive of analyses");
            }
            answer => answer?,
        }
        match &self.models {
            Ok(models) => match models.check().await {
                Ok(missing) if missing.is_empty() => {}
                Ok(missing) => {
                    let missing = missing.join(", ");
                    tracing::warn!(missing, "the server of models does not list them");
                }
                Err(error) => tracing::warn!(%error, "starting without the models"),
            },
            Err(reason) => {
                tracing::info!("analysis: no transcripts, captions and vectors: {reason}");
            }
        }
        Ok(())
    }

    /// Has `/health` ask the queue and the archive.
    pub fn add_checks(&self, health: &mut Health) {
        let (orders, text) = (Arc::clone(&self.orders), self.text.clone());
        health.add("analysis_queue", move || {
            let (orders, text) = (Arc::clone(&orders), text.clone());
            async move {
                let counts = orders.counts().await;
                counts.map(|_| text).map_err(|error| error.to_string())
            }
        });
        let archive = Arc::clone(&self.archive);
        health.add("archive", move || {
            let archive = Arc::clone(&archive);
            async move {
                let checked = archive.check().await;
                checked
                    .map(|()| archive.name().to_owned())
                    .map_err(|error| error.to_string())
            }
        });
    }

    /// How they are, for `flatbed doctor`.
    pub async fn examine(&self) -> Vec<(&'static str, Answer)> {
        let counts = self.orders.counts().await;
        let queue = counts
            .map(|counts| {
                format!(
                    "{}: {} waiting, {} active, {} failed",
                    self.text, counts.waiting, counts.active, counts.failed
                )
            })
            .map_err(|error| error.to_string());
        let archive = self.archive.check().await;
        let archive = archive
            .map(|()| self.archive.name().to_owned())
            .map_err(|error| error.to_string());
        let mut answers = vec![("analysis queue", queue), ("archive", archive)];
        if let Ok(models) = &self.models {
            let checked = models.check().await.map_err(|error| error.to_string());
            answers.push(("models", checked.map(|missing| listed(models, &missing))));
        }
        answers
    }

    /// What needs the token.
    pub fn guarded_routes(&self, reports: JobMetrics) -> Router {
        http::analysis::routes(http::analysis::Analyses {
            archive: Arc::clone(&self.archive),
            orders: Arc::clone(&self.orders),
            admin: self.admin.clone(),
            files: self.files.clone(),
            link_life: self.settings.link_life,
            models: self.searching(),
            metrics: reports,
        })
    }

    /// What a signature guards.
    pub fn open_routes(&self) -> Router {
        let Some(webhook) = &self.settings.webhook else {
            return Router::new();
        };
        tracing::info!("analyses can be pushed to /webhook");
        http::analysis::push::routes(Pushed {
            door: PlainDoor::new(webhook),
            orders: Arc::clone(&self.orders),
        })
    }

    fn searching(&self) -> Option<(Models, String)> {
        let is_on = self.settings.analysis.embeddings;
        self.named_models().ok().filter(|_| is_on)
    }

    fn named_models(&self) -> std::result::Result<(Models, String), &'static str> {
        let models = self.models.clone()?;
        let name = match &self.settings.models {
            Ok(config) => config.embedding.clone(),
            Err(reason) => return Err(reason),
        };
        Ok((models, name))
    }

    /// What does the jobs.
    pub fn runner(self, work: WorkThreads, reports: JobMetrics) -> anyhow::Result<Runner> {
        let models = self.named_models();
        let settings = self.settings;
        let mut buckets = HashMap::new();
        for config in &settings.buckets {
            if let Place::Bucket(bucket) = &config.place {
                buckets.insert(bucket.name.clone(), Store::open(config)?);
            }
        }
        let fetcher = Fetcher::new(settings.fetch).context("downloads")?;
        let sources = settings.analysis.sources.clone();
        if let Some(rows) = self.rows.clone() {
            tokio::spawn(keep_up(rows, settings.retry.attempts));
        }
        let sources = Sources::new(fetcher, Some(self.own), self.rows, buckets, sources);
        let workload = Analyses::new(self.archive, sources, models, settings.analysis);
        Ok(Runner::new(
            self.source,
            Arc::new(workload),
            settings.runner,
            work,
            reports,
        ))
    }
}

/// How long it is waited for a database that is away.
const PAUSE: Duration = Duration::from_secs(5);

/// Keeps the table `jobs` up to date, and has it made once its server is there.
async fn keep_up(rows: Requests, attempts: u32) {
    while rows.prepare(attempts).await.is_err() {
        sleep(PAUSE).await;
    }
    rows.keep_up().await;
}

fn listed(models: &Models, missing: &[String]) -> String {
    let address = models.address();
    if missing.is_empty() {
        format!("{address}: the models are there")
    } else {
        format!("{address}: it does not list {}", missing.join(", "))
    }
}

/// The archive, and where its files are.
fn archive(settings: &Settings) -> anyhow::Result<(Arc<dyn Archive>, Option<Store>)> {
    Ok(match &settings.storage {
        Storage::Postgres(url) => {
            let archive = PostgresArchive::new(url.expose(), None)?;
            (Arc::new(archive), None)
        }
        Storage::Hybrid(url, files) => {
            let files = Store::open(files)?;
            let archive = PostgresArchive::new(url.expose(), Some(files.clone()))?;
            (Arc::new(archive), Some(files))
        }
        Storage::Objects(store) => {
            let store = Store::open(store)?;
            (Arc::new(ObjectArchive::new(store.clone())), Some(store))
        }
    })
}

/// A source of jobs as all who need it have it.
struct Jobs {
    source: Arc<dyn Source>,
    orders: Arc<dyn Orders>,
    admin: Option<Arc<dyn Admin>>,
    rows: Option<Requests>,
    text: String,
}

impl Jobs {
    async fn open(config: &Config, settings: &Settings) -> anyhow::Result<Self> {
        let options = Options {
            lease: settings.lease,
            retry: settings.retry,
            look: settings.look,
            ..Options::new(QUEUE_NAME)
        };
        Ok(match &settings.source {
            JobSource::Sqlite => {
                std::fs::create_dir_all(&config.data)
                    .with_context(|| format!("FLATBED_DATA_DIR {}", config.data.display()))?;
                let file = config.data.join("queue.sqlite");
                let queue = SqliteQueue::open(&file, options).await?;
                Self::recorded(queue, format!("SQLite {}", file.display()))
            }
            JobSource::Postgres(url) => {
                let queue = PostgresQueue::new(url.expose(), options)?;
                let text = format!("Postgres {}, table jobs", queue.server());
                Self {
                    rows: Some(Requests::new(url.expose())?),
                    ..Self::recorded(queue, text)
                }
            }
            JobSource::Redis(list) => {
                let queue = RedisList::new(list.url.expose(), list.options.clone())?;
                let text = format!("Redis list {}", list.options.list);
                let orders = Arc::new(Unrecorded::List(queue.clone()));
                Self::unrecorded(queue, orders, text)
            }
            JobSource::Sqs(sqs) => {
                let queue = SqsQueue::new(sqs.options.clone())?;
                let text = format!("SQS {}", sqs.options.url);
                let orders = Arc::new(Unrecorded::Sqs(queue.clone()));
                Self::unrecorded(queue, orders, text)
            }
        })
    }

    fn recorded<Q: Source + Admin + Clone + 'static>(queue: Q, text: String) -> Self {
        let admin: Arc<dyn Admin> = Arc::new(queue.clone());
        Self {
            source: Arc::new(queue),
            orders: Arc::new(Recorded(Arc::clone(&admin))),
            admin: Some(admin),
            rows: None,
            text,
        }
    }

    fn unrecorded(queue: impl Source + 'static, orders: Arc<Unrecorded>, text: String) -> Self {
        Self {
            source: Arc::new(queue),
            orders,
            admin: None,
            rows: None,
            text,
        }
    }
}

fn payload(order: &Order) -> Vec<u8> {
    // An id, an address and a flag: that cannot fail.
    serde_json::to_vec(order).unwrap_or_default()
}

/// A queue that keeps records.
struct Recorded(Arc<dyn Admin>);

#[async_trait]
impl Orders for Recorded {
    async fn add(&self, id: JobId, order: &Order) -> Result<Added> {
        self.0
            .add(NewJob::new(JOB_NAME, payload(order)).with_id(id))
            .await
    }

    async fn counts(&self) -> Result<Counts> {
        self.0.counts().await
    }
}

/// A queue that keeps none: whoever adds a job twice has it done twice, and finds the
/// same.
enum Unrecorded {
    List(RedisList),
    Sqs(SqsQueue),
}

#[async_trait]
impl Orders for Unrecorded {
    async fn add(&self, _id: JobId, order: &Order) -> Result<Added> {
        match self {
            Self::List(list) => list.push(&payload(order)).await?,
            Self::Sqs(queue) => {
                let body = payload(order);
                queue.send(&String::from_utf8_lossy(&body)).await?;
            }
        }
        Ok(Added::New)
    }

    async fn counts(&self) -> Result<Counts> {
        match self {
            Self::List(list) => list.counts().await,
            Self::Sqs(queue) => queue.counts().await,
        }
    }
}

/// Makes or updates the tables; what was done.
pub async fn migrate(settings: &Settings) -> anyhow::Result<Vec<String>> {
    let mut done = Vec::new();
    let told = |url: &Secret, before: Schema| -> anyhow::Result<String> {
        let place = PostgresQueue::new(url.expose(), Options::new(QUEUE_NAME))?;
        let place = place.server().to_owned();
        Ok(match before {
            before if before.is_current() => {
                format!("Postgres {place}: analyses' tables are there")
            }
            Schema { found, known } => {
                format!("Postgres {place}: brought analyses' tables from schema {found} to {known}")
            }
        })
    };
    if let Storage::Postgres(url) | Storage::Hybrid(url, _) = &settings.storage {
        let before = PostgresArchive::new(url.expose(), None)?.migrate().await?;
        done.push(told(url, before)?);
    } else if let JobSource::Postgres(url) = &settings.source {
        let before = Requests::new(url.expose())?.migrate().await?;
        done.push(told(url, before)?);
    }
    Ok(done)
}
