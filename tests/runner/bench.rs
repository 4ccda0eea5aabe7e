//! A queue with a runner at it, and workloads that are closures.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use flatbed::job::{Job, JobId, Outcome, RetryPolicy};
use flatbed::queue::sqlite::{Options, SqliteQueue};
use flatbed::queue::{Ledger, NewJob, Record, Source, State};
use flatbed::runner::{Config, JobContext, Runner, WorkThreads, Workload};
use flatbed::telemetry::Metrics;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::queue::contract::until;

pub const LEASE: Duration = Duration::from_secs(2);

/// A queue in a file, and a runner at it, as one process has them.
pub struct Bench {
    folder: TempDir,
    /// Another process's view of the queue.
    pub ledger: SqliteQueue,
    pub metrics: Metrics,
    pub config: Config,
    running: Option<Running>,
}

struct Running {
    shutdown: oneshot::Sender<()>,
    runner: JoinHandle<()>,
}

impl Bench {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path().join("jobs.sqlite")).await;
        Self {
            folder,
            ledger,
            metrics: Metrics::new().unwrap(),
            config: Config {
                shutdown_grace: Duration::from_millis(100),
                ..Config::default()
            },
            running: None,
        }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("jobs.sqlite")
    }

    pub async fn queue(&self) -> SqliteQueue {
        open(self.file()).await
    }

    /// Starts a runner whose jobs `work` does.
    pub async fn run<F, W>(&mut self, work: F)
    where
        F: Fn(Job, JobContext) -> W + Send + Sync + 'static,
        W: Future<Output = Outcome> + Send + 'static,
    {
        let source = Arc::new(self.queue().await);
        self.run_at(source, work);
    }

    /// The same at another source.
    pub fn run_at<F, W>(&mut self, source: Arc<dyn Source>, work: F)
    where
        F: Fn(Job, JobContext) -> W + Send + Sync + 'static,
        W: Future<Output = Outcome> + Send + 'static,
    {
        let workload = Made(Box::new(move |job, context| Box::pin(work(job, context))));
        self.run_workload(source, Arc::new(workload));
    }

    /// The same for a workload that is more than a closure.
    pub fn run_workload(&mut self, source: Arc<dyn Source>, workload: Arc<dyn Workload>) {
        let metrics = self.metrics.workload("export");
        let threads = WorkThreads::new().unwrap();
        let runner = Runner::new(source, workload, self.config.clone(), threads, metrics);
        let (shutdown, asked) = oneshot::channel();
        let runner = tokio::spawn(runner.run(async {
            let _ = asked.await;
        }));
        self.running = Some(Running { shutdown, runner });
    }

    /// Shuts the runner down, and waits until it has drained.
    pub async fn shut_down(&mut self) {
        let running = self.running.take().unwrap();
        running.shutdown.send(()).unwrap();
        running.runner.await.unwrap();
    }

    pub async fn add(&self, payload: &str) -> JobId {
        let job = NewJob::new("export", payload);
        let id = job.id.clone();
        self.ledger.add(job).await.unwrap();
        id
    }

    /// Adds a job that has one attempt only.
    pub async fn add_once(&self, payload: &str) -> JobId {
        let job = NewJob {
            max_attempts: Some(1),
            ..NewJob::new("export", payload)
        };
        let id = job.id.clone();
        self.ledger.add(job).await.unwrap();
        id
    }

    pub async fn record(&self, id: &JobId) -> Record {
        self.ledger.find(id).await.unwrap().unwrap()
    }

    pub async fn reaches(&self, id: &JobId, state: State) -> Record {
        until("the job's state", async || {
            self.record(id).await.state == state
        })
        .await;
        self.record(id).await
    }

    /// The value of a line of the metrics.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.metrics.render().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(series))?;
        line.trim().parse().ok()
    }
}

pub fn concurrency(jobs: usize) -> NonZeroUsize {
    NonZeroUsize::new(jobs).unwrap()
}

async fn open(file: PathBuf) -> SqliteQueue {
    let options = Options {
        lease: LEASE,
        retry: RetryPolicy {
            first_delay: Duration::from_millis(50),
            ..RetryPolicy::default()
        },
        ..Options::new("video-processing")
    };
    SqliteQueue::open(&file, options).await.unwrap()
}

type Work = dyn Fn(Job, JobContext) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync;

struct Made(Box<Work>);

#[async_trait]
impl Workload for Made {
    fn name(&self) -> &'static str {
        "export"
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        self.0(job, context).await
    }
}
