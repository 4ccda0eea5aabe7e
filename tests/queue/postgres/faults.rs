//! A Postgres that is killed in mid-job, frozen, or cannot be heard.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flatbed::job::{Outcome, Progress};
use flatbed::queue::postgres::PostgresQueue;
use flatbed::queue::{Admin, Lease, Ledger, NewJob, Source, State};
use serde_json::json;
use tokio::time::timeout;

use super::super::contract::{BOUND, receive};
use super::super::fixture::{Fixture, Settings};
use super::super::outage::{AWAY, Proxy, Way, added, assert_away, received, settled};
use super::server::Server;
use super::{Postgres, open};

/// A lease that no outage of these tests outlasts.
const LONG: Settings = Settings {
    lease: Duration::from_secs(120),
    retry: flatbed::job::RetryPolicy {
        attempts: 3,
        first_delay: Duration::from_millis(200),
        longest_delay: Duration::from_secs(1),
    },
};

/// A fixture on the shared server, and a worker that reaches it through a proxy.
async fn through_a_proxy() -> (Postgres, Proxy, Arc<dyn Source>) {
    let fixture = Postgres::fresh(LONG).await;
    let (_, port) = fixture.server.url.rsplit_once(':').unwrap();
    let (port, database) = port.split_once('/').unwrap();
    let server = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
    let proxy = Proxy::to(server).await;
    let url = format!("postgres://flatbed@{}/{database}", proxy.address());
    let source: Arc<PostgresQueue> = Arc::new(open(&url, &fixture.queue, LONG));
    (fixture, proxy, source)
}

/// For longer than the lease: it ended, and still nobody else has the job.
#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_restarts_in_mid_job_loses_nothing() {
    let fixture = Postgres::on(Server::own(), Settings::default());
    let queue = fixture.queue();
    let source: Arc<dyn Source> = Arc::new(fixture.queue());
    let first = NewJob::new("export", "first");
    let waits = NewJob::new("export", "waits");
    queue.add(first.clone()).await.unwrap();
    queue.add(waits.clone()).await.unwrap();
    let delivery = receive(&source).await;
    assert_eq!(delivery.job().id, first.id);

    fixture.server.kill();
    assert_away(timeout(AWAY, delivery.extend()).await.unwrap());
    let half = Progress::percent(50);
    assert_away(timeout(AWAY, delivery.progress(&half)).await.unwrap());
    let done = Outcome::Done(json!({"made": "before the restart"}));
    assert_away(timeout(AWAY, delivery.settle(&done)).await.unwrap());
    assert_away(timeout(AWAY, source.receive()).await.unwrap());
    assert_away(timeout(AWAY, queue.counts()).await.unwrap());
    tokio::time::sleep(source.lease()).await;
    fixture.server.restart();

    assert_eq!(settled(&*delivery, &done).await, Lease::Held);
    let record = queue.find(&first.id).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts), (State::Completed, 1));
    assert_eq!(record.result, Some(json!({"made": "before the restart"})));
    // The same handle goes on.
    let next = receive(&source).await;
    assert_eq!((&next.job().id, next.job().attempt), (&waits.id, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_outlives_a_restart() {
    let fixture = Postgres::on(Server::own(), Settings::default());
    let source: Arc<dyn Source> = Arc::new(fixture.queue());
    let queue = fixture.queue();
    let idle = tokio::spawn(async move { received(&*source).await });
    queue.counts().await.unwrap();
    fixture.server.kill();
    fixture.server.restart();
    let job = NewJob::new("export", "{}");
    added(&queue, &job).await;
    let delivery = timeout(BOUND, idle).await.unwrap().unwrap();
    assert_eq!(delivery.job().id, job.id);
}

/// A half-open connection: what is sent is taken, and nothing comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_is_away_and_made_anew() {
    let (fixture, proxy, source) = through_a_proxy().await;
    let job = NewJob::new("export", "held");
    fixture.add(job.clone()).await;
    let delivery = receive(&source).await;
    let done = Outcome::Done(json!(1));

    proxy.set(Way::Silent);
    let begun = Instant::now();
    let (extending, settling, receiving) =
        tokio::join!(delivery.extend(), delivery.settle(&done), source.receive());
    assert_away(extending);
    assert_away(settling);
    assert_away(receiving);
    // And one that begins with connecting.
    assert_away(delivery.extend().await);
    assert!(begun.elapsed() < 2 * AWAY, "{:?}", begun.elapsed());

    proxy.set(Way::Open);
    assert_eq!(delivery.extend().await.unwrap(), Lease::Held);
    assert_eq!(settled(&*delivery, &done).await, Lease::Held);
    let record = fixture.producer.find(&job.id).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts), (State::Completed, 1));
}

