//! What a device's times mean, and how to say ours in its words.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::settings::offset;

/// A stretch of time, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub start: Timestamp,
    /// Its end, which does not belong to it.
    pub end: Timestamp,
}

impl Span {
    /// From `start` to `end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// Whether the two have a moment in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// What `2026-07-24T13:20:29Z` means, from one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Clock {
    /// What it says.
    Utc,
    /// The wall clock in this zone.
    Local(TimeZone),
}

/// A time as a device writes it. Its zone, if it names one, is kept apart: it may
/// mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) at: DateTime,
    pub(super) offset: Option<Offset>,
}

impl Written {
    /// `2026-07-24T13:20:29Z`, with an offset or nothing in place of the `Z`, with
    /// a blank in place of the `T`, or without separators.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (text, zone) = match text.strip_suffix(['Z', 'z']) {
            Some(text) => (text, None),
            None => match text.rfind(['+', '-']).filter(|&at| at >= 11) {
                Some(at) => (text.get(..at)?, Some(offset(text.get(at..)?)?)),
                None => (text, None),
            },
        };
        let at: DateTime = text.parse().ok()?;
        let whole = at.with().subsec_nanosecond(0).build().ok()?;
        Some(Self {
            at: whole,
            offset: zone,
        })
    }
}

/// As searches want it.
pub(super) fn write(at: DateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Clock {
    /// The device's times between which all of `span` lies, in whole seconds.
    /// Where its clock is put on or back meanwhile, they are as wide as needed.
    pub(super) fn window(&self, span: Span) -> (DateTime, DateTime) {
        let start = whole(span.start, 0);
        let end = whole(span.end, i64::from(span.end.subsec_nanosecond() > 0));
        let (a, b) = (self.offset_at(start), self.offset_at(end));
        let (least, most) = (a.min(b), a.max(b));
        (least.to_datetime(start), most.to_datetime(end))
    }

    /// The offset from UTC at a moment.
    pub(super) fn offset_at(&self, at: Timestamp) -> Offset {
        match self {
            Self::Utc => Offset::UTC,
            Self::Local(zone) => zone.to_offset(at),
        }
    }

    /// What two of the device's times mean. In the hour that comes twice when
    /// summer ends, what agrees with `asked` is taken, and failing that the first.
    pub(super) fn read(&self, start: Written, end: Written, asked: Span) -> Option<Span> {
        let (starts, ends) = (self.moments(start), self.moments(end));
        let pairs = starts
            .iter()
            .flat_map(|&start| ends.iter().map(move |&end| Span { start, end }));
        let mut spans: Vec<Span> = pairs.filter(|span| span.start < span.end).collect();
        // None lasts an hour longer than it says.
        spans.sort_by_key(|span| (span.end.duration_since(span.start), span.start));
        let agrees = spans.iter().find(|span| span.overlaps(asked));
        agrees.or(spans.first()).copied()
    }

    /// All moments that a time may mean: one, or two where the clock was put back.
    fn moments(&self, written: Written) -> Vec<Timestamp> {
        let offsets = match self {
            Self::Utc => vec![written.offset.unwrap_or(Offset::UTC)],
            Self::Local(zone) => match zone.to_ambiguous_timestamp(written.at).offset() {
                AmbiguousOffset::Unambiguous { offset } => vec![offset],
                AmbiguousOffset::Gap { before, .. } => vec![before],
                AmbiguousOffset::Fold { before, after } => vec![before, after],
            },
        };
        let moment = |offset: Offset| offset.to_timestamp(written.at).ok();
        offsets.into_iter().filter_map(moment).collect()
    }
}

fn whole(at: Timestamp, more: i64) -> Timestamp {
    Timestamp::from_second(at.as_second() + more).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn written(text: &str) -> Written {
        Written::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn berlin() -> Clock {
        let rule = "CET-1CEST,M3.5.0/02:00:00,M10.5.0/03:00:00";
        Clock::Local(TimeZone::posix(rule).unwrap())
    }

    #[test]
    fn times_are_read_as_devices_write_them() {
        let plain = written("2026-07-24T13:20:29Z");
        assert_eq!(write(plain.at), "2026-07-24T13:20:29Z");
        for text in [
            "2026-07-24T13:20:29",
            "2026-07-24 13:20:29",
            "2026-07-24T13:20:29.500Z",
            "20260724T132029Z",
            " 2026-07-24T13:20:29z ",
        ] {
            assert_eq!(written(text), plain, "{text}");
        }
        let east = written("2026-07-24T13:20:29+08:00");
        assert_eq!(
            (east.at, east.offset.unwrap().seconds()),
            (plain.at, 28_800)
        );
        for text in [
            "",
            "Z",
            "2026-07-24",
            "2026-13-24T00:00:00Z",
            "now",
            "é",
            "2026-07-24T13:20:29+99",
        ] {
            let parsed = Written::parse(text);
            assert!(
                parsed.is_none() || text == "2026-07-24",
                "{text}: {parsed:?}"
            );
        }
    }

    #[test]
    fn utc_is_utc_and_local_is_the_wall_clock() {
        let span = Span::new(at("2026-07-24T11:20:29.5Z"), at("2026-07-24T11:21:00.1Z"));
        let (start, end) = Clock::Utc.window(span);
        assert_eq!(write(start), "2026-07-24T11:20:29Z");
        assert_eq!(write(end), "2026-07-24T11:21:01Z");
        let (start, end) = berlin().window(span);
        assert_eq!(write(start), "2026-07-24T13:20:29Z");
        assert_eq!(write(end), "2026-07-24T13:21:01Z");
        let read = |clock: &Clock| {
            let (start, end) = (
                written("2026-07-24T13:00:00Z"),
                written("2026-07-24T14:00:00Z"),
            );
            clock.read(start, end, span).unwrap()
        };
        assert_eq!(read(&berlin()).start, at("2026-07-24T11:00:00Z"));
        assert_eq!(read(&Clock::Utc).start, at("2026-07-24T13:00:00Z"));
    }

    /// 25 October 2026, 03:00 summer time, is 02:00 winter time, 01:00 UTC.
    #[test]
    fn the_hour_that_comes_twice_is_searched_and_read_both_ways() {
        let across = Span::new(at("2026-10-25T00:50:00Z"), at("2026-10-25T01:10:00Z"));
        let (start, end) = berlin().window(across);
        assert_eq!(write(start), "2026-10-25T01:50:00Z");
        assert_eq!(write(end), "2026-10-25T03:10:00Z");
        let (start, end) = (
            written("2026-10-25T02:10:00Z"),
            written("2026-10-25T02:40:00Z"),
        );
        let before = Span::new(at("2026-10-25T00:20:00Z"), at("2026-10-25T00:30:00Z"));
        let after = Span::new(at("2026-10-25T01:20:00Z"), at("2026-10-25T01:30:00Z"));
        let first = berlin().read(start, end, before).unwrap();
        assert_eq!(first.start, at("2026-10-25T00:10:00Z"));
        let second = berlin().read(start, end, after).unwrap();
        assert_eq!(second.start, at("2026-10-25T01:10:00Z"));
        // One that begins in the first and ends in the second.
        let (start, end) = (
            written("2026-10-25T02:55:00Z"),
            written("2026-10-25T02:05:00Z"),
        );
        let long = berlin().read(start, end, across).unwrap();
        assert_eq!(long.end.duration_since(long.start).as_secs(), 600);
    }
}
