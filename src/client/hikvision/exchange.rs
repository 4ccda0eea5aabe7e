//! One request and its answer: logged in, bounded in time and size, sent to the
//! configured host and nowhere else.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
    USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::{Method, StatusCode};
use tokio::sync::MutexGuard;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::Device;
use super::connection::Response;
use super::digest::Request;
use super::error::{Error, Result};
use super::login::{Challenge, Login};
use super::memory::Owned;
use super::patience::Patience;
use super::verdict::{Refusal, Verdict, refusal, verdict};

/// The most of an answer that is XML. A page of 64 recordings takes 60 KB.
const MOST_XML: usize = 4 << 20;
/// The most of an answer that is an error.
pub(super) const MOST_ERROR: usize = 64 << 10;
/// How often one request is sent at most because a nonce was not taken.
const SENDS: u32 = 3;
/// What this is to a device.
const AGENT: &str = concat!("flatbed/", env!("CARGO_PKG_VERSION"));
/// What is asked for to learn how to log in; without a body, as some devices take a
/// refused body for the beginning of the next one.
const PROBE: &str = "/ISAPI/System/status";

/// What a device is asked.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) body: Option<&'a str>,
    /// For messages: "search for recordings".
    pub(super) what: &'static str,
}

impl<'a> Ask<'a> {
    pub(super) fn get(path: &'a str, what: &'static str) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            what,
        }
    }
}

impl Device {
    /// Asks, in turn with others who ask this device, and again while it is busy.
    pub(super) async fn ask(&self, ask: &Ask<'_>) -> Result<Result<Vec<u8>, Verdict>> {
        let _turn = self.shared.questions.acquire().await;
        let mut patience = Patience::new(&self.config);
        loop {
            let answer = self.ask_once(ask).await?;
            if !matches!(answer, Err(Verdict::Busy)) {
                return Ok(answer);
            }
            if !patience.wait().await {
                return Err(self.busy(ask.what, &patience));
            }
        }
    }

    /// The same, where any refusal is an error.
    pub(super) async fn ask_for(&self, ask: &Ask<'_>) -> Result<Vec<u8>> {
        let answer = self.ask(ask).await?;
        answer.map_err(|verdict| self.error(verdict, ask.what))
    }

    async fn ask_once(&self, ask: &Ask<'_>) -> Result<Result<Vec<u8>, Verdict>> {
        let deadline = Instant::now() + self.config.exchange;
        let response = match timeout_at(deadline, self.send(ask)).await {
            Ok(response) => response?,
            Err(_) => return Err(Error::away(&self.name, "it did not answer in time")),
        };
        let status = response.status().as_u16();
        let body = self.body(response, MOST_XML, deadline).await?;
        Ok(match verdict(status, &body) {
            Some(verdict) => Err(verdict),
            None => Ok(body),
        })
    }

    pub(super) fn busy(&self, what: &'static str, patience: &Patience) -> Error {
        Error::Busy {
            device: self.name.clone(),
            what,
            tries: patience.tries,
        }
    }

    pub(super) fn error(&self, verdict: Verdict, what: &'static str) -> Error {
        verdict.error(&self.name, &self.who.user, what)
    }

