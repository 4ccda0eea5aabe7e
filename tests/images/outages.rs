//! A backend or a bucket that is away, fails or does not know us: no job is lost, and
//! none is charged for it.

use super::backend::Fault;
use super::house::House;
use super::photos::photo;
use crate::support::wait_until;

#[test]
fn a_backend_that_is_down_for_a_while_costs_nothing() {
    let mut house = House::new();
    let small = photo("64x48");
    let ids: Vec<_> = (1..=6).map(|number| house.order(number, &small)).collect();
    house.backend.go_down();
    let worker = house.worker_with(&[
        ("CALLBACK_PATIENCE_SECONDS", "0"),
        ("IMAGE_MAX_ATTEMPTS", "1"),
    ]);
    worker.said("no image can be made");
    assert!(
        worker.log().contains("the backend is away: no connection"),
        "{}",
        worker.log()
    );
    assert_eq!(worker.get("/health").code, 503);
    house.backend.come_back();
    for id in &ids {
        house.wait_for(id, "COMPLETED");
        assert_eq!(house.backend.statuses(id), ["PROCESSING", "COMPLETED"]);
    }
    house.wait_until_idle();
    assert!(house.set_aside().is_empty());
    worker.stop();
}

#[test]
fn answers_that_pass_are_asked_for_again() {
    let house = House::new();
    let mut codes = [503, 429, 500, 502].into_iter().cycle();
    let mut times = 0;
    house.backend.fail(move |_| {
        // Some are not done, and some are done and answered so all the same.
        times += 1;
        let fails = [3, 5, 6].contains(&(times % 7));
        fails.then(|| Fault::Answer(codes.next().expect("a cycle"), "busy"))
    });
    let worker = house.worker_with(&[("CALLBACK_PATIENCE_SECONDS", "60")]);
    let id = house.order(1, &photo("64x48"));
    house.wait_for(&id, "COMPLETED");
    house.backend.mend();
    house.wait_until_idle();
    assert!(house.set_aside().is_empty());
    let job = house.backend.job(&id);
    assert_eq!(job["outputImageKey"], "optimized/1-abc-optimized.webp");
    worker.stop();
}

/// A backend that fails at one job alone has that one set aside, and no others.
#[test]
fn a_job_at_which_the_backend_fails_holds_nobody_up() {
    let house = House::new();
    let small = photo("64x48");
    let cursed = house.record(1, &small);
    let name = cursed.clone();
    house.backend.fail(move |heard| {
        let error = r#"{"success":false,"message":"CastError\n at line 3"}"#;
        (heard.id == name).then_some(Fault::Answer(500, error))
    });
    let worker = house.worker_with(&[
        ("CALLBACK_PATIENCE_SECONDS", "0"),
        ("IMAGE_MAX_ATTEMPTS", "1"),
    ]);
    house.push(&cursed);
    let fine = house.order(2, &small);
    house.wait_for(&fine, "COMPLETED");
    wait_until("the other to be set aside", || house.set_aside().len() == 1);
    let reason = house.set_aside().remove(0);
    assert!(
        reason.contains("500") && reason.contains("CastError at line 3"),
        "{reason}"
    );
    worker.said("the backend was not told");
    worker.stop();
}

/// What a proxy says of a request that crashes the backend is what it says of one that
/// is away; the jobs beside it tell which.
#[test]
fn a_job_that_a_proxy_lets_nobody_ask_for_is_set_aside_while_others_pass() {
    let house = House::new();
    let small = photo("64x48");
    let cursed = house.record(1, &small);
    let name = cursed.clone();
    house
        .backend
        .fail(move |heard| (heard.id == name).then_some(Fault::Answer(502, "Bad Gateway")));
    let worker = house.worker_with(&[
        ("CALLBACK_PATIENCE_SECONDS", "0"),
        ("IMAGE_MAX_ATTEMPTS", "1"),
    ]);
    let asked = || {
        let heard = house.backend.heard();
        heard.iter().filter(|heard| heard.id == cursed).count()
    };
    house.push(&cursed);
    // Alone it may be an outage: it is asked for again and again, and not charged.
    wait_until("more tries than would do", || asked() >= 4);
    assert!(house.set_aside().is_empty(), "{:?}", house.set_aside());
    for number in 2..=5 {
        let fine = house.order(number, &small);
        house.wait_for(&fine, "COMPLETED");
    }
    wait_until("it to be set aside", || house.set_aside().len() == 1);
    let reason = house.set_aside().remove(0);
    assert!(
        reason.contains("502") && reason.contains("to other jobs it does not"),
        "{reason}"
    );
    worker.said("the backend was not told");
    house.wait_until_idle();
    worker.stop();
}

#[test]
fn a_wrong_token_burns_no_job_and_is_not_told() {
    let house = House::new();
    house.backend.demand("right");
    let worker = house.worker_with(&[
        ("CALLBACK_TOKEN", "hunter2"),
        ("CALLBACK_PATIENCE_SECONDS", "0"),
        ("IMAGE_MAX_ATTEMPTS", "1"),
    ]);
    let id = house.order(1, &photo("64x48"));
    worker.said("no image can be made");
    let log = worker.log();
    assert!(
        log.contains("401") && log.contains("CALLBACK_TOKEN"),
        "{log}"
    );
    assert!(!log.contains("hunter2"), "{log}");
    worker.stop();
    assert_eq!(house.backend.status(&id), "PENDING");
    assert!(house.set_aside().is_empty());

    let worker = house.worker_with(&[("CALLBACK_TOKEN", "right"), ("IMAGE_MAX_ATTEMPTS", "1")]);
    house.wait_for(&id, "COMPLETED");
    worker.stop();
}

#[test]
fn the_token_goes_nowhere_else_and_into_the_header_that_is_set() {
    let house = House::new();
    // It leads to the discard port of this host, where nobody is to come.
    house.backend.fail(|_| Some(Fault::Answer(302, "")));
    let worker = house.worker_with(&[
        ("CALLBACK_TOKEN", "hunter2"),
        ("CALLBACK_HEADER", "X-Worker-Token"),
        ("CALLBACK_PATIENCE_SECONDS", "0"),
    ]);
    let id = house.order(1, &photo("64x48"));
    worker.said("leads elsewhere; see to BACKEND_URL");
    house.backend.mend();
    house.wait_for(&id, "COMPLETED");
    for heard in house.backend.heard() {
        assert_eq!(heard.headers["x-worker-token"], "hunter2");
        assert!(!heard.headers.contains_key("authorization"));
    }
    worker.stop();
}

#[test]
fn a_bucket_that_is_away_costs_nothing() {
    let house = House::new();
    house.s3.fail(|seen| (seen.method == "PUT").then_some(400));
    let worker = house.worker_with(&[("IMAGE_MAX_ATTEMPTS", "1")]);
    let id = house.order(1, &photo("64x48"));
    // What is refused somebody must mend: this one has no further attempt.
    house.wait_for(&id, "FAILED");
    assert_eq!(
        house.backend.job(&id)["errorMsg"],
        "Failed to process image: the result could not be stored"
    );
    house.wait_until_idle();
    assert_eq!(house.set_aside().len(), 1);
    // What is away is waited for.
    let mut times = 0;
    house.s3.fail(move |seen| {
        times += u32::from(seen.method == "PUT");
        (seen.method == "PUT" && times <= 8).then_some(503)
    });
    let id = house.order(2, &photo("64x48"));
    house.wait_for(&id, "COMPLETED");
    worker.stop();
}
