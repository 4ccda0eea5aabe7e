//! How fast a kind of call may be asked for, as the answers' headers say.
//!
//! OpenAI lets requests and tokens out of buckets that fill up evenly, and tells with
//! each answer how full they are (`x-ratelimit-remaining-...`), how much they hold
//! (`-limit-`) and when they are full (`-reset-`). Who counts along does not run into
//! refusals. What a server said a minute ago is no longer believed: another kind of
//! header then holds nobody up for long.

use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use crate::client::pauses::{retry_after, seconds};

/// How long headers are believed, and the longest single wait for them.
const BELIEVED: Duration = Duration::from_secs(60);

/// One bucket, as it was when it was told.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    limit: f64,
    level: f64,
    per_second: f64,
    at: Instant,
    told: Instant,
}

/// What is known of one kind of call.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    /// A refusal named this time.
    closed_until: Option<Instant>,
    /// Tokens that a call took lately.
    usual: f64,
}

impl Lane {
    /// Takes what one call needs, or tells how long there will not be enough.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let closed = self.closed_until.filter(|until| *until > now);
        if let Some(until) = closed {
            return Err(until - now);
        }
        let needs = [(&mut self.requests, 1.0), (&mut self.tokens, self.usual)];
        let mut wait = Duration::ZERO;
        for (bucket, need) in needs {
            *bucket = bucket.filter(|bucket| now.saturating_duration_since(bucket.told) < BELIEVED);
            if let Some(bucket) = bucket {
                bucket.fill(now);
                wait = wait.max(bucket.wait(need));
            }
        }
        if wait > Duration::ZERO {
            return Err(wait.clamp(Duration::from_millis(1), BELIEVED));
        }
        if let Some(bucket) = &mut self.requests {
            bucket.level -= 1.0;
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.level -= self.usual;
        }
        Ok(())
    }

    /// Remembers what an answer's headers say.
    pub(super) fn hear(&mut self, headers: &HeaderMap, now: Instant) {
        if let Some(bucket) = Bucket::told(headers, "requests", now) {
            self.requests = Some(bucket);
        }
        if let Some(bucket) = Bucket::told(headers, "tokens", now) {
            self.tokens = Some(bucket);
        }
    }

    /// A call took so many tokens.
    pub(super) fn took(&mut self, tokens: u64) {
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        self.usual = f64::from(tokens);
    }

    /// Holds up all calls of this kind: one of them was refused.
    pub(super) fn close(&mut self, pause: Duration, now: Instant) {
        let until = now + pause.min(BELIEVED);
        self.closed_until = self.closed_until.max(Some(until));
    }
}

impl Bucket {
    /// Nothing if the headers do not say how it fills up.
    fn told(headers: &HeaderMap, of: &str, now: Instant) -> Option<Self> {
        let get = |what: &str| {
            let value = headers.get(format!("x-ratelimit-{what}-{of}"))?;
            value.to_str().ok()
        };
        let number = |what: &str| get(what)?.trim().parse::<f64>().ok();
        let level = number("remaining").filter(|level| (0.0..1e12).contains(level))?;
        let full = span(get("reset")?)?.as_secs_f64();
        let limit = number("limit").filter(|limit| *limit > level && *limit < 1e12)?;
        let per_second = (limit - level) / full;
        per_second.is_normal().then_some(Self {
            limit,
            level,
            per_second,
            at: now,
            told: now,
        })
    }

    fn fill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = self.limit.min(self.level + since * self.per_second);
        self.at = now;
    }

    /// No need is more than what it holds.
    fn wait(&self, need: f64) -> Duration {
        let missing = need.min(self.limit) - self.level;
        let wait = (missing > 1e-9).then(|| missing / self.per_second);
        Duration::try_from_secs_f64(wait.unwrap_or_default()).unwrap_or(BELIEVED)
    }
}

/// The pause that a refusal asks for.
pub(super) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let millis = headers.get("retry-after-ms").and_then(|value| {
        let millis: f64 = value.to_str().ok()?.trim().parse().ok()?;
        Duration::try_from_secs_f64(millis / 1000.0).ok()
    });
    millis.or_else(|| retry_after(headers))
}

