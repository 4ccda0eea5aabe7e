//! How Redis hashes become records.

use std::time::{Duration, SystemTime};

use redis::{FromRedisValue, ParsingError, Value};

use super::Options;
use super::options::JobOptions;
use crate::job::{JobId, Progress};
use crate::queue::{Record, State};

/// What `lua/record.lua` answers.
pub(super) struct Found {
    id: String,
    state: State,
    /// name, data, opts, timestamp, atm, stc, progress, returnvalue, failedReason,
    /// processedOn, finishedOn
    fields: [Option<Vec<u8>>; 11],
}

impl FromRedisValue for Found {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let (id, state, fields): (String, String, Vec<Option<Vec<u8>>>) =
            redis::from_redis_value(value)?;
        Ok(Self {
            state: state.parse().map_err(|_| "a state that is none")?,
            fields: fields.try_into().map_err(|_| "a record cut short")?,
            id,
        })
    }
}

impl Found {
    pub(super) fn record(self, options: &Options) -> Record {
        let [
            name,
            data,
            opts,
            timestamp,
            made,
            lost,
            progress,
            result,
            reason,
            started,
            finished,
        ] = self.fields;
        let json = |value: Option<Vec<u8>>| serde_json::from_slice(&value?).ok();
        let attempts = JobOptions::parse(&opts.unwrap_or_default()).attempts;
        let ended = number(made.as_deref()).saturating_add(number(lost.as_deref()));
        Record {
            id: JobId::of_foreign(&self.id),
            name: text(name).unwrap_or_default(),
            payload: data.unwrap_or_default(),
            state: self.state,
            progress: json(progress).and_then(|value| Progress::of_foreign(&value)),
            result: json(result).filter(|_| self.state == State::Completed),
            failed_reason: text(reason),
            attempts: ended.saturating_add(u32::from(self.state == State::Active)),
            max_attempts: attempts.unwrap_or(options.retry.attempts).max(1),
            enqueued_at: timestamp.as_deref().and_then(time),
            started_at: started.as_deref().and_then(time),
            finished_at: finished.as_deref().and_then(time),
        }
    }
}

/// A counter; one that is absent or nonsense counts nothing.
pub(super) fn number(field: Option<&[u8]>) -> u32 {
    field.and_then(parsed).unwrap_or_default()
}

/// Milliseconds since 1970 as a time.
pub(super) fn time(field: &[u8]) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(parsed(field)?))
}

/// A field as text, whatever bytes a producer put there.
pub(super) fn text(field: Option<Vec<u8>>) -> Option<String> {
    field.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn parsed<T: std::str::FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.parse().ok()
}
