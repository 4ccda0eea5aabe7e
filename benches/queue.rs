//! What a job costs beside its work: jobs a second through the runner, CPU time
//! for each, and how long an idle worker takes to claim one.
//!
//! `cargo bench --bench queue`, with `FLATBED_BENCH_JOBS` for more than the 5,000
//! jobs of each run (SQS: a tenth of them, its test server is slow),
//! `FLATBED_BENCH_ONLY` for one adapter and `FLATBED_BENCH_CONCURRENCY` for one
//! concurrency. All but SQLite need
//! `scripts/services start redis postgres rabbitmq sqs`.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use flatbed::aws::Access;
use flatbed::config::Variables;
use flatbed::job::{Job, JobId, Outcome};
use flatbed::queue::bullmq::{self, BullmqQueue};
use flatbed::queue::postgres::PostgresQueue;
use flatbed::queue::rabbitmq::{self, Publisher, RabbitMq};
use flatbed::queue::redis_list::{self, RedisList};
use flatbed::queue::sqlite::SqliteQueue;
use flatbed::queue::sqs::{self, SqsQueue};
use flatbed::queue::{DeadLetters, Ledger, NewJob, Options, Source};
use flatbed::runner::{Config, JobContext, Runner, WorkThreads, Workload};
use flatbed::telemetry::Metrics;
use serde_json::{Value, json};
use tokio::sync::Notify;

const ADAPTERS: [&str; 6] = [
    "sqlite",
    "postgres",
    "bullmq",
    "redis_list",
    "rabbitmq",
    "sqs",
];

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let jobs = match std::env::var("FLATBED_BENCH_JOBS") {
        Ok(jobs) => jobs.parse()?,
        Err(_) => 5000,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let only = std::env::var("FLATBED_BENCH_ONLY").ok();
    let concurrencies = match std::env::var("FLATBED_BENCH_CONCURRENCY") {
        Ok(concurrency) => vec![concurrency.parse()?],
        Err(_) => vec![1, 2, 8],
    };
    runtime.block_on(async {
        for adapter in ADAPTERS {
            if only.as_deref().is_some_and(|only| only != adapter) {
                continue;
            }
            let jobs = if adapter == "sqs" { jobs / 10 } else { jobs };
            for concurrency in &concurrencies {
                let place = Place::fresh(adapter).await?;
                throughput(adapter, &place, jobs, *concurrency).await?;
            }
            let place = Place::fresh(adapter).await?;
            latency(adapter, &place).await?;
        }
        metrics()
    })
}

/// A queue of its own, and a handle as another process would have.
struct Place {
    source: Arc<dyn Source>,
    producer: Producer,
    _folder: tempfile::TempDir,
}

/// How jobs are added.
enum Producer {
    Ledger(Arc<dyn Ledger>),
    List(RedisList),
    Rabbit(Box<Publisher>, String),
    Sqs(SqsQueue),
}

impl Place {
    async fn fresh(adapter: &str) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let name = format!("bench-{}", JobId::random());
        let (source, producer): (Arc<dyn Source>, _) = match adapter {
            "sqlite" => {
                let file = folder.path().join("jobs.sqlite");
                let queue = open(&file).await?;
                (
                    Arc::new(queue),
                    Producer::Ledger(Arc::new(open(&file).await?)),
                )
            }
            "postgres" => {
                let queue = || {
                    PostgresQueue::new(&url("postgres")?, Options::new(&name)).map_err(Failed::from)
                };
                (Arc::new(queue()?), Producer::Ledger(Arc::new(queue()?)))
            }
            "bullmq" => {
                let queue = || {
                    BullmqQueue::new(&url("redis")?, bullmq::Options::new(&name))
                        .map_err(Failed::from)
                };
                (Arc::new(queue()?), Producer::Ledger(Arc::new(queue()?)))
            }
            "redis_list" => {
                let queue = || {
                    RedisList::new(&url("redis")?, redis_list::Options::new(&name))
                        .map_err(Failed::from)
                };
                (Arc::new(queue()?), Producer::List(queue()?))
            }
            "rabbitmq" => {
                let (url, options) = (url("rabbitmq")?, rabbitmq::Options::new(&name));
                let queue = RabbitMq::new(&url, options.clone())?;
                // Declares it.
                queue.counts().await?;
                let publisher = Box::new(Publisher::new(&url, &options)?);
                (Arc::new(queue), Producer::Rabbit(publisher, name))
            }
            _ => {
                let options = sqs(&name).await?;
                let queue = SqsQueue::new(options.clone())?;
                (Arc::new(queue), Producer::Sqs(SqsQueue::new(options)?))
            }
        };
        Ok(Self {
            source,
            producer,
            _folder: folder,
        })
    }

    async fn add(&self, payload: String) -> Result<(), Failed> {
        match &self.producer {
            Producer::Ledger(ledger) => {
                ledger.add(NewJob::new("export", payload)).await?;
            }
            Producer::List(list) => list.push(payload.as_bytes()).await?,
            Producer::Rabbit(publisher, queue) => {
                let id = JobId::random();
                publisher
                    .publish("", queue, &id, payload.as_bytes())
                    .await?;
            }
            Producer::Sqs(queue) => queue.send(&payload).await?,
        }
        Ok(())
    }
}

