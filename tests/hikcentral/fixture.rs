//! A server, and clients with little patience.

use std::time::Duration;

use bytes::Bytes;
use flatbed::client::hikcentral::{
    Config, CustomField, Error, HikCentral, NewPerson, PersonCode, PersonId,
};
use flatbed::config::Secret;

use crate::support::hikcentral::{HikCentralServer, Profile};

/// As the server knows us, and told at once what takes others a minute.
pub fn config(server: &HikCentralServer) -> Config {
    let Profile { key, secret, .. } = server.profile();
    let url = server.url().parse().expect("an address");
    Config {
        timeout: Duration::from_secs(60),
        first_pause: Duration::from_millis(1),
        quota_pause: Duration::from_millis(1),
        apply_pause: Duration::from_millis(1),
        ..Config::new(url, Secret::new(key), Secret::new(secret))
    }
}

pub fn client_of(config: Config) -> HikCentral {
    HikCentral::new(config).expect("a client")
}

pub fn client(server: &HikCentralServer) -> HikCentral {
    client_of(config(server))
}

/// A server of this kind, and a client.
pub fn site(profile: Profile) -> (HikCentralServer, HikCentral) {
    let server = HikCentralServer::start(profile);
    let client = client(&server);
    (server, client)
}

pub fn code(text: &str) -> PersonCode {
    text.parse().expect("a code")
}

pub fn person(text: &str) -> NewPerson {
    NewPerson {
        code: code(text),
        given_name: "Siti".to_owned(),
        family_name: "Rahmawati".to_owned(),
        organisation: "1".to_owned(),
        face: None,
        begin: None,
        end: None,
    }
}

pub async fn added(client: &HikCentral, text: &str) -> PersonId {
    client
        .add_person(&person(text))
        .await
        .expect("a new person")
}

pub fn kib() -> CustomField {
    CustomField {
        id: "1".to_owned(),
        name: "KIB".to_owned(),
        kind: 0,
    }
}

/// So many bytes between the marks of a JPEG.
pub fn jpeg(bytes: usize) -> Bytes {
    let mut jpeg = vec![0xff, 0xd8, 0xff, 0xe0];
    jpeg.resize(bytes - 2, 0x55);
    jpeg.extend([0xff, 0xd9]);
    jpeg.into()
}

/// The error, in which no secret and nobody stands, in whatever form.
pub fn harmless(server: &HikCentralServer, error: Error) -> Error {
    let Profile { key, secret, .. } = server.profile();
    let shown = format!("{error} {error:?}");
    for hidden in [
        key,
        secret,
        "Siti",
        "Rahmawati",
        "3171234567890001",
        "x-ca-",
    ] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
    assert!(!error.to_string().contains('\n'), "{error}");
    error
}

/// Waits for what the other side does, with a bound for what hangs.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(120), wait).await;
    assert!(waited.is_ok(), "waited for {what}");
}
