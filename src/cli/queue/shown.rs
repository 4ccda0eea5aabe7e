//! Jobs as people and programs read them.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;

use crate::cli::failure::one_line;
use crate::http::rfc3339;
use crate::job::{JobId, Progress};
use crate::queue::{Record, State};

/// All that is known of a job.
#[derive(Serialize)]
pub(super) struct Shown {
    id: JobId,
    name: String,
    state: State,
    attempts: u32,
    max_attempts: u32,
    progress: Option<Progress>,
    /// Why the last attempt failed.
    reason: Option<String>,
    enqueued_at: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    /// What the producer sent: JSON, or else text.
    payload: Value,
    result: Option<Value>,
}

impl From<Record> for Shown {
    fn from(record: Record) -> Self {
        let time = |time: Option<SystemTime>| time.map(rfc3339);
        let payload = serde_json::from_slice(&record.payload)
            .unwrap_or_else(|_| String::from_utf8_lossy(&record.payload).into());
        Self {
            id: record.id,
            name: record.name,
            state: record.state,
            attempts: record.attempts,
            max_attempts: record.max_attempts,
            progress: record.progress,
            reason: record.failed_reason,
            enqueued_at: time(record.enqueued_at),
            started_at: time(record.started_at),
            finished_at: time(record.finished_at),
            payload,
            result: record.result,
        }
    }
}

impl Shown {
    /// One line of a list: id, state, attempts, its last time, and a remark.
    pub(super) fn line(&self) -> String {
        let time = [&self.finished_at, &self.started_at, &self.enqueued_at];
        let time = time.into_iter().flatten().next();
        let attempts = format!("{}/{}", self.attempts, self.max_attempts);
        let line = format!(
            "{}  {:9}  {attempts:>5}  {:24}  {}",
            self.id,
            self.state.as_str(),
            time.map_or("", String::as_str),
            self.remark()
        );
        format!("{}\n", line.trim_end())
    }

    fn remark(&self) -> String {
        if let (State::Active, Some(progress)) = (self.state, &self.progress) {
            let operation = progress.current_operation.as_deref().unwrap_or_default();
            return one_line(format!("{} % {operation}", progress.percent).trim_end());
        }
        one_line(self.reason.as_deref().unwrap_or_default())
    }

    pub(super) fn text(&self) -> String {
        let attempts = format!("{} of {}", self.attempts, self.max_attempts);
        let progress = self.progress.as_ref().map(|progress| {
            let more = [&progress.current_operation, &progress.timemark];
            let mut text = format!("{} %", progress.percent);
            for detail in more.into_iter().flatten() {
                text = format!("{text}, {detail}");
            }
            text
        });
        let result = self.result.as_ref().map(ToString::to_string);
        let lines = [
            ("id", Some(self.id.as_str())),
            ("name", Some(&self.name)),
            ("state", Some(self.state.as_str())),
            ("attempts", Some(&attempts)),
            ("progress", progress.as_deref()),
            ("reason", self.reason.as_deref()),
            ("enqueued", self.enqueued_at.as_deref()),
            ("started", self.started_at.as_deref()),
            ("finished", self.finished_at.as_deref()),
            ("payload", Some(&self.payload.to_string())),
            ("result", result.as_deref()),
        ];
        lines
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name:9} {}\n", one_line(value?))))
            .collect()
    }
}
