//! Records: adding, finding, cancelling, counting, listing.

use std::time::{Duration, Instant, SystemTime};

use flatbed::job::{JobId, Outcome, Progress};
use flatbed::queue::{Added, Cancel, Counts, Lease, NewJob, Page, State};
use serde_json::json;
use tokio::time::timeout;

use super::{BOUND, admin, begin, job, payload, receive, record, state, until};
use crate::queue::fixture::Fixture;

pub async fn an_id_is_added_once<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    let new = job("first");
    assert_eq!(admin.add(new.clone()).await.unwrap(), Added::New);
    let again = NewJob {
        payload: b"second".to_vec(),
        ..new.clone()
    };
    assert_eq!(admin.add(again.clone()).await.unwrap(), Added::Known);
    let delivery = receive(&source).await;
    assert_eq!(payload(&*delivery), "first");
    assert_eq!(admin.add(again.clone()).await.unwrap(), Added::Known);
    assert_eq!(
        delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
    assert_eq!(admin.add(again).await.unwrap(), Added::Known);
    assert_eq!(state(&admin, &new.id).await, State::Completed);
}

pub async fn a_record_tells_the_whole_story<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    let before = SystemTime::now() - Duration::from_secs(5);
    assert_eq!(admin.find(&JobId::random()).await.unwrap(), None);

    let new = NewJob {
        max_attempts: Some(2),
        ..job("story")
    };
    admin.add(new.clone()).await.unwrap();
    let waiting = record(&admin, &new.id).await;
    assert_eq!(waiting.state, State::Waiting);
    assert_eq!((waiting.attempts, waiting.max_attempts), (0, 2));
    assert_eq!(
        (&*waiting.name, &*waiting.payload),
        ("export", &b"story"[..])
    );
    assert!(waiting.enqueued_at.unwrap() >= before);
    assert_eq!((waiting.started_at, waiting.finished_at), (None, None));

    let delivery = receive(&source).await;
    let active = record(&admin, &new.id).await;
    assert_eq!((active.state, active.attempts), (State::Active, 1));
    assert!(active.started_at.unwrap() >= before);

    let retry = Outcome::retry("the disk is full");
    assert_eq!(delivery.settle(&retry).await.unwrap(), Lease::Held);
    let between = record(&admin, &new.id).await;
    // Its short delay may be over.
    assert!(
        matches!(between.state, State::Delayed | State::Waiting),
        "{between:?}"
    );
    if let Some(reason) = between.failed_reason {
        assert_eq!(reason, "the disk is full");
    }
    let delivery = receive(&source).await;
    let result = json!({"files": [{"name": "out.mp4", "bytes": 17}]});
    assert_eq!(
        delivery
            .settle(&Outcome::Done(result.clone()))
            .await
            .unwrap(),
        Lease::Held
    );
    let completed = record(&admin, &new.id).await;
    assert_eq!((completed.state, completed.attempts), (State::Completed, 2));
    assert_eq!(completed.result, Some(result));
    assert_eq!(completed.failed_reason, None);
    assert!(completed.finished_at.unwrap() >= completed.started_at.unwrap());
}

pub async fn counts_and_lists_agree<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    let mut ids = Vec::new();
    for outcome in [
        Some(Outcome::Done(json!(1))),
        Some(Outcome::Done(json!(2))),
        Some(Outcome::reject("no")),
        None,
    ] {
        let new = job("any");
        ids.push(new.id.clone());
        admin.add(new).await.unwrap();
        let delivery = receive(&source).await;
        if let Some(outcome) = outcome {
            assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
        } else {
            // Kept for a while by a task that extends it.
            tokio::spawn(async move {
                while delivery.extend().await.unwrap() == Lease::Held {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
            });
        }
    }
    for delay in [0, 0, 0, 3600, 3600] {
        let new = NewJob {
            delay: Duration::from_secs(delay),
            ..job("waits")
        };
        ids.push(new.id.clone());
        admin.add(new).await.unwrap();
    }
    let counts = Counts {
        waiting: 3,
        active: 1,
        completed: 2,
        failed: 1,
        delayed: 2,
        paused: 0,
    };
    assert_eq!(admin.counts().await.unwrap(), counts);
    let list = async |state, page| {
        let records = admin.list(state, page).await.unwrap();
        assert!(records.iter().all(|record| record.state == state));
        records
            .into_iter()
            .map(|record| record.id)
            .collect::<Vec<_>>()
    };
    let all = Page::first(100);
    assert_eq!(
        list(State::Completed, all).await,
        [ids[1].clone(), ids[0].clone()]
    );
    assert_eq!(list(State::Failed, all).await, ids[2..3]);
    assert_eq!(list(State::Active, all).await, ids[3..4]);
    assert_eq!(list(State::Waiting, all).await, ids[4..7]);
    assert_eq!(list(State::Delayed, all).await, ids[7..9]);
    assert_eq!(list(State::Paused, all).await, []);
    let second = Page {
        offset: 1,
        limit: 1,
    };
    assert_eq!(list(State::Waiting, second).await, ids[5..6]);
}

pub async fn a_delayed_job_waits<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    let delay = Duration::from_secs(2);
    let new = NewJob {
        delay,
        ..job("later")
    };
    let added = Instant::now();
    admin.add(new.clone()).await.unwrap();
    assert_eq!(state(&admin, &new.id).await, State::Delayed);
    assert_eq!(payload(&*receive(&source).await), "later");
    assert!(
        added.elapsed() + Duration::from_millis(2) >= delay,
        "{:?}",
        added.elapsed()
    );
}

