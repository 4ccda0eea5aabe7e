//! How fast, how many at once, and what a quota does.

use std::time::Duration;

use flatbed::client::hikcentral::{Config, Kind, Rate, Trust};
use futures_util::future::join_all;
use tokio::task::JoinSet;

use super::fixture::{client, client_of, config, site};
use crate::support::hikcentral::{Fault, HikCentralServer, Profile, Quota, path};

/// Three may come at once, and the fourth in a thousand seconds.
#[tokio::test]
async fn no_more_come_than_the_rate_allows() {
    let (server, other) = site(Profile::default());
    let rate = Rate {
        every: Duration::from_secs(1000),
        burst: 3,
    };
    let slow = client_of(Config {
        rate: Some(rate),
        ..config(&server)
    });
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let slow = slow.clone();
        calls.spawn(async move { slow.version().await });
    }
    for _ in 0..3 {
        calls.join_next().await.unwrap().unwrap().unwrap();
    }
    // Others get through meanwhile, so that the rest would have.
    for _ in 0..20 {
        other.version().await.unwrap();
    }
    assert_eq!(server.requests(), 23);
    assert_eq!(calls.len(), 7);
}

#[tokio::test]
async fn no_more_are_open_at_once_than_is_allowed() {
    let latency = Some(Duration::from_millis(5));
    let server = HikCentralServer::start(Profile {
        latency,
        ..Profile::default()
    });
    let narrow = client_of(Config {
        concurrency: 3,
        ..config(&server)
    });
    let all = join_all((0..60).map(|_| narrow.version())).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(server.most_at_once(), 3);
    assert!(
        server.connections() <= 3,
        "{} connections",
        server.connections()
    );
}

/// With TLS: a handshake for each would cost more than all else.
#[tokio::test]
async fn connections_are_used_again() {
    let server = HikCentralServer::start(Profile {
        tls: true,
        ..Profile::default()
    });
    let trust = Trust::Anyone;
    let client = client_of(Config {
        trust,
        ..config(&server)
    });
    for _ in 0..50 {
        client.version().await.unwrap();
    }
    assert_eq!((server.requests(), server.connections()), (50, 1));
}

/// Who meets a quota stops the others too, who then send nothing.
#[tokio::test]
async fn a_quota_stops_all_callers() {
    let (server, other) = site(Profile::default());
    let impatient = client_of(Config {
        quota_pause: Duration::from_secs(1000),
        patience: Duration::from_secs(5),
        ..config(&server)
    });
    server.fail(path::VERSION, [Fault::quota()]);
    let error = impatient.version().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Quota);
    assert!(error.retry_after().unwrap() > Duration::from_secs(900));
    let asked = server.requests();
    assert_eq!(asked, 1);
    for error in join_all((0..20).map(|_| impatient.organisations())).await {
        assert_eq!(error.unwrap_err().kind(), Kind::Quota);
    }
    assert_eq!(server.requests(), asked, "nobody asked");
    other.version().await.unwrap();
}

/// Many callers, and a server that lets few through: all are served in the end.
#[tokio::test]
async fn all_get_through_a_narrow_quota() {
    let quota = Some(Quota {
        requests: 20,
        each: Duration::from_millis(50),
    });
    let server = HikCentralServer::start(Profile {
        quota,
        ..Profile::default()
    });
    let client = client_of(Config {
        quota_pause: Duration::from_millis(10),
        retries: 100,
        ..config(&server)
    });
    let all = join_all((0..200).map(|_| client.version())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    // Those that were on their way when it was met, and few more.
    let wasted = server.requests() - 200;
    assert!(wasted < 200, "{wasted} requests for nothing");
}

/// The server says when; that is the least.
#[tokio::test]
async fn a_server_that_names_a_time_is_waited_for() {
    let (server, _) = site(Profile::default());
    let impatient = client_of(Config {
        patience: Duration::from_secs(5),
        ..config(&server)
    });
    for code in ["6", "0x02401009"] {
        server.fail(path::VERSION, [Fault::After(200, code, 600)]);
        let error = impatient.version().await.unwrap_err();
        assert!(
            error.retry_after().unwrap() >= Duration::from_secs(590),
            "{error}"
        );
    }
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn busy_servers_are_asked_again() {
    let server = HikCentralServer::start(Profile {
        busy_every: Some(3),
        ..Profile::default()
    });
    let client = client(&server);
    let all = join_all((0..90).map(|_| client.version())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert!(server.requests() > 120, "a third of them twice");
}
