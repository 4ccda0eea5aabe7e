//! Workers that are killed, and workers that are late.

use std::collections::BTreeSet;
use std::time::Duration;

use super::house::House;
use super::photos::photo;
use crate::support::wait_until;

/// The bound only ends what hangs.
const BOUND: Duration = Duration::from_secs(600);

#[test]
fn a_late_worker_does_not_take_a_completed_job_back() {
    let house = House::new();
    let (came, go_on) = house
        .backend
        .hold(|heard| heard.method == "GET" && heard.done);
    let late = house.worker();
    let id = house.order(1, &photo("64x48"));
    came.recv_timeout(BOUND).expect("it asks");
    late.signal("STOP");
    // It is told that the job is PENDING, and reads that when it wakes.
    go_on.send(()).expect("it is held up");
    house.backend.mend();
    let other = house.worker();
    house.wait_for(&id, "COMPLETED");
    house.wait_until_idle();
    late.signal("CONT");
    late.said("the lease was lost");
    assert_eq!(
        house.backend.statuses(&id),
        ["PROCESSING", "COMPLETED"],
        "late: {} other: {}",
        late.log(),
        other.log()
    );
    // It does the next one as ever.
    let next = house.order(2, &photo("64x48"));
    house.wait_for(&next, "COMPLETED");
    late.stop();
    other.stop();
    assert_eq!(house.backend.statuses(&id), ["PROCESSING", "COMPLETED"]);
}

#[test]
fn a_worker_lost_in_its_last_attempt_is_told_once() {
    let house = House::new();
    let once = [("IMAGE_MAX_ATTEMPTS", "1")];
    let (came, _held) = house
        .backend
        .hold(|heard| heard.says("PROCESSING") && heard.done);
    let lost = house.worker_with(&once);
    let id = house.order(1, &photo("64x48"));
    came.recv_timeout(BOUND).expect("it begins");
    lost.kill();
    let [one, other] = [house.worker_with(&once), house.worker_with(&once)];
    house.wait_for(&id, "FAILED");
    assert_eq!(
        house.backend.job(&id)["errorMsg"],
        "Failed to process image: its worker was lost"
    );
    let untold = format!("{}:untold", house.list);
    wait_until("it to be known that it was told", || {
        house.number(&["ZCARD", &untold]) == 0
    });
    one.stop();
    other.stop();
    assert_eq!(house.backend.statuses(&id), ["PROCESSING", "FAILED"]);
    assert_eq!(house.set_aside(), ["its worker was lost in attempt 1 of 1"]);
}

#[test]
fn a_worker_killed_before_it_settles_says_nothing_twice() {
    for (photo, status) in [
        (photo("64x48"), "COMPLETED"),
        (b"no picture".to_vec(), "FAILED"),
    ] {
        let house = House::new();
        // Said and taken; the worker never hears of it.
        let (came, _held) = house
            .backend
            .hold(move |heard| heard.says(status) && heard.done);
        let killed = house.worker();
        let id = house.order(1, &photo);
        came.recv_timeout(BOUND).expect("it says so");
        killed.kill();
        let next = house.worker();
        house.wait_until_idle();
        assert_eq!(house.backend.statuses(&id), ["PROCESSING", status]);
        assert_eq!(house.set_aside().len(), usize::from(status == "FAILED"));
        next.stop();
    }
}

#[test]
fn a_worker_that_is_stopped_gives_its_jobs_back() {
    let house = House::new();
    let (came, _held) = house
        .backend
        .hold(|heard| heard.says("COMPLETED") && !heard.done);
    let once = [("IMAGE_MAX_ATTEMPTS", "1")];
    let stopped = house.worker_with(&once);
    let id = house.order(1, &photo("64x48"));
    came.recv_timeout(BOUND).expect("it is nearly done");
    stopped.stop();
    let next = house.worker_with(&once);
    house.wait_for(&id, "COMPLETED");
    house.wait_until_idle();
    next.stop();
}

/// 500 images, two workers, one of them killed in the middle.
#[test]
fn five_hundred_images_survive_a_killed_worker() {
    const ALL: usize = 500;
    let house = House::new();
    let photos = ["64x48", "160x120", "320x240"].map(photo);
    let few = [("IMAGE_CONCURRENCY", "4"), ("IMAGE_LEASE_SECONDS", "5")];
    let ids: Vec<_> = (0..ALL)
        .map(|number| house.order(number, &photos[number % photos.len()]))
        .collect();
    let [one, other] = [house.worker_with(&few), house.worker_with(&few)];
    wait_until("the middle", || house.backend.count("COMPLETED") >= ALL / 3);
    one.kill();
    wait_until("all to be completed", || {
        assert_eq!(house.backend.count("FAILED"), 0, "{}", other.log());
        house.backend.count("COMPLETED") == ALL
    });
    house.wait_until_idle();
    other.stop();

    let mut begun_twice = 0;
    for (number, id) in ids.iter().enumerate() {
        let mut statuses = house.backend.statuses(id);
        assert_eq!(statuses.pop().as_deref(), Some("COMPLETED"), "{number}");
        assert!(
            !statuses.is_empty() && statuses.iter().all(|status| status == "PROCESSING"),
            "{number}: {statuses:?}"
        );
        begun_twice += usize::from(statuses.len() > 1);
        let job = house.backend.job(id);
        let key = format!("optimized/{number}-abc-optimized.webp");
        assert_eq!(job["outputImageKey"], key.as_str());
        assert!(house.object(&key).exists());
    }
    assert!(
        begun_twice <= 4,
        "only what the killed one had: {begun_twice}"
    );
    assert!(house.set_aside().is_empty());
    let keys = house.redis.command(&["KEYS", &format!("{}*", house.list)]);
    let keys: BTreeSet<String> = redis::from_redis_value(keys).expect("keys");
    assert!(keys.iter().all(|key| key.contains(":settled:")), "{keys:?}");
}
