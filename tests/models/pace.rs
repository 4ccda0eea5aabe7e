//! Requests at once, and the server's limits.

use std::time::Duration;

use flatbed::client::models::Config;
use futures_util::future::join_all;

use super::fixture::{client_of, config, picture, sound};
use crate::support::models::{Fault, Limits, ModelServer, Profile};

#[tokio::test]
async fn so_many_requests_are_open_and_no_more() {
    let server = ModelServer::start(Profile::default());
    let client = client_of(Config {
        concurrency: 3,
        ..config(&server)
    });
    for path in ["embeddings", "completions", "transcriptions"] {
        server.fail(path, vec![Fault::Slow(Duration::from_millis(50)); 8]);
    }
    let calls = (0..8).map(|number| {
        let client = client.clone();
        async move {
            client.embed(&["a"]).await.unwrap();
            client.caption(&picture(number), None, None).await.unwrap();
            client.transcribe(&sound(), None).await.unwrap();
        }
    });
    join_all(calls).await;
    assert_eq!(server.requests(), 24);
    assert_eq!(server.most_at_once(), 3);
}

/// Who is about to run into a limit waits before it: of 60 requests none is refused,
/// where the server lets 20 through at once and then one each 50 ms.
#[tokio::test]
async fn the_limit_on_requests_is_not_run_into() {
    let server = ModelServer::start(Profile {
        limits: Limits {
            requests: 20,
            tokens: 1_000_000,
            minute: Duration::from_secs(1),
        },
        ..Profile::default()
    });
    let client = client_of(Config {
        concurrency: 1,
        ..config(&server)
    });
    for _ in 0..60 {
        client.embed(&["a"]).await.unwrap();
    }
    let seen = server.seen();
    let refused = seen.iter().filter(|seen| seen.status == 429).count();
    assert_eq!((seen.len() - refused, refused), (60, 0));
}

/// The same of tokens, which only the answers tell.
#[tokio::test]
async fn the_limit_on_tokens_is_not_run_into() {
    let server = ModelServer::start(Profile {
        limits: Limits {
            requests: 100_000,
            tokens: 10_000,
            minute: Duration::from_secs(1),
        },
        ..Profile::default()
    });
    let client = client_of(Config {
        concurrency: 1,
        ..config(&server)
    });
    let text = "word ".repeat(1000);
    for _ in 0..30 {
        client.embed(&[&text]).await.unwrap();
    }
    let refused = server
        .seen()
        .iter()
        .filter(|seen| seen.status == 429)
        .count();
    assert_eq!(refused, 0);
}

/// Many at once do run into it; each is refused seldom, and all are done.
#[tokio::test]
async fn a_storm_of_refusals_passes() {
    let server = ModelServer::start(Profile {
        limits: Limits {
            requests: 10,
            tokens: 1_000_000,
            minute: Duration::from_secs(1),
        },
        ..Profile::default()
    });
    let client = client_of(Config {
        concurrency: 16,
        ..config(&server)
    });
    let calls = (0..40).map(|number| {
        let client = client.clone();
        async move { client.caption(&picture(number), None, None).await }
    });
    let done = join_all(calls).await;
    for caption in &done {
        assert!(caption.is_ok(), "{caption:?}");
    }
    let seen = server.seen();
    let refused = seen.iter().filter(|seen| seen.status == 429).count();
    assert!(refused <= 80, "{refused} refusals for 40 calls");
}

/// A 429 of one call holds up the others of its kind, and only those.
#[tokio::test]
async fn a_refusal_holds_up_all_of_its_kind() {
    let server = ModelServer::start(Profile::default());
    let client = client_of(Config {
        concurrency: 2,
        ..config(&server)
    });
    let headers = vec![("retry-after-ms", "1500".to_owned())];
    server.fail("embeddings", [Fault::RateLimited(headers)]);
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.embed(&["a"]).await }
    });
    super::fixture::until("the refusal", || server.requests() == 1).await;
    super::fixture::until("its end", || server.at_once() == 0).await;
    client.caption(&picture(1), None, None).await.unwrap();
    client.embed(&["b"]).await.unwrap();
    first.await.unwrap().unwrap();
    let seen = server.seen();
    let caption = seen
        .iter()
        .find(|seen| seen.path.ends_with("completions"))
        .unwrap();
    let refusal = &seen[0];
    assert_eq!(refusal.status, 429);
    let later: Vec<_> = seen[1..]
        .iter()
        .filter(|seen| seen.path.ends_with("embeddings"))
        .collect();
    assert_eq!(later.len(), 2);
    for embedding in later {
        assert!(embedding.at - refusal.at >= Duration::from_millis(1400));
        assert!(embedding.at > caption.at);
    }
}
