//! Times as users may have written them: SQLite has no type for them.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::super::table::There;

/// A time as RFC 3339: ISO 8601 with its zone, or without one in UTC, or seconds
/// since 1970. What is none of these is told as it stands.
pub(super) fn read(value: ValueRef<'_>) -> Option<String> {
    let seconds = |seconds: f64| {
        let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
        Timestamp::from_duration(since).ok()
    };
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => {
            Some(Timestamp::from_second(number).map_or(number.to_string(), |time| time.to_string()))
        }
        ValueRef::Real(number) => {
            Some(seconds(number).map_or(number.to_string(), |time| time.to_string()))
        }
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            let text = String::from_utf8_lossy(text);
            let text = text.trim();
            let time = text.parse::<Timestamp>().or_else(|_| {
                let local: DateTime = text.parse()?;
                TimeZone::UTC.to_timestamp(local)
            });
            Some(time.map_or_else(|_| text.to_owned(), |time| time.to_string()))
        }
    }
}

/// How long until so much time has passed after that one; zero where it is none.
pub(super) fn wait(value: ValueRef<'_>, delay: Duration) -> Duration {
    let time: Option<Timestamp> = read(value).and_then(|text| text.parse().ok());
    let begins = time.and_then(|time| time.checked_add(delay).ok());
    let wait = begins.map(|begins| begins.duration_since(Timestamp::now()));
    wait.and_then(|wait| Duration::try_from(wait).ok())
        .unwrap_or_default()
}

/// A time as that column is declared: seconds since 1970 where it is for numbers, else
/// ISO 8601.
pub(super) fn written(column: &There, time: Timestamp) -> ToSqlOutput<'static> {
    let declared = column.type_name.to_ascii_uppercase();
    let value = if declared.contains("INT") {
        Value::Integer(time.as_second())
    } else if ["REAL", "FLOA", "DOUB"]
        .iter()
        .any(|number| declared.contains(number))
    {
        Value::Real(time.as_duration().as_secs_f64())
    } else {
        Value::Text(format!("{time:.3}"))
    };
    ToSqlOutput::Owned(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_all_their_ways() {
        for (text, expected) in [
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
            ("2026-11-22 10:00:00.25", "2026-11-22T10:00:00.25Z"),
            ("2026-11-22T10:00:00+07:00", "2026-11-22T03:00:00Z"),
            ("2026-11-22 10:00:00+07", "2026-11-22T03:00:00Z"),
            (" 2026-11-22 ", "2026-11-22T00:00:00Z"),
            ("yesterday", "yesterday"),
            ("", ""),
        ] {
            let read = read(ValueRef::Text(text.as_bytes()));
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
        assert_eq!(read(ValueRef::Null), None);
        let day = "2026-11-22T10:00:00Z";
        assert_eq!(read(ValueRef::Integer(1_795_341_600)).as_deref(), Some(day));
        assert_eq!(read(ValueRef::Real(1_795_341_600.0)).as_deref(), Some(day));
        assert_eq!(
            read(ValueRef::Integer(i64::MAX)),
            Some(i64::MAX.to_string())
        );
        assert_eq!(read(ValueRef::Real(f64::NAN)).as_deref(), Some("NaN"));
    }
}
