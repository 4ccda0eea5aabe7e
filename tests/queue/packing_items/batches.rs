//! Batches, triggers, several workers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flatbed::job::Outcome;
use flatbed::queue::packing_items::{Config, Trigger};
use flatbed::queue::{Lease, Source};
use tokio::sync::watch;
use tokio::time::timeout;

use super::super::contract::BOUND;
use super::base::{Base, assert_held, made, next, quick};

#[tokio::test(flavor = "multi_thread")]
async fn without_batches_only_triggered_rows_are_claimed() {
    for base in Base::both().await {
        let config = Config {
            auto: false,
            ..quick()
        };
        let (worker, producer) = (base.open(config.clone()).await, base.open(config).await);
        for id in 1..=3 {
            base.add(id).await;
        }
        base.sql("UPDATE packing_items SET status = 'CLIP_FAILED' WHERE id = 3")
            .await;
        let idle = tokio::spawn({
            let worker = worker.clone();
            async move { next(&worker).await }
        });
        for id in [3, 99, -1] {
            let answer = producer.trigger(id).await.unwrap();
            assert_eq!(answer, Trigger::NotReady);
        }
        assert_eq!(producer.trigger(2).await.unwrap(), Trigger::Accepted);
        let delivery = timeout(BOUND, idle).await.unwrap().unwrap();
        assert_eq!(delivery.job().id.as_str(), "2");
        assert!(delivery.job().enqueued_at.is_some());
        assert_eq!(producer.trigger(2).await.unwrap(), Trigger::NotReady);

        // A retry is still a triggered one.
        assert_held(&*delivery, &Outcome::retry("busy")).await;
        let again = next(&worker).await;
        assert_eq!((again.job().id.as_str(), again.job().attempt), ("2", 2));
        assert_held(&*again, &made(1)).await;

        for _ in 0..2 {
            assert_eq!(producer.trigger(1).await.unwrap(), Trigger::Accepted);
            assert_eq!(producer.waiting().await.unwrap(), 1);
        }
        let last = next(&worker).await;
        assert_eq!(producer.waiting().await.unwrap(), 0);
        assert_held(&*last, &made(1)).await;
        assert_eq!(base.clips().await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_so_many_rows_and_triggers_and_retries_go_before() {
    for base in Base::both().await {
        let config = Config {
            batch_interval: Duration::from_secs(3600),
            batch_size: 2,
            ..quick()
        };
        let items = base.open(config).await;
        for id in 1..=6 {
            base.add(id).await;
        }
        assert_eq!(items.trigger(5).await.unwrap(), Trigger::Accepted);
        let claimed = async |id: &str| {
            let delivery = next(&items).await;
            assert_eq!(delivery.job().id.as_str(), id);
            delivery
        };
        claimed("5").await;
        let first = claimed("1").await;
        claimed("2").await;
        // The batch is full: the next one comes only because it is asked for.
        let idle = tokio::spawn({
            let items = items.clone();
            async move { next(&items).await }
        });
        assert_eq!(items.trigger(6).await.unwrap(), Trigger::Accepted);
        let sixth = timeout(BOUND, idle).await.unwrap().unwrap();
        assert_eq!(sixth.job().id.as_str(), "6");
        assert_held(&*first, &Outcome::retry("busy")).await;
        let first = claimed("1").await;
        assert_held(&*first, &Outcome::PutBack).await;
        let first = claimed("1").await;
        assert_eq!(first.job().attempt, 2);
        let counts = items.counts().await.unwrap();
        assert_eq!((counts.waiting, counts.active), (2, 4));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_batch_comes_by_itself() {
    for base in Base::both().await {
        let items = base
            .open(Config {
                batch_size: 1,
                ..quick()
            })
            .await;
        for id in 1..=4 {
            base.add(id).await;
        }
        for id in 1..=4 {
            assert_eq!(next(&items).await.job().id.as_str(), id.to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_does_not_wait_for_the_retry() {
    for base in Base::both().await {
        let items = base.open(quick()).await;
        base.add(1).await;
        let delivery = next(&items).await;
        let late = Outcome::Retry {
            after: Some(Duration::from_secs(3600)),
            reason: "busy".to_owned(),
        };
        assert_held(&*delivery, &late).await;
        assert_eq!(items.counts().await.unwrap().delayed, 1);
        assert_eq!(items.trigger(1).await.unwrap(), Trigger::Accepted);
        assert_eq!(next(&items).await.job().attempt, 2);
    }
}

/// Every third is tried twice.
#[tokio::test(flavor = "multi_thread")]
async fn two_workers_never_have_the_same_row_at_once() {
    const ROWS: i64 = 200;
    for base in Base::both().await {
        let rows: Vec<String> = (1..=ROWS).map(|id| format!("({id})")).collect();
        let rows = rows.join(", ");
        base.sql(&format!("INSERT INTO packing_items (id) VALUES {rows}"))
            .await;
        let active = Arc::new(Mutex::new(BTreeSet::new()));
        let (left, mut none_left) = watch::channel(ROWS);
        let mut tasks = Vec::new();
        for _ in 0..2 {
            let items = base.open(quick()).await;
            for _ in 0..4 {
                let (items, active, left) = (items.clone(), Arc::clone(&active), left.clone());
                tasks.push(tokio::spawn(async move {
                    loop {
                        let delivery = items.receive().await.unwrap();
                        let job = delivery.job();
                        assert!(active.lock().unwrap().insert(job.id.clone()), "{job:?}");
                        tokio::task::yield_now().await;
                        let number: i64 = job.id.as_str().parse().unwrap();
                        let again = number % 3 == 0 && job.attempt == 1;
                        let outcome = if again {
                            Outcome::retry("busy")
                        } else {
                            made(number)
                        };
                        assert!(active.lock().unwrap().remove(&job.id));
                        assert_eq!(delivery.settle(&outcome).await.unwrap(), Lease::Held);
                        left.send_modify(|left| *left -= i64::from(!again));
                    }
                }));
            }
        }
        let done = none_left.wait_for(|left| *left == 0);
        timeout(BOUND, done).await.unwrap().unwrap();
        for task in tasks {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled(), "a worker failed");
        }
        assert_eq!(base.clips().await.len(), 200);
        let twice = "SELECT count(*) FROM packing_items
            WHERE status = 'CLIP_GENERATED' AND attempts = CASE id % 3 WHEN 0 THEN 2 ELSE 1 END";
        assert_eq!(base.sql(twice).await, [["200"]]);
    }
}

/// Over all workers, and whichever camera of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_s_items_come_one_after_the_other() {
    for base in Base::both().await {
        let config = Config {
            per_recorder: 1,
            ..quick()
        };
        let (one, other) = (base.open(config.clone()).await, base.open(config).await);
        for id in 1..=4 {
            base.add(id).await; // All of them at the same host.
        }
        base.sql(
            "UPDATE cameras SET port = 8000 WHERE id = 4;
             UPDATE cameras SET host = 'NVR.local' WHERE id = 1;
             UPDATE cameras SET host = 'nvr.local' WHERE id = 2",
        )
        .await;
        let first = next(&one).await;
        assert_eq!(first.job().id.as_str(), "1");
        // The second is at the first one's recorder, triggered or not.
        assert_eq!(other.trigger(2).await.unwrap(), Trigger::Accepted);
        let third = next(&other).await;
        assert_eq!(third.job().id.as_str(), "3");
        let fourth = next(&one).await;
        assert_eq!(fourth.job().id.as_str(), "4", "another port is another one");
        assert_held(&*first, &made(1)).await;
        let second = next(&other).await;
        assert_eq!((second.job().id.as_str(), second.job().attempt), ("2", 1));
        // Nor does one without a camera wait for anybody.
        base.sql("INSERT INTO packing_items (id, camera_id) VALUES (9, 99)")
            .await;
        assert_eq!(next(&one).await.job().id.as_str(), "9");
    }
}
