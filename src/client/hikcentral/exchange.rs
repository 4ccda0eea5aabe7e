//! One request and its answer: in turn, within bounds, and again where that is safe.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::HikCentral;
use super::code::Code;
use super::error::{Error, Kind, Result};
use super::pace::Wait;
use crate::client::pauses::{Pauses, retry_after};
use crate::client::said::deepest;

/// The longest pause between two tries, where the server asks for none.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The most bytes of an answer. A page of 500 departments has some hundred thousand.
const LONGEST_ANSWER: usize = 4 << 20;

/// What can be asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// For errors: "add a person".
    pub(super) what: &'static str,
    pub(super) path: &'static str,
    /// Whether doing it twice is another thing than doing it once: it is repeated only
    /// where it is certain that nothing was done.
    pub(super) once: bool,
}

/// How every answer begins, whatever its status.
#[derive(Deserialize)]
struct Head {
    code: Code,
    #[serde(default)]
    msg: Said,
}

/// A message, where it is one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Text(String),
    Other(IgnoredAny),
}

impl Default for Said {
    fn default() -> Self {
        Self::Other(IgnoredAny)
    }
}

/// The rest of a success.
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

impl HikCentral {
    /// Asks, again while that may help and is safe, and gives the body of a success.
    /// What is private is not repeated in errors.
    ///
    /// A future that is dropped ends its request and gives back its place.
    pub(super) async fn ask(
        &self,
        call: Call,
        body: &impl Serialize,
        private: &[&str],
    ) -> Result<Bytes> {
        let body = serde_json::to_vec(body);
        let body = body.map_err(|error| Error::new(Kind::Unfit, call.what, error.to_string()))?;
        let body = Bytes::from(body);
        let mut pauses = Pauses::new(self.0.config.first_pause, LONGEST_PAUSE);
        let mut until = None;
        let mut tries = 0;
        loop {
            let turn = self.turn(call, until).await;
            let place = turn.map_err(|error| error.tried(tries))?;
            let sent = Instant::now();
            let until = *until.get_or_insert(sent + self.0.config.patience);
            tries += 1;
            let answer = self.ask_once(call, &body, private).await;
            drop(place);
            let error = match answer {
                Ok(answer) => {
                    self.pace().answered(sent);
                    return Ok(answer);
                }
                Err(error) => error.tried(tries),
            };
            let is_quota = error.kind() == Kind::Quota;
            if is_quota {
                let asked = error.retry_after();
                self.pace().refused(sent, asked, Instant::now());
            }
            if !call.is_repeated(&error) || tries > self.0.config.retries {
                return Err(error);
            }
            if tries == 1 {
                tracing::warn!(%error, "HikCentral is asked again");
            }
            // After a quota all wait for their turn, and so does this.
            if !is_quota {
                let pause = pauses.next(error.retry_after());
                if Instant::now() + pause > until {
                    return Err(error);
                }
                sleep(pause).await;
            }
        }
    }

    /// Waits for a place among those who ask, and for the limits.
    async fn turn(&self, call: Call, until: Option<Instant>) -> Result<SemaphorePermit<'_>> {
        let place = self.0.places.acquire().await;
        // Nobody closes it.
        let place =
            place.map_err(|_| Error::new(Kind::Unfit, call.what, "the client is closed"))?;
        let until = until.unwrap_or_else(|| Instant::now() + self.0.config.patience);
        loop {
            let wait = self.pace().take(Instant::now());
            match wait {
                Ok(()) => return Ok(place),
                Err(Wait::Quota(at)) if at > until => {
                    let left = at.saturating_duration_since(Instant::now());
                    let reason = "more calls than it allows, and the pause is not over";
                    let error = Error::new(Kind::Quota, call.what, reason);
                    return Err(error.asks_for(Some(left)));
                }
                Err(Wait::Quota(at) | Wait::Rate(at)) => sleep_until(at).await,
            }
        }
    }

    async fn ask_once(&self, call: Call, body: &Bytes, private: &[&str]) -> Result<Bytes> {
        let exchanged = self.exchange(call, body, private);
        match timeout(self.0.config.timeout, exchanged).await {
            Ok(answer) => answer,
            Err(_) => Err(call.doubted(Error::new(Kind::Late, call.what, "no answer in time"))),
        }
    }

    async fn exchange(&self, call: Call, body: &Bytes, private: &[&str]) -> Result<Bytes> {
        let url = self.0.config.url.join(call.path);
        let url = url.map_err(|error| Error::new(Kind::Unfit, call.what, error.to_string()))?;
        let request = self.0.client.post(url);
        let request = request.headers(self.0.signer.headers(call.path));
        let answer = request.body(body.clone()).send().await;
        let mut answer = answer.map_err(|error| of_client(call, &error))?;
        let body = whole(call, &mut answer).await?;
        match self.verdict(call, &answer, &body, private) {
            None => Ok(body),
            Some(error) => Err(call.doubted(error)),
        }
    }

    /// What an answer means; `None` for a success. The code decides, under whatever
    /// status it comes.
    fn verdict(
        &self,
        call: Call,
        answer: &Response,
        body: &[u8],
        private: &[&str],
    ) -> Option<Error> {
        let status = answer.status();
        let asked = retry_after(answer.headers());
        let Ok(Head { code, msg }) = serde_json::from_slice(body) else {
            let (kind, reason) = of_status(status);
            let error = Error::new(kind, call.what, reason).answered(status.as_u16(), None);
            return Some(error.asks_for(asked));
        };
        let Some(kind) = code.kind() else {
            let reason = format!("a success that came with HTTP {status}");
            let odd = Error::new(Kind::Failing, call.what, reason);
            return (!status.is_success()).then(|| odd.answered(status.as_u16(), Some(code)));
        };
        let said = match msg {
            Said::Text(text) if kind != Kind::Unauthorised => self.0.hidden.line(&text, private),
            // Gateways repeat what was signed, and some the secret.
            _ => String::new(),
        };
        let reason = match (code.meaning(), said.as_str()) {
            (Some(meaning), "") => meaning.to_owned(),
            (Some(meaning), said) => format!("{meaning} ({said})"),
            (None, "") => "it does not say why".to_owned(),
            (None, said) => said.to_owned(),
        };
        let error = Error::new(kind, call.what, reason).answered(status.as_u16(), Some(code));
        Some(error.asks_for(asked))
    }
}