/// The server does what it is asked, and its answers are lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_unheard_is_not_done_twice() {
    let (fixture, proxy, source) = through_a_proxy().await;
    let first = NewJob::new("export", "settled unheard");
    fixture.add(first.clone()).await;
    let delivery = receive(&source).await;
    let idle = tokio::spawn({
        let source = Arc::clone(&source);
        async move { source.receive().await }
    });
    // Its connections are there, and what it asks for is planned.
    assert_eq!(delivery.extend().await.unwrap(), Lease::Held);
    let other = NewJob::new("export", "any");
    fixture.add(other.clone()).await;
    let warm = timeout(BOUND, idle).await.unwrap().unwrap().unwrap();
    assert_eq!(
        warm.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );

    let second = NewJob::new("export", "claimed unheard");
    proxy.set(Way::Mute);
    fixture.add(second.clone()).await;
    let done = Outcome::Done(json!("once"));
    let (settling, claiming) = tokio::join!(delivery.settle(&done), source.receive());
    assert_away(settling);
    assert_away(claiming);
    let state = async |id| {
        let record = fixture.producer.find(id).await.unwrap().unwrap();
        (record.state, record.attempts)
    };
    assert_eq!(state(&first.id).await, (State::Completed, 1));
    assert_eq!(state(&second.id).await, (State::Active, 1));

    proxy.set(Way::Open);
    assert_eq!(settled(&*delivery, &done).await, Lease::Held);
    // Long before its lease ends, and not charged twice.
    let late = receive(&source).await;
    assert_eq!((&late.job().id, late.job().attempt), (&second.id, 1));
    assert_eq!(
        late.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_postgres_is_away_until_it_goes_on() {
    let fixture = Postgres::on(Server::own(), LONG);
    let source: Arc<dyn Source> = Arc::new(fixture.queue());
    let queue = fixture.queue();
    let job = NewJob::new("export", "held");
    queue.add(job.clone()).await.unwrap();
    let delivery = receive(&source).await;
    let done = Outcome::Done(json!(1));

    fixture.server.freeze(true);
    let begun = Instant::now();
    let (settling, receiving, counting) =
        tokio::join!(delivery.settle(&done), source.receive(), queue.counts());
    assert_away(settling);
    assert_away(receiving);
    assert_away(counting);
    assert!(begun.elapsed() < AWAY, "{:?}", begun.elapsed());
    fixture.server.freeze(false);

    assert_eq!(settled(&*delivery, &done).await, Lease::Held);
    let record = queue.find(&job.id).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts), (State::Completed, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_away() {
    let queue = open(
        "postgres://me:hunter2@127.0.0.1:1/videos",
        "any",
        Settings::default(),
    );
    assert_away(timeout(AWAY, queue.receive()).await.unwrap());
    let line = queue.counts().await.unwrap_err().to_string();
    assert!(
        line.starts_with("queue any on postgres 127.0.0.1:1/videos is away"),
        "{line}"
    );
}

/// A failover leaves clients at a server that only reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_reads_is_away_until_it_writes() {
    let server = Server::empty_database().await;
    let queue = open(&server.url, "any", Settings::default());
    queue.counts().await.unwrap();
    let name = &server.sql("SELECT current_database()").await[0][0];
    let set = |on| format!("ALTER DATABASE {name} SET default_transaction_read_only = {on}");
    server.sql(&set("on")).await;
    // The next connection has it.
    queue.close().await;
    assert_away(queue.add(NewJob::new("export", "{}")).await);
    Server::shared().sql(&set("off")).await;
    queue.add(NewJob::new("export", "{}")).await.unwrap();
}
