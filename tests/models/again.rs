//! What is tried again, when, how often, and until when.

use std::time::Duration;

use flatbed::client::models::{Config, Kind};
use jiff::{SignedDuration, Timestamp};

use super::fixture::{client_of, config, models, picture, until};
use crate::support::models::{Fault, ModelServer, Profile};

fn answer(status: u16) -> Fault {
    Fault::Answer(status, vec![], "{}".to_owned())
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let (server, client) = models();
    let faults = [
        Fault::ServerError,
        Fault::Overloaded,
        Fault::RateLimited(vec![]),
        Fault::Cut,
        Fault::CutHalf,
        answer(408),
    ];
    server.fail("completions", faults);
    client.caption(&picture(1), None, None).await.unwrap();
    assert_eq!(server.faults_left(), 0);
    server.fail("embeddings", [answer(409), answer(502)]);
    client.embed(&["a"]).await.unwrap();
    assert_eq!(server.requests(), 10);
}

#[tokio::test]
async fn it_is_tried_so_often_and_no_more() {
    let server = ModelServer::start(Profile::default());
    let client = client_of(Config {
        retries: 2,
        ..config(&server)
    });
    server.fail("embeddings", vec![Fault::ServerError; 5]);
    let error = client.embed(&["a"]).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (Kind::Failing, Some(500)));
    assert!(error.passes());
    assert!(error.to_string().contains("tried 3 times"), "{error}");
    assert_eq!(server.faults_left(), 2);
}

/// What a 429 asks for is the least pause, the finer one if there are two.
#[tokio::test]
async fn the_server_s_pause_is_kept() {
    for (headers, millis) in [
        (vec![("retry-after", "1")], 1000),
        (vec![("retry-after-ms", "300"), ("retry-after", "600")], 300),
    ] {
        let (server, client) = models();
        let told = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        server.fail("embeddings", [Fault::RateLimited(told.collect())]);
        client.embed(&["a"]).await.unwrap();
        let seen = server.seen();
        let pause = seen[1].at - seen[0].at;
        let least = Duration::from_millis(millis);
        assert!(pause >= least, "{headers:?}: {pause:?}");
    }
}

#[tokio::test]
async fn the_server_s_pause_can_be_a_date() {
    let (server, client) = models();
    let date = Timestamp::now() + SignedDuration::from_secs(2);
    let text = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    server.fail(
        "embeddings",
        [Fault::RateLimited(vec![("retry-after", text)])],
    );
    client.embed(&["a"]).await.unwrap();
    assert!(Timestamp::now().as_second() >= date.as_second());
    assert_eq!(server.requests(), 2);
}

/// No patience is long enough for an hour: the caller is told when to come back.
#[tokio::test]
async fn a_pause_that_is_too_long_is_told_at_once() {
    let (server, client) = models();
    let headers = vec![("retry-after", "3600".to_owned())];
    server.fail("embeddings", [Fault::RateLimited(headers)]);
    let error = client.embed(&["a"]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(server.requests(), 1);
}

/// Money does not come back by asking, whatever the headers say.
#[tokio::test]
async fn an_empty_account_is_told_at_once() {
    let (server, client) = models();
    server.fail("embeddings", [Fault::Quota]);
    let error = client.embed(&["a"]).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (Kind::Quota, Some(429)));
    assert!(!error.passes() && error.is_about_all_jobs());
    assert_eq!(server.requests(), 1);
}

/// As OpenAI's own client obeys it.
#[tokio::test]
async fn the_server_can_say_whether_to_try_again() {
    let (server, client) = models();
    let says = |status, word: &str| {
        Fault::Answer(
            status,
            vec![("x-should-retry", word.to_owned())],
            "{}".to_owned(),
        )
    };
    server.fail("embeddings", [says(500, "false")]);
    client.embed(&["a"]).await.unwrap_err();
    assert_eq!(server.requests(), 1);
    server.fail("embeddings", [says(400, "true")]);
    client.embed(&["a"]).await.unwrap();
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let server = ModelServer::start(Profile::default());
    let hasty = client_of(Config {
        timeout: Duration::from_millis(500),
        retries: 1,
        ..config(&server)
    });
    server.fail("embeddings", [Fault::Hang]);
    hasty.embed(&["a"]).await.unwrap();
    assert_eq!(server.requests(), 2);
    server.fail("embeddings", [Fault::Hang, Fault::Hang]);
    let error = hasty.embed(&["a"]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Late, "{error}");
    assert!(error.passes() && error.to_string().contains("OPENAI_TIMEOUT_SECONDS"));
}

/// However much patience a request has, the call has an end.
#[tokio::test]
async fn a_call_has_an_end() {
    let server = ModelServer::start(Profile::default());
    let client = client_of(Config {
        patience: Duration::from_millis(700),
        retries: 100,
        ..config(&server)
    });
    server.fail("embeddings", [Fault::ServerError, Fault::Hang]);
    let error = client.embed(&["a"]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Late, "{error}");
}

/// Whoever waits for others too long is told, and has asked nothing.
#[tokio::test]
async fn waiting_for_a_turn_has_an_end() {
    let server = ModelServer::start(Profile::default());
    let client = client_of(Config {
        patience: Duration::from_secs(1),
        ..config(&server)
    });
    let headers = vec![("retry-after", "50".to_owned())];
    server.fail("embeddings", [Fault::RateLimited(headers)]);
    client.embed(&["a"]).await.unwrap_err();
    let error = client.embed(&["b"]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Late, "{error}");
    assert!(error.to_string().contains("its turn"), "{error}");
    assert_eq!(server.requests(), 1);
}

/// The request ends, and its place is free for others.
#[tokio::test]
async fn a_call_that_is_dropped_ends_its_request() {
    let server = ModelServer::start(Profile::default());
    let one = client_of(Config {
        concurrency: 1,
        ..config(&server)
    });
    server.fail("embeddings", [Fault::Hang]);
    let call = tokio::spawn({
        let one = one.clone();
        async move { one.embed(&["a"]).await }
    });
    until("the request", || server.at_once() == 1).await;
    call.abort();
    until("its end", || server.hung_up() == 1).await;
    one.embed(&["a"]).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_is_told_so() {
    let server = ModelServer::start(Profile::default());
    let config = Config {
        retries: 1,
        ..config(&server)
    };
    let address = server.address();
    drop(server);
    let error = client_of(config.clone()).embed(&["a"]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Away, "{error}");
    assert!(error.passes() && error.is_about_all_jobs());
    let text = error.to_string();
    assert!(
        text.contains(&address.to_string()) && text.contains("OPENAI_BASE_URL"),
        "{text}"
    );
}

/// It comes back while it is asked again.
#[tokio::test]
async fn a_server_that_comes_back_is_found() {
    let server = ModelServer::start(Profile::default());
    let client = client_of(Config {
        retries: 100,
        ..config(&server)
    });
    let port = server.address().port();
    drop(server);
    let call = tokio::spawn(async move { client.embed(&["a"]).await });
    let mut back = None;
    for _ in 0..1000 {
        if let Ok(server) = ModelServer::at(Profile::default(), port) {
            back = Some(server);
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(back.is_some(), "the port is free again");
    assert!(call.await.unwrap().is_ok());
}
