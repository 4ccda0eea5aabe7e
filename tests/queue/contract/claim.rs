//! Claiming: who gets a job, and as what.

use std::collections::BTreeSet;
use std::time::Duration;

use flatbed::job::Outcome;
use flatbed::queue::Lease;
use serde_json::json;
use tokio::time::timeout;

use super::{BOUND, begin, job, payload, receive};
use crate::queue::fixture::{Fixture, Settings};

pub async fn a_job_arrives_as_it_was_sent<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let sent = r#"{"videoId":"ä\u0000","operations":[]}"#;
    fixture.add(job(sent)).await;
    let delivery = receive(&source).await;
    assert_eq!(payload(&*delivery), sent);
    assert_eq!(delivery.job().attempt, 1);
    assert_eq!(delivery.job().max_attempts, 3);
    assert!(!delivery.job().name.is_empty());
    let lease = delivery.settle(&Outcome::Done(json!(null))).await.unwrap();
    assert_eq!(lease, Lease::Held);
}

pub async fn two_consumers_never_share_a_job<F: Fixture>() {
    let (fixture, one) = begin::<F>().await;
    let other = fixture.source().await;
    let jobs: BTreeSet<String> = (0..20).map(|number| format!("{number}")).collect();
    for number in &jobs {
        fixture.add(job(number)).await;
    }
    let mut held = Vec::new();
    let mut seen = BTreeSet::new();
    for turn in 0..jobs.len() {
        let delivery = receive(if turn % 2 == 0 { &one } else { &other }).await;
        assert!(seen.insert(payload(&*delivery)), "{seen:?} again");
        held.push(delivery);
        // A slow machine must not lose them meanwhile.
        for delivery in &held {
            assert_eq!(delivery.extend().await.unwrap(), Lease::Held);
        }
    }
    assert_eq!(seen, jobs);
    for delivery in held {
        let lease = delivery.settle(&Outcome::Done(json!({}))).await.unwrap();
        assert_eq!(lease, Lease::Held);
    }
}

pub async fn an_idle_consumer_is_woken<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    for number in 0..5 {
        let idle = tokio::spawn({
            let source = source.clone();
            async move { receive(&source).await }
        });
        // Most often it waits by now; if not, nothing is lost but the point.
        tokio::time::sleep(Duration::from_millis(50)).await;
        fixture.add(job(&number.to_string())).await;
        let delivery = timeout(BOUND, idle).await.unwrap().unwrap();
        assert_eq!(payload(&*delivery), number.to_string());
        assert_eq!(
            delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
            Lease::Held
        );
    }
}

pub async fn a_receive_that_is_given_up_loses_nothing<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let mut waiting: BTreeSet<String> = BTreeSet::new();
    for number in 0..40_u64 {
        let name = number.to_string();
        let idle = timeout(Duration::from_micros(number * 100), source.receive());
        let (given_up, ()) = tokio::join!(idle, fixture.add(job(&name)));
        waiting.insert(name);
        if let Ok(delivery) = given_up {
            let delivery = delivery.unwrap();
            assert!(waiting.remove(&payload(&*delivery)));
            assert_eq!(
                delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
                Lease::Held
            );
        }
    }
    while !waiting.is_empty() {
        let delivery = receive(&source).await;
        assert!(waiting.remove(&payload(&*delivery)), "twice");
        assert_eq!(
            delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
            Lease::Held
        );
    }
}

pub async fn nothing_is_held_back<F: Fixture>() {
    // A job in somebody's pocket would not come back in time.
    let fixture = F::fresh(Settings {
        lease: BOUND * 10,
        ..Settings::default()
    })
    .await;
    let (idle, other) = (fixture.source().await, fixture.source().await);
    for number in 0..6 {
        fixture.add(job(&number.to_string())).await;
    }
    let held = receive(&idle).await;
    let done = receive(&idle).await;
    let lease = done.settle(&Outcome::Done(json!(1))).await.unwrap();
    assert_eq!(lease, Lease::Held);
    // It holds one job, has settled one, and asks for no more.
    for _ in 0..4 {
        let delivery = receive(&other).await;
        let lease = delivery.settle(&Outcome::Done(json!(1))).await.unwrap();
        assert_eq!(lease, Lease::Held);
    }
    assert_eq!(held.extend().await.unwrap(), Lease::Held);
}
