//! Panics, busy cores, a queue that is away: jobs are still done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use flatbed::job::{Job, Outcome, Progress};
use flatbed::queue::{Capabilities, Delivery, Error, Lease, Result, Source, State};
use serde_json::json;

use super::bench::{Bench, LEASE, concurrency};

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failure_and_no_more() {
    let mut bench = Bench::new().await;
    bench.config.concurrency = concurrency(1);
    bench
        .run(|job, context| async move {
            match &*job.payload {
                b"async" => panic!("boom"),
                b"engine" => context.engine(|_| panic!("bang {}", 1)).await,
                _ => Outcome::Done(json!("fine")),
            }
        })
        .await;
    let in_async = bench.add_once("async").await;
    let in_engine = bench.add_once("engine").await;
    let fine = bench.add_once("fine").await;
    let record = bench.reaches(&in_async, State::Failed).await;
    assert_eq!(record.failed_reason.as_deref(), Some("panicked: boom"));
    let record = bench.reaches(&in_engine, State::Failed).await;
    assert_eq!(record.failed_reason.as_deref(), Some("panicked: bang 1"));
    bench.reaches(&fine, State::Completed).await;
    bench.shut_down().await;
    assert_eq!(bench.metric("flatbed_engine_threads_busy"), Some(0.0));
}

/// Twice as many engine threads as there are cores compute for twice the lease,
/// and the workload blocks the threads of its runtime on top.
#[tokio::test(flavor = "multi_thread")]
async fn leases_hold_while_every_core_burns() {
    let mut bench = Bench::new().await;
    let cores = thread::available_parallelism().unwrap().get();
    bench.config.concurrency = concurrency(2 * cores);
    bench
        .run(|_, context| async move {
            context.engine(|_| burn(2 * LEASE)).await;
            thread::sleep(LEASE / 2);
            Outcome::Done(json!(1))
        })
        .await;
    let mut ids = Vec::new();
    for number in 0..2 * cores {
        ids.push(bench.add(&number.to_string()).await);
    }
    for id in &ids {
        let record = bench.reaches(id, State::Completed).await;
        assert_eq!(record.attempts, 1);
    }
    bench.shut_down().await;
    assert_eq!(
        bench.metric(r#"flatbed_lease_losses_total{workload="export"}"#),
        None
    );
}

fn burn(time: Duration) -> u64 {
    let begun = Instant::now();
    let mut number = 1_u64;
    while begun.elapsed() < time {
        for _ in 0..10_000 {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
        }
    }
    std::hint::black_box(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_more_jobs_than_permits() {
    let mut bench = Bench::new().await;
    bench.config.concurrency = concurrency(3);
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    bench
        .run(move |_, _| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                Outcome::Done(json!(1))
            }
        })
        .await;
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(bench.add(&number.to_string()).await);
    }
    for id in &ids {
        bench.reaches(id, State::Completed).await;
    }
    bench.shut_down().await;
    assert!((1..=3).contains(&seen.load(Ordering::SeqCst)), "{seen:?}");
}

