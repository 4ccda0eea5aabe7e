//! Servers that are like OpenAI's: without a key, without counting, with errors and
//! vectors of their own kind.

use flatbed::client::models::{Config, Kind, Outcome};

use super::fixture::{client_of, config, picture, sound};
use crate::support::models::{Base64, ModelServer, Profile, Shape, caption_of};

fn local(server: &ModelServer) -> Config {
    Config {
        key: None,
        transcription: "whisper".to_owned(),
        vision: "llava".to_owned(),
        embedding: "nomic-embed-text".to_owned(),
        ..config(server)
    }
}

#[tokio::test]
async fn a_server_of_one_s_own_needs_no_key() {
    let server = ModelServer::start(Profile::local());
    let client = client_of(local(&server));
    assert_eq!(client.check().await.unwrap(), Vec::<String>::new());
    let told = client.transcribe(&sound(), None).await.unwrap();
    assert_eq!(told.segments.len(), 2);
    let caption = client.caption(&picture(3), None, None).await.unwrap();
    assert_eq!(caption.outcome, Outcome::Text(caption_of(&picture(3))));
    assert_eq!(caption.tokens.input, 0, "it does not count");
    let done = client.embed(&["a", "b"]).await.unwrap();
    assert_eq!(done.vectors[1].len(), 768);
    for seen in server.seen() {
        assert!(!seen.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn errors_of_all_shapes_are_understood() {
    for shape in [Shape::OpenAi, Shape::Flat, Shape::Text, Shape::Detail] {
        let server = ModelServer::start(Profile {
            shape,
            base64: Base64::Refused,
            input_tokens: 100,
            ..Profile::local()
        });
        let client = client_of(local(&server));
        // That it does not know base64, and that a text is too long, stand in errors.
        let long = "word ".repeat(300);
        let done = client.embed(&["short", &long]).await.unwrap();
        assert_eq!(done.shortened.len(), 1, "{shape:?}");
        let wrong = client_of(Config {
            embedding: "bge".to_owned(),
            ..local(&server)
        });
        let error = wrong.embed(&["a"]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NoModel, "{shape:?}");
        assert!(error.to_string().contains("The model `bge`"), "{error}");
    }
}
