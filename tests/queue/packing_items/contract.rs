//! The suite, on rows of the table. What the suite sends is the name of an item's
//! camera, and what it has done becomes a clip.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use flatbed::job::{Job, Outcome, Progress};
use flatbed::queue::packing_items::{Config, PackingItems};
use flatbed::queue::{
    Admin, Capabilities, Delivery, Lease, NewJob, Result, SetAside as Ended, Source,
};

use super::super::contract;
use super::super::fixture::{Fixture, SetAside, Settings, address_of};
use super::base::{Base, made, open_named, order, quick};

/// The tables of one database, and how many rows they have.
pub struct Rows {
    base: Base,
    settings: Settings,
    added: AtomicI64,
}

impl Rows {
    async fn of(base: Base, settings: Settings) -> Self {
        let rows = Self {
            base,
            settings,
            added: AtomicI64::new(0),
        };
        let items = rows.base.open(config(settings)).await;
        items.migrate().await.unwrap();
        rows
    }

    async fn source(&self) -> Arc<dyn Source> {
        Arc::new(Dressed(self.base.open(config(self.settings)).await))
    }

    async fn add(&self, job: &NewJob) {
        let id = self.added.fetch_add(1, Ordering::Relaxed) + 1;
        let name = std::str::from_utf8(&job.payload)
            .unwrap()
            .replace('\'', "''");
        let insert = format!(
            "INSERT INTO cameras (id, name, host, username, password_encrypted)
                 VALUES ({id}, '{name}', '192.0.2.7', 'admin', 'gAAAA');
             INSERT INTO packing_items (id, camera_id, status)
                 VALUES ({id}, {id}, 'READY_FOR_BATCH')"
        );
        self.base.sql(&insert).await;
    }

    async fn set_aside(&self) -> Vec<SetAside> {
        const FAILED: &str = "SELECT name, error FROM packing_items
            JOIN cameras ON cameras.id = camera_id
            WHERE status = 'CLIP_FAILED' AND error <> 'cancelled'";
        let rows = self.base.sql(FAILED).await.into_iter();
        rows.map(|row| SetAside {
            payload: row[0].clone().into_bytes(),
            reason: Some(row[1].clone()),
        })
        .collect()
    }
}

fn config(settings: Settings) -> Config {
    Config {
        batch_interval: Duration::from_millis(300),
        lease: settings.lease,
        retry: settings.retry,
        ..quick()
    }
}

/// The table as the suite takes it.
struct Dressed(PackingItems);

struct DressedDelivery {
    job: Job,
    inner: Box<dyn Delivery>,
}

#[async_trait]
impl Source for Dressed {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        let inner = self.0.receive().await?;
        let camera = order(&*inner).camera.unwrap();
        let job = Job {
            payload: camera.name.unwrap().into_bytes(),
            ..inner.job().clone()
        };
        Ok(Box::new(DressedDelivery { job, inner }))
    }

    async fn set_aside(&self) -> Ended {
        self.0.set_aside().await
    }

    fn lease(&self) -> Duration {
        self.0.lease()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

#[async_trait]
impl Delivery for DressedDelivery {
    fn job(&self) -> &Job {
        &self.job
    }

    fn is_suspect(&self) -> bool {
        self.inner.is_suspect()
    }

    async fn extend(&self) -> Result<Lease> {
        self.inner.extend().await
    }

    async fn progress(&self, progress: &Progress) -> Result<Lease> {
        self.inner.progress(progress).await
    }

    async fn cancel_asked(&self) {
        self.inner.cancel_asked().await;
    }

    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        match outcome {
            Outcome::Done(_) => self.inner.settle(&made(1)).await,
            other => self.inner.settle(other).await,
        }
    }
}

macro_rules! fixture {
    ($fixture:ident, $base:expr, $is_remote:literal) => {
        pub struct $fixture(Rows);

        #[async_trait]
        impl Fixture for $fixture {
            const REMOTE: bool = $is_remote;
            /// Each is added by a connection of its own.
            const MANY: usize = 300;

            async fn fresh(settings: Settings) -> Self {
                Self(Rows::of($base, settings).await)
            }

            async fn attach(name: &str, settings: Settings) -> Arc<dyn Source> {
                let items = open_named(name, config(settings)).await.unwrap();
                Arc::new(Dressed(items))
            }

            fn name(&self) -> String {
                self.0.base.name()
            }

            async fn source(&self) -> Arc<dyn Source> {
                self.0.source().await
            }

            fn server(&self) -> Option<SocketAddr> {
                $is_remote.then(|| address_of(&self.name()))
            }

            async fn source_at(&self, address: SocketAddr) -> Arc<dyn Source> {
                let name = self.name();
                let there = self.server().unwrap().to_string();
                let url = name.replacen(&there, &address.to_string(), 1);
                Self::attach(&url, self.0.settings).await
            }

            async fn admin(&self) -> Option<Arc<dyn Admin>> {
                None
            }

            async fn add(&self, job: NewJob) {
                self.0.add(&job).await;
            }

            async fn set_aside(&self) -> Vec<SetAside> {
                self.0.set_aside().await
            }
        }
    };
}

fixture!(InPostgres, Base::schema().await, true);
fixture!(InSqlite, Base::sqlite(), false);

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_in_postgres() {
    contract::run::<InPostgres>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_in_sqlite() {
    contract::run::<InSqlite>().await;
}
