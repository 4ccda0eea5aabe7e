//! Workers that are killed and stopped: real processes, real signals.

use std::time::Duration;

use flatbed::job::Outcome;
use flatbed::queue::{Lease, State};
use rustix::process::Signal;
use serde_json::json;

use super::{begin, job, payload, receive, until};
use crate::queue::child::Child;
use crate::queue::fixture::Fixture;

pub async fn a_killed_worker_loses_no_job<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    fixture.add(job("survivor")).await;
    let worker = Child::start(&fixture);
    assert_eq!(worker.line().await, "claimed survivor attempt 1");
    worker.signal(Signal::KILL);
    let delivery = receive(&source).await;
    assert_eq!(payload(&*delivery), "survivor");
    if source.capabilities().counts_crashes {
        assert_eq!(delivery.job().attempt, 2);
    }
    assert_eq!(
        delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
}

pub async fn a_stopped_worker_is_fenced_off<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    fixture.add(job("contested")).await;
    let worker = Child::start(&fixture);
    assert_eq!(worker.line().await, "claimed contested attempt 1");
    worker.signal(Signal::STOP);
    // Past the lease of the one that stands still.
    let delivery = receive(&source).await;
    assert_eq!(payload(&*delivery), "contested");
    worker.ask_to_settle();
    worker.signal(Signal::CONT);
    assert_eq!(worker.line().await, "extend Lost, settle Lost");
    assert_eq!(
        delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
}

pub async fn a_job_that_kills_its_workers_is_set_aside<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    fixture.add(job("poison")).await;
    for attempt in 1..=3 {
        let worker = Child::start(&fixture);
        assert_eq!(
            worker.line().await,
            format!("claimed poison attempt {attempt}")
        );
        worker.signal(Signal::KILL);
    }
    // Whoever looks for the next job finds it, sets it aside, and tells of it.
    let told = source.clone();
    let next = tokio::spawn(async move { receive(&source).await });
    let told = tokio::time::timeout(Duration::from_secs(30), told.set_aside()).await;
    let told = told.expect("it is told of");
    assert_eq!(told.state, State::Failed);
    // Where it is told at all.
    assert_eq!(told.payload.unwrap_or(b"poison".to_vec()), b"poison");
    until("the job is set aside", async || {
        !fixture.set_aside().await.is_empty()
    })
    .await;
    assert_eq!(fixture.set_aside().await[0].payload, b"poison");
    fixture.add(job("next")).await;
    assert_eq!(payload(&*next.await.unwrap()), "next");
}