pub async fn a_paused_queue_gives_nothing<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    admin.set_paused(true).await.unwrap();
    let new = job("paused");
    admin.add(new.clone()).await.unwrap();
    assert_eq!(admin.counts().await.unwrap().paused, 1);
    assert_eq!(state(&admin, &new.id).await, State::Paused);
    tokio::select! {
        got = source.receive() => panic!("{:?}", got.map(|delivery| payload(&*delivery))),
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    let waiting = tokio::spawn(async move { receive(&source).await });
    admin.set_paused(false).await.unwrap();
    assert_eq!(payload(&*waiting.await.unwrap()), "paused");
}

pub async fn a_failed_job_can_be_retried<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    let new = job("second chance");
    admin.add(new.clone()).await.unwrap();
    assert!(!admin.retry(&new.id).await.unwrap(), "it waits");
    assert!(!admin.retry(&JobId::random()).await.unwrap(), "unknown");
    let delivery = receive(&source).await;
    let reject = Outcome::reject("the store's key was wrong");
    assert_eq!(delivery.settle(&reject).await.unwrap(), Lease::Held);
    assert!(admin.retry(&new.id).await.unwrap());
    let delivery = receive(&source).await;
    assert_eq!(
        (payload(&*delivery), delivery.job().attempt),
        ("second chance".to_owned(), 1)
    );
    assert_eq!(
        delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
    assert!(!admin.retry(&new.id).await.unwrap(), "it is completed");
}

/// The fixture's queue keeps as many as `Retention::default` says.
pub async fn old_jobs_are_forgotten<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    let kept = u64::from(flatbed::queue::Retention::default().failed);
    let mut first = None;
    for number in 0..kept + 150 {
        let new = job(&number.to_string());
        first.get_or_insert(new.id.clone());
        admin.add(new).await.unwrap();
        let delivery = receive(&source).await;
        assert_eq!(
            delivery.settle(&Outcome::reject("no")).await.unwrap(),
            Lease::Held
        );
    }
    let counts = admin.counts().await.unwrap();
    assert!((kept..kept + 100).contains(&counts.failed), "{counts:?}");
    assert_eq!(admin.find(&first.unwrap()).await.unwrap(), None);
}

pub async fn a_waiting_job_is_cancelled<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    assert_eq!(
        admin.cancel(&JobId::random()).await.unwrap(),
        Cancel::Unknown
    );
    let delayed = NewJob {
        delay: Duration::from_secs(3600),
        ..job("delayed")
    };
    for new in [job("waiting"), delayed] {
        admin.add(new.clone()).await.unwrap();
        assert_eq!(admin.cancel(&new.id).await.unwrap(), Cancel::Cancelled);
        assert_eq!(state(&admin, &new.id).await, State::Cancelled);
        let again = admin.cancel(&new.id).await.unwrap();
        assert_eq!(again, Cancel::TooLate(State::Cancelled));
    }
    admin.add(job("next")).await.unwrap();
    assert_eq!(payload(&*receive(&source).await), "next");
}

pub async fn progress_is_seen<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    let new = job("slow");
    admin.add(new.clone()).await.unwrap();
    let delivery = receive(&source).await;
    for percent in [0, 45, 100] {
        let progress = Progress {
            percent,
            current_operation: Some("transcode".to_owned()),
            timemark: Some("00:02:15".to_owned()),
        };
        assert_eq!(delivery.progress(&progress).await.unwrap(), Lease::Held);
        assert_eq!(record(&admin, &new.id).await.progress, Some(progress));
    }
    assert_eq!(
        delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
}

pub async fn an_active_job_hears_of_its_cancel<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    let new = job("unwanted");
    admin.add(new.clone()).await.unwrap();
    let delivery = receive(&source).await;
    assert_eq!(admin.cancel(&new.id).await.unwrap(), Cancel::Asked);
    timeout(BOUND, delivery.cancel_asked())
        .await
        .expect("it hears of it");
    assert_eq!(
        delivery.settle(&Outcome::Cancelled).await.unwrap(),
        Lease::Held
    );
    assert_eq!(state(&admin, &new.id).await, State::Cancelled);

    // A retry or a put back after the cancel does not bring it back.
    for outcome in [Outcome::retry("stopped in the middle"), Outcome::PutBack] {
        let new = job("unwanted");
        admin.add(new.clone()).await.unwrap();
        let delivery = receive(&source).await;
        assert_eq!(admin.cancel(&new.id).await.unwrap(), Cancel::Asked);
        assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
        until("it is cancelled", async || {
            state(&admin, &new.id).await == State::Cancelled
        })
        .await;
    }
}

pub async fn a_result_beats_a_cancel<F: Fixture>() {
    let (fixture, source) = begin::<F>().await;
    let admin = admin(&fixture).await;
    let new = job("nearly done");
    admin.add(new.clone()).await.unwrap();
    let delivery = receive(&source).await;
    assert_eq!(admin.cancel(&new.id).await.unwrap(), Cancel::Asked);
    assert_eq!(
        delivery
            .settle(&Outcome::Done(json!("done")))
            .await
            .unwrap(),
        Lease::Held
    );
    let record = record(&admin, &new.id).await;
    assert_eq!(
        (record.state, record.result),
        (State::Completed, Some(json!("done")))
    );
    let late = admin.cancel(&new.id).await.unwrap();
    assert_eq!(late, Cancel::TooLate(State::Completed));
}
