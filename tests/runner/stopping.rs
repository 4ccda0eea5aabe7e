//! Cancel, deadline, drain, a lost lease: the work stops, and the job is what it
//! should be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use flatbed::job::{Outcome, Progress};
use flatbed::queue::{Cancel, Ledger, State};
use flatbed::runner::JobContext;
use serde_json::json;

use super::bench::{Bench, concurrency};
use crate::queue::contract::until;

/// Work in the engine that goes on until it is stopped.
async fn engine_until_stopped(context: JobContext) -> Outcome {
    context
        .engine(|engine| {
            while !engine.cancel().is_cancelled() {
                thread::sleep(Duration::from_millis(5));
            }
            Outcome::retry("the engine was stopped")
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_from_another_process_stops_the_engine() {
    let mut bench = Bench::new().await;
    bench.run(|_, context| engine_until_stopped(context)).await;
    let id = bench.add("unwanted").await;
    bench.reaches(&id, State::Active).await;
    let asked = Instant::now();
    assert_eq!(bench.ledger.cancel(&id).await.unwrap(), Cancel::Asked);
    let record = bench.reaches(&id, State::Cancelled).await;
    eprintln!("cancelled after {:?}", asked.elapsed());
    assert_eq!(record.attempts, 1);
    bench.shut_down().await;
    assert_eq!(
        bench.metric(r#"video_processing_jobs_total{status="cancelled"}"#),
        Some(1.0)
    );
    assert_eq!(bench.metric("flatbed_engine_threads_busy"), Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_stops_the_engine_and_is_a_failure() {
    let mut bench = Bench::new().await;
    bench.config.deadline = Duration::from_millis(200);
    bench.run(|_, context| engine_until_stopped(context)).await;
    let id = bench.add_once("endless").await;
    let record = bench.reaches(&id, State::Failed).await;
    assert_eq!(
        record.failed_reason.as_deref(),
        Some("not done after 200ms")
    );
    bench.shut_down().await;
    assert_eq!(bench.metric("video_processing_errors_total"), Some(1.0));
    assert_eq!(
        bench.metric(r#"flatbed_jobs_dead_total{workload="export"}"#),
        Some(1.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_lets_jobs_end_and_puts_the_others_back_uncharged() {
    let mut bench = Bench::new().await;
    bench.config.concurrency = concurrency(2);
    bench.config.shutdown_grace = Duration::from_secs(2);
    let (let_end, end) = tokio::sync::watch::channel(false);
    bench
        .run(move |job, context| {
            let mut end = end.clone();
            async move {
                if job.payload == b"endless" {
                    return engine_until_stopped(context).await;
                }
                end.wait_for(|end| *end).await.unwrap();
                Outcome::Done(json!("in time"))
            }
        })
        .await;
    let ends = bench.add("ends").await;
    let endless = bench.add("endless").await;
    let never_begun = bench.add("never begun").await;
    bench.reaches(&ends, State::Active).await;
    bench.reaches(&endless, State::Active).await;

    let ending = tokio::spawn(async move {
        bench.shut_down().await;
        bench
    });
    let_end.send(true).unwrap();
    let bench = ending.await.unwrap();
    assert_eq!(bench.record(&ends).await.result, Some(json!("in time")));
    let put_back = bench.record(&endless).await;
    assert_eq!((put_back.state, put_back.attempts), (State::Waiting, 0));
    let waiting = bench.record(&never_begun).await;
    assert_eq!((waiting.state, waiting.attempts), (State::Waiting, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_lease_stops_the_work_and_settles_nothing() {
    let mut bench = Bench::new().await;
    let stopped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&stopped);
    bench
        .run(move |_, context| {
            let count = Arc::clone(&count);
            async move {
                context.stopped().await;
                count.fetch_add(1, Ordering::SeqCst);
                Outcome::Done(json!("too late"))
            }
        })
        .await;
    let id = bench.add("contested").await;
    bench.reaches(&id, State::Active).await;
    // As another worker's claim does, once the lease has ended.
    let file = rusqlite::Connection::open(bench.file()).unwrap();
    file.busy_timeout(Duration::from_secs(5)).unwrap();
    file.execute("UPDATE jobs SET token = token + 1, due = due + 3600000", [])
        .unwrap();
    until("the work is stopped", async || {
        stopped.load(Ordering::SeqCst) == 1
    })
    .await;
    bench.shut_down().await;
    let record = bench.record(&id).await;
    assert_eq!((record.state, record.result), (State::Active, None));
    assert_eq!(
        bench.metric(r#"flatbed_lease_losses_total{workload="export"}"#),
        Some(1.0)
    );
    assert_eq!(
        bench.metric(r#"video_processing_jobs_total{status="completed"}"#),
        Some(0.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_reaches_the_record() {
    let mut bench = Bench::new().await;
    bench
        .run(|_, context| async move {
            for percent in [10, 45] {
                context.progress(Progress::percent(percent));
            }
            context.stopped().await;
            Outcome::Cancelled
        })
        .await;
    let id = bench.add("slow").await;
    let told = Some(Progress::percent(45));
    until("progress is told", async || {
        bench.record(&id).await.progress == told
    })
    .await;
    bench.ledger.cancel(&id).await.unwrap();
    bench.reaches(&id, State::Cancelled).await;
    bench.shut_down().await;
}
