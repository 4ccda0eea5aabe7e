//! What refusals mean.

use flatbed::client::models::{Config, Kind};
use serde_json::json;

use super::fixture::{client_of, config, models, picture, sound};
use crate::support::models::{Fault, ModelServer, Profile};

/// Endpoint, model, status, message, request and remedy, in one line.
#[tokio::test]
async fn an_error_names_everything() {
    let server = ModelServer::start(Profile::default());
    let client = client_of(Config {
        vision: "gpt-9".to_owned(),
        ..config(&server)
    });
    let error = client.caption(&picture(1), None, None).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (Kind::NoModel, Some(404)));
    assert!(error.is_about_all_jobs() && !error.passes());
    let id = error.request_id().unwrap().to_owned();
    assert!(id.starts_with("req_"), "{id}");
    let expected = format!(
        "{}/v1/chat/completions (gpt-9): it answered 404: The model `gpt-9` does not exist or you \
         do not have access to it. (model_not_found); request {id}; see to the model's name \
         (OPENAI_..._MODEL) and OPENAI_BASE_URL",
        server.address().to_string().replace("0.0.0.0", "127.0.0.1")
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn each_refusal_has_its_kind() {
    let (server, client) = models();
    let coded = |code: &str| json!({"error": {"message": "m", "code": code}}).to_string();
    for (status, body, expected) in [
        (400, coded("invalid_value"), Kind::Refused),
        (400, coded("context_length_exceeded"), Kind::TooLong),
        (401, coded("invalid_api_key"), Kind::Key),
        (402, "{}".to_owned(), Kind::Quota),
        (
            403,
            coded("unsupported_country_region_territory"),
            Kind::Forbidden,
        ),
        (404, "404 page not found".to_owned(), Kind::NoModel),
        (413, "<html>".to_owned(), Kind::TooLarge),
        (418, "{}".to_owned(), Kind::Refused),
        (422, r#"{"detail":[{"msg":"m"}]}"#.to_owned(), Kind::Refused),
        (429, coded("insufficient_quota"), Kind::Quota),
    ] {
        let before = server.requests();
        server.fail(
            "transcriptions",
            [Fault::Answer(status, vec![], body.clone())],
        );
        let error = client.transcribe(&sound(), None).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (expected, Some(status)),
            "{body}"
        );
        assert_eq!(server.requests(), before + 1, "{body}: {error}");
        let text = error.to_string();
        assert!(
            text.contains("audio/transcriptions (whisper-1)") && text.contains("; "),
            "{text}"
        );
        assert!(!text.contains('\n'), "{text}");
    }
}

/// However long an error's body is, and whatever is in it.
#[tokio::test]
async fn errors_are_bounded() {
    let (server, client) = models();
    for body in [
        "x".repeat(10 << 20),
        json!({"error": {"message": "a\nb\u{1b}[31m".repeat(10_000)}}).to_string(),
        "\u{0}".to_owned(),
    ] {
        server.fail("embeddings", [Fault::Answer(400, vec![], body)]);
        let text = client.embed(&["a"]).await.unwrap_err().to_string();
        let bare = !text.chars().any(char::is_control);
        assert!(text.len() < 1000 && bare, "{} {text}", text.len());
    }
}

#[tokio::test]
async fn an_answer_has_bounds() {
    let (server, client) = models();
    let endless = format!("{{\"choices\":[],\"x\":\"{}\"}}", "y".repeat(2 << 20));
    server.fail("completions", [Fault::Answer(200, vec![], endless)]);
    let error = client.caption(&picture(1), None, None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Foreign);
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[tokio::test]
async fn a_check_tells_what_is_missing() {
    let (server, client) = models();
    assert_eq!(client.check().await.unwrap(), Vec::<String>::new());
    let other = client_of(Config {
        vision: "gpt-9".to_owned(),
        ..config(&server)
    });
    assert_eq!(other.check().await.unwrap(), ["gpt-9"]);
    let stranger = client_of(Config {
        key: None,
        ..config(&server)
    });
    let error = stranger.check().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Key);
    assert!(error.to_string().contains("OPENAI_API_KEY"), "{error}");
}
