//! The simulated recorder before clients that know nothing of this project:
//! `PyPI`'s `hikvisionapi` and `HikLoad`, and curl.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::fixture::{minutes, noon};
use crate::support::nvr::{Login, Nvr, Profile};

/// The Python that scripts/setup has given them.
fn python() -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = var("FLATBED_CACHE").unwrap_or_else(|| {
        let cache = var("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        cache.join("flatbed")
    });
    let python = cache.join("hikvision-venv/bin/python");
    let hint = "these tests need hikvisionapi and HikLoad: run `scripts/setup --test` first";
    assert!(python.exists(), "{hint}");
    python
}

async fn stranger(name: &'static str, nvr: &Nvr) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hikvision/strangers.py");
    let address = nvr.address().to_string();
    let Profile { user, password, .. } = nvr.profile().clone();
    let output = spawn_blocking(move || {
        let mut command = Command::new(python());
        command.args([script, name, &address, user, password]);
        command.output().expect("Python starts")
    });
    let output = output.await.unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {complaints}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{name}: {complaints}"))
}

/// It opens with Basic, which is not a wrong password.
#[tokio::test]
async fn hikvisionapi_is_served() {
    for login in [Login::Digest, Login::DigestOdd, Login::Basic] {
        let profile = Profile {
            login,
            lock_after: 1,
            ..Profile::jakarta()
        };
        let nvr = Nvr::start(profile, minutes(noon(), 30)).await;
        let told = stranger("hikvisionapi", &nvr).await;
        let expected = json!({
            "model": "DS-7616NXI-K2", "zone": "CST-7:00:00", "matches": 30, "first": 1000
        });
        assert_eq!(told, expected, "{login:?}");
    }
}

/// It pages by moving the start on, and reads "0" where there is nothing.
#[tokio::test]
async fn hikload_is_served() {
    let nvr = Nvr::start(Profile::default(), minutes(noon(), 100)).await;
    let told = stranger("hikload", &nvr).await;
    let bytes: u64 = (0..100).map(|number| 1000 + number).sum();
    let expected = json!({
        "tracks": ["101", "201"], "files": 100, "bytes": bytes, "nothing": "0"
    });
    assert_eq!(told, expected);
    assert_eq!(nvr.wrong(), 0);
}

#[tokio::test]
async fn curl_is_served() {
    let nvr = Nvr::start(Profile::default(), minutes(noon(), 3)).await;
    let curl = |arguments: Vec<String>| {
        spawn_blocking(move || {
            let mut command = Command::new("curl");
            command.args(["--silent", "--show-error", "--fail-with-body", "--digest"]);
            let output = command.args(arguments).output();
            let output = output.expect("curl starts (apt-get install curl)");
            (output.status.success(), output.stdout)
        })
    };
    let request = |credentials: &str, path: &str, body: Option<String>| {
        let mut arguments = vec![
            "-u".to_owned(),
            credentials.to_owned(),
            format!("{}{path}", nvr.url()),
        ];
        if let Some(body) = body {
            arguments.extend(["-X".to_owned(), "GET".to_owned(), "--data".to_owned(), body]);
        }
        arguments
    };
    let right = format!("{}:{}", nvr.profile().user, nvr.profile().password);
    let (ok, told) = curl(request(&right, "/ISAPI/System/status", None))
        .await
        .unwrap();
    assert!(ok && String::from_utf8_lossy(&told).contains("deviceUpTime"));
    let uri = nvr.uri(2).replace('&', "&amp;");
    let body = format!("<downloadRequest><playbackURI>{uri}</playbackURI></downloadRequest>");
    let (ok, told) = curl(request(&right, "/ISAPI/ContentMgmt/download", Some(body)))
        .await
        .unwrap();
    assert!(
        ok && told.len() == 1002 && told.starts_with(b"\0\0\x01\xba"),
        "{}",
        told.len()
    );
    let (ok, told) = curl(request("admin:wrong", "/ISAPI/System/status", None))
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(
        !ok && told.contains("<retryLoginTime>4</retryLoginTime>"),
        "{told}"
    );
}
