//! The endpoint: which days, what is answered, and what goes wrong.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::house::{CREATE, House, MAIN};
use crate::exports::Tour;
use crate::support::eposh::{EposhServer, Fault};
use crate::support::hikcentral::Profile;
use crate::support::wait_until;

/// The queue of pages is left alone: what is sent is what is looked at.
const NOBODY: (&str, &str) = ("ACCESS_STAGES", "assign_privilege");

fn house<'a>(days: impl IntoIterator<Item = (&'a str, usize)>) -> House {
    let rabbit = crate::queue::service::Server::shared("rabbitmq");
    House::of(rabbit, EposhServer::start(days), Profile::default())
}

fn main_queue(house: &House) -> Option<u32> {
    house.length(&house.queues[MAIN])
}

/// The requirement's days, from the settings and without a body; and its answer.
#[test]
fn the_requirement_s_days_and_answer() {
    let rabbit = crate::queue::service::Server::shared("rabbitmq");
    let house = House::of(rabbit, EposhServer::january(), Profile::default());
    let worker = house.worker_with(&[
        NOBODY,
        ("EPOSH_FROM", "2026-01-01"),
        ("EPOSH_TO", "2026-01-19"),
        ("EPOSH_SKIP", "2026-01-02,2026-01-05"),
    ]);
    let answer = worker.curl(&["-X", "POST"], "/eposh-induction");
    assert_eq!(answer.code, 200, "{answer:?}");
    let expected = json!({
        "status": "queued",
        "message": "All dates processed: 1543 employees across 17 pages sent to RabbitMQ"
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(main_queue(&house), Some(17));
    let first: serde_json::Value =
        serde_json::from_str(&house.take(MAIN).expect("a page")).expect("JSON");
    assert_eq!(first["event"], "HIKVISION_SYNC");
    assert_eq!(first["data"]["data"][0], house.eposh.person(0));
    assert_eq!(first["data"]["pagination"]["current_page"], 1);

    // Other days by the body; several pages of one; none without people.
    worker.stop();
}

#[test]
fn pages_of_a_day_are_sent_one_by_one_and_empty_ones_not_at_all() {
    let house = house([("2026-02-01", 250), ("2026-02-02", 0), ("2026-02-03", 1)]);
    let worker = house.worker_with(&[NOBODY]);
    let answer = worker.post(
        "/eposh-induction",
        &json!({"from": "2026-02-01", "to": "2026-02-04"}),
    );
    let message = answer.field("message");
    assert_eq!(
        message,
        "All dates processed: 251 employees across 4 pages sent to RabbitMQ"
    );
    assert_eq!(main_queue(&house), Some(4));
    worker.stop();
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let house = house([]);
    let worker = house.worker_with(&[NOBODY, ("API_TOKEN", "hunter2")]);
    let answer = worker.curl(&["-X", "POST"], "/eposh-induction");
    answer.refused(401, &["API_TOKEN"]);
    let worker = worker.with_token("hunter2");
    worker
        .curl(&["-X", "POST"], "/eposh-induction")
        .refused(400, &["EPOSH_FROM", "which days"]);
    for (body, words) in [
        (r#"{"from":"2026-01-02","to":"2026-01-01"}"#, "is after"),
        (r#"{"from":"2020-01-01","to":"2026-01-01"}"#, "366 days"),
        (r#"{"from":"2026-01-01"}"#, "both needed"),
        (r#"{"from":"soon","to":"later"}"#, "the body"),
        (r#"{"until":"2026-01-01"}"#, "until"),
        ("<xml>", "the body"),
    ] {
        let answer = worker.post_text("/eposh-induction", body, &[]);
        answer.refused(400, &[words]);
    }
    worker.get("/eposh-induction").refused(405, &["GET"]);
    worker.stop();

    let worker = house.worker_with(&[("EPOSH_API_URL", ""), ("EPOSH_API_TOKEN", ""), NOBODY]);
    worker
        .post("/eposh-induction", &json!({}))
        .refused(404, &[]);
    worker.stop();
}

/// Day and page are named, and what was sent before; which stays sent.
#[test]
fn a_page_that_cannot_be_had_is_named() {
    let house = house([("2026-02-01", 120), ("2026-02-02", 30)]);
    let worker = house.worker_with(&[NOBODY, ("EPOSH_PATIENCE_SECONDS", "0")]);
    house.eposh.fail("2026-02-02", [Fault::status(500)]);
    let days = json!({"from": "2026-02-01", "to": "2026-02-02"});
    let answer = worker.post("/eposh-induction", &days);
    answer.refused(
        502,
        &[
            "2026-02-02",
            "page 1",
            "500",
            "120 employees across 2 pages",
        ],
    );
    assert_eq!(main_queue(&house), Some(2));
    // All of it again.
    let answer = worker.post("/eposh-induction", &days);
    assert!(
        answer
            .field("message")
            .contains("150 employees across 3 pages")
    );
    assert_eq!(main_queue(&house), Some(5));

    house.eposh.fail("2026-02-01", [Fault::Echo]);
    let answer = worker.post("/eposh-induction", &days);
    answer.refused(502, &["EPOSH_API_TOKEN", "0 employees across 0 pages"]);
    assert!(!answer.text.contains("hunter2") && !worker.log().contains("hunter2"));
    worker.stop();
}

#[test]
fn a_second_one_at_the_same_time_is_sent_away() {
    let house = house([("2026-02-01", 1)]);
    let worker = house.worker_with(&[NOBODY]);
    house
        .eposh
        .fail("2026-02-01", [Fault::Slow(Duration::from_secs(3))]);
    let days = json!({"from": "2026-02-01", "to": "2026-02-01"});
    thread::scope(|scope| {
        let first = scope.spawn(|| worker.post("/eposh-induction", &days));
        wait_until("the page to be asked for", || {
            house.eposh.faults_left() == 0
        });
        let second = worker.post("/eposh-induction", &days);
        second.refused(409, &["under way"]);
        assert_eq!(first.join().expect("no panic").code, 200);
    });
    // The next one has its turn.
    assert_eq!(worker.post("/eposh-induction", &days).code, 200);
    worker.stop();
}

/// A caller that does not wait leaves no half of it.
#[test]
fn a_caller_that_goes_away_changes_nothing() {
    let house = house([("2026-02-01", 150)]);
    let worker = house.worker_with(&[NOBODY]);
    house
        .eposh
        .fail("page=2", [Fault::Slow(Duration::from_secs(2))]);
    let mut curl = std::process::Command::new("curl");
    let status = curl
        .args([
            "--silent",
            "--noproxy",
            "*",
            "--max-time",
            "1",
            "-X",
            "POST",
        ])
        .args(["-d", r#"{"from":"2026-02-01","to":"2026-02-01"}"#])
        .arg(worker.url("/eposh-induction"))
        .output()
        .expect("curl starts")
        .status;
    assert_eq!(status.code(), Some(28), "it gave up");
    wait_until("both pages to be sent", || main_queue(&house) == Some(2));
    worker.stop();
}

#[test]
fn requests_and_answers_are_as_the_document_says() {
    let house = house([("2026-02-01", 1)]);
    let worker = house.worker_with(&[NOBODY, ("EPOSH_PATIENCE_SECONDS", "0")]);
    let mut tour = Tour::of(worker);
    let mut asked = |body: &serde_json::Value, code: u16| {
        let answer = tour.ask("POST", "/eposh-induction", Some(body));
        assert_eq!(answer.code, code, "{answer:?}");
    };
    let days = json!({"from": "2026-02-01", "to": "2026-02-01", "skip": ["2026-03-01"]});
    asked(&days, 200);
    asked(&json!({"from": "2026-02-01", "to": "2026-02-01"}), 200);
    asked(&json!({}), 400);
    house.eposh.fail("2026-02-01", [Fault::status(500)]);
    asked(&days, 502);
    tour.compare();
    tour.server.stop();
}

/// The port of the application before answers too.
#[test]
fn a_further_port_answers() {
    let house = house([("2026-02-01", 1)]);
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = free.local_addr().expect("an address").port().to_string();
    drop(free);
    let worker = house.worker_with(&[NOBODY, ("ACCESS_HTTP_PORT", &port)]);
    worker.said(&format!("listening on http://127.0.0.1:{port}"));
    let url = format!("http://localhost:{port}/eposh-induction");
    let output = std::process::Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "-X", "POST"])
        .args(["-d", r#"{"from":"2026-02-01","to":"2026-02-01"}"#, &url])
        .output()
        .expect("curl starts");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("\"status\":\"queued\""), "{text}");
    assert!(
        house.length(&house.queues[CREATE]).is_some(),
        "all queues are declared"
    );
    worker.stop();
}