impl Call {
    /// Whether the same request is sent again after this.
    fn is_repeated(self, error: &Error) -> bool {
        match error.kind() {
            // Nothing was done, whatever it was.
            Kind::Away | Kind::Quota => true,
            Kind::Late | Kind::Failing | Kind::Busy => !self.once,
            _ => false,
        }
    }

    /// The error, which leaves open whether it was done where that matters.
    fn doubted(self, error: Error) -> Error {
        let refused = error
            .status()
            .is_some_and(|status| !matches!(status, 200..=299 | 408 | 500..));
        let is_open = match error.kind() {
            Kind::Late | Kind::Failing => true,
            Kind::Foreign => !refused,
            _ => false,
        };
        if self.once && is_open {
            error.in_doubt()
        } else {
            error
        }
    }
}

/// What a success has in `data`.
pub(super) fn data<T: DeserializeOwned>(call: Call, answer: &Bytes) -> Result<T> {
    let answer = serde_json::from_slice::<Answer<T>>(answer);
    answer.map(|answer| answer.data).map_err(|error| {
        // Its own words would repeat what stands there.
        let at = format!("line {}, column {}", error.line(), error.column());
        let reason = format!("its data is not as expected ({at})");
        Error::new(Kind::Foreign, call.what, reason)
    })
}

/// All of an answer's body, within bounds.
async fn whole(call: Call, answer: &mut Response) -> Result<Bytes> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            // Most come in one piece.
            Ok(None) => return Ok(body.into()),
            Ok(Some(bytes)) if body.len() + bytes.len() <= LONGEST_ANSWER => {
                body.extend_from_slice(&bytes);
            }
            Ok(Some(_)) => {
                let reason = format!("its answer is longer than {LONGEST_ANSWER} bytes");
                let error = Error::new(Kind::Foreign, call.what, reason);
                return Err(call.doubted(error.answered(answer.status().as_u16(), None)));
            }
            Err(error) => return Err(of_client(call, &error)),
        }
    }
}

/// What HTTP alone says.
fn of_status(status: StatusCode) -> (Kind, &'static str) {
    match status.as_u16() {
        401 | 403 | 407 => (
            Kind::Unauthorised,
            "nobody is let in, and it does not say why",
        ),
        404 | 405 => (Kind::Unsupported, "there is no such interface"),
        429 => (Kind::Quota, "more calls than it allows"),
        503 => (Kind::Failing, "its services are not there"),
        408 | 500..=599 => (Kind::Failing, "it fails"),
        300..=399 => (Kind::Foreign, "it leads elsewhere, where nothing is sent"),
        _ => (Kind::Foreign, "its answer is none of HikCentral's"),
    }
}

/// What the HTTP client said.
fn of_client(call: Call, error: &reqwest::Error) -> Error {
    let deepest = deepest(error);
    if error.is_connect() {
        let is_certificate = deepest.contains("certificate");
        let kind = if is_certificate {
            Kind::Certificate
        } else {
            Kind::Away
        };
        return Error::new(kind, call.what, format!("no connection: {deepest}"));
    }
    if error.is_builder() {
        return Error::new(Kind::Unfit, call.what, deepest);
    }
    let reason = format!("the connection broke off: {deepest}");
    call.doubted(Error::new(Kind::Failing, call.what, reason))
}
