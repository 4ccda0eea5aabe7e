//! The stand-in before OpenAI's own client, `PyPI`'s `openai`, which checks every
//! answer against the API's types.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::fixture::{TONES, picture};
use crate::support::models::{Fault, Limits, ModelServer, Profile, caption_of, wav};

/// The Python that scripts/setup has given it.
fn python() -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = var("FLATBED_CACHE").unwrap_or_else(|| {
        let cache = var("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        cache.join("flatbed")
    });
    let python = cache.join("models-venv/bin/python");
    let hint = "these tests need openai: run `scripts/setup --test` first";
    assert!(python.exists(), "{hint}");
    python
}

fn stranger(name: &str, server: &ModelServer, key: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("talk.wav"), wav(4000, &TONES)).expect("it is written");
    std::fs::write(folder.path().join("frame.jpg"), picture(1)).expect("it is written");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/strangers.py");
    let output = Command::new(python())
        .args(["-W", "error", script, name])
        .current_dir(folder.path())
        .env_remove("OPENAI_ORG_ID")
        .env("OPENAI_BASE_URL", server.url())
        .env("OPENAI_API_KEY", key)
        .output()
        .expect("Python starts");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {complaints}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{name}: {complaints}"))
}

fn openai(name: &str, server: &ModelServer) -> Value {
    stranger(name, server, Profile::KEY)
}

#[test]
fn it_transcribes() {
    let server = ModelServer::start(Profile::default());
    let told = openai("transcribe", &server);
    let text = "A tone of 440 hertz. A tone of 880 hertz.";
    assert_eq!(
        told,
        json!({
            "verbose": {
                "text": text, "language": "english", "duration": 4.0, "seconds": 4.0,
                "segments": [[0.5, 1.5, " A tone of 440 hertz."], [2.5, 3.25, " A tone of 880 hertz."]],
            },
            "json": {"text": text, "tokens": "tokens"},
            "text": format!("{text}\n"),
            "srt": "1\n00:00:00,500 --> 00:00:01,500\nA tone of 440 hertz.\n\n\
                    2\n00:00:02,500 --> 00:00:03,250\nA tone of 880 hertz.\n\n",
            "vtt": "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nA tone of 440 hertz.\n\n\
                    00:00:02.500 --> 00:00:03.250\nA tone of 880 hertz.\n\n",
        })
    );
}

#[test]
fn it_sees() {
    let server = ModelServer::start(Profile::default());
    let told = openai("see", &server);
    let caption = caption_of(&picture(1));
    let two: Vec<&str> = caption.split(' ').take(2).collect();
    assert_eq!(
        told,
        json!({
            "text": caption, "reason": "stop", "adds_up": true, "refusal": null,
            "cut": [two.join(" "), "length"],
        })
    );
    server.fail("completions", [Fault::Decline, Fault::Filter]);
    assert_eq!(
        openai("decline", &server),
        json!([
            [null, "I'm sorry, I can't assist with that request.", "stop"],
            [null, null, "content_filter"]
        ])
    );
}

#[test]
fn it_compares() {
    let server = ModelServer::start(Profile::default());
    let told = openai("embed", &server);
    assert_eq!(
        told,
        json!({
            "lengths": [1536, 1536], "short": 64, "indices": [0, 1], "tokens": [3, 3],
            "same": true, "norm": 1.0, "near": true, "models": true,
        })
    );
}

/// Each refusal comes to the exception that OpenAI's client has for it.
#[test]
fn its_errors_are_typed() {
    let server = ModelServer::start(Profile::default());
    server.fail(
        "models",
        [
            Fault::Quota,
            Fault::ServerError,
            Fault::Overloaded,
            Fault::Cut,
        ],
    );
    let told = openai("errors", &server);
    assert_eq!(
        told,
        json!({
            "quota": ["RateLimitError", 429, "insufficient_quota", "insufficient_quota", null],
            "server": ["InternalServerError", 500, null, "server_error", null],
            "overloaded": ["InternalServerError", 503, null, "server_error", null],
            "cut": ["APIConnectionError", null, null, null, null],
            "model": ["NotFoundError", 404, "model_not_found", "invalid_request_error", null],
            "key": ["AuthenticationError", 401, "invalid_api_key", "invalid_request_error", null],
            "format": ["BadRequestError", 400, "unsupported_value", "invalid_request_error",
                       "response_format"],
            "sound": ["BadRequestError", 400, null, "invalid_request_error", null],
            "long": ["BadRequestError", 400, null, "invalid_request_error", null],
            "much": ["BadRequestError", 400, "max_tokens_per_request", "max_tokens_per_request",
                     null],
            "blank": ["BadRequestError", 400, null, "invalid_request_error", null],
            "picture": ["BadRequestError", 400, "invalid_image_format", "invalid_request_error",
                        null],
            "limit": ["BadRequestError", 400, "unsupported_parameter", "invalid_request_error",
                      "max_tokens"],
            "large": ["APIStatusError", 413, null, "server_error", null],
            "ids": true, "starred": true,
        })
    );
}

/// It waits as long as it is told, and comes through.
#[test]
fn it_waits_for_its_limits() {
    let server = ModelServer::start(Profile {
        limits: Limits {
            requests: 3,
            tokens: 1_000_000,
            minute: Duration::from_secs(3),
        },
        ..Profile::default()
    });
    let told = openai("limits", &server);
    assert_eq!(told["done"], 6);
    assert_eq!(told["refused"][0], "RateLimitError");
    assert_eq!(told["refused"][2], "rate_limit_exceeded");
    assert_eq!(told["headers"]["x-ratelimit-limit-requests"], "3");
    let refused = server
        .seen()
        .iter()
        .filter(|seen| seen.status == 429)
        .count();
    assert!(refused >= 1, "the limit was met");
}
