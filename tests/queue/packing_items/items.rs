//! What a row goes through, and what its users may do to it meanwhile.

use std::time::Duration;

use flatbed::job::Outcome;
use flatbed::queue::packing_items::{Config, Trigger};
use flatbed::queue::{Error, Lease, Source, State};
use serde_json::json;
use tokio::time::timeout;

use super::super::contract::BOUND;
use super::base::{Base, assert_held, made, next, order, quick};

#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_the_columns_its_system_knows_becomes_a_clip() {
    for base in Base::both().await {
        let items = base.open(quick()).await;
        base.sql(
            "INSERT INTO cameras (id, name, host, port, username, password_encrypted, track_id)
                 VALUES (3, 'packing 1', 'nvr.local', 8080, 'admin', 'gAAAA', 201);
             INSERT INTO packing_items (camera_id, start_time, end_time)
                 VALUES (3, '2020-11-22 17:00:00+07:00', '2020-11-22 17:00:29.5+07:00')",
        )
        .await;
        let delivery = next(&items).await;
        assert_eq!(delivery.job().id.as_str(), "1");
        let found = order(&*delivery);
        let times = [found.start_time, found.end_time].map(|time| time.unwrap().to_string());
        assert_eq!(times, ["2020-11-22T10:00:00Z", "2020-11-22T10:00:29.5Z"]);
        let camera = found.camera.unwrap();
        assert_eq!((camera.id, &*camera.host), (3, "nvr.local"));
        assert_eq!(camera.name.as_deref(), Some("packing 1"));
        assert_eq!((camera.port, camera.track_id), (Some(8080), Some(201)));
        assert_eq!(
            (camera.scheme.as_deref(), camera.time_mode),
            (Some("http"), None)
        );
        assert_eq!(base.item(1, "status, attempts").await, "PROCESSING 1");

        assert_held(&*delivery, &made(7)).await;
        assert_eq!(
            base.item(1, "status, attempts, error").await,
            "CLIP_GENERATED 1 NULL"
        );
        let clip = base
            .sql(
                "SELECT packing_item_id, bucket, object_key, url, duration_ms, size_bytes, coverage
                 FROM mini_clips",
            )
            .await;
        let expected = "1 clips clips/7.mp4 https://storage.example/clips 29500 7 0.5";
        assert_eq!(clip[0].join(" "), expected);
        let seconds = if base.is_postgres() {
            "SELECT extract(epoch FROM end_time - start_time)::real FROM mini_clips"
        } else {
            "SELECT round((julianday(end_time) - julianday(start_time)) * 86400, 1) FROM mini_clips"
        };
        assert_eq!(base.sql(seconds).await, [["29.5"]]);
        let counts = items.counts().await.unwrap();
        assert_eq!((counts.completed, counts.waiting, counts.active), (1, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_nonsense_is_an_order_too() {
    for base in Base::both().await {
        let items = base.open(quick()).await;
        base.sql("INSERT INTO packing_items (id, camera_id) VALUES (1, 99)")
            .await;
        base.sql("INSERT INTO packing_items (id) VALUES (2)").await;
        for id in [1, 2] {
            let delivery = next(&items).await;
            let found = order(&*delivery);
            assert_eq!((found.packing_item_id, found.camera), (id, None));
            assert_eq!((found.start_time, found.end_time), (None, None));
            let reject = Outcome::reject("no camera:\n\tcamera_id is 99\0");
            assert_held(&*delivery, &reject).await;
            assert_eq!(
                base.item(id, "status, error").await,
                "CLIP_FAILED no camera: camera_id is 99"
            );
        }
        if base.is_postgres() {
            base.sql(
                "INSERT INTO packing_items (id, start_time, end_time)
                     VALUES (3, 'infinity', '200000-01-01')",
            )
            .await;
            let found = order(&*next(&items).await);
            assert_eq!((found.start_time, found.end_time), (None, None));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_makes_a_row_ready_again_gives_it_all_its_attempts() {
    for base in Base::both().await {
        let items = base.open(quick()).await;
        base.add(1).await;
        for attempt in 1..=3 {
            let delivery = next(&items).await;
            assert_eq!(delivery.job().attempt, attempt);
            let said = Outcome::retry(format!("busy {attempt}"));
            assert_held(&*delivery, &said).await;
            let status = if attempt < 3 {
                "READY_FOR_BATCH"
            } else {
                "CLIP_FAILED"
            };
            assert_eq!(
                base.item(1, "status, attempts, error").await,
                format!("{status} {attempt} busy {attempt}")
            );
        }
        for size in [1, 2] {
            base.sql("UPDATE packing_items SET status = 'READY_FOR_BATCH'")
                .await;
            let delivery = next(&items).await;
            assert_eq!(delivery.job().attempt, 1);
            assert!(!delivery.is_suspect());
            assert_eq!(base.item(1, "attempts, error").await, "1 NULL");
            assert_held(&*delivery, &made(size)).await;
        }
        assert_eq!(base.clips().await, [["1", "clips/2.mp4"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_and_its_status_are_written_together_or_not_at_all() {
    for base in Base::both().await {
        let items = base.open(quick()).await;
        base.add(1).await;
        let delivery = next(&items).await;
        let (forbid, allow) = if base.is_postgres() {
            (
                "ALTER TABLE mini_clips ADD CONSTRAINT small CHECK (size_bytes < 10)",
                "ALTER TABLE mini_clips DROP CONSTRAINT small",
            )
        } else {
            (
                "CREATE TRIGGER small BEFORE INSERT ON mini_clips
                     BEGIN SELECT RAISE(ABORT, 'small: no room'); END",
                "DROP TRIGGER small",
            )
        };
        base.sql(forbid).await;
        for _ in 0..2 {
            let error = delivery.settle(&made(1000)).await.unwrap_err();
            let line = error.to_string();
            assert!(matches!(error, Error::Refused { .. }), "{line}");
            assert!(line.contains("small") && !line.contains('\n'), "{line}");
            assert_eq!(base.item(1, "status").await, "PROCESSING");
            assert!(base.clips().await.is_empty());
        }
        base.sql(allow).await;
        assert_held(&*delivery, &made(1000)).await;
        assert_held(&*delivery, &made(1000)).await;
        assert_eq!(base.item(1, "status").await, "CLIP_GENERATED");
        assert_eq!(base.clips().await, [["1", "clips/1000.mp4"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_no_clip_is_refused() {
    for base in Base::both().await {
        let items = base.open(quick()).await;
        base.add(1).await;
        let delivery = next(&items).await;
        let error = delivery.settle(&Outcome::Done(json!(1))).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
        assert_eq!(base.item(1, "status").await, "PROCESSING");
    }
}

/// Whatever comes of the work.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_its_users_take_away_is_left_as_they_want_it() {
    for base in Base::both().await {
        let items = base.open(quick()).await;
        let outcomes = [
            (made(1), Lease::Lost),
            (Outcome::retry("busy"), Lease::Lost),
            (Outcome::reject("no"), Lease::Lost),
            (Outcome::PutBack, Lease::Lost),
            (Outcome::Cancelled, Lease::Held),
        ];
        for (id, (outcome, lease)) in (1..).zip(outcomes) {
            base.add(id).await;
            let delivery = next(&items).await;
            let hearing = timeout(BOUND, delivery.cancel_asked());
            let cancel = format!("UPDATE packing_items SET status = 'CANCELLED' WHERE id = {id}");
            let (heard, _) = tokio::join!(hearing, base.sql(&cancel));
            heard.unwrap();
            for _ in 0..2 {
                assert_eq!(
                    delivery.settle(&outcome).await.unwrap(),
                    lease,
                    "{outcome:?}"
                );
            }
            assert_eq!(delivery.extend().await.unwrap(), Lease::Lost);
            assert_eq!(base.item(id, "status, error").await, "CANCELLED NULL");
        }
        base.add(9).await;
        let delivery = next(&items).await;
        base.sql("DELETE FROM packing_items WHERE id = 9").await;
        timeout(BOUND, delivery.cancel_asked()).await.unwrap();
        assert_eq!(delivery.settle(&made(1)).await.unwrap(), Lease::Lost);
        assert!(base.clips().await.is_empty());

        // Nobody has changed it, and yet it was cancelled.
        base.add(10).await;
        let delivery = next(&items).await;
        assert_held(&*delivery, &Outcome::Cancelled).await;
        assert_eq!(
            base.item(10, "status, error").await,
            "CLIP_FAILED cancelled"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_made_ready_while_it_is_processed_waits_for_its_worker() {
    for base in Base::both().await {
        let (one, other) = (base.open(quick()).await, base.open(quick()).await);
        base.add(1).await;
        let delivery = next(&one).await;
        base.sql("UPDATE packing_items SET status = 'READY_FOR_BATCH'")
            .await;
        tokio::select! {
            biased;
            again = other.receive() => panic!("{:?}", again.map(|again| again.job().attempt)),
            heard = timeout(BOUND, delivery.cancel_asked()) => heard.unwrap(),
        }
        assert_held(&*delivery, &Outcome::Cancelled).await;
        let again = next(&other).await;
        assert_eq!((again.job().id.as_str(), again.job().attempt), ("1", 1));
        assert_held(&*again, &made(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_another_system_processes_is_its_own() {
    for base in Base::both().await {
        let items = base.open(quick()).await;
        base.add(1).await;
        base.sql("UPDATE packing_items SET status = 'PROCESSING'")
            .await;
        base.add(2).await;
        let delivery = next(&items).await;
        assert_eq!(delivery.job().id.as_str(), "2");
        assert_eq!(base.item(1, "status, attempts").await, "PROCESSING 0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_loses_its_last_worker_has_failed_and_is_told() {
    for base in Base::both().await {
        let mut config = Config {
            lease: Duration::from_millis(1),
            ..quick()
        };
        config.retry.attempts = 2;
        let items = base.open(config).await;
        base.add(1).await;
        for attempt in [1, 2] {
            let lost = next(&items).await;
            assert_eq!(lost.job().attempt, attempt);
            assert_eq!(lost.is_suspect(), attempt == 2);
        }
        let told = tokio::select! {
            next = items.receive() => panic!("{:?}", next.map(|next| next.job().attempt)),
            told = timeout(BOUND, items.set_aside()) => told.unwrap(),
        };
        assert_eq!((told.id.as_str(), told.state), ("1", State::Failed));
        assert_eq!(
            base.item(1, "status, error").await,
            "CLIP_FAILED its worker was lost in attempt 2 of 2"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_left_alone_until_its_end_has_passed() {
    for base in Base::both().await {
        let delay = Duration::from_secs(2);
        let items = base.open(Config { delay, ..quick() }).await;
        for id in 1..=3 {
            base.add(id).await;
        }
        // Whether it ends in an hour or ended a moment ago.
        let now = jiff::Timestamp::now();
        for (id, end) in [(1, now + jiff::SignedDuration::from_hours(1)), (2, now)] {
            base.sql(&format!(
                "UPDATE packing_items SET start_time = '2020-11-22 10:00:00+00:00', end_time = '{end}'
                 WHERE id = {id}"
            ))
            .await;
        }
        let counts = items.counts().await.unwrap();
        assert_eq!((counts.waiting, counts.delayed), (1, 2));
        assert_eq!(next(&items).await.job().id.as_str(), "3");
        assert_eq!(
            items.trigger(1).await.unwrap(),
            Trigger::Accepted,
            "it has its turn"
        );
        // That was no attempt: the first one comes when it can be made.
        let second = next(&items).await;
        assert_eq!((second.job().id.as_str(), second.job().attempt), ("2", 1));
        let begun = jiff::Timestamp::now().duration_since(now);
        assert!(begun >= jiff::SignedDuration::from_secs(2), "{begun}");
        assert_eq!(base.item(1, "status, attempts").await, "READY_FOR_BATCH 0");
        base.sql("UPDATE packing_items SET end_time = '2020-11-22 10:00:30+00:00' WHERE id = 1")
            .await;
        assert_eq!(items.trigger(1).await.unwrap(), Trigger::Accepted);
        let first = next(&items).await;
        assert_eq!((first.job().id.as_str(), first.job().attempt), ("1", 1));
    }
}
