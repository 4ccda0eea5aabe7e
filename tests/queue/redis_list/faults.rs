//! A Redis that is killed in mid-job, out of memory, or silent.

use std::sync::Arc;
use std::time::Duration;

use flatbed::job::Outcome;
use flatbed::queue::{DeadLetters, Lease, Source};
use serde_json::json;
use tokio::time::timeout;

use super::super::contract::{BOUND, receive};
use super::super::fixture::{Fixture, Settings};
use super::super::outage::{AWAY, assert_away, settled};
use super::super::service::Server;
use super::List;

fn begin() -> (List, Arc<dyn Source>) {
    let fixture = List::on(Server::careful_redis(), Settings::default());
    let source = Arc::new(fixture.queue());
    (fixture, source)
}

/// For longer than the lease and than a blocking call: the claim holds, since
/// nobody else made one.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_restarts_in_mid_job_loses_nothing() {
    let (fixture, source) = begin();
    fixture.push(b"active");
    fixture.push(b"waits");
    let delivery = receive(&source).await;
    let done = Outcome::Done(json!(1));

    fixture.server.kill();
    assert_away(timeout(AWAY, delivery.extend()).await.unwrap());
    assert_away(timeout(AWAY, delivery.settle(&done)).await.unwrap());
    assert_away(timeout(AWAY, source.receive()).await.unwrap());
    assert_away(timeout(AWAY, fixture.queue().counts()).await.unwrap());
    tokio::time::sleep(Duration::from_secs(6)).await;
    fixture.server.restart();

    assert_eq!(settled(&*delivery, &done).await, Lease::Held);
    let next = receive(&source).await;
    assert_eq!(
        (&next.job().payload[..], next.job().attempt),
        (&b"waits"[..], 1)
    );
    let counts = fixture.queue().counts().await.unwrap();
    assert_eq!((counts.waiting, counts.active, counts.failed), (0, 1, 0));
}

/// What frees memory is still done: a full Redis can be worked empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_keeps_its_jobs_and_is_worked_empty() {
    let (fixture, source) = begin();
    for payload in [b"1", b"2", b"3"] {
        fixture.push(payload);
    }
    let delivery = receive(&source).await;
    fixture.server.command(&["CONFIG", "SET", "maxmemory", "1"]);

    assert_eq!(delivery.extend().await.unwrap(), Lease::Held);
    let done = Outcome::Done(json!("all of it"));
    assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
    assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
    for (outcome, payload) in [
        (Outcome::retry("later"), b"2"),
        (Outcome::reject("no"), b"3"),
        (done, b"2"),
    ] {
        let delivery = receive(&source).await;
        assert_eq!(delivery.job().payload, payload);
        assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
    }
    assert_eq!(fixture.set_aside().await[0].payload, b"3");

    // An idle consumer does not give up for it.
    let idle = tokio::spawn(async move { receive(&source).await });
    fixture.server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    fixture.push(b"new");
    let delivery = timeout(BOUND, idle).await.unwrap().unwrap();
    assert_eq!(delivery.job().payload, b"new");
}

/// As a half-open connection looks: what is sent is taken, and nothing comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_redis_is_away_and_its_late_claim_is_found_again() {
    let fixture = List::on(
        Server::own("redis"),
        Settings {
            lease: Duration::from_secs(60),
            ..Settings::default()
        },
    );
    let source: Arc<dyn Source> = Arc::new(fixture.queue());
    fixture.push(b"active");
    let delivery = receive(&source).await;
    fixture.push(b"late");

    let done = Outcome::Done(json!(1));
    fixture.server.freeze(true);
    let (settling, receiving) = tokio::join!(
        timeout(AWAY, delivery.settle(&done)),
        // Redis will claim it when it goes on, for a connection that is gone.
        timeout(AWAY, source.receive()),
    );
    assert_away(settling.unwrap());
    assert_away(receiving.unwrap());
    fixture.server.freeze(false);

    assert_eq!(settled(&*delivery, &done).await, Lease::Held);
    let late = receive(&source).await;
    // Not after its lease, and not charged twice.
    assert_eq!(
        (&late.job().payload[..], late.job().attempt),
        (&b"late"[..], 1)
    );
    assert_eq!(fixture.queue().counts().await.unwrap().active, 1);
}
