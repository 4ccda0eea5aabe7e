//! A row as the payload of a job, whatever is in it: the workload judges.

use serde_json::{Map, Value, json};

use crate::clip;

/// What was found of a row, as its database has it.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) id: i64,
    /// A time as RFC 3339, or what is no time as it stands.
    pub(super) start_time: Option<String>,
    pub(super) end_time: Option<String>,
    pub(super) camera: Option<Camera>,
}

/// A camera's columns as text; `None` where there is nothing.
#[derive(Debug, Default)]
pub(super) struct Camera {
    pub(super) id: i64,
    /// In the order of [`CAMERA_TEXTS`].
    pub(super) texts: [Option<String>; CAMERA_TEXTS.len()],
}

/// Columns that an order has as text or not at all, the numbers among them, and
/// those that it has always.
pub(super) const CAMERA_TEXTS: [&str; 8] = [
    "name",
    "host",
    "port",
    "scheme",
    "username",
    "password_encrypted",
    "track_id",
    "time_mode",
];
const NUMBERS: [&str; 2] = ["port", "track_id"];
const ALWAYS: [&str; 3] = ["host", "username", "password_encrypted"];

/// The JSON of a [`crate::clip::Order`]. What is nonsense stays as it was, so that
/// whoever reads the order can say what it is.
pub(super) fn payload(row: &Row) -> Vec<u8> {
    let camera = row.camera.as_ref().map(Camera::value);
    let order = json!({
        "packing_item_id": row.id,
        "start_time": row.start_time,
        "end_time": row.end_time,
        "camera": camera,
    });
    order.to_string().into_bytes()
}

impl Camera {
    fn value(&self) -> Value {
        let mut camera = Map::from_iter([("id".to_owned(), json!(self.id))]);
        for (name, text) in CAMERA_TEXTS.into_iter().zip(&self.texts) {
            camera.insert(name.to_owned(), value(name, text.as_deref()));
        }
        Value::Object(camera)
    }

    /// As an order has it, or why it cannot.
    pub(super) fn read(&self) -> Result<clip::Camera, String> {
        let read = serde_json::from_value(self.value());
        read.map_err(|error| format!("camera {}: its row cannot be read: {error}", self.id))
    }
}

fn value(name: &str, text: Option<&str>) -> Value {
    let text = text.map(str::trim);
    match text {
        None if ALWAYS.contains(&name) => json!(""),
        None => Value::Null,
        // An empty column of text is nothing.
        Some("") if !ALWAYS.contains(&name) => Value::Null,
        Some(text) if NUMBERS.contains(&name) => text
            .parse::<i64>()
            .map_or_else(|_| json!(text), |number| json!(number)),
        Some(text) => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Order;

    #[test]
    fn a_row_is_an_order() {
        let texts = [
            Some("packing 1".to_owned()),
            Some(" nvr.local ".to_owned()),
            Some("8443".to_owned()),
            Some(String::new()),
            Some("admin".to_owned()),
            Some("gAAAA".to_owned()),
            Some("201".to_owned()),
            None,
        ];
        let row = Row {
            id: 7,
            start_time: Some("2026-11-22T10:00:00Z".to_owned()),
            end_time: None,
            camera: Some(Camera { id: 3, texts }),
        };
        let order: Order = serde_json::from_slice(&payload(&row)).unwrap();
        assert_eq!(order.packing_item_id, 7);
        assert_eq!(
            order.start_time.unwrap().to_string(),
            "2026-11-22T10:00:00Z"
        );
        assert_eq!(order.end_time, None);
        let camera = order.camera.unwrap();
        assert_eq!((&*camera.host, camera.port), ("nvr.local", Some(8443)));
        assert_eq!((camera.scheme, camera.track_id), (None, Some(201)));
    }

    #[test]
    fn nonsense_is_told_by_whoever_reads_it() {
        let row = Row {
            start_time: Some("yesterday".to_owned()),
            ..Row::default()
        };
        let error = serde_json::from_slice::<Order>(&payload(&row)).unwrap_err();
        assert!(error.to_string().contains("as year"), "{error}");

        let mut camera = Camera::default();
        let order = |camera| {
            let row = Row {
                camera: Some(camera),
                ..Row::default()
            };
            serde_json::from_slice::<Order>(&payload(&row))
        };
        camera.texts[2] = Some("99999".to_owned());
        assert!(order(camera).unwrap_err().to_string().contains("99999"));
        let empty = order(Camera::default()).unwrap().camera.unwrap();
        assert_eq!((&*empty.host, empty.port), ("", None));
    }
}
