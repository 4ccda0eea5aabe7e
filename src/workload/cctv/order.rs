//! What an order must be, before anybody is asked for footage.

use std::time::Duration;

use jiff::Timestamp;

use super::config::Config;
use super::failure::Failure;
use crate::client::hikvision::{Device, Hikvision, Settings, Span, Track};
use crate::clip::{Camera, Order};
use crate::job::Job;
use crate::store::Key;

/// An order that can be carried out.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The item's `id`.
    pub item: i64,
    /// What is asked for.
    pub span: Span,
    /// Whose footage.
    pub camera: Camera,
}

impl Checked {
    /// Looks at a job's order.
    pub fn of(job: &Job, config: &Config) -> Result<Self, Failure> {
        let order: Order = job
            .parse()
            .map_err(|error| Failure::Order(format!("the order cannot be read: {error}")))?;
        let item = order.packing_item_id;
        let wrong = |reason: &str| Failure::Order(format!("packing item {item}: {reason}"));
        let start = order
            .start_time
            .ok_or_else(|| wrong("it has no start_time"))?;
        let end = order.end_time.ok_or_else(|| wrong("it has no end_time"))?;
        let camera = order
            .camera
            .ok_or_else(|| wrong("there is no camera with its camera_id"))?;
        if end <= start {
            return Err(wrong(&format!(
                "its end_time {end} is not after its start_time {start}"
            )));
        }
        let length = between(start, end);
        if length > config.longest {
            return Err(wrong(&format!(
                "it is {} s long, more than CLIP_MAX_SECONDS allows ({})",
                length.as_secs(),
                config.longest.as_secs()
            )));
        }
        Ok(Self {
            item,
            span: Span::new(start, end),
            camera,
        })
    }

    /// The track that shows it.
    pub fn track(&self, config: &Config) -> Track {
        self.camera.track_id.map_or(config.track, Track)
    }

    /// The camera's recorder. Its password is decrypted here and nowhere else.
    pub fn device(&self, hikvision: &Hikvision, config: &Config) -> Result<Device, Failure> {
        let camera = &self.camera;
        let wrong = |reason: String| Failure::Camera(format!("{}: {reason}", called(camera)));
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        let scheme = text(&camera.scheme);
        let scheme = if scheme.is_empty() { "http" } else { &scheme };
        let scheme = scheme
            .parse()
            .map_err(|error| wrong(format!("scheme: {error}")))?;
        let time = text(&camera.time_mode)
            .parse()
            .map_err(|error| wrong(format!("time_mode: {error}")))?;
        let password = config
            .keys
            .decrypt(&camera.password_encrypted)
            .map_err(|error| wrong(error.to_string()))?;
        let settings = Settings {
            scheme,
            port: camera.port,
            time,
            any_certificate: config.any_certificate,
            ..Settings::new(camera.host.trim(), camera.username.clone(), password)
        };
        hikvision.device(settings).map_err(Failure::Recorder)
    }

    /// Where the clip is kept: always the same place.
    pub fn key(&self, config: &Config) -> Result<Key, Failure> {
        let day = self.span.start.strftime("%Y/%m/%d");
        let name = format!("{day}/{}.mp4", self.item);
        config
            .prefix
            .join(&name)
            .map_err(|error| Failure::Order(error.to_string()))
    }
}

/// What messages call a camera.
pub fn called(camera: &Camera) -> String {
    match camera.name.as_deref().map(str::trim) {
        Some(name) if !name.is_empty() => format!("camera {} ({name})", camera.id),
        _ => format!("camera {}", camera.id),
    }
}

/// From one moment to a later one; zero if it is none.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::client::hikvision;
    use crate::job::JobId;
    use crate::workload::cctv::passwords::Keys;

    fn config() -> Config {
        let key = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
        Config::new(Keys::parse(key).unwrap())
    }

    fn order(changes: &Value) -> Job {
        let mut order = json!({
            "packing_item_id": 7,
            "start_time": "2026-07-24T11:00:00Z",
            "end_time": "2026-07-24T11:00:30.5Z",
            "camera": {
                "id": 3, "name": "Meja 3", "host": "10.0.0.9", "port": null, "scheme": null,
                "username": "clips", "track_id": null, "time_mode": null,
                "password_encrypted": "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
            },
        });
        for (name, value) in changes.as_object().unwrap() {
            let place = match name.strip_prefix("camera.") {
                Some(name) => &mut order["camera"][name],
                None => &mut order[name],
            };
            *place = value.clone();
        }
        Job {
            id: JobId::of_foreign("7"),
            name: "clip".to_owned(),
            payload: order.to_string().into_bytes(),
            attempt: 1,
            max_attempts: 3,
            enqueued_at: None,
        }
    }

    fn check(changes: &Value) -> Result<Checked, Failure> {
        Checked::of(&order(changes), &config())
    }

    #[test]
    fn an_order_is_taken_and_keeps_its_place() {
        let checked = check(&json!({})).unwrap();
        let key = checked.key(&config()).unwrap();
        assert_eq!(key.as_str(), "clips/2026/07/24/7.mp4");
        assert_eq!(checked.track(&config()), Track(101));
        let client = Hikvision::new(hikvision::Config::default()).unwrap();
        checked.device(&client, &config()).unwrap();
        let checked = check(&json!({"camera.track_id": 302})).unwrap();
        assert_eq!(checked.track(&config()), Track(302));
    }

    #[test]
    fn what_will_never_do_is_refused_with_a_reason() {
        for (changes, words) in [
            (json!({"start_time": null}), "no start_time"),
            (json!({"end_time": null}), "no end_time"),
            (json!({"camera": null}), "no camera"),
            (json!({"end_time": "2026-07-24T11:00:00Z"}), "not after"),
            (
                json!({"start_time": "2026-07-24T08:00:00Z"}),
                "CLIP_MAX_SECONDS",
            ),
            (json!({"start_time": "noon"}), "cannot be read"),
        ] {
            match check(&changes) {
                Err(Failure::Order(reason)) => assert!(reason.contains(words), "{reason}"),
                other => panic!("{changes}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_camera_s_faults_name_it_and_no_password() {
        let client = Hikvision::new(hikvision::Config::default()).unwrap();
        for (changes, words) in [
            (json!({"camera.scheme": "ftp"}), "scheme: expected http"),
            (json!({"camera.time_mode": "mars"}), "time_mode"),
            (
                json!({"camera.password_encrypted": "hunter2"}),
                "no Fernet token",
            ),
        ] {
            let checked = check(&changes).unwrap();
            match checked.device(&client, &config()) {
                Err(Failure::Camera(reason)) => {
                    assert!(reason.starts_with("camera 3 (Meja 3): "), "{reason}");
                    assert!(reason.contains(words), "{reason}");
                    assert!(!reason.contains("hunter2"), "{reason}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
