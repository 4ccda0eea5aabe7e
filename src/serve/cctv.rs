//! Clips of cameras: the table of items, recorders, bucket, workload and routes, put
//! together.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::Router;

use super::cameras;
use super::config::{Cctv as Settings, Config};
use crate::client::hikvision::Hikvision;
use crate::http;
use crate::http::health::{Answer, Health};
use crate::queue::Error;
use crate::queue::packing_items::PackingItems;
use crate::runner::{Runner, WorkThreads};
use crate::store::Store;
use crate::store::config::Place;
use crate::telemetry::{JobMetrics, Metrics};
use crate::workload::cctv::Clips;

/// What clips are made of.
pub struct Cctv {
    /// The table of items.
    pub items: PackingItems,
    /// The bucket.
    pub store: Store,
    settings: Settings,
}

impl Cctv {
    /// Opens the table and the bucket. A server is connected to when it is first used.
    pub async fn open(config: &Config, settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {
            items: items(config, settings).await?,
            store: Store::open(&settings.store)?,
            settings: settings.clone(),
        })
    }

    /// Fails if somebody must mend the table; a database that is away may come back.
    pub async fn greet(&self) -> Result<(), Error> {
        match self.items.waiting().await {
            Err(error @ Error::Away { .. }) => {
                tracing::warn!(%error, "starting without the table of packing items");
                Ok(())
            }
            answer => answer.map(drop),
        }
    }

    /// Has `/health` ask the database and the bucket, and tell of the batches.
    pub fn add_checks(&self, health: &mut Health) {
        let items = self.items.clone();
        health.add("packing_items", move || {
            let items = items.clone();
            async move {
                let asked = items.waiting().await;
                asked
                    .map(|_| items.place())
                    .map_err(|error| error.to_string())
            }
        });
        health.add_store("bucket", &self.store);
        let items = self.items.clone();
        health.batches(self.settings.items.auto, move || {
            let items = items.clone();
            async move { items.waiting().await.ok() }
        });
    }

    /// What needs the token.
    pub fn guarded_routes(&self) -> Router {
        http::trigger::routes(self.items.clone())
    }

    /// How the tables are and whether they are all there, without making anything.
    pub async fn examine(&self) -> Result<(String, bool), String> {
        let place = self.items.place();
        match self.items.missing().await {
            Ok(missing) if missing.is_empty() => {
                Ok((format!("{place}: the tables are there"), true))
            }
            Ok(missing) => {
                let missing = missing.join(", ");
                let text =
                    format!("{place}: {missing} made at the first start, or by `flatbed migrate`");
                Ok((text, false))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// How the cameras are, and with `ask` their recorders, each of which is sent one
    /// login. Makes the tables that are missing.
    pub async fn examine_cameras(&self, ask: bool) -> Vec<Answer> {
        let Settings {
            clips, hikvision, ..
        } = &self.settings;
        let cameras = async {
            let cameras = self.items.cameras().await?;
            let hikvision = Hikvision::new(hikvision.clone())?;
            anyhow::Ok(cameras::examine(cameras, clips, &hikvision, ask).await)
        };
        cameras
            .await
            .unwrap_or_else(|error| vec![Err(error.to_string())])
    }

    /// What does the jobs.
    pub fn runner(
        self,
        work: WorkThreads,
        metrics: &Metrics,
        reports: JobMetrics,
    ) -> anyhow::Result<Runner> {
        let Settings {
            clips,
            hikvision,
            store,
            runner,
            ..
        } = self.settings;
        let Place::Bucket(bucket) = store.place else {
            bail!("clips go into a bucket: set GCS_BUCKET");
        };
        let endpoint = bucket.endpoint.unwrap_or_default();
        let workload = Clips {
            config: clips,
            hikvision: Hikvision::new(hikvision).context("recorders")?,
            store: self.store,
            address: format!("{endpoint}/{}", bucket.name),
            bucket: bucket.name,
            metrics: metrics.clips(),
        };
        let (source, workload) = (Arc::new(self.items), Arc::new(workload));
        Ok(Runner::new(source, workload, runner, work, reports))
    }
}

/// The table, in the database at `DATABASE_URL` or in the file below
/// `FLATBED_DATA_DIR`.
async fn items(config: &Config, settings: &Settings) -> anyhow::Result<PackingItems> {
    let names = settings.items.clone();
    if let Some(url) = &config.database {
        return Ok(PackingItems::postgres(url.expose(), names)?);
    }
    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("FLATBED_DATA_DIR {}", config.data.display()))?;
    let file = config.data.join("cctv.sqlite");
    Ok(PackingItems::sqlite(&file, names).await?)
}

/// Makes the tables that are missing; what was done.
pub async fn migrate(config: &Config, settings: &Settings) -> anyhow::Result<String> {
    let items = items(config, settings).await?;
    let made = items.migrate().await?;
    let place = items.place();
    Ok(if made.is_empty() {
        format!("{place}: clips' tables are there")
    } else {
        format!("{place}: made {}", made.join(", "))
    })
}