/// `6m0s`, `1.2s`, `20ms`, `23h47m36.648s`; a number alone is seconds.
fn span(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if let Some(span) = seconds(rest) {
        return Some(span);
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at_checked(end)?;
        let end = unit.find(|c: char| c.is_ascii_digit());
        let (unit, behind) = unit.split_at_checked(end.unwrap_or(unit.len()))?;
        let worth = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        let part = Duration::try_from_secs_f64(number * worth).ok()?;
        total = total.checked_add(part)?;
        rest = behind;
    }
    (!text.trim().is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn spans_are_written_in_go_s_way() {
        for (text, millis) in [
            ("6m0s", 360_000),
            ("1.2s", 1200),
            ("20ms", 20),
            ("23h47m36.648s", 85_656_648),
            ("1d", 86_400_000),
            ("60", 60_000),
            ("0s", 0),
        ] {
            assert_eq!(span(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", " ", "s", "6x", "1m-3s", "..s", "1e999s", "é", "5é"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    /// 60 requests a minute of which one is left: the next but one waits a second.
    #[test]
    fn an_empty_bucket_is_waited_for() {
        let now = Instant::now();
        let mut lane = Lane::default();
        assert_eq!(lane.take(now), Ok(()));
        lane.hear(
            &headers(&[
                ("x-ratelimit-limit-requests", "60"),
                ("x-ratelimit-remaining-requests", "1"),
                ("x-ratelimit-reset-requests", "59s"),
            ]),
            now,
        );
        assert_eq!(lane.take(now), Ok(()));
        assert_eq!(lane.take(now), Err(Duration::from_secs(1)));
        let later = now + Duration::from_secs(1);
        assert_eq!(lane.take(later), Ok(()));
        assert!(lane.take(later).is_err());
        assert_eq!(lane.take(now + BELIEVED), Ok(()), "no longer believed");
    }

    #[test]
    fn tokens_are_counted_as_calls_took_them() {
        let now = Instant::now();
        let mut lane = Lane::default();
        lane.took(5000);
        lane.hear(
            &headers(&[
                ("x-ratelimit-limit-tokens", "10000"),
                ("x-ratelimit-remaining-tokens", "4000"),
                ("x-ratelimit-reset-tokens", "6s"),
            ]),
            now,
        );
        assert_eq!(lane.take(now), Err(Duration::from_secs(1)));
        // One that takes more than there ever is waits until all of it is there.
        lane.took(50_000);
        assert_eq!(lane.take(now), Err(Duration::from_secs(6)));
        assert_eq!(lane.take(now + Duration::from_secs(6)), Ok(()));
    }

    #[test]
    fn odd_headers_hold_nobody_up() {
        let now = Instant::now();
        for (limit, remaining, reset) in [
            ("60", "60", "0s"),
            ("60", "0", "0s"),
            ("0", "0", "1s"),
            ("x", "0", "1s"),
            ("60", "-1", "1s"),
            ("NaN", "NaN", "1s"),
            ("60", "0", "soon"),
        ] {
            let mut lane = Lane::default();
            lane.hear(
                &headers(&[
                    ("x-ratelimit-limit-requests", limit),
                    ("x-ratelimit-remaining-requests", remaining),
                    ("x-ratelimit-reset-requests", reset),
                ]),
                now,
            );
            assert_eq!(lane.take(now), Ok(()), "{limit} {remaining} {reset}");
        }
    }

    #[test]
    fn a_refusal_holds_up_all() {
        let now = Instant::now();
        let mut lane = Lane::default();
        let refusal = headers(&[("retry-after", "7"), ("retry-after-ms", "1500")]);
        assert_eq!(asked(&refusal), Some(Duration::from_millis(1500)));
        lane.close(Duration::from_secs(2), now);
        lane.close(Duration::from_secs(1), now);
        assert_eq!(lane.take(now), Err(Duration::from_secs(2)));
        assert_eq!(lane.take(now + Duration::from_secs(2)), Ok(()));
        assert_eq!(
            asked(&headers(&[("retry-after", "7")])),
            Some(Duration::from_secs(7))
        );
    }
}
