//! Node's workers and Flatbed's at one queue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flatbed::job::Outcome;
use flatbed::queue::{Admin, Lease, Ledger, NewJob, Page, Source, State};
use serde_json::json;

use super::super::contract::{receive, until};
use super::super::fixture::{Fixture, Settings};
use super::Bullmq;
use super::node::Node;

const JOBS: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn node_and_flatbed_share_the_work() {
    let fixture = Bullmq::fresh(Settings {
        lease: Duration::from_secs(30),
        ..Settings::default()
    })
    .await;
    let node = Node::start("bullmq", &fixture);
    node.ask(json!({"order": "work", "options": {"concurrency": 2}}))
        .await;
    let done = Arc::new(Mutex::new(BTreeMap::<String, u32>::new()));
    let consumers: Vec<_> = (0..2)
        .map(|_| {
            let (queue, done) = (fixture.queue(), Arc::clone(&done));
            tokio::spawn(async move {
                loop {
                    let delivery = queue.receive().await.unwrap();
                    let id = delivery.job().id.to_string();
                    *done.lock().unwrap().entry(id).or_default() += 1;
                    // Long enough for the others to have their part.
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    let outcome = Outcome::Done(json!({"by": "flatbed"}));
                    assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
                }
            })
        })
        .collect();
    let queue = fixture.queue();
    for number in 0..JOBS {
        if number % 2 == 0 {
            queue.add(NewJob::new("export", "{}")).await.unwrap();
        } else {
            node.add(json!({}), json!({})).await;
        }
    }
    until("all is done", async || {
        queue.counts().await.unwrap().completed == JOBS as u64
    })
    .await;
    for consumer in consumers {
        consumer.abort();
        assert!(consumer.await.unwrap_err().is_cancelled());
    }
    let records = queue
        .list(State::Completed, Page::first(1000))
        .await
        .unwrap();
    assert!(records.iter().all(|record| record.attempts == 1));
    let by_node = records
        .iter()
        .filter(|record| record.result.as_ref().unwrap()["by"] == "node")
        .count();
    let by_flatbed = done.lock().unwrap();
    assert!(by_flatbed.values().all(|times| *times == 1));
    assert_eq!(by_node + by_flatbed.len(), JOBS);
    assert!(by_node > 0 && !by_flatbed.is_empty(), "{by_node} by Node");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_workers_job_is_taken_over() {
    let fixture = Bullmq::fresh(Settings::default()).await;
    let queue = fixture.queue();
    let node = Node::start("bullmq", &fixture);
    let options = json!({"lockDuration": 1000});
    node.ask(json!({"order": "work", "options": options})).await;
    let job = NewJob::new("export", r#"{"hold": true}"#);
    let id = job.id.clone();
    queue.add(job).await.unwrap();
    until("Node has it", async || {
        queue.counts().await.unwrap().active == 1
    })
    .await;
    drop(node);
    let source = fixture.source().await;
    let delivery = receive(&source).await;
    assert_eq!((&delivery.job().id, delivery.job().attempt), (&id, 2));
    let outcome = Outcome::Done(json!(1));
    assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
}

#[tokio::test(flavor = "multi_thread")]
async fn node_takes_over_what_flatbed_lost_and_fences_it_off() {
    let fixture = Bullmq::fresh(Settings::default()).await;
    let queue = fixture.queue();
    let job = NewJob::new("export", r#"{"n": 3}"#);
    let id = job.id.clone();
    queue.add(job).await.unwrap();
    let lost = receive(&fixture.source().await).await;
    let node = Node::start("bullmq", &fixture);
    let options = json!({"stalledInterval": 500, "maxStalledCount": 5});
    node.ask(json!({"order": "work", "options": options})).await;
    let returned = node.wait(id.as_str()).await;
    assert_eq!(returned, json!({"returned": {"by": "node", "n": 3}}));
    assert_eq!(lost.extend().await.unwrap(), Lease::Lost);
    let outcome = Outcome::Done(json!("late"));
    assert_eq!(lost.settle(&outcome).await.unwrap(), Lease::Lost);
    let record = queue.find(&id).await.unwrap().unwrap();
    assert_eq!(record.result, Some(json!({"by": "node", "n": 3})));
    assert!(
        node.heard(id.as_str())
            .await
            .contains(&"stalled".to_owned())
    );
}

/// Up to version 5 what waits is moved to another list meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_client_paused_is_resumed() {
    let fixture = Bullmq::fresh(Settings::default()).await;
    let queue = fixture.queue();
    let source = fixture.source().await;
    let node = Node::start("bullmq5", &fixture);
    let mut ids = Vec::new();
    for number in 0..4 {
        if number == 2 {
            node.ask(json!({"order": "pause"})).await;
        }
        ids.push(node.add(json!({}), json!({})).await);
    }
    let ours = NewJob::new("export", "{}");
    ids.push(ours.id.to_string());
    queue.add(ours).await.unwrap();
    assert_eq!(queue.counts().await.unwrap().paused, 5);
    let listed = queue.list(State::Paused, Page::first(10)).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(listed, ids);
    queue.set_paused(false).await.unwrap();
    for id in &ids {
        let delivery = receive(&source).await;
        assert_eq!(delivery.job().id.as_str(), id);
        let outcome = Outcome::Done(json!(1));
        assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
    }
}
