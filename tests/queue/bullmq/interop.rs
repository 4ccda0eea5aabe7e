//! Node adds and Flatbed works; Flatbed adds and Node works; bull-board looks on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flatbed::job::{Outcome, Progress, RetryPolicy};
use flatbed::queue::{Admin, Cancel, Lease, Ledger, NewJob, Source, State};
use serde_json::{Value, json};

use super::super::contract::{receive, until};
use super::super::fixture::{Fixture, Settings};
use super::Bullmq;
use super::node::Node;

/// A queue, Flatbed as a worker of it, and Node.
async fn begin(client: &str) -> (Bullmq, Arc<dyn Source>, Node) {
    let fixture = Bullmq::fresh(Settings {
        lease: Duration::from_secs(10),
        ..Settings::default()
    })
    .await;
    let source = fixture.source().await;
    let node = Node::start(client, &fixture);
    (fixture, source, node)
}

async fn settle(delivery: &dyn flatbed::queue::Delivery, outcome: Outcome) {
    assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
}

async fn node_sees_what_flatbed_does(client: &str) {
    let (_fixture, source, node) = begin(client).await;
    let id = node
        .add(
            json!({"videoId": "ä", "operations": []}),
            json!({"attempts": 3}),
        )
        .await;
    let waiting = tokio::spawn({
        let (node, id) = (Node::clone(&node), id.clone());
        async move { node.wait(&id).await }
    });
    let delivery = receive(&source).await;
    assert_eq!(delivery.job().id.as_str(), id);
    assert_eq!(delivery.job().name, "export");
    assert_eq!(delivery.job().max_attempts, 3);
    let payload: Value = delivery.job().parse().unwrap();
    assert_eq!(payload, json!({"videoId": "ä", "operations": []}));
    let progress = Progress {
        percent: 45,
        current_operation: Some("transcode".to_owned()),
        timemark: Some("00:02:15".to_owned()),
    };
    assert_eq!(delivery.progress(&progress).await.unwrap(), Lease::Held);
    let result = json!({"files": [{"name": "ä.mp4", "bytes": 17}]});
    settle(&*delivery, Outcome::Done(result.clone())).await;

    assert_eq!(waiting.await.unwrap(), json!({"returned": result}));
    let job = node.job(&id).await;
    assert_eq!(job["state"], "completed");
    assert_eq!(job["returnvalue"], result);
    assert_eq!(
        job["progress"],
        json!({"percent": 45, "currentOperation": "transcode", "timemark": "00:02:15"})
    );
    assert_eq!(
        (&job["attemptsMade"], &job["attemptsStarted"]),
        (&json!(1), &json!(1))
    );
    assert!(job["finishedOn"].as_u64() >= job["processedOn"].as_u64());
    until("all is heard", async || {
        node.heard(&id).await == ["waiting", "active", "progress", "completed"]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_adds_and_flatbed_works() {
    node_sees_what_flatbed_does("bullmq").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_client_before_the_last_is_understood_too() {
    node_sees_what_flatbed_does("bullmq5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flatbed_adds_and_node_works() {
    let (fixture, _, node) = begin("bullmq").await;
    let queue = fixture.queue();
    node.ask(json!({"order": "work"})).await;
    let job = NewJob::new("export", r#"{"n": 7}"#);
    let id = job.id.clone();
    queue.add(job).await.unwrap();
    let late = NewJob {
        delay: Duration::from_millis(700),
        ..NewJob::new("export", r#"{"n": 8, "fail": 1}"#)
    };
    let late_id = late.id.clone();
    queue.add(late).await.unwrap();

    let returned = node.wait(id.as_str()).await;
    assert_eq!(returned, json!({"returned": {"by": "node", "n": 7}}));
    let record = queue.find(&id).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts), (State::Completed, 1));
    assert_eq!(record.result, Some(json!({"by": "node", "n": 7})));
    assert_eq!(record.progress.map(|progress| progress.percent), Some(50));

    // Delayed, failed once, retried after the backoff that was written with it.
    let returned = node.wait(late_id.as_str()).await;
    assert_eq!(returned, json!({"returned": {"by": "node", "n": 8}}));
    let record = queue.find(&late_id).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts), (State::Completed, 2));
    node.ask(json!({"order": "stop"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_producers_options_are_heeded() {
    let (_fixture, source, node) = begin("bullmq").await;
    let added = Instant::now();
    let late = node.add(json!({"n": 0}), json!({"delay": 4000})).await;
    let low = node.add(json!({"n": 1}), json!({"priority": 9})).await;
    let high = node.add(json!({"n": 2}), json!({"priority": 2})).await;
    let first = node.add(json!({"n": 3}), json!({})).await;
    let lifo = node
        .add(
            json!({"n": 4}),
            json!({"lifo": true, "jobId": "my own", "removeOnComplete": true}),
        )
        .await;
    for (expected, name) in [
        // No id of ours: its name is derived.
        (None, &lifo),
        (Some(&first), &first),
        (Some(&high), &high),
        (Some(&low), &low),
        (Some(&late), &late),
    ] {
        let delivery = receive(&source).await;
        if let Some(expected) = expected {
            assert_eq!(delivery.job().id.as_str(), expected);
        }
        settle(&*delivery, Outcome::Done(json!(1))).await;
        let state = node.job(name).await["state"].clone();
        let expected = if name == "my own" {
            "unknown"
        } else {
            "completed"
        };
        assert_eq!(state, expected, "{name}");
    }
    assert!(added.elapsed() >= Duration::from_millis(3990));

    // The producer's backoff; an option beside it that makes no sense.
    let id = node
        .add(
            json!({}),
            json!({"attempts": 2, "backoff": {"type": "fixed", "delay": 1500},
                   "removeOnFail": -1}),
        )
        .await;
    let delivery = receive(&source).await;
    let failed = Instant::now();
    settle(&*delivery, Outcome::retry("the peer is busy")).await;
    let job = node.job(&id).await;
    assert_eq!(job["state"], "delayed");
    assert_eq!(job["failedReason"], "the peer is busy");
    let delivery = receive(&source).await;
    assert!(failed.elapsed() >= Duration::from_millis(1490));
    assert_eq!(
        (delivery.job().id.as_str(), delivery.job().attempt),
        (&*id, 2)
    );
    assert!(delivery.job().is_last_attempt());
    settle(&*delivery, Outcome::retry("still busy")).await;
    let job = node.job(&id).await;
    assert_eq!(
        (&job["state"], &job["attemptsMade"]),
        (&json!("failed"), &json!(2))
    );
    assert_eq!(job["stacktrace"], json!(["the peer is busy", "still busy"]));
    assert_eq!(node.wait(&id).await, json!({"threw": "still busy"}));

    // A deduplication ends with its job.
    let simple = json!({"deduplication": {"id": "one"}});
    let id = node.add(json!({}), simple.clone()).await;
    assert_eq!(node.add(json!({}), simple.clone()).await, id);
    settle(&*receive(&source).await, Outcome::Done(json!(1))).await;
    assert_ne!(node.add(json!({}), simple).await, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_shows_retries_promotes_and_pauses() {
    let (fixture, source, node) = begin("bullmq").await;
    let queue = fixture.queue();
    let job = NewJob {
        max_attempts: Some(1),
        ..NewJob::new("export", r#"{"videoId": "7"}"#)
    };
    let id = job.id.clone();
    queue.add(job).await.unwrap();
    settle(&*receive(&source).await, Outcome::retry("no such codec")).await;

    let failed = json!({"activeQueue": fixture.queue, "status": "failed", "page": "1",
                        "jobsPerPage": "10"});
    let shown = node.board("get", "/api/queues", json!({}), failed).await;
    let shown = &shown["queues"][0];
    assert_eq!(shown["counts"]["failed"], 1, "{shown}");
    assert_eq!(shown["jobs"][0]["id"], id.as_str());
    assert_eq!(shown["jobs"][0]["failedReason"], "no such codec");
    assert_eq!(shown["jobs"][0]["stacktrace"], json!(["no such codec"]));
    let one = json!({"jobId": id.as_str()});
    let shown = node
        .board(
            "get",
            "/api/queues/:queueName/:jobId",
            one.clone(),
            json!({}),
        )
        .await;
    assert_eq!(shown["status"], "failed");
    assert_eq!(shown["job"]["data"], json!({"videoId": "7"}));

    // Retried from there it runs again, although its attempts are used up.
    let retry = "/api/queues/:queueName/:jobId/retry";
    node.board("put", retry, one, json!({})).await;
    let delivery = receive(&source).await;
    assert_eq!(delivery.job().id, id);
    settle(&*delivery, Outcome::Done(json!(1))).await;
    let record = queue.find(&id).await.unwrap().unwrap();
    assert_eq!(
        (record.state, record.failed_reason),
        (State::Completed, None)
    );

    // Promoted before its time.
    let late = NewJob {
        delay: Duration::from_secs(3600),
        ..NewJob::new("export", "{}")
    };
    let late_id = late.id.clone();
    queue.add(late).await.unwrap();
    let one = json!({"jobId": late_id.as_str()});
    let promote = "/api/queues/:queueName/:jobId/promote";
    node.board("put", promote, one, json!({})).await;
    let delivery = receive(&source).await;
    assert_eq!(delivery.job().id, late_id);
    settle(&*delivery, Outcome::Done(json!(1))).await;

    // Paused there, nothing is claimed here; paused here, it is seen there.
    node.board("put", "/api/queues/:queueName/pause", json!({}), json!({}))
        .await;
    let held = NewJob::new("export", "{}");
    queue.add(held.clone()).await.unwrap();
    assert_eq!(queue.counts().await.unwrap().paused, 1);
    tokio::select! {
        _ = source.receive() => panic!("the queue is paused"),
        () = tokio::time::sleep(Duration::from_millis(500)) => {}
    }
    node.board("put", "/api/queues/:queueName/resume", json!({}), json!({}))
        .await;
    let delivery = receive(&source).await;
    assert_eq!(delivery.job().id, held.id);
    settle(&*delivery, Outcome::Done(json!(1))).await;
    queue.set_paused(true).await.unwrap();
    let shown = node.board("get", "/api/queues", json!({}), json!({})).await;
    assert_eq!(shown["queues"][0]["isPaused"], true);
}

/// BullMQ has no such state: it is a failure with a reason of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_is_a_failed_one_to_node() {
    let (fixture, source, node) = begin("bullmq").await;
    let queue = fixture.queue();
    let waiting = node.add(json!({"n": 1}), json!({"delay": 3_600_000})).await;
    let active = node.add(json!({"n": 2}), json!({})).await;
    let delivery = receive(&source).await;
    for (id, answer) in [(&waiting, Cancel::Cancelled), (&active, Cancel::Asked)] {
        assert_eq!(queue.cancel(&id.parse().unwrap()).await.unwrap(), answer);
    }
    delivery.cancel_asked().await;
    settle(&*delivery, Outcome::Cancelled).await;
    for id in [&waiting, &active] {
        let job = node.job(id).await;
        assert_eq!(job["state"], "failed");
        assert_eq!(job["failedReason"], "cancelled");
        assert_eq!(node.wait(id).await, json!({"threw": "cancelled"}));
        let record = queue.find(&id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(record.state, State::Cancelled);
    }
    assert_eq!(queue.counts().await.unwrap().failed, 0);
    // Retried from the dashboard it is no longer cancelled.
    let one = json!({"jobId": active});
    node.board("put", "/api/queues/:queueName/:jobId/retry", one, json!({}))
        .await;
    let delivery = receive(&source).await;
    settle(&*delivery, Outcome::reject("now it fails")).await;
    assert_eq!(queue.counts().await.unwrap().failed, 1);
    let record = queue.find(&active.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(record.state, State::Failed);
}

/// Where the producer does not say how often, the queue's policy holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_attempts_has_those_of_the_policy() {
    let fixture = Bullmq::fresh(Settings {
        retry: RetryPolicy {
            attempts: 5,
            ..Settings::default().retry
        },
        ..Settings::default()
    })
    .await;
    let node = Node::start("bullmq", &fixture);
    node.add(json!({}), json!({})).await;
    let delivery = receive(&fixture.source().await).await;
    assert_eq!(delivery.job().max_attempts, 5);
}