async fn open(file: &Path) -> Result<SqliteQueue, Failed> {
    Ok(SqliteQueue::open(file, Options::new("bench")).await?)
}

fn url(service: &str) -> Result<String, Failed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/services");
    let url = std::fs::read_to_string(folder.join(service).join("url"));
    let url = url.map_err(|_| format!("run `scripts/services start {service}` first"))?;
    Ok(url.trim().to_owned())
}

/// A queue and another for its dead letters.
async fn sqs(name: &str) -> Result<sqs::Options, Failed> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = url("sqs")?;
    let client = reqwest::Client::new();
    let mut urls = Vec::new();
    for name in [name.to_owned(), format!("{name}-dead")] {
        let call = client
            .post(&endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "AmazonSQS.CreateQueue")
            .body(json!({"QueueName": name}).to_string());
        let answer: Value = serde_json::from_str(&call.send().await?.text().await?)?;
        let url = answer.get("QueueUrl").and_then(Value::as_str);
        urls.push(url.ok_or("no queue")?.to_owned());
    }
    let access = Access::read(&mut Variables::of([
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ]));
    let dead_letter_url = urls.pop();
    Ok(sqs::Options {
        endpoint: Some(endpoint),
        dead_letter_url,
        ..sqs::Options::new(urls.pop().unwrap_or_default(), access)
    })
}

async fn throughput(
    adapter: &str,
    place: &Place,
    jobs: usize,
    concurrency: usize,
) -> Result<(), Failed> {
    let added = Instant::now();
    for number in 0..jobs {
        place.add(number.to_string()).await?;
    }
    let added = added.elapsed();
    let done = Arc::new(Done {
        left: AtomicUsize::new(jobs),
        all: Notify::new(),
    });
    let config = Config {
        concurrency: NonZeroUsize::new(concurrency).ok_or("no concurrency")?,
        ..Config::default()
    };
    let runner = Runner::new(
        Arc::clone(&place.source),
        Arc::clone(&done) as Arc<dyn Workload>,
        config,
        WorkThreads::new()?,
        Metrics::new()?.workload("export"),
    );
    let (begun, cpu) = (Instant::now(), cpu_time()?);
    let all = Arc::clone(&done);
    tokio::spawn(runner.run(async move { all.all.notified().await })).await?;
    let (took, cpu) = (begun.elapsed(), cpu_time()?.saturating_sub(cpu));
    let number = u32::try_from(jobs)?;
    println!(
        "{adapter}, {concurrency} at once: {:6.0} jobs/s, {:4.0} us CPU a job; added at {:.0} a second",
        f64::from(number) / took.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / f64::from(number),
        f64::from(number) / added.as_secs_f64(),
    );
    Ok(())
}

struct Done {
    left: AtomicUsize,
    all: Notify,
}

#[async_trait]
impl Workload for Done {
    fn name(&self) -> &'static str {
        "export"
    }

    async fn run(&self, _job: Job, _context: JobContext) -> Outcome {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.all.notify_one();
        }
        Outcome::Done(json!(null))
    }
}

/// From when a job is there until an idle worker has it.
async fn latency(adapter: &str, place: &Place) -> Result<(), Failed> {
    let mut took = Vec::new();
    for number in 0_u64..300 {
        let idle = Arc::clone(&place.source);
        let claimed = tokio::spawn(async move {
            let delivery = idle.receive().await;
            (Instant::now(), delivery)
        });
        // Long enough for it to be idle, and out of step with its look-outs.
        tokio::time::sleep(Duration::from_micros(15_000 + number * 37)).await;
        place.add("{}".to_owned()).await?;
        let added = Instant::now();
        let (at, delivery) = claimed.await?;
        took.push(at.saturating_duration_since(added));
        let _ = delivery?.settle(&Outcome::Done(json!(null))).await?;
    }
    took.sort();
    let at = |part: usize| {
        took.get(took.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "idle claim, {adapter}: median {:?}, p99 {:?}",
        at(50),
        at(99)
    );
    Ok(())
}

fn metrics() -> Result<(), Failed> {
    let metrics = Metrics::new()?;
    for workload in ["export", "cctv", "image", "analysis", "access"] {
        metrics.workload(workload).finished("completed");
        metrics.workload(workload).ended(Duration::from_secs(1));
    }
    let begun = Instant::now();
    for _ in 0..100 {
        std::hint::black_box(metrics.render()?);
    }
    println!("metrics rendered in {:?}", begun.elapsed() / 100);
    Ok(())
}

/// CPU time of the process so far.
fn cpu_time() -> Result<Duration, Failed> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(Duration::new(
        u64::try_from(time.tv_sec)?,
        u32::try_from(time.tv_nsec)?,
    ))
}