    /// Sends a request, logged in, and returns the answer once its head is there.
    /// It is none of 401: a login that is refused is an error, and is remembered.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<Response> {
        for _ in 0..SENDS {
            let mut held = self.shared.login.lock().await;
            self.shared.memory().admit(&self.name, &self.who)?;
            if held.of(&self.who).is_unknown() {
                self.learn(held.of(&self.who)).await?;
            }
            let login = held.of(&self.who);
            let request = Request {
                method: ask.method.as_str(),
                path: ask.path,
                body: ask.body.unwrap_or_default().as_bytes(),
            };
            let pass = login.pass(&self.who.user, self.who.password.expose(), request);
            // A login that was never taken keeps others from trying the same.
            let held = (!login.proved).then_some(held);
            let response = self.transmit(ask, pass.header.as_deref()).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                if let Some(mut held) = held {
                    held.of(&self.who).proved = true;
                }
                return Ok(response);
            }
            let challenge = challenge(response.headers());
            let refusal = self.refusal(response).await;
            let mut held = match held {
                Some(held) => held,
                None => self.shared.login.lock().await,
            };
            self.note_lock(refusal)?;
            if held.of(&self.who).generation != pass.generation {
                continue; // Another request has renewed it.
            }
            let was_answered = pass.header.is_some() && pass.is_first;
            match challenge {
                Some(next) if next.is_stale() || !was_answered => self.renew(&mut held, next)?,
                Some(_) => return Err(self.refused(refusal)),
                None => return Err(self.no_login()),
            }
        }
        let reason = "it takes none of its own nonces";
        Err(Error::garbled(&self.name, reason))
    }

    /// Asks how to log in.
    async fn learn(&self, login: &mut Login) -> Result<()> {
        let probe = Ask::get(PROBE, "log in");
        let response = self.transmit(&probe, None).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            login.set_open();
            return Ok(());
        }
        let challenge = challenge(response.headers());
        let refusal = self.refusal(response).await;
        self.note_lock(refusal)?;
        if challenge.is_some_and(|challenge| login.adopt(challenge)) {
            Ok(())
        } else {
            Err(self.no_login())
        }
    }

    fn renew(&self, held: &mut MutexGuard<'_, Owned>, next: Challenge) -> Result<()> {
        if held.of(&self.who).adopt(next) {
            Ok(())
        } else {
            let reason = "it asks for the password in the clear, though it can do without";
            Err(Error::garbled(&self.name, reason))
        }
    }

    fn no_login(&self) -> Error {
        Error::Refused {
            device: self.name.clone(),
            what: "log in",
            answer: "it offers neither Digest nor Basic".to_owned(),
        }
    }

    /// Remembers that the device refuses everybody, if it does.
    fn note_lock(&self, refusal: Refusal) -> Result<()> {
        if !refusal.locked {
            return Ok(());
        }
        let mut memory = self.shared.memory();
        memory.lock(self.rest(refusal));
        memory.admit(&self.name, &self.who)
    }

    /// Remembers that it refuses this login.
    fn refused(&self, refusal: Refusal) -> Error {
        let mut memory = self.shared.memory();
        memory.refuse(&self.who, refusal.left, self.rest(refusal));
        match memory.admit(&self.name, &self.who) {
            Err(error) => error,
            Ok(()) => self.no_login(),
        }
    }

    fn rest(&self, refusal: Refusal) -> Duration {
        let named = refusal.unlock_seconds;
        named.map_or(self.config.refused, |seconds| {
            Duration::from_secs(seconds.into())
        })
    }

    async fn refusal(&self, response: Response) -> Refusal {
        let deadline = Instant::now() + self.config.idle;
        let body = self.body(response, MOST_ERROR, deadline).await;
        refusal(&body.unwrap_or_default())
    }

    /// Sends it, over a connection of its own: what a device does with a body that
    /// it has refused must not meet the next request.
    async fn transmit(&self, ask: &Ask<'_>, authorization: Option<&str>) -> Result<Response> {
        let mut request = hyper::Request::new(Full::new(Bytes::from(
            ask.body.unwrap_or_default().to_owned(),
        )));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = ask
            .path
            .parse()
            .map_err(|_| Error::settings(&self.name, "its address makes no request"))?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(header) = authorization {
            let mut header = HeaderValue::from_bytes(header.as_bytes())
                .map_err(|_| Error::settings(&self.name, "its user name cannot be sent"))?;
            header.set_sensitive(true);
            headers.insert(AUTHORIZATION, header);
        }
        if ask.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        }
        let any = self.settings.any_certificate;
        let sent = self.connector.send(&self.base, any, request);
        let response = match timeout(self.config.idle, sent).await {
            Ok(response) => response.map_err(|trouble| Error::of_trouble(&self.name, &trouble))?,
            Err(_) => return Err(Error::away(&self.name, "it did not answer in time")),
        };
        if response.status().is_redirection() {
            return Err(self.moved(&response));
        }
        Ok(response)
    }

    fn moved(&self, response: &Response) -> Error {
        let location = response.headers().get(LOCATION);
        let to = location
            .and_then(|location| location.to_str().ok())
            .and_then(|location| self.base.join(location).ok());
        Error::Moved {
            device: self.name.clone(),
            to: to.as_ref().map_or_else(|| "nowhere".to_owned(), origin),
        }
    }

    /// All of an answer, if it is no more than `most` bytes.
    pub(super) async fn body(
        &self,
        mut response: Response,
        most: usize,
        deadline: Instant,
    ) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece(&mut response, deadline).await? {
            if body.len() + piece.len() > most {
                return Err(Error::TooMuch {
                    device: self.name.clone(),
                    what: "its answer",
                    most: format!("{most} bytes"),
                });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The next piece of an answer, waited for no longer than the idle time.
    pub(super) async fn piece(
        &self,
        response: &mut Response,
        deadline: Instant,
    ) -> Result<Option<Bytes>> {
        let by = deadline.min(Instant::now() + self.config.idle);
        match timeout_at(by, response.chunk()).await {
            Ok(piece) => piece.map_err(|error| {
                Error::away(
                    &self.name,
                    format!("its answer broke off: {}", error.words()),
                )
            }),
            Err(_) => Err(Error::away(&self.name, "it did not go on in time")),
        }
    }
}

fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let offers = headers.get_all(WWW_AUTHENTICATE).iter();
    Challenge::best(offers.filter_map(|offer| offer.to_str().ok()))
}

/// Scheme, host and port: no more of an address goes into a message.
fn origin(url: &Url) -> String {
    url.origin()
        .ascii_serialization()
        .chars()
        .take(300)
        .collect()
}
