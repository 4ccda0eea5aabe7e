//! Captions and the ways in which they end.

use flatbed::client::models::{Config, Detail, Kind, Outcome};
use serde_json::json;

use super::fixture::{client_of, config, models, picture};
use crate::support::models::{Fault, ModelServer, Profile, caption_of};

#[tokio::test]
async fn a_picture_is_described() {
    let (server, client) = models();
    let picture = picture(1);
    let caption = client.caption(&picture, None, None).await.unwrap();
    assert_eq!(caption.outcome, Outcome::Text(caption_of(&picture)));
    assert!(
        caption.tokens.input > 765 && caption.tokens.output == 7,
        "{caption:?}"
    );
    let asked = &server.seen()[0].json;
    assert_eq!(asked["model"], "gpt-4o-mini");
    let parts = &asked["messages"][0]["content"];
    assert_eq!(parts[1]["image_url"]["detail"], "auto");
    let url = parts[1]["image_url"]["url"].as_str().unwrap();
    assert!(url.starts_with("data:image/jpeg;base64,/9j/4"), "{url}");

    let png = b"\x89PNG\r\n\x1a\n and so on";
    let caption = client
        .caption(png, Some("What is it?"), Some(Detail::Low))
        .await
        .unwrap();
    assert_eq!(caption.text(), Some(&*caption_of(png)));
    let asked = &server.seen()[0].json;
    let parts = &asked["messages"][0]["content"];
    assert_eq!(parts[0], json!({"type": "text", "text": "What is it?"}));
    assert_eq!(parts[1]["image_url"]["detail"], "low");
    let url = parts[1]["image_url"]["url"].as_str().unwrap();
    assert!(url.starts_with("data:image/png;base64,"), "{url}");
}

#[tokio::test]
async fn a_caption_can_end_otherwise() {
    let (server, client) = models();
    server.fail("completions", [Fault::Decline, Fault::Filter]);
    let outcome = |caption: flatbed::client::models::Caption| caption.outcome;
    let declined = client.caption(&picture(1), None, None).await.unwrap();
    let Outcome::Refused(why) = &declined.outcome else {
        panic!("{declined:?}");
    };
    assert!(why.contains("can't assist") && declined.text().is_none());
    let filtered = client.caption(&picture(1), None, None).await.unwrap();
    assert_eq!(outcome(filtered), Outcome::Filtered);
    // Some providers refuse the picture itself.
    let body = json!({"error": {"message": "filtered", "code": "content_filter", "status": 400}});
    server.fail(
        "completions",
        [Fault::Answer(400, vec![], body.to_string())],
    );
    let filtered = client.caption(&picture(1), None, None).await.unwrap();
    assert_eq!(outcome(filtered), Outcome::Filtered);

    let config = Config {
        caption_tokens: 3,
        ..config(&server)
    };
    let cut = client_of(config)
        .caption(&picture(1), None, None)
        .await
        .unwrap();
    let Outcome::CutOff(text) = &cut.outcome else {
        panic!("{cut:?}");
    };
    assert!(caption_of(&picture(1)).starts_with(text) && text.split(' ').count() == 3);
}

/// Newer models know the limit by another name alone; that is learned once.
#[tokio::test]
async fn the_limit_s_other_name_is_learned() {
    let server = ModelServer::start(Profile::default());
    let config = Config {
        vision: "gpt-5-mini".to_owned(),
        ..config(&server)
    };
    let client = client_of(config);
    for number in 0..2 {
        client.caption(&picture(number), None, None).await.unwrap();
    }
    let seen = server.seen();
    let statuses: Vec<u16> = seen.iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [400, 200, 200]);
    assert_eq!(seen[0].json["max_tokens"], 300);
    assert_eq!(seen[2].json["max_completion_tokens"], 300);
    assert!(seen[2].json["max_tokens"].is_null());
}

#[tokio::test]
async fn what_is_no_picture_is_not_sent() {
    let (server, client) = models();
    let large = [picture(1), vec![0; 21 << 20]].concat();
    for bytes in [&b""[..], b"GIF89a", b"<svg/>", &large] {
        let error = client.caption(bytes, None, None).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unfit, "{error}");
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn answers_that_say_nothing_are_errors() {
    let (server, client) = models();
    for body in [
        "<html>Welcome to nginx!</html>",
        "",
        "{}",
        r#"{"choices":[]}"#,
        r#"{"choices":[{"message":{"content":"  "},"finish_reason":"stop"}]}"#,
        r#"{"choices":[{"message":{"content":"A do"#,
    ] {
        server.fail("completions", [Fault::Garbage(body)]);
        let error = client.caption(&picture(1), None, None).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Foreign, "{body}: {error}");
    }
}
