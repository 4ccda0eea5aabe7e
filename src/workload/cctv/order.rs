//! What an order must be, before anybody is asked for footage.

use std::time::Duration;

use jiff::Timestamp;

use super::config::Config;
use super::failure::Failure;
use crate::client::hikvision::Span;
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

/// From one moment to a later one; zero if it is none.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
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
}
