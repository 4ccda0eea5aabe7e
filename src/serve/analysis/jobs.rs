//! Where analyses' jobs come from, opened, and what is known of them there.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;

use crate::archive::postgres::Requests;
use crate::http::analysis::Orders;
use crate::job::JobId;
use crate::queue::postgres::PostgresQueue;
use crate::queue::redis_list::RedisList;
use crate::queue::sqlite::SqliteQueue;
use crate::queue::sqs::SqsQueue;
use crate::queue::{Added, Admin, Counts, DeadLetters, NewJob, Options, Result, Source};
use crate::serve::config::{Analysis as Settings, Config, JobSource};
use crate::workload::analysis::{JOB_NAME, Order, QUEUE_NAME};

/// A source of jobs as all who need it have it.
pub struct Jobs {
    /// As its consumer has it.
    pub source: Arc<dyn Source>,
    /// As those have it who ask for analyses.
    pub orders: Arc<dyn Orders>,
    /// As operators have it.
    pub kept: Kept,
    /// The table `jobs`, where jobs come by it.
    pub rows: Option<Requests>,
    /// For people.
    pub text: String,
}

/// What a queue knows of its jobs.
#[derive(Clone)]
pub enum Kept {
    /// All of them.
    Records(Arc<dyn Admin>),
    /// Those that were set aside.
    Letters(Arc<dyn DeadLetters>),
}

impl Jobs {
    /// Opens it. A server is connected to when it is first used.
    pub async fn open(config: &Config, settings: &Settings) -> anyhow::Result<Self> {
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
                Self::unrecorded(queue.clone(), Arc::new(Unrecorded::List(queue)), text)
            }
            JobSource::Sqs(sqs) => {
                let queue = SqsQueue::new(sqs.options.clone())?;
                let text = format!("SQS {}", sqs.options.url);
                Self::unrecorded(queue.clone(), Arc::new(Unrecorded::Sqs(queue)), text)
            }
        })
    }

    fn recorded<Q: Source + Admin + Clone + 'static>(queue: Q, text: String) -> Self {
        let admin: Arc<dyn Admin> = Arc::new(queue.clone());
        Self {
            source: Arc::new(queue),
            orders: Arc::new(Recorded(Arc::clone(&admin))),
            kept: Kept::Records(admin),
            rows: None,
            text,
        }
    }

    fn unrecorded<Q>(queue: Q, orders: Arc<Unrecorded>, text: String) -> Self
    where
        Q: Source + DeadLetters + Clone + 'static,
    {
        Self {
            source: Arc::new(queue.clone()),
            orders,
            kept: Kept::Letters(Arc::new(queue)),
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
        let job = NewJob::new(JOB_NAME, payload(order)).with_id(id);
        self.0.add(job).await
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
        let body = payload(order);
        match self {
            Self::List(list) => list.push(&body).await?,
            Self::Sqs(queue) => queue.send(&String::from_utf8_lossy(&body)).await?,
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
