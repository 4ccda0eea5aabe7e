//! `PyPI`'s hikvision-openapi-signer, which others wrote: the simulated server takes its
//! requests, and it signs ours as we do.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::fixture::{added, kib, site};
use crate::support::hikcentral::{Profile, path};

/// The Python that scripts/setup has given it.
fn python() -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = var("FLATBED_CACHE").unwrap_or_else(|| {
        let cache = var("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        cache.join("flatbed")
    });
    let python = cache.join("hikcentral-venv/bin/python");
    let hint = "these tests need hikvision-openapi-signer: run `scripts/setup --test` first";
    assert!(python.exists(), "{hint}");
    python
}

async fn stranger(arguments: &[&str]) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hikcentral/signer.py");
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let output = spawn_blocking(move || {
        let mut command = Command::new(python());
        command.arg(script).args(arguments);
        command.output().expect("Python starts")
    });
    let output = output.await.unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{complaints}"))
}

/// It sends a digest of the body, a date and its own order of headers.
#[tokio::test]
async fn what_it_signs_is_taken_and_what_it_signs_wrongly_is_not() {
    let (server, client) = site(Profile::default());
    added(&client, "2611852").await;
    let Profile { key, secret, .. } = server.profile().clone();
    let (url, body) = (server.url(), r#"{"personCode": "2611852"}"#);
    let told = stranger(&["post", &url, &key, &secret, path::FIND, body]).await;
    assert_eq!(told["status"], 200);
    assert_eq!(told["answer"]["code"], "0", "{told}");
    let there = server.person("2611852").unwrap();
    assert_eq!(told["answer"]["data"]["personId"], json!(there.id));
    assert_eq!(server.forged(), 0);
    let told = stranger(&["post", &url, &key, "another", path::FIND, body]).await;
    assert_eq!(
        (&told["status"], &told["answer"]["code"]),
        (&json!(401), &json!("0x02401003"))
    );
    assert_eq!(server.forged(), 1);
}

#[tokio::test]
async fn it_signs_our_requests_as_we_do() {
    let (server, client) = site(Profile::default());
    let id = added(&client, "2611852").await;
    client
        .set_custom_field(&id, &kib(), "ž 2611852")
        .await
        .unwrap();
    let Profile { key, secret, .. } = server.profile().clone();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for request in seen {
        let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
        let listed = header("x-ca-signature-headers");
        let mut signed = json!({
            "Accept": header("accept"), "Content-Type": header("content-type")
        });
        for name in listed.split(',') {
            signed[name] = json!(header(name));
        }
        let signed = signed.to_string();
        let told = stranger(&["sign", &key, &secret, &request.path, &signed]).await;
        assert_eq!(told, json!(header("x-ca-signature")), "{}", request.path);
    }
}

/// The same request a second time, and one of an hour ago.
#[tokio::test]
async fn what_is_replayed_is_refused() {
    let (server, client) = site(Profile::default());
    client.version().await.unwrap();
    let seen = server.seen().pop().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let replay = http
        .post(format!("{}{}", server.url(), seen.path))
        .headers(seen.headers)
        .body(seen.body);
    let answer: Value = {
        let text = replay.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(answer["code"], "0x02401003");
    assert!(
        answer["msg"].as_str().unwrap().contains("Nonce used"),
        "{answer}"
    );
    assert_eq!(server.forged(), 1);
}
