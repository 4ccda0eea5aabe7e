//! One question and its answer: in turn, within bounds, and again where that helps.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::error::{Error, Kind, Result};
use super::pace::asked;
use super::sound::Sound;
use super::verdict::{Word, keyless, kind};
use super::{Call, Models};
use crate::client::pauses::{Pauses, jittered};
use crate::client::said::{deepest, one_line};

/// The longest pause between two tries, where the server asks for none.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The most bytes of an answer that is an error.
const MOST_ERROR: usize = 64 << 10;

/// What is sent.
#[derive(Debug, Clone)]
pub(super) enum Content<'a> {
    /// Nothing: a question by GET.
    Nothing,
    /// A JSON document.
    Json(Bytes),
    /// A form with a file in it.
    Form(&'a Sound, Vec<(&'static str, String)>),
}

impl Models {
    /// Asks, again while that may help, and gives the answer's body.
    ///
    /// A future that is dropped ends its request and gives back its place.
    pub(super) async fn ask(&self, call: Call, content: &Content<'_>) -> Result<Bytes> {
        let until = Instant::now() + self.config.patience;
        let mut pauses = Pauses::new(self.config.first_pause, LONGEST_PAUSE);
        let mut tries = 0;
        loop {
            let turn = timeout_at(until, self.turn(call)).await;
            let place = turn.map_err(|_| self.impatient(call).tried(tries))?;
            tries += 1;
            let began = Instant::now();
            let answer = self.ask_once(call, content, until).await;
            let outcome = answer
                .as_ref()
                .map_or_else(|error| error.kind().as_str(), |_| "ok");
            self.metrics
                .requested(call.name(), outcome, began.elapsed());
            drop(place);
            let error = match answer {
                Ok(body) => return Ok(body),
                Err(error) => error.tried(tries),
            };
            if !error.is_tried_again() || tries > self.config.retries {
                return Err(error);
            }
            let pause = pauses.next(error.retry_after());
            if Instant::now() + pause > until {
                return Err(error);
            }
            if tries == 1 {
                tracing::warn!(%error, "a model is asked again");
            }
            self.metrics.retried(call.name());
            self.metrics.waited(call.name(), pause);
            sleep(pause).await;
        }
    }

    /// Waits for a place among those who ask, and for the server's limits.
    async fn turn(&self, call: Call) -> Option<SemaphorePermit<'_>> {
        loop {
            // It is never closed.
            let place = self.shared.places.acquire().await.ok();
            let wait = self.lane(call).take(Instant::now());
            let Err(wait) = wait else {
                return place;
            };
            drop(place);
            let wait = jittered(wait);
            self.metrics.waited(call.name(), wait);
            sleep(wait).await;
        }
    }

    async fn ask_once(&self, call: Call, content: &Content<'_>, until: Instant) -> Result<Bytes> {
        let left = until.saturating_duration_since(Instant::now());
        let exchanged = timeout(self.config.timeout.min(left), self.exchange(call, content)).await;
        exchanged.unwrap_or_else(|_| {
            Err(self.error(call, Kind::Late, "it did not answer in time".to_owned()))
        })
    }

    async fn exchange(&self, call: Call, content: &Content<'_>) -> Result<Bytes> {
        let url = self.config.url.join(call.path());
        let url = url.map_err(|error| self.error(call, Kind::Foreign, error.to_string()))?;
        let method = match content {
            Content::Nothing => Method::GET,
            _ => Method::POST,
        };
        let request = self.client.request(method, url);
        let request = request.headers(self.headers.clone());
        let request = match content {
            Content::Nothing => request,
            Content::Json(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone()),
            Content::Form(sound, fields) => {
                let form = sound.form(fields).await;
                let unreadable = |error: std::io::Error| {
                    let reason = format!("{}: {error}", sound.name);
                    self.error(call, Kind::Unfit, reason)
                };
                request.multipart(form.map_err(unreadable)?)
            }
        };
        let answer = request.send().await;
        let mut answer = answer.map_err(|error| self.of_client(call, &error))?;
        self.lane(call).hear(answer.headers(), Instant::now());
        if answer.status().is_success() {
            return self.body(call, &mut answer, call.most_bytes()).await;
        }
        Err(self.refusal(call, answer).await)
    }

    /// All of an answer's body, within bounds.
    async fn body(&self, call: Call, answer: &mut Response, most: usize) -> Result<Bytes> {
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(None) => return Ok(body.into()),
                Ok(Some(bytes)) if body.len() + bytes.len() <= most => {
                    body.extend_from_slice(&bytes);
                }
                Ok(Some(_)) => {
                    let reason = format!("its answer is longer than {most} bytes");
                    return Err(self.error(call, Kind::Foreign, reason));
                }
                Err(error) => return Err(self.of_client(call, &error)),
            }
        }
    }

    async fn refusal(&self, call: Call, mut answer: Response) -> Error {
        let status = answer.status();
        let body = self.body(call, &mut answer, MOST_ERROR).await;
        let key = self.config.key.as_ref();
        let word = Word::read(&body.unwrap_or_default(), key);
        let headers = answer.headers();
        let reason = match (word.shown(), status.is_redirection()) {
            (_, true) => "it leads elsewhere, where no key is sent".to_owned(),
            (shown, _) if !shown.is_empty() => shown,
            _ => status.canonical_reason().unwrap_or("no reason").to_owned(),
        };
        let asked = asked(headers);
        let kind = kind(status, &word);
        if asked.is_some() || kind == Kind::RateLimited {
            let pause = asked.unwrap_or(self.config.first_pause);
            self.lane(call).close(pause, Instant::now());
        }
        let again = match headers.get("x-should-retry").map(HeaderValue::as_bytes) {
            Some(b"true") => Some(true),
            Some(b"false") => Some(false),
            _ => None,
        };
        // What money has to mend is not mended by asking.
        let again = again.filter(|_| kind != Kind::Quota);
        self.error(call, kind, reason)
            .answered(status.as_u16(), self.request_id(headers))
            .asks_for(asked, again)
            .said(word)
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let id = headers.get("x-request-id")?.to_str().ok()?;
        let key = self.config.key.as_ref();
        let id = keyless(&one_line(id, key, 64), key);
        (!id.is_empty()).then_some(id)
    }

    fn of_client(&self, call: Call, error: &reqwest::Error) -> Error {
        let deepest = deepest(error);
        let (kind, reason) = if error.is_timeout() {
            (Kind::Late, "no connection in time".to_owned())
        } else if error.is_connect() {
            (Kind::Away, format!("no connection: {deepest}"))
        } else {
            (Kind::Away, format!("the connection broke off: {deepest}"))
        };
        self.error(call, kind, reason)
    }

    fn impatient(&self, call: Call) -> Error {
        let seconds = self.config.patience.as_secs_f64();
        let reason = format!("its turn did not come within {seconds} s");
        self.error(call, Kind::Late, reason)
    }

    /// The answer is none of this API, for this reason.
    pub(super) fn foreign(&self, call: Call, reason: &str) -> Error {
        let reason = format!("its answer cannot be read: {reason}");
        self.error(call, Kind::Foreign, reason)
    }

    /// An error of this call.
    pub(super) fn error(&self, call: Call, kind: Kind, reason: String) -> Error {
        let url = &self.config.url;
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}"));
        let path = format!("{}{}", url.path(), call.path());
        let endpoint = format!("{host}{}{path}", port.unwrap_or_default());
        Error::new(kind, &endpoint, self.model(call), reason)
    }
}
