//! A Redis that is killed in mid-job, out of memory, or silent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flatbed::job::{Outcome, Progress};
use flatbed::queue::bullmq::{BullmqQueue, Options};
use flatbed::queue::{Admin, Error, Lease, Ledger, NewJob, Source, State};
use serde_json::json;
use tokio::time::timeout;

use super::super::contract::{BOUND, receive};
use super::super::fixture::Settings;
use super::super::outage::{AWAY, added, assert_away, received, settled};
use super::super::service::Server;
use super::Bullmq;
use super::node::Node;

fn begin() -> (Bullmq, Arc<dyn Source>) {
    let fixture = Bullmq::on(Server::careful_redis(), Settings::default());
    let source = Arc::new(fixture.queue());
    (fixture, source)
}

/// For longer than the lease: the lock is gone, and still nobody else has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_restarts_in_mid_job_loses_nothing() {
    let (fixture, source) = begin();
    let queue = fixture.queue();
    let node = Node::start("bullmq", &fixture);
    let id = node.add(json!({"n": 1}), json!({})).await;
    let waits = NewJob::new("export", "waits");
    queue.add(waits.clone()).await.unwrap();
    let delivery = receive(&source).await;

    fixture.server.kill();
    assert_away(timeout(AWAY, delivery.extend()).await.unwrap());
    assert_away(
        timeout(AWAY, delivery.progress(&Progress::percent(50)))
            .await
            .unwrap(),
    );
    assert_away(
        timeout(AWAY, delivery.settle(&Outcome::Done(json!(1))))
            .await
            .unwrap(),
    );
    assert_away(timeout(AWAY, source.receive()).await.unwrap());
    assert_away(timeout(AWAY, queue.counts()).await.unwrap());
    tokio::time::sleep(source.lease()).await;
    fixture.server.restart();

    let result = Outcome::Done(json!({"made": "before the restart"}));
    assert_eq!(settled(&*delivery, &result).await, Lease::Held);
    let job = node.job(&id).await;
    assert_eq!(job["state"], "completed");
    assert_eq!(job["returnvalue"], json!({"made": "before the restart"}));
    assert_eq!(job["attemptsMade"], 1);
    // The same handle goes on.
    let next = receive(&source).await;
    assert_eq!((&next.job().id, next.job().attempt), (&waits.id, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_outlives_a_restart() {
    let (fixture, source) = begin();
    let queue = fixture.queue();
    let idle = tokio::spawn({
        let source = Arc::clone(&source);
        async move { received(&*source).await }
    });
    queue.counts().await.unwrap();
    fixture.server.kill();
    fixture.server.restart();
    let job = NewJob::new("export", "{}");
    added(&queue, &job).await;
    let delivery = timeout(BOUND, idle).await.unwrap().unwrap();
    assert_eq!(delivery.job().id, job.id);
}

/// What frees memory is still done: a full Redis can be worked empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_takes_no_jobs_and_keeps_those_it_has() {
    let (fixture, source) = begin();
    let queue = fixture.queue();
    let first = NewJob::new("export", "1");
    let second = NewJob::new("export", "2");
    queue.add(first.clone()).await.unwrap();
    queue.add(second.clone()).await.unwrap();
    let delivery = receive(&source).await;

    fixture.server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = queue.add(NewJob::new("export", "3")).await.unwrap_err();
    let line = error.to_string();
    assert!(matches!(error, Error::Refused { .. }), "{line}");
    assert!(line.contains("maxmemory") && !line.contains('\n'), "{line}");
    assert!(delivery.progress(&Progress::percent(50)).await.is_err());

    assert_eq!(delivery.extend().await.unwrap(), Lease::Held);
    let done = Outcome::Done(json!("all of it"));
    assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
    let delivery = receive(&source).await;
    assert_eq!(delivery.job().id, second.id);
    assert_eq!(
        delivery.settle(&Outcome::retry("later")).await.unwrap(),
        Lease::Held
    );

    fixture.server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    let record = queue.find(&first.id).await.unwrap().unwrap();
    assert_eq!(record.result, Some(json!("all of it")));
    queue.add(NewJob::new("export", "3")).await.unwrap();
}

/// As a half-open connection looks: what is sent is taken, and nothing comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_redis_is_away_and_its_late_claim_is_found_again() {
    let fixture = Bullmq::on(
        Server::own("redis"),
        Settings {
            lease: Duration::from_secs(60),
            ..Settings::default()
        },
    );
    let source: Arc<dyn Source> = Arc::new(fixture.queue());
    let queue = fixture.queue();
    let active = NewJob::new("export", "active");
    queue.add(active.clone()).await.unwrap();
    let delivery = receive(&source).await;
    let job = NewJob::new("export", "late");
    queue.add(job.clone()).await.unwrap();

    let done = Outcome::Done(json!(1));
    fixture.server.freeze(true);
    let begun = Instant::now();
    let (settling, receiving) = tokio::join!(
        delivery.settle(&done),
        // Redis will claim it when it goes on, for a connection that is gone.
        source.receive(),
    );
    assert_away(settling);
    assert_away(receiving);
    assert!(begun.elapsed() < AWAY, "{:?}", begun.elapsed());
    fixture.server.freeze(false);

    assert_eq!(
        settled(&*delivery, &Outcome::Done(json!(1))).await,
        Lease::Held
    );
    let record = queue.find(&active.id).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts), (State::Completed, 1));
    let late = receive(&source).await;
    // Not after its lease, and not charged twice.
    assert_eq!((&late.job().id, late.job().attempt), (&job.id, 1));
    assert_eq!(
        late.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
}

/// TLS to a server that knows none: an error, where some clients panic for want
/// of a provider.
#[tokio::test(flavor = "multi_thread")]
async fn tls_has_a_provider() {
    let server = Server::shared("redis");
    let url = server.url.replace("redis://", "rediss://");
    let queue = BullmqQueue::new(&url, Options::new("any")).unwrap();
    let error = timeout(AWAY, queue.counts()).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Away { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_away() {
    let queue = BullmqQueue::new("redis://127.0.0.1:1", Options::new("any")).unwrap();
    assert_away(timeout(AWAY, queue.receive()).await.unwrap());
    let line = queue.counts().await.unwrap_err().to_string();
    assert!(
        line.starts_with("queue any on redis 127.0.0.1:1 is away"),
        "{line}"
    );
}
