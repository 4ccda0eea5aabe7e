//! Outcomes: what becomes of a job that is settled.

use std::time::{Duration, Instant};

use flatbed::job::Outcome;
use flatbed::queue::Lease;
use serde_json::json;

use super::{begin, job, payload, receive, until};
use crate::queue::fixture::Fixture;

pub async fn a_retry_waits<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    fixture.add(job("again")).await;
    let after = Duration::from_secs(2);
    let delivery = receive(&source).await;
    let settled = Instant::now();
    let retry = Outcome::Retry {
        after: Some(after),
        reason: "the peer is busy".to_owned(),
    };
    assert_eq!(delivery.settle(&retry).await.unwrap(), Lease::Held);

    // It does not stand in the way of others.
    fixture.add(job("other")).await;
    let other = receive(&source).await;
    assert_eq!(payload(&*other), "other");
    assert_eq!(
        other.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );

    let delivery = receive(&source).await;
    assert_eq!(payload(&*delivery), "again");
    assert_eq!(delivery.job().attempt, 2);
    // The broker's clock may tick in milliseconds.
    assert!(
        settled.elapsed() + Duration::from_millis(2) >= after,
        "{:?}",
        settled.elapsed()
    );
    assert_eq!(
        delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
}

pub async fn the_last_failure_sets_aside<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    fixture.add(job("hopeless")).await;
    for attempt in 1..=3 {
        let delivery = receive(&source).await;
        assert_eq!(delivery.job().attempt, attempt);
        assert_eq!(delivery.job().is_last_attempt(), attempt == 3);
        let retry = Outcome::retry(format!("failure {attempt}"));
        assert_eq!(delivery.settle(&retry).await.unwrap(), Lease::Held);
    }
    until("the job is set aside", async || {
        !fixture.set_aside().await.is_empty()
    })
    .await;
    let [kept] = &fixture.set_aside().await[..] else {
        panic!("one job is set aside")
    };
    assert_eq!(kept.payload, b"hopeless");
    if let Some(reason) = &kept.reason {
        assert_eq!(reason, "failure 3");
    }
    // It is not delivered any more.
    fixture.add(job("next")).await;
    assert_eq!(payload(&*receive(&source).await), "next");
}

pub async fn a_rejected_job_is_set_aside_at_once<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    fixture.add(job("malformed")).await;
    let delivery = receive(&source).await;
    let reject = Outcome::reject("not a video");
    assert_eq!(delivery.settle(&reject).await.unwrap(), Lease::Held);
    until("the job is set aside", async || {
        !fixture.set_aside().await.is_empty()
    })
    .await;
    let [kept] = &fixture.set_aside().await[..] else {
        panic!("one job is set aside")
    };
    assert_eq!(kept.payload, b"malformed");
    if let Some(reason) = &kept.reason {
        assert_eq!(reason, "not a video");
    }
    fixture.add(job("next")).await;
    assert_eq!(payload(&*receive(&source).await), "next");
}

pub async fn a_job_put_back_is_there_at_once<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    fixture.add(job("put back")).await;
    let delivery = receive(&source).await;
    assert_eq!(
        delivery.settle(&Outcome::PutBack).await.unwrap(),
        Lease::Held
    );
    let delivery = receive(&fixture.source().await).await;
    assert_eq!(payload(&*delivery), "put back");
    assert_eq!(
        delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
}

pub async fn putting_back_is_not_charged<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    fixture.add(job("put back")).await;
    // More often than there are attempts.
    for _ in 0..5 {
        let delivery = receive(&source).await;
        assert_eq!(delivery.job().attempt, 1);
        assert_eq!(
            delivery.settle(&Outcome::PutBack).await.unwrap(),
            Lease::Held
        );
    }
    assert!(fixture.set_aside().await.is_empty());
}

pub async fn settled_jobs_do_not_come_back<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    for (name, outcome) in [
        ("done", Outcome::Done(json!({"files": []}))),
        ("cancelled", Outcome::Cancelled),
    ] {
        fixture.add(job(name)).await;
        let delivery = receive(&source).await;
        assert_eq!(payload(&*delivery), name);
        assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
    }
    // Past the lease, when a job that was not settled would be back.
    let other = fixture.source().await;
    tokio::select! {
        back = other.receive() => panic!("{:?}", back.map(|delivery| payload(&*delivery))),
        () = tokio::time::sleep(source.lease() * 2) => {}
    }
}

pub async fn settling_twice_is_settling_once<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    for outcome in [
        Outcome::Done(json!(1)),
        Outcome::reject("no"),
        Outcome::Cancelled,
    ] {
        fixture.add(job("once")).await;
        let delivery = receive(&source).await;
        assert_eq!(delivery.job().attempt, 1);
        for _ in 0..3 {
            assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
        }
        // What is settled is no longer held.
        assert_eq!(delivery.extend().await.unwrap(), Lease::Lost);
    }
    assert_eq!(fixture.set_aside().await.len(), 1);
}