/// Several jobs are asked for at once; what may kill the worker takes none along that
/// came later.
#[tokio::test(flavor = "multi_thread")]
async fn beside_a_job_that_lost_a_worker_none_is_received() {
    let mut bench = Bench::new().await;
    bench.config.concurrency = concurrency(8);
    let mut ids = Vec::new();
    for number in 0..40 {
        let payload = if number % 10 == 4 { "suspect" } else { "other" };
        ids.push(bench.add(payload).await);
    }
    let source = Arc::new(Marked {
        source: Arc::new(bench.queue().await),
        suspects: Arc::default(),
        beside: AtomicUsize::new(0),
    });
    bench.run_at(
        Arc::clone(&source) as Arc<dyn Source>,
        |job: Job, _| async move {
            if job.payload == b"suspect" {
                // Long enough for others to be received, if they were.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Outcome::Done(json!(1))
        },
    );
    for id in &ids {
        let record = bench.reaches(id, State::Completed).await;
        assert_eq!(
            record.attempts, 1,
            "what was on its way went back uncharged"
        );
    }
    bench.shut_down().await;
    assert_eq!(source.beside.load(Ordering::SeqCst), 0);
}

/// Its jobs have lost a worker if they say so.
struct Marked {
    source: Arc<dyn Source>,
    /// Such jobs in hand.
    suspects: Arc<AtomicUsize>,
    /// Jobs that were handed out meanwhile.
    beside: AtomicUsize,
}

struct MarkedDelivery(Box<dyn Delivery>, Arc<AtomicUsize>);

#[async_trait]
impl Source for Marked {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        let delivery = self.source.receive().await?;
        let delivery = MarkedDelivery(delivery, Arc::clone(&self.suspects));
        let is_suspect = usize::from(delivery.is_suspect());
        let suspects = self.suspects.fetch_add(is_suspect, Ordering::SeqCst);
        self.beside.fetch_add(suspects, Ordering::SeqCst);
        Ok(Box::new(delivery))
    }

    fn lease(&self) -> Duration {
        self.source.lease()
    }

    fn capabilities(&self) -> Capabilities {
        self.source.capabilities()
    }
}

#[async_trait]
impl Delivery for MarkedDelivery {
    fn job(&self) -> &Job {
        self.0.job()
    }

    fn is_suspect(&self) -> bool {
        self.job().payload == b"suspect"
    }

    async fn extend(&self) -> Result<Lease> {
        self.0.extend().await
    }

    async fn progress(&self, progress: &Progress) -> Result<Lease> {
        self.0.progress(progress).await
    }

    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        // Before: the next may come at once.
        self.1
            .fetch_sub(usize::from(self.is_suspect()), Ordering::SeqCst);
        self.0.settle(outcome).await
    }
}

/// Every call but each third one fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_comes_and_goes_loses_nothing() {
    let mut bench = Bench::new().await;
    let source = Flaky::new(Arc::new(bench.queue().await));
    bench.run_at(Arc::new(source), |_, _| async {
        Outcome::Done(json!("done"))
    });
    for number in 0..3 {
        let id = bench.add(&number.to_string()).await;
        let record = bench.reaches(&id, State::Completed).await;
        assert_eq!(record.attempts, 1);
    }
    bench.shut_down().await;
    let errors = bench.metric(r#"flatbed_queue_errors_total{workload="export"}"#);
    assert!(errors.unwrap() >= 3.0 * 4.0, "{errors:?}");
}

struct Flaky {
    source: Arc<dyn Source>,
    calls: Arc<AtomicUsize>,
}

struct FlakyDelivery {
    delivery: Box<dyn Delivery>,
    calls: Arc<AtomicUsize>,
}

impl Flaky {
    fn new(source: Arc<dyn Source>) -> Self {
        Self {
            source,
            calls: Arc::default(),
        }
    }
}

fn away(calls: &AtomicUsize) -> Result<()> {
    if calls.fetch_add(1, Ordering::SeqCst) % 3 == 2 {
        return Ok(());
    }
    Err(Error::Away {
        queue: "the test's queue".to_owned(),
        reason: "it comes and goes".to_owned(),
        source: None,
    })
}

#[async_trait]
impl Source for Flaky {
    async fn receive(&self) -> Result<Box<dyn Delivery>> {
        away(&self.calls)?;
        Ok(Box::new(FlakyDelivery {
            delivery: self.source.receive().await?,
            calls: Arc::default(),
        }))
    }

    fn lease(&self) -> Duration {
        self.source.lease()
    }

    fn capabilities(&self) -> Capabilities {
        self.source.capabilities()
    }
}

#[async_trait]
impl Delivery for FlakyDelivery {
    fn job(&self) -> &Job {
        self.delivery.job()
    }

    async fn extend(&self) -> Result<Lease> {
        self.delivery.extend().await
    }

    async fn progress(&self, progress: &Progress) -> Result<Lease> {
        self.delivery.progress(progress).await
    }

    async fn settle(&self, outcome: &Outcome) -> Result<Lease> {
        away(&self.calls)?;
        self.delivery.settle(outcome).await
    }
}
