//! What a job costs beside its work: jobs a second through the runner, CPU time
//! for each, and how long an idle worker takes to claim one.
//!
//! `cargo bench --bench queue`, with `FLATBED_BENCH_JOBS` for more than the 5,000
//! jobs of each run, `FLATBED_BENCH_ONLY` for one adapter and
//! `FLATBED_BENCH_CONCURRENCY` for one concurrency. BullMQ and Postgres need
//! `scripts/services start redis postgres`.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use flatbed::job::{Job, Outcome};
use flatbed::queue::bullmq::{self, BullmqQueue};
use flatbed::queue::postgres::PostgresQueue;
use flatbed::queue::sqlite::SqliteQueue;
use flatbed::queue::{Ledger, NewJob, Options, Source};
use flatbed::runner::{Config, JobContext, Runner, WorkThreads, Workload};
use flatbed::telemetry::Metrics;
use serde_json::json;
use tokio::sync::Notify;

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
    let wanted = |adapter| only.as_deref().is_none_or(|only| only == adapter);
    let concurrencies = match std::env::var("FLATBED_BENCH_CONCURRENCY") {
        Ok(concurrency) => vec![concurrency.parse()?],
        Err(_) => vec![1, 2, 8],
    };
    runtime.block_on(async {
        if wanted("sqlite") {
            for concurrency in &concurrencies {
                let folder = tempfile::tempdir()?;
                let queue = open(&folder.path().join("jobs.sqlite")).await?;
                throughput("sqlite", queue, jobs, *concurrency).await?;
            }
            let folder = tempfile::tempdir()?;
            let file = folder.path().join("jobs.sqlite");
            let queue = open(&file).await?;
            latency("sqlite, in this process", &queue, &queue).await?;
            latency(
                "sqlite, from another connection",
                &queue,
                &open(&file).await?,
            )
            .await?;
        }
        if wanted("bullmq") {
            for concurrency in &concurrencies {
                throughput("bullmq", bullmq("throughput")?, jobs, *concurrency).await?;
            }
            latency("bullmq", &bullmq("latency")?, &bullmq("latency")?).await?;
        }
        if wanted("postgres") {
            for concurrency in &concurrencies {
                throughput("postgres", postgres("throughput")?, jobs, *concurrency).await?;
            }
            latency("postgres", &postgres("latency")?, &postgres("latency")?).await?;
        }
        metrics()
    })
}

async fn open(file: &Path) -> Result<SqliteQueue, Failed> {
    Ok(SqliteQueue::open(file, Options::new("bench")).await?)
}

fn bullmq(name: &str) -> Result<BullmqQueue, Failed> {
    let options = bullmq::Options::new(queue(name));
    Ok(BullmqQueue::new(&address_of("redis")?, options)?)
}

fn postgres(name: &str) -> Result<PostgresQueue, Failed> {
    Ok(PostgresQueue::new(
        &address_of("postgres")?,
        Options::new(queue(name)),
    )?)
}

/// A queue that no other run uses.
fn queue(name: &str) -> String {
    format!("bench-{name}-{}", std::process::id())
}

fn address_of(service: &str) -> Result<String, Failed> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/services");
    let url = std::fs::read_to_string(services.join(service).join("url"))
        .map_err(|_| format!("no {service} here: run `scripts/services start {service}` first"))?;
    Ok(url.trim().to_owned())
}

async fn throughput<Q: Source + Ledger + 'static>(
    adapter: &str,
    queue: Q,
    jobs: usize,
    concurrency: usize,
) -> Result<(), Failed> {
    let added = Instant::now();
    for number in 0..jobs {
        queue.add(NewJob::new("export", number.to_string())).await?;
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
        Arc::new(queue),
        Arc::clone(&done) as Arc<dyn Workload>,
        config,
        WorkThreads::new()?,
        Metrics::new()?.workload("export"),
    );
    let (begun, cpu) = (Instant::now(), cpu_time()?);
    runner.run(done.all.notified()).await;
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
async fn latency<Q: Source + Ledger + Clone + 'static>(
    what: &str,
    queue: &Q,
    producer: &Q,
) -> Result<(), Failed> {
    let mut took = Vec::new();
    for number in 0_u64..300 {
        let idle = queue.clone();
        let claimed = tokio::spawn(async move {
            let delivery = idle.receive().await;
            (Instant::now(), delivery)
        });
        // Long enough for it to be idle, and out of step with its look-outs.
        tokio::time::sleep(Duration::from_micros(15_000 + number * 37)).await;
        producer.add(NewJob::new("export", "{}")).await?;
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
    println!("idle claim, {what}: median {:?}, p99 {:?}", at(50), at(99));
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
