//! What is not told: neither in errors, nor in the log, nor by `Debug`.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use flatbed::client::hikcentral::{Config, Kind};
use flatbed::config::{Secret, Variables};
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::fixture::{client_of, config, harmless, kib, person, site};
use crate::support::hikcentral::{Fault, Profile, path};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What was signed, the key and the secret, under 200 and 401.
#[tokio::test]
async fn an_echo_is_not_repeated() {
    let (server, client) = site(Profile::default());
    for status in [200, 401] {
        for path in [path::ADD, path::FIND] {
            server.fail(path, [Fault::Echo(status)]);
        }
        let error = client
            .add_person(&person("3171234567890001"))
            .await
            .unwrap_err();
        assert_eq!(harmless(&server, error).kind(), Kind::Unauthorised);
        let code = person("3171234567890001").code;
        let error = client.person_by_code(&code).await.unwrap_err();
        assert_eq!(harmless(&server, error).kind(), Kind::Unauthorised);
    }
    // And where it comes with a code of which the message is told.
    let Profile { key, secret, .. } = server.profile().clone();
    for code in ["2", "5", "4711"] {
        let echo = format!(
            r#"{{"code":"{code}","msg":"bad personCode 3171234567890001 of SITI rahmawati, ak {key} sk {secret}"}}"#
        );
        server.fail(path::ADD, [Fault::Answer(200, echo)]);
        let error = client
            .add_person(&person("3171234567890001"))
            .await
            .unwrap_err();
        let shown = harmless(&server, error).to_string();
        assert!(
            shown.contains("bad personCode *** of *** ***, ak *** sk ***"),
            "{shown}"
        );
    }
}

/// A wrong secret is refused by the gateway, which repeats the right one.
#[tokio::test]
async fn a_wrong_secret_is_told_without_either() {
    let (server, _) = site(Profile {
        leaks: true,
        ..Profile::default()
    });
    let wrong = Config {
        app_secret: Secret::new("hunter2hunter2"),
        ..config(&server)
    };
    let error = client_of(wrong).version().await.unwrap_err();
    let error = harmless(&server, error);
    let shown = error.to_string();
    assert_eq!(error.kind(), Kind::Unauthorised);
    assert!(shown.contains("the signature is wrong") && shown.contains("HIKCENTRAL_APP_SECRET"));
    assert!(!shown.contains("hunter2"), "{shown}");
    let stranger = Config {
        app_key: Secret::new("1"),
        ..config(&server)
    };
    let error = client_of(stranger).version().await.unwrap_err();
    assert_eq!(error.code().as_deref(), Some("0x02401001"));
    assert_eq!(
        (server.forged(), server.requests()),
        (2, 2),
        "nothing is repeated"
    );
}

/// At the most talkative level, of whatever crate.
#[tokio::test]
async fn no_secret_is_in_the_log_or_in_debug() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (server, _) = site(Profile {
        leaks: true,
        ..Profile::default()
    });
    let Profile { key, secret, .. } = server.profile().clone();
    let (url, mut ways) = (server.url(), Vec::new());
    let mut variables = Variables::of([
        ("HIKCENTRAL_URL", url.as_str()),
        ("HIKCENTRAL_APP_KEY", key.as_str()),
        ("HIKCENTRAL_APP_SECRET", secret.as_str()),
    ]);
    let read = Config::read(&mut variables).unwrap();
    ways.push(format!("{read:?} {:?}", variables.finish().unwrap()));
    let client = client_of(config(&server));
    ways.push(format!("{client:?}"));
    let echo = format!(r#"{{"code":"5","msg":"3171234567890001 {key} {secret}"}}"#);
    for path in [path::FIELD, path::FIND] {
        server.fail(
            path,
            [
                Fault::Answer(500, echo.clone()),
                Fault::busy(),
                Fault::quota(),
            ],
        );
    }
    let new = person("3171234567890001");
    let id = client.add_person(&new).await.unwrap();
    client
        .set_custom_field(&id, &kib(), "3171234567890001")
        .await
        .unwrap();
    client.person_by_code(&new.code).await.unwrap();
    ways.push(format!("{new:?} {:?}", new.code));
    ways.push(log.text());
    let told = ways.join("\n");
    assert!(told.contains("HikCentral is asked again"), "{told}");
    assert!(told.contains("plain http"), "{told}");
    for hidden in [
        key.as_str(),
        &secret,
        "3171234567890001",
        "Siti",
        "Rahmawati",
    ] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }
    // Nor does the secret go over the wire.
    for seen in server.seen() {
        let sent = format!("{:?} {}", seen.headers, seen.body);
        assert!(!sent.contains(&secret), "{sent}");
    }
}
