//! What comes back, what does not, and when.

use jiff::{SignedDuration, Timestamp};

use super::bench::{Bench, encrypted, order, rejected, retried};
use super::camera::{Reel, hours_ago, recorder};
use crate::support::nvr::Profile;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_sent_once_and_the_item_waits_for_a_right_one() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    let mut wrong = order(7, &nvr, &reel, 3_000..5_000);
    if let Some(camera) = &mut wrong.camera {
        camera.password_encrypted = encrypted("hunter2");
    }
    for _ in 0..4 {
        let (after, reason) = retried(&bench.run(&wrong).await);
        assert!((60..=1800).contains(&after), "{after}");
        assert!(reason.contains("refuses user"), "{reason}");
        assert!(!reason.contains("hunter2"), "{reason}");
    }
    assert_eq!(nvr.wrong(), 1);
    // Corrected, it goes on at once.
    bench.clip(&order(7, &nvr, &reel, 3_000..5_000)).await;
    assert_eq!(
        bench.counted("flatbed_clip_failures_total{reason=\"login\"}"),
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_another_key_asks_no_recorder() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    let mut wrong = order(7, &nvr, &reel, 3_000..5_000);
    if let Some(camera) = &mut wrong.camera {
        let other = fernet::Fernet::new(&fernet::Fernet::generate_key()).unwrap();
        camera.password_encrypted = other.encrypt(b"Kamera-2026");
    }
    let (after, reason) = retried(&bench.run(&wrong).await);
    assert_eq!(after, 1800);
    assert!(reason.contains("CAMERA_ENCRYPTION_KEY"), "{reason}");
    assert!(nvr.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_recorded_is_final_unless_it_may_still_come() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    let reason = rejected(&bench.run(&order(7, &nvr, &reel, 60_000..70_000)).await);
    assert!(
        reason.contains("nothing was recorded on track 101"),
        "{reason}"
    );

    let mut recent = order(8, &nvr, &reel, 0..1);
    let now = Timestamp::now();
    recent.start_time = Some(now - SignedDuration::from_secs(60));
    recent.end_time = Some(now - SignedDuration::from_secs(40));
    let (after, reason) = retried(&bench.run(&recent).await);
    assert!((200..=300).contains(&after), "{after}");
    assert!(reason.contains("may still come"), "{reason}");
    let last = bench.attempt(&recent, 3, &bench.context()).await;
    assert!(rejected(&last).contains("nothing was recorded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn footage_that_is_being_written_is_waited_for_but_not_for_ever() {
    let bench = Bench::new(|_| {}).await;
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let reel = Reel::new(now - SignedDuration::from_secs(60), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    let order = order(7, &nvr, &reel, 10_000..30_000);
    let (_, reason) = retried(&bench.run(&order).await);
    assert!(reason.contains("more may still come"), "{reason}");
    // What there is at the last attempt is made.
    let last = bench.attempt(&order, 3, &bench.context()).await;
    assert!(
        format!("{last:?}").contains("\"coverage\": Number(0.5)"),
        "{last:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_in_trouble_costs_no_clip() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    let item = order(7, &nvr, &reel, 3_000..15_000);
    let mut failures = 2;
    bench.s3.fail(move |_| {
        failures -= i32::from(failures > 0);
        (failures > 0).then_some(503)
    });
    bench.clip(&item).await;
    bench.s3.fail(|_| Some(403));
    let (after, reason) = retried(&bench.run(&item).await);
    assert_eq!(after, 1800);
    assert!(reason.contains("gs://clips/"), "{reason}");
    assert_eq!(nvr.downloads_now(), 0);
}
