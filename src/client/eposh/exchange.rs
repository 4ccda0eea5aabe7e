//! One page asked for: within bounds, and again where that helps.

use std::time::Duration;

use bytes::Bytes;
use jiff::civil::Date;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use super::error::{Error, Kind, Result};
use super::{Eposh, Page};
use crate::client::pauses::{Pauses, retry_after};
use crate::client::said::{deepest, one_line};

/// The longest pause between two tries, where it asks for none.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The most bytes of a page. A hundred people have some 60,000.
const MOST_PAGE: usize = 8 << 20;

/// The most bytes of an answer that is an error.
const MOST_ERROR: usize = 64 << 10;

/// How much of what it says goes into an error.
const LONGEST_WORD: usize = 200;

/// What is said in an answer that is an error.
#[derive(Deserialize)]
struct Word {
    #[serde(alias = "error")]
    message: String,
}

impl Eposh {
    pub(super) async fn ask(&self, date: Date, page: u32) -> Result<Page> {
        let until = Instant::now() + self.config.patience;
        let mut pauses = Pauses::new(self.config.first_pause, LONGEST_PAUSE);
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.ask_once(date, page).await {
                Ok(page) => return Ok(page),
                Err(error) => error.tried(tries),
            };
            if !error.passes() {
                return Err(error);
            }
            let pause = pauses.next(error.retry_after());
            if Instant::now() + pause > until {
                return Err(error);
            }
            if tries == 1 {
                tracing::warn!(%error, "Eposh is asked again");
            }
            sleep(pause).await;
        }
    }

    pub(super) async fn ask_once(&self, date: Date, page: u32) -> Result<Page> {
        let asked = (date, page);
        let exchanged = timeout(self.config.timeout, self.exchange(asked)).await;
        let body = exchanged.unwrap_or_else(|_| Err(self.late(asked)))?;
        let found = Page::read(&body).map_err(|reason| self.malformed(asked, &reason))?;
        let current = found.pagination.current_page;
        if current != page {
            // Else a server that knows no pages would give the first one for all.
            let reason = format!("it is page {current}");
            return Err(self.malformed(asked, &reason));
        }
        Ok(found)
    }

    async fn exchange(&self, asked: (Date, u32)) -> Result<Bytes> {
        let (date, page) = asked;
        let mut url = self.config.url.clone();
        url.query_pairs_mut()
            .append_pair("date", &date.to_string())
            .append_pair("page", &page.to_string());
        let request = self
            .client
            .get(url)
            .bearer_auth(self.config.token.expose())
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = request.send().await;
        let mut answer = answer.map_err(|error| self.of_client(asked, error))?;
        if answer.status() == StatusCode::OK {
            return self.body(asked, &mut answer, MOST_PAGE).await;
        }
        let body = self.body(asked, &mut answer, MOST_ERROR).await;
        let body = body.unwrap_or_default();
        Err(self.refusal(asked, answer.status(), answer.headers(), &body))
    }

    /// All of an answer's body, within bounds.
    async fn body(&self, asked: (Date, u32), answer: &mut Response, most: usize) -> Result<Bytes> {
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(None) => return Ok(body.into()),
                Ok(Some(bytes)) if body.len() + bytes.len() <= most => {
                    body.extend_from_slice(&bytes);
                }
                Ok(Some(_)) => {
                    let reason = format!("it is longer than {most} bytes");
                    return Err(self.malformed(asked, &reason));
                }
                Err(error) => return Err(self.of_client(asked, error)),
            }
        }
    }

    fn refusal(
        &self,
        asked: (Date, u32),
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Error {
        let kind = match status.as_u16() {
            401 | 403 | 407 => Kind::Refused,
            404 | 410 => Kind::NotFound,
            429 => Kind::RateLimited,
            502..=504 => Kind::Away,
            408 | 425 | 500..=599 => Kind::Failing,
            _ => Kind::Misled,
        };
        let reason = match self.word(body) {
            _ if status.is_redirection() => "it leads elsewhere, where no token is sent".to_owned(),
            Some(word) => word,
            None => status.canonical_reason().unwrap_or("no reason").to_owned(),
        };
        Error::new(kind, &self.config, asked, reason)
            .answered(status.as_u16(), retry_after(headers))
    }

    /// What it says about an error, in one line and without our token.
    fn word(&self, body: &[u8]) -> Option<String> {
        let Word { message } = serde_json::from_slice(body).ok()?;
        let word = one_line(&message, Some(&self.config.token), LONGEST_WORD);
        (!word.is_empty()).then_some(word)
    }

    fn of_client(&self, asked: (Date, u32), error: reqwest::Error) -> Error {
        // The address may have a key in its query.
        let error = error.without_url();
        if error.is_timeout() {
            return self.late(asked);
        }
        let deepest = deepest(&error);
        let reason = if error.is_connect() {
            format!("no connection: {deepest}")
        } else {
            format!("the connection broke off: {deepest}")
        };
        Error::new(Kind::Away, &self.config, asked, reason)
    }

    fn late(&self, asked: (Date, u32)) -> Error {
        let seconds = self.config.timeout.as_secs_f64();
        let reason = format!("no answer within {seconds} s");
        Error::new(Kind::Late, &self.config, asked, reason)
    }

    fn malformed(&self, asked: (Date, u32), reason: &str) -> Error {
        let reason = format!("its answer is no page of people: {reason}");
        Error::new(Kind::Malformed, &self.config, asked, reason)
    }
}
