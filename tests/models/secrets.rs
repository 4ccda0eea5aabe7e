//! Where the key goes and where it does not.

use flatbed::client::models::{Config, Kind, Models};
use flatbed::config::{Secret, Variables};
use flatbed::telemetry::Metrics;

use super::fixture::{client_of, config, models, picture, sound};
use crate::support::models::{Fault, ModelServer, Profile};

#[tokio::test]
async fn the_key_is_sent_as_a_bearer_token() {
    let server = ModelServer::start(Profile::default());
    let client = client_of(Config {
        organization: Some("org-1".parse().unwrap()),
        project: Some("proj_1".parse().unwrap()),
        ..config(&server)
    });
    client.embed(&["a"]).await.unwrap();
    client.caption(&picture(1), None, None).await.unwrap();
    client.transcribe(&sound(), None).await.unwrap();
    for seen in server.seen() {
        let get = |name| seen.headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = format!("Bearer {}", Profile::KEY);
        assert_eq!(get("authorization"), Some(&*bearer));
        assert_eq!(get("openai-organization"), Some("org-1"));
        assert_eq!(get("openai-project"), Some("proj_1"));
    }
}

/// Even where the server repeats it: in the message, and as the request's id.
#[tokio::test]
async fn no_error_repeats_the_key() {
    let (server, client) = models();
    server.fail("embeddings", [Fault::Echo]);
    let error = client.embed(&["a"]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Key);
    let told = format!("{error} {error:?}");
    assert!(
        !told.contains(Profile::KEY) && !told.contains("XYZ9"),
        "{told}"
    );
    assert!(told.contains("Your key *** is wrong"), "{told}");
    // OpenAI's stars leave both ends.
    let wrong = client_of(Config {
        key: Some(Secret::new("sk-proj-wrong-0123456789abcdefABC7")),
        ..config(&server)
    });
    let error = wrong.embed(&["a"]).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (Kind::Key, Some(401)));
    let told = format!("{error} {error:?} {wrong:?}");
    assert!(
        !told.contains("ABC7") && !told.contains("wrong-0123"),
        "{told}"
    );
    assert!(told.contains("Incorrect API key provided: ***"), "{told}");
}

/// Not to another port of the same host either.
#[tokio::test]
async fn no_redirect_is_followed() {
    let (server, client) = models();
    let other = ModelServer::start(Profile::default());
    let to = format!("{}/embeddings", other.url());
    server.fail("embeddings", [Fault::Redirect(to)]);
    let error = client.embed(&["a"]).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (Kind::Foreign, Some(307)));
    assert!(error.to_string().contains("OPENAI_BASE_URL"), "{error}");
    assert_eq!((server.requests(), other.requests()), (1, 0));
}

/// A public address, however it is named, is not asked by http unless that is wished.
#[tokio::test]
async fn nothing_is_sent_in_the_clear_to_the_world() {
    let mut variables = Variables::of([
        ("OPENAI_API_KEY", Profile::KEY),
        ("OPENAI_BASE_URL", "http://93.184.216.34/v1"),
    ]);
    Config::read(&mut variables);
    let error = variables.finish().unwrap_err().to_string();
    assert!(
        error.contains("OPENAI_BASE_URL") && error.contains("OPENAI_ALLOW_HTTP"),
        "{error}"
    );
    assert!(!error.contains(Profile::KEY));
}

/// Names are looked up all the same.
#[tokio::test]
async fn private_names_are_asked_in_the_clear() {
    let server = ModelServer::start(Profile::default());
    let url = format!("http://localhost:{}/v1/", server.address().port());
    let client = client_of(Config {
        url: url.parse().unwrap(),
        ..config(&server)
    });
    client.embed(&["a"]).await.unwrap();
}

#[tokio::test]
async fn settings_make_a_client() {
    let server = ModelServer::start(Profile::default());
    let url = server.url();
    let mut variables = Variables::of([
        ("OPENAI_API_KEY", Profile::KEY),
        ("OPENAI_BASE_URL", url.as_str()),
        ("OPENAI_EMBEDDING_DIMENSIONS", "64"),
        ("OPENAI_LANGUAGE", "de"),
    ]);
    let config = Config::read(&mut variables).unwrap();
    let settings = variables.finish().unwrap();
    assert!(!format!("{settings:?}").contains(Profile::KEY));
    let models = Models::new(config, Metrics::new().unwrap().models()).unwrap();
    assert!(!format!("{models:?}").contains(Profile::KEY));
    assert_eq!(models.address(), format!("{url}/"));
    assert_eq!(models.embed(&["a"]).await.unwrap().vectors[0].len(), 64);
    let told = models.transcribe(&sound(), None).await.unwrap();
    assert_eq!(told.language.as_deref(), Some("german"));
}
