//! Recorders with footage, and clients with little patience.

use std::time::Duration;

use flatbed::client::hikvision::{
    Config, Device, Hikvision, Settings, Span, TimeMode, Track, Transport,
};
use flatbed::config::Secret;
use jiff::{SignedDuration, Timestamp};

use crate::support::nvr::{Content, Footage, Nvr, Profile};

pub const TRACK: Track = Track(101);

/// A moment, as RFC 3339 writes it.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// So many seconds later.
pub fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at + SignedDuration::from_secs(seconds)
}

/// Recordings of a minute each, without gaps, from `start` on.
pub fn minutes(start: Timestamp, count: i64) -> Vec<Footage> {
    let minute = |number| {
        let content = Content::Filler(1000 + u64::try_from(number).expect("a number"));
        Footage::new(TRACK.0, after(start, 60 * number), 60, content)
    };
    (0..count).map(minute).collect()
}

/// Noon of a summer's day.
pub fn noon() -> Timestamp {
    at("2026-07-24T12:00:00Z")
}

/// A client that is told soon what takes others a minute.
pub fn hasty() -> Config {
    Config {
        idle: Duration::from_secs(20),
        busy: Duration::from_secs(20),
        busy_first: Duration::from_millis(10),
        ..Config::default()
    }
}

pub fn client() -> Hikvision {
    Hikvision::new(hasty()).expect("a client")
}

/// The right settings for a recorder; its times are as its profile says.
pub fn settings(nvr: &Nvr) -> Settings {
    let Profile {
        user,
        password,
        local,
        tls,
        ..
    } = nvr.profile();
    Settings {
        scheme: if *tls {
            Transport::Https
        } else {
            Transport::Http
        },
        port: Some(nvr.address().port()),
        time: if *local {
            TimeMode::Local
        } else {
            TimeMode::Utc
        },
        ..Settings::new("127.0.0.1", *user, Secret::new(*password))
    }
}

/// The recorder, as a client of its own sees it.
pub fn device_of(config: Config, nvr: &Nvr) -> Device {
    let client = Hikvision::new(config).expect("a client");
    client.device(settings(nvr)).expect("right settings")
}

/// A recorder of this kind with this footage, and a client of its own.
pub async fn recorder(profile: Profile, footage: Vec<Footage>) -> (Nvr, Device) {
    let nvr = Nvr::start(profile, footage).await;
    let device = device_of(hasty(), &nvr);
    (nvr, device)
}

/// All of the footage of `minutes`.
pub fn all(start: Timestamp, count: i64) -> Span {
    Span::new(start, after(start, 60 * count))
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
