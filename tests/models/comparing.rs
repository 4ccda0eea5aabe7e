//! Vectors: order, batches, what is too long, dimensions.

use flatbed::client::models::{Config, Kind, Shortened};
use serde_json::json;

use super::fixture::{client_of, config, models};
use crate::support::models::{Base64, Fault, ModelServer, Profile};

fn likeness(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn texts_with_equal_words_are_near() {
    let (_server, client) = models();
    let texts = [
        "A red bicycle stands in a street.",
        "the red bicycle in that street",
        "Interest rates rose by two points",
    ];
    let done = client.embed(&texts).await.unwrap();
    let [first, second, third] = &done.vectors[..] else {
        panic!("{}", done.vectors.len());
    };
    assert_eq!(first.len(), 1536);
    assert!((likeness(first, first) - 1.0).abs() < 1e-4);
    assert!(likeness(first, second) > 0.5 && likeness(first, third) < 0.2);
    assert!(done.tokens.input > 10 && done.shortened.is_empty());
}

/// Whatever the order in which they come, and however they are written.
#[tokio::test]
async fn vectors_are_in_the_texts_order() {
    let texts: Vec<String> = (0..25).map(|number| format!("text{number}")).collect();
    let mut all = Vec::new();
    for (shuffled, base64) in [
        (false, Base64::Known),
        (true, Base64::Known),
        (true, Base64::Ignored),
        (false, Base64::Refused),
    ] {
        let server = ModelServer::start(Profile {
            base64,
            shuffled,
            ..Profile::default()
        });
        let client = client_of(Config {
            batch: 10,
            ..config(&server)
        });
        let done = client.embed(&texts).await.unwrap();
        assert_eq!(done.vectors.len(), 25);
        let seen = server.seen();
        let counts: Vec<usize> = seen
            .iter()
            .filter(|seen| seen.status == 200)
            .map(|seen| seen.json["input"].as_array().unwrap().len())
            .collect();
        assert_eq!(counts, [10, 10, 5]);
        // That it does not know base64 is learned once.
        let refused = usize::from(base64 == Base64::Refused);
        assert_eq!(seen.len(), 3 + refused);
        all.push(done.vectors);
    }
    assert!(
        all.windows(2).all(|two| two[0] == two[1]),
        "bit by bit the same"
    );
}

#[tokio::test]
async fn no_request_has_more_tokens_than_the_server_takes() {
    let server = ModelServer::start(Profile::default());
    // Each 5000 tokens by the server's count: no more than 60 go together.
    let text = "cat ".repeat(5000);
    let texts = vec![text.trim(); 80];
    let client = client_of(Config {
        batch: 2048,
        ..config(&server)
    });
    let done = client.embed(&texts).await.unwrap();
    assert_eq!(done.vectors.len(), 80);
    let seen = server.seen();
    assert!(seen.len() >= 2 && seen.iter().all(|seen| seen.status == 200));
}

#[tokio::test]
async fn what_is_too_long_is_shortened_and_told() {
    let server = ModelServer::start(Profile {
        input_tokens: 100,
        ..Profile::default()
    });
    let client = client_of(Config {
        input_tokens: 100,
        ..config(&server)
    });
    let long = "abcd ".repeat(1000);
    let done = client.embed(&["short", &long, "also short"]).await.unwrap();
    let [Shortened { index: 1, kept }] = done.shortened[..] else {
        panic!("{:?}", done.shortened);
    };
    let sent = server.seen()[0].json["input"][1]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(sent.len(), kept);
    assert!(
        long.starts_with(&sent) && sent.ends_with("abcd"),
        "{sent:?}"
    );
    assert_eq!(server.seen().len(), 0, "it was short enough at once");
}

/// The estimate is too low for some texts, and the limit may be set wrong: less and less
/// is sent, and of the others everything.
#[tokio::test]
async fn what_is_longer_than_thought_is_halved() {
    let server = ModelServer::start(Profile {
        input_tokens: 100,
        ..Profile::default()
    });
    let client = client_of(config(&server));
    let dense = "a b c d e f g h ".repeat(100);
    let texts = ["short", "other", &dense, "last"];
    let done = client.embed(&texts).await.unwrap();
    assert_eq!(done.vectors.len(), 4);
    let [Shortened { index: 2, kept }] = done.shortened[..] else {
        panic!("{:?}", done.shortened);
    };
    assert!((100..=200).contains(&kept), "{kept}");
    let alone = client.embed(&["last"]).await.unwrap();
    assert_eq!(done.vectors[3], alone.vectors[0]);
}

#[tokio::test]
async fn a_text_that_is_never_short_enough_is_an_error() {
    let server = ModelServer::start(Profile {
        input_tokens: 3,
        ..Profile::default()
    });
    let client = client_of(config(&server));
    let dense = "a b c d e f g h ".repeat(100);
    let error = client.embed(&[&dense]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLong, "{error}");
    assert!(server.requests() < 12, "{}", server.requests());
}

#[tokio::test]
async fn dimensions_are_as_they_are_set_and_do_not_change() {
    let server = ModelServer::start(Profile::default());
    let config = Config {
        dimensions: Some(256),
        ..config(&server)
    };
    let client = client_of(config.clone());
    let done = client.embed(&["a"]).await.unwrap();
    assert_eq!(done.vectors[0].len(), 256);
    assert_eq!(server.seen()[0].json["dimensions"], 256);
    // A server that does not care.
    let body = json!({"data": [{"index": 0, "embedding": [1.0, 0.0]}]});
    server.fail("embeddings", [Fault::Answer(200, vec![], body.to_string())]);
    let error = client.embed(&["a"]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Foreign);
    assert!(
        error.to_string().contains("OPENAI_EMBEDDING_DIMENSIONS"),
        "{error}"
    );
    // Without a setting, the first vector's length holds.
    let client = client_of(Config {
        dimensions: None,
        ..config
    });
    client.embed(&["a"]).await.unwrap();
    server.fail("embeddings", [Fault::Answer(200, vec![], body.to_string())]);
    assert!(client.embed(&["a"]).await.is_err());
    // The server refuses what the model cannot.
    let client = client_of(Config {
        dimensions: Some(4000),
        ..super::fixture::config(&server)
    });
    let error = client.embed(&["a"]).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (Kind::Refused, Some(400)));
}

#[tokio::test]
async fn no_texts_are_no_request_and_blank_ones_an_error() {
    let (server, client) = models();
    let none: [&str; 0] = [];
    assert_eq!(client.embed(&none).await.unwrap().vectors.len(), 0);
    let error = client.embed(&["a", " \n"]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unfit, "{error}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn wrong_vectors_are_errors() {
    let (server, client) = models();
    for body in [
        r#"{"data":[]}"#,
        r#"{"data":[{"index":0,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":"AAA="}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":null}]}"#,
    ] {
        server.fail("embeddings", [Fault::Garbage(body)]);
        let error = client.embed(&["a", "b"]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Foreign, "{body}: {error}");
    }
}
