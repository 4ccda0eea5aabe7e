//! Pauses between the tries of one call: they double, have some chance in them, and
//! are at least what the peer asks for.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use uuid::Uuid;

/// The pauses of one call.
#[derive(Debug)]
pub(super) struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    /// Doubled from `first` to `longest`.
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            next: first,
            longest,
        }
    }

    /// The next one, where the peer asks for so much.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let pause = jittered(self.next.max(asked.unwrap_or_default()));
        self.next = (self.next * 2).min(self.longest);
        pause
    }
}

/// Up to a quarter longer, so that those who failed together do not come together.
pub(super) fn jittered(pause: Duration) -> Duration {
    let random = u32::from(Uuid::now_v7().as_bytes()[15]);
    pause.saturating_add(pause.saturating_mul(random) / 1024)
}

/// What `Retry-After` asks for: seconds, or a date (RFC 9110, 10.2.3), which is nothing
/// where it has passed.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(pause) = seconds(text) {
        return Some(pause);
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let now = Timestamp::try_from(SystemTime::now()).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// Seconds, with or without a fraction.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_secs(3));
        for (asked, least) in [(None, 1), (None, 2), (Some(10), 10), (None, 3), (None, 3)] {
            let least = Duration::from_secs(least);
            let pause = pauses.next(asked.map(Duration::from_secs));
            assert!(pause >= least && pause <= least * 5 / 4, "{pause:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let later = Timestamp::now() + jiff::SignedDuration::from_secs(3600);
        let date = later.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let wait = asked(&date).unwrap().as_secs();
        assert!((3590..=3600).contains(&wait), "{wait}");
        for text in ["", "soon", "-1", "inf", "NaN", "1e300"] {
            assert_eq!(asked(text), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
