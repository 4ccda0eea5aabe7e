//! Analyses of videos: source of jobs, archive, models, workload and routes, put
//! together.
//!
//! | file | what it does |
//! |---|---|
//! | [`jobs`] | where jobs come from, and what is known of them |

pub mod jobs;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::time::{sleep, timeout};

use self::jobs::{Jobs, Kept};
use super::config::{Analysis as Settings, Config, JobSource, Storage};
use crate::archive::Archive;
use crate::archive::objects::ObjectArchive;
use crate::archive::postgres::{PostgresArchive, Requests, Schema};
use crate::client::models::Models;
use crate::config::Secret;
use crate::fetch::Fetcher;
use crate::http;
use crate::http::analysis::push::Pushed;
use crate::http::health::{Answer, Health};
use crate::queue::postgres::PostgresQueue;
use crate::queue::webhook::PlainDoor;
use crate::queue::{Error, Options};
use crate::runner::{Runner, WorkThreads};
use crate::store::Store;
use crate::store::config::Place;
use crate::telemetry::{JobMetrics, Metrics};
use crate::workload::analysis::{Analyses, QUEUE_NAME, Sources};

/// What analyses are made of.
pub struct Analysis {
    /// Where results are kept.
    pub archive: Arc<dyn Archive>,
    /// Where jobs come from and go.
    pub jobs: Jobs,
    /// Where pictures are, if not in a database.
    files: Option<Store>,
    models: Result<Models, &'static str>,
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
        let jobs = Jobs::open(config, settings).await?;
        let models = match &settings.models {
            Ok(models) => Ok(Models::new(models.clone(), metrics.models())?),
            Err(reason) => Err(*reason),
        };
        Ok(Self {
            archive,
            jobs,
            files,
            models,
            own: Store::open(&config.exports.store)?,
            settings: settings.clone(),
        })
    }

    /// Fails if somebody must mend the queue or the archive; what is away may come
    /// back. Models are looked at beside.
    pub async fn greet(&self) -> anyhow::Result<()> {
        if let Some(rows) = &self.jobs.rows {
            match rows.prepare(self.settings.retry.attempts).await {
                Err(error) if error.is_away() => {}
                answer => answer?,
            }
        }
        match self.jobs.orders.counts().await {
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
            // They may take their time to answer, and no other job needs them.
            Ok(models) => drop(tokio::spawn(look_at(models.clone()))),
            Err(reason) => {
                tracing::info!("analysis: no transcripts, captions and vectors: {reason}");
            }
        }
        Ok(())
    }

    /// Has `/health` ask the queue and the archive.
    pub fn add_checks(&self, health: &mut Health) {
        let (orders, text) = (Arc::clone(&self.jobs.orders), self.jobs.text.clone());
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
        let counts = self.jobs.orders.counts().await;
        let queue = counts
            .map(|counts| {
                format!(
                    "{}: {} waiting, {} active, {} failed",
                    self.jobs.text, counts.waiting, counts.active, counts.failed
                )
            })
            .map_err(|error| error.to_string());
        let archive = self.archive.check().await;
        let archive = archive
            .map(|()| self.archive.name().to_owned())
            .map_err(|error| error.to_string());
        let mut answers = vec![("analysis queue", queue), ("archive", archive)];
        if let Ok(models) = &self.models {
            let checked = match timeout(LOOK, models.check()).await {
                Ok(checked) => checked.map_err(|error| error.to_string()),
                Err(_) => Err(format!("{}: no answer in {LOOK:?}", models.address())),
            };
            answers.push(("models", checked.map(|missing| listed(models, &missing))));
        }
        answers
    }

    /// What needs the token.
    pub fn guarded_routes(&self, reports: JobMetrics) -> Router {
        http::analysis::routes(self.api(reports))
    }

    fn api(&self, metrics: JobMetrics) -> http::analysis::Analyses {
        http::analysis::Analyses {
            archive: Arc::clone(&self.archive),
            orders: Arc::clone(&self.jobs.orders),
            admin: match &self.jobs.kept {
                Kept::Records(admin) => Some(Arc::clone(admin)),
                Kept::Letters(_) => None,
            },
            files: self.files.clone(),
            link_life: self.settings.link_life,
            models: self.searching(),
            metrics,
        }
    }

    /// What a signature guards.
    pub fn open_routes(&self, reports: JobMetrics) -> Router {
        let (Some(webhook), Kept::Records(_)) = (&self.settings.webhook, &self.jobs.kept) else {
            // Without records nobody would know a request that comes again.
            return Router::new();
        };
        tracing::info!("analyses can be pushed to /webhook");
        http::analysis::push::routes(Pushed {
            door: PlainDoor::new(webhook),
            api: self.api(reports),
        })
    }

    fn searching(&self) -> Option<(Models, String)> {
        let is_on = self.settings.analysis.embeddings;
        self.named_models().ok().filter(|_| is_on)
    }

    fn named_models(&self) -> Result<(Models, String), &'static str> {
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
        if let Some(rows) = self.jobs.rows.clone() {
            tokio::spawn(keep_up(rows, settings.retry.attempts));
        }
        let sources = Sources::new(fetcher, Some(self.own), self.jobs.rows, buckets, sources);
        let workload = Analyses::new(self.archive, sources, models, settings.analysis);
        Ok(Runner::new(
            self.jobs.source,
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

/// How long `flatbed doctor` waits for models.
const LOOK: Duration = Duration::from_secs(20);

/// Says what is wrong with the models, if something is.
async fn look_at(models: Models) {
    match models.check().await {
        Ok(missing) if missing.is_empty() => {}
        Ok(missing) => {
            let missing = missing.join(", ");
            tracing::warn!(missing, "the server of models does not list them");
        }
        Err(error) => tracing::warn!(%error, "the models do not answer; jobs wait for them"),
    }
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
