//! Downloads that break off, are empty, busy, or stopped: no clip is short without
//! a word, and nothing is left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flatbed::job::Outcome;

use super::bench::{Bench, order, retried};
use super::camera::{Reel, downloads_meet, file, hours_ago, recorder};
use crate::support::nvr::{Fault, Length, Nvr, Profile};
use crate::support::wait_until;

/// All of these numbers, in order.
fn all(numbers: std::ops::Range<u32>) -> Vec<u32> {
    numbers.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_is_fetched_anew() {
    let reel = Reel::new(hours_ago(5), 0, &[20, 20]);
    for length in [Length::Told, Length::Chunked, Length::Closes] {
        for faults in [
            vec![Fault::Truncate(400_000)],
            vec![Fault::Empty, Fault::Empty],
            vec![Fault::Truncate(400_000), Fault::Truncate(300_000)],
        ] {
            let bench = Bench::new(|_| {}).await;
            let profile = Profile {
                length,
                ..Profile::default()
            };
            let nvr = recorder(profile, &reel).await;
            let count = faults.len();
            downloads_meet(&nvr, faults);
            let clip = bench.clip(&order(7, &nvr, &reel, 13_300..27_700)).await;
            assert_eq!(
                bench.shown(&clip),
                all(333..693),
                "{length:?}, {count} faults"
            );
            assert!((clip.made.coverage - 1.0).abs() < f32::EPSILON);
            assert_eq!(nvr.faults_left(), 0);
            assert!(bench.counted("flatbed_clips_spooled_total") > 0);
            assert_eq!(bench.objects().len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_never_comes_whole_makes_no_clip() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    downloads_meet(&nvr, [1, 2, 3, 4].map(|n| Fault::Truncate(100_000 * n)));
    let outcome = bench.run(&order(7, &nvr, &reel, 13_000..19_000)).await;
    let (after, reason) = retried(&outcome);
    assert_eq!(after, 60);
    assert!(reason.contains("broke off"), "{reason}");
    assert_eq!(bench.objects().len(), 0);
    assert!(bench.counted("flatbed_clip_failures_total{reason=\"broken\"}") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_shorter_than_its_entry_is_believed_when_it_comes_twice_so() {
    for length in [Length::Told, Length::Closes] {
        let bench = Bench::new(|_| {}).await;
        let start = hours_ago(5);
        let reel = Reel {
            start,
            first: 0,
            files: vec![file(start, 0, 12, 20)],
        };
        let profile = Profile {
            length,
            ..Profile::default()
        };
        let nvr = recorder(profile, &reel).await;
        let clip = bench.clip(&order(7, &nvr, &reel, 8_000..18_000)).await;
        assert_eq!(bench.shown(&clip), all(200..300));
        assert!((clip.made.coverage - 0.4).abs() < 1e-4, "{clip:?}");
        assert_eq!(clip.gaps[0].start, reel.at(12_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_and_stale_are_got_over_in_the_attempt() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    let busy = |status| Fault::Busy { status, told: true };
    nvr.fail("search", [busy(503), Fault::Stale]);
    downloads_meet(&nvr, [busy(403), Fault::Stale, busy(200)]);
    let clip = bench.clip(&order(7, &nvr, &reel, 13_000..15_000)).await;
    assert_eq!(bench.shown(&clip), all(325..375));
    assert_eq!(nvr.faults_left(), 0);
    assert_eq!(bench.counted("flatbed_clips_spooled_total"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_busy_for_long_is_asked_later() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    let busy = Fault::Busy {
        status: 503,
        told: true,
    };
    downloads_meet(&nvr, vec![busy; 60]);
    let context = bench.context();
    let order = order(7, &nvr, &reel, 13_000..15_000);
    let outcome = bench.attempt(&order, 2, &context).await;
    let (after, reason) = retried(&outcome);
    assert_eq!(after, 240);
    assert!(reason.contains("busy"), "{reason}");
    assert_eq!(bench.objects().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_stopped_lets_go_of_the_recorder() {
    let bench = Arc::new(Bench::new(|_| {}).await);
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    downloads_meet(&nvr, [Fault::Stall(100_000)]);
    let context = bench.context();
    let running = {
        let (bench, context) = (Arc::clone(&bench), context.clone());
        let order = order(7, &nvr, &reel, 13_000..15_000);
        tokio::spawn(async move { bench.attempt(&order, 1, &context).await })
    };
    until(&nvr, 1).await;
    // And one that waits for its turn at the same recorder.
    let waiting = bench.context();
    let second = {
        let (bench, context) = (Arc::clone(&bench), waiting.clone());
        let order = order(8, &nvr, &reel, 3_000..5_000);
        tokio::spawn(async move { bench.attempt(&order, 1, &context).await })
    };
    tokio::task::yield_now().await;
    let begun = Instant::now();
    waiting.stop();
    assert_eq!(second.await.unwrap(), Outcome::Cancelled);
    context.stop();
    assert_eq!(running.await.unwrap(), Outcome::Cancelled);
    until(&nvr, 0).await;
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(bench.objects().len(), 0);
    let clip = bench.clip(&order(7, &nvr, &reel, 13_000..15_000)).await;
    assert_eq!(bench.shown(&clip), all(325..375));
}

/// Waits until the recorder sends as many recordings.
async fn until(nvr: &Nvr, downloads: usize) {
    let nvr = nvr.clone();
    let waiting = tokio::task::spawn_blocking(move || {
        wait_until("downloads", || nvr.downloads_now() == downloads);
    });
    waiting.await.unwrap();
}
