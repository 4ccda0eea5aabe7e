//! What is tried again, until when, and what the others mean.

use std::time::Duration;

use flatbed::client::eposh::{Config, Kind};

use super::fixture::{client_of, config, eposh, first};
use crate::support::eposh::{EposhServer, Fault, TOKEN};

#[tokio::test]
async fn what_passes_is_tried_again() {
    let (server, client) = eposh(3);
    let faults = [
        Fault::status(500),
        Fault::status(502),
        Fault::status(503),
        Fault::status(504),
        Fault::rate_limited("0"),
        Fault::Cut,
        Fault::CutHalf,
    ];
    for fault in faults {
        server.fail("page=1", [fault.clone(), fault.clone()]);
        let page = client.page(first(), 1).await;
        assert_eq!(page.expect("a page").data.len(), 3, "{fault:?}");
        assert_eq!(server.faults_left(), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_told_at_once() {
    let (server, client) = eposh(3);
    for (status, kind) in [
        (401, Kind::Refused),
        (403, Kind::Refused),
        (404, Kind::NotFound),
        (422, Kind::Misled),
        (302, Kind::Misled),
        (204, Kind::Misled),
    ] {
        server.seen();
        server.fail("page=1", [Fault::status(status)]);
        let error = client.page(first(), 1).await.expect_err("an error");
        assert_eq!(
            (error.kind(), error.status()),
            (kind, Some(status)),
            "{error}"
        );
        assert!(!error.passes(), "{error}");
        assert_eq!(server.seen().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn it_waits_as_long_as_it_is_asked_to_and_no_longer_than_its_patience() {
    let (server, client) = eposh(3);
    server.fail(
        "page=1",
        [Fault::rate_limited("0.2"), Fault::rate_limited("0.2")],
    );
    let began = std::time::Instant::now();
    client.page(first(), 1).await.expect("a page");
    assert!(began.elapsed() >= Duration::from_millis(400));

    server.fail("page=1", [Fault::rate_limited("7200")]);
    let error = client.page(first(), 1).await.expect_err("an error");
    assert_eq!(error.kind(), Kind::RateLimited);
    assert!(error.passes());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7200)));
    assert!(
        error
            .to_string()
            .contains("it answered 429: Too Many Attempts.")
    );
}

#[tokio::test]
async fn patience_ends() {
    let server = EposhServer::start([("2026-01-01", 3)]);
    let client = client_of(Config {
        patience: Duration::from_millis(200),
        ..config(&server)
    });
    server.fail("page=1", vec![Fault::status(503); 1000]);
    let error = client.page(first(), 1).await.expect_err("an error");
    assert_eq!((error.kind(), error.status()), (Kind::Away, Some(503)));
    let tries = server.seen().len();
    assert!(tries > 1, "{tries}");
    let told = format!("it answered 503: Service Unavailable; tried {tries} times; see to");
    assert!(error.to_string().contains(&told), "{error}");

    let client = client_of(Config {
        patience: Duration::ZERO,
        ..config(&server)
    });
    client.page(first(), 1).await.expect_err("an error");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_never_comes_is_late() {
    let server = EposhServer::start([("2026-01-01", 3)]);
    let client = client_of(Config {
        timeout: Duration::from_millis(300),
        patience: Duration::ZERO,
        ..config(&server)
    });
    for fault in [Fault::Hang, Fault::Stall] {
        server.fail("page=1", [fault.clone()]);
        let error = client.page(first(), 1).await.expect_err("an error");
        assert_eq!(error.kind(), Kind::Late, "{fault:?}: {error}");
        assert!(
            error.to_string().contains("no answer within 0.3 s"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn nobody_there_is_away() {
    let (server, client) = eposh(1);
    let config = Config {
        patience: Duration::ZERO,
        ..config(&server)
    };
    client.page(first(), 1).await.expect("a page");
    drop(server);
    let error = client_of(config).page(first(), 1).await;
    let error = error.expect_err("nobody is there");
    assert_eq!(
        (error.kind(), error.status()),
        (Kind::Away, None),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_without_end_is_refused() {
    let (server, client) = eposh(1);
    server.fail("page=1", [Fault::Endless]);
    let error = client.page(first(), 1).await.expect_err("an error");
    assert_eq!(error.kind(), Kind::Malformed);
    assert!(
        error.to_string().contains("longer than 8388608 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn the_token_is_in_no_error_and_goes_nowhere_else() {
    let (server, client) = eposh(1);
    server.fail("page=1", [Fault::Echo]);
    let error = client.page(first(), 1).await.expect_err("refused");
    let told = format!("{error} {error:?} {client:?}");
    assert!(told.contains("No such token: Bearer ***."), "{told}");
    assert!(!told.contains(TOKEN), "{told}");

    let elsewhere = EposhServer::start([("2026-01-01", 1)]);
    let location = vec![("location", format!("{}?{TOKEN}", elsewhere.url()))];
    server.fail("page=1", [Fault::Answer(307, location, String::new())]);
    let error = client.page(first(), 1).await.expect_err("refused");
    assert_eq!(error.kind(), Kind::Misled);
    assert!(!error.to_string().contains(TOKEN), "{error}");
    assert!(elsewhere.seen().is_empty());

    // What is in the address's query may be a secret too.
    let url = format!("{}?key=hunter3", server.url());
    let client = client_of(Config {
        url: url.parse().expect("an address"),
        patience: Duration::ZERO,
        ..config(&server)
    });
    for fault in [Fault::Cut, Fault::CutHalf, Fault::status(404)] {
        server.fail("page=1", [fault]);
        let error = client.page(first(), 1).await.expect_err("an error");
        let told = format!("{error} {error:?} {client:?}");
        assert!(!told.contains("hunter"), "{told}");
    }
    drop(server);
    let error = client.page(first(), 1).await.expect_err("an error");
    assert!(
        !format!("{error} {error:?}").contains("hunter"),
        "{error:?}"
    );
}
