//! A clip that is asked for, and what was made: what the table of packing items and
//! the CCTV workload tell each other, as a job's payload and result.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A row of the items and its camera's, as they were found: nobody has looked yet
/// whether a clip can be made of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The item's `id`.
    pub packing_item_id: i64,
    /// Its `start_time`; `None` where the row has none.
    pub start_time: Option<Timestamp>,
    /// Its `end_time`; the clip ends before it. `None` where the row has none.
    pub end_time: Option<Timestamp>,
    /// The row of its `camera_id`; `None` where there is no such camera.
    pub camera: Option<Camera>,
}

/// A row of the cameras.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Camera {
    /// `id`.
    pub id: i64,
    /// `name`, for messages.
    pub name: Option<String>,
    /// `host`: an address or a name, without scheme and port.
    pub host: String,
    /// `port`; the scheme's own where there is none.
    pub port: Option<u16>,
    /// `scheme`: `http` or `https`; `http` where there is none.
    pub scheme: Option<String>,
    /// `username`.
    pub username: String,
    /// `password_encrypted`: a Fernet token.
    pub password_encrypted: String,
    /// `track_id`; `TRACK_ID` where there is none.
    pub track_id: Option<u32>,
    /// `time_mode`: `local`, `utc` or `auto`; `auto` where there is none.
    pub time_mode: Option<String>,
}

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, host, .. } = self;
        write!(f, "Camera {{ id: {id}, host: {host:?}, .. }}")
    }
}

/// The clip as it lies in the bucket: a row of the mini clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key in it.
    pub object_key: String,
    /// Where the object is read, without a signature.
    pub url: String,
    /// Of its first frame.
    pub start_time: Timestamp,
    /// After its last frame.
    pub end_time: Timestamp,
    /// How long it plays, in milliseconds.
    pub duration_ms: i64,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// The part of what was asked for that the recorder had: 1 is all of it.
    pub coverage: f32,
}
