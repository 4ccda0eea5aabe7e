//! Requests and tokens a minute: two buckets for each model that fill up evenly, and
//! the headers that tell of them.

use std::time::{Duration, Instant};

use super::profile::Limits;
use super::refusal::Refusal;

#[derive(Debug)]
pub struct Meter {
    limits: Limits,
    requests: f64,
    tokens: f64,
    at: Instant,
}

impl Meter {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            requests: f64::from(limits.requests),
            tokens: f64::from(limits.tokens),
            at: Instant::now(),
        }
    }

    fn fill(&mut self) {
        let now = Instant::now();
        let part = (now - self.at).as_secs_f64() / self.limits.minute.as_secs_f64();
        let [requests, tokens] = self.full();
        self.requests = requests.min(self.requests + part * requests);
        self.tokens = tokens.min(self.tokens + part * tokens);
        self.at = now;
    }

    fn full(&self) -> [f64; 2] {
        [
            f64::from(self.limits.requests),
            f64::from(self.limits.tokens),
        ]
    }

    /// Takes one request and so many tokens, or says when there are enough.
    pub fn take(&mut self, model: &str, tokens: f64) -> Result<(), (Refusal, Duration)> {
        self.fill();
        let minute = self.limits.minute;
        let [most_requests, most_tokens] = self.full();
        let (of, name, limit, missing, used) = if self.requests < 1.0 {
            let missing = 1.0 - self.requests;
            (
                "requests",
                "RPM",
                most_requests,
                missing,
                most_requests - self.requests,
            )
        } else if self.tokens < tokens {
            let missing = tokens - self.tokens;
            (
                "tokens",
                "TPM",
                most_tokens,
                missing,
                most_tokens - self.tokens,
            )
        } else {
            self.requests -= 1.0;
            self.tokens -= tokens;
            return Ok(());
        };
        let wait = minute.mul_f64(missing / limit);
        let requested = if of == "requests" { 1.0 } else { tokens };
        let refusal = Refusal::invalid(format!(
            "Rate limit reached for {model} in organization org-flatbed on {of} per min ({name}): \
             Limit {limit}, Used {used:.0}, Requested {requested}. Please try again in {}. Visit \
             https://platform.openai.com/account/rate-limits to learn more.",
            span(wait)
        ));
        let refusal = refusal.status(429).kind(of).code("rate_limit_exceeded");
        Err((refusal, wait))
    }

    /// What each answer tells; of sound, only requests are counted.
    pub fn headers(&mut self, with_tokens: bool) -> Vec<(&'static str, String)> {
        self.fill();
        let [most_requests, most_tokens] = self.full();
        let until = |level: f64, most: f64| span(self.limits.minute.mul_f64((most - level) / most));
        let mut headers = vec![
            ("x-ratelimit-limit-requests", most_requests.to_string()),
            (
                "x-ratelimit-remaining-requests",
                self.requests.floor().to_string(),
            ),
            (
                "x-ratelimit-reset-requests",
                until(self.requests.floor(), most_requests),
            ),
        ];
        if with_tokens {
            headers.extend([
                ("x-ratelimit-limit-tokens", most_tokens.to_string()),
                (
                    "x-ratelimit-remaining-tokens",
                    self.tokens.floor().to_string(),
                ),
                (
                    "x-ratelimit-reset-tokens",
                    until(self.tokens.floor(), most_tokens),
                ),
            ]);
        }
        headers
    }
}

/// As Go writes it, to the millisecond.
pub fn span(span: Duration) -> String {
    let millis = u64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    let (minutes, millis) = (millis / 60_000, millis % 60_000);
    let seconds = Duration::from_millis(millis).as_secs_f64();
    match (minutes, millis) {
        (0, 0..1000) => format!("{millis}ms"),
        (0, _) => format!("{seconds}s"),
        _ => format!("{minutes}m{seconds}s"),
    }
}
