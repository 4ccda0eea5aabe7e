//! What a simulated recorder has recorded, and how it lists it.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::endless::Loop;
use super::profile::Profile;

/// A recording: when it was made, in truth, and its bytes.
#[derive(Debug, Clone)]
pub struct Footage {
    pub track: u32,
    pub start: Timestamp,
    pub end: Timestamp,
    pub content: Content,
}

/// The bytes of a recording.
#[derive(Debug, Clone)]
pub enum Content {
    File(PathBuf),
    /// So many bytes that begin like a recording and mean nothing.
    Filler(u64),
    /// A recording over and over, its clock running on.
    Loop(Arc<Loop>),
}

impl Footage {
    pub fn new(track: u32, start: Timestamp, seconds: i64, content: Content) -> Self {
        let end = start + SignedDuration::from_secs(seconds);
        Self {
            track,
            start,
            end,
            content,
        }
    }

    pub fn bytes(&self) -> u64 {
        match &self.content {
            Content::File(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
            Content::Filler(bytes) => *bytes,
            Content::Loop(endless) => endless.bytes(),
        }
    }

    /// The address that the recorder gives it.
    pub fn uri(&self, profile: &Profile, address: &str, number: usize) -> String {
        let compact = |at: DateTime| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        format!(
            "rtsp://{}/Streaming/tracks/{}/?starttime={}&endtime={}&name=ch01_{number:014}&size={}",
            profile.host.as_deref().unwrap_or(address),
            self.track,
            compact(profile.shows(self.start)),
            compact(profile.shows(self.end)),
            self.bytes()
        )
    }
}

impl Profile {
    /// What it writes for a moment, by its own clock.
    pub fn shows(&self, at: Timestamp) -> DateTime {
        let at = at + SignedDuration::from_secs(self.ahead);
        if self.local {
            self.zone.to_datetime(at)
        } else {
            TimeZone::UTC.to_datetime(at)
        }
    }

    /// `localTime`: its wall clock, with the offset that it has in winter.
    pub fn local_time(&self) -> String {
        let now = Timestamp::now() + SignedDuration::from_secs(self.ahead);
        let wall = self
            .zone
            .to_datetime(now)
            .strftime("%Y-%m-%dT%H:%M:%S")
            .to_string();
        let offset = Offset::constant(self.winter).seconds() / 3600;
        format!("{wall}{offset:+03}:00")
    }
}

/// `2026-07-24T13:20:29Z`, exactly.
pub fn parse(text: &str) -> Option<DateTime> {
    let text = text.strip_suffix('Z')?;
    (text.len() == 19).then(|| text.parse().ok()).flatten()
}
