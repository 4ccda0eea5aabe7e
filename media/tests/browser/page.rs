//! What the page is told and what it answers, as JSON.

use serde_json::{Value, json};

use super::{Deed, Task};

/// The page itself.
pub const HTML: &str = include_str!("page.html");

/// What a browser made of one task.
#[derive(Clone, Debug)]
pub struct Report {
    /// The media element's error, a stall, or `None` if all went well.
    pub error: Option<String>,
    /// Each frame looked at. Played frames are those the compositor got to show: a slow machine
    /// may miss some; a seek gives one for each time asked for.
    pub frames: Vec<Seen>,
    /// Frames that the decoder gave, and those of them that were not shown.
    pub decoded: u64,
    pub dropped: u64,
    /// Seconds, as the media element gives it.
    pub duration: f64,
    /// The picture's size as shown.
    pub size: (u64, u64),
}

/// One frame in the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The frame's presentation time in seconds (for a seek that the browser answered without a
    /// new frame: the time sought). During playback the canvas may be a frame ahead or behind
    /// what the browser announced: Firefox is now and then. After a seek they agree.
    pub time: f64,
    /// The number on it, or `None` for a damaged or blank picture.
    pub number: Option<u32>,
}

impl Report {
    /// The numbers seen, in order.
    ///
    /// # Panics
    /// If one could not be read.
    pub fn numbers(&self) -> Vec<u32> {
        let number = |seen: &Seen| {
            seen.number
                .unwrap_or_else(|| panic!("{seen:?}: a damaged picture"))
        };
        self.frames.iter().map(number).collect()
    }
}

/// The orders for the page: one object for each task, its video under its index.
pub fn orders(tasks: &[Task]) -> String {
    let order = |(index, task): (usize, &Task)| {
        let url = format!("/video/{index}");
        match &task.deed {
            Deed::Play { rate } => json!({ "url": url, "rate": rate }),
            Deed::Seek { times } => json!({ "url": url, "times": times }),
        }
    };
    Value::Array(tasks.iter().enumerate().map(order).collect()).to_string()
}

/// The reports that the page posted.
pub fn read(body: &[u8]) -> Vec<Report> {
    let value: Value = serde_json::from_slice(body).expect("the page posts JSON");
    let reports = value
        .as_array()
        .unwrap_or_else(|| panic!("the page failed: {value}"));
    reports.iter().map(report).collect()
}

fn report(value: &Value) -> Report {
    let count = |name: &str| value[name].as_u64().unwrap_or(0);
    let seen = |frame: &Value| Seen {
        time: frame[0].as_f64().unwrap_or(f64::NAN),
        number: frame[1].as_u64().map(|number| number as u32),
    };
    Report {
        error: value["error"].as_str().map(String::from),
        frames: value["frames"]
            .as_array()
            .into_iter()
            .flatten()
            .map(seen)
            .collect(),
        decoded: count("decoded"),
        dropped: count("dropped"),
        duration: value["duration"].as_f64().unwrap_or(f64::NAN),
        size: (count("width"), count("height")),
    }
}
