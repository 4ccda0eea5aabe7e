//! A recording on its way here: read as it comes, broken off when it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flatbed_media::Cancel;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::connection::Response;
use super::error::{Error, Result};
use super::exchange::{Ask, MOST_ERROR};
use super::patience::Patience;
use super::reader::Reader;
use super::verdict::{Verdict, verdict};
use super::xml::escaped;
use super::{Device, Recording};

const PATH: &str = "/ISAPI/ContentMgmt/download";
const WHAT: &str = "send a recording";

/// A download that has begun, its first bytes seen. Dropped, it closes its
/// connection, and the next one in turn may begin.
///
/// There is no second half to ask for: devices ignore `Range`, whatever they
/// advertise.
#[derive(Debug)]
pub struct Download {
    device: String,
    response: Response,
    first: Option<Bytes>,
    length: Option<u64>,
    received: Received,
    idle: Duration,
    most: u64,
    /// Given back after the connection is closed.
    _turn: OwnedSemaphorePermit,
}

/// How many bytes of a download have come, for those who do not hold it. Clones
/// count the same.
#[derive(Debug, Clone, Default)]
pub struct Received(Arc<AtomicU64>);

impl Received {
    /// The bytes so far.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Download {
    /// How many bytes the device promises, which most do not.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Counts what has come.
    pub fn received(&self) -> Received {
        self.received.clone()
    }

    /// The next piece; `None` at the end. That it broke off is an error where it
    /// can be told: a device that promises no length may just stop, which only the
    /// recording's own duration shows.
    ///
    /// It may be dropped while it waits, and called again.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let by = Instant::now() + self.idle;
        self.chunk_by(by).await
    }

    /// The same, but no later than `by`, and without loss if it is dropped before.
    pub(super) async fn chunk_by(&mut self, by: Instant) -> Result<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let piece = match timeout_at(by, self.response.chunk()).await {
            Ok(piece) => piece.map_err(|error| self.broke_off(error.words()))?,
            Err(_) => return Err(self.broke_off("nothing more came".to_owned())),
        };
        let Some(piece) = piece else {
            return Ok(None);
        };
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let before = self.received.0.fetch_add(length, Ordering::Relaxed);
        if before.saturating_add(length) > self.most {
            return Err(Error::TooMuch {
                device: self.device.clone(),
                what: "the recording",
                most: format!("{} bytes", self.most),
            });
        }
        Ok(Some(piece))
    }

    /// For an engine's thread, which reads it as a live stream: nothing is fetched
    /// ahead but what the network holds. `cancel` ends a read that waits.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn into_reader(self, cancel: Cancel) -> Reader {
        Reader::new(self, cancel)
    }

    pub(super) fn idle(&self) -> Duration {
        self.idle
    }

    pub(super) fn cancelled(&self) -> Error {
        Error::Cancelled {
            device: self.device.clone(),
        }
    }

    fn broke_off(&self, reason: String) -> Error {
        Error::BrokeOff {
            device: self.device.clone(),
            received: self.received.bytes(),
            reason,
        }
    }
}

impl Device {
    /// Begins to fetch a recording: whole, from its first byte, as devices know no
    /// other way. Waits for its turn, and while the device is busy.
    pub async fn download(&self, recording: &Recording) -> Result<Download> {
        let turns = Arc::clone(&self.shared.downloads);
        let turn = turns.acquire_owned().await;
        let turn = turn.map_err(|_| Error::away(&self.name, "this process is ending"))?;
        let body = format!(
            "<downloadRequest version=\"1.0\" xmlns=\"http://www.isapi.org/ver20/XMLSchema\">\
             <playbackURI>{}</playbackURI></downloadRequest>",
            escaped(&recording.uri)
        );
        let mut patience = Patience::new(&self.config);
        loop {
            match self.begin(&body).await? {
                Ok(begun) => {
                    let received = Received::default();
                    let came = u64::try_from(begun.first.len()).unwrap_or(u64::MAX);
                    received.0.store(came, Ordering::Relaxed);
                    return Ok(Download {
                        device: self.name.clone(),
                        response: begun.response,
                        first: Some(begun.first),
                        length: begun.length,
                        received,
                        idle: self.config.idle,
                        most: self.config.most_bytes,
                        _turn: turn,
                    });
                }
                Err(Verdict::Busy) => {
                    if !patience.wait().await {
                        return Err(self.busy(WHAT, &patience));
                    }
                }
                Err(other) => return Err(self.error(other, WHAT)),
            }
        }
    }

    /// Asks by the method that the device took before, or else by both.
    async fn begin(&self, body: &str) -> Result<Result<Begun, Verdict>> {
        let known = self.shared.memory().method.clone();
        let methods = match &known {
            Some(Method::POST) => [Method::POST, Method::GET],
            _ => [Method::GET, Method::POST],
        };
        let mut refused = Err(Error::Empty {
            device: self.name.clone(),
        });
        for method in methods {
            let answer = self.begin_by(method.clone(), body).await;
            match answer {
                Ok(Ok(begun)) => {
                    self.shared.memory().method = Some(method);
                    return Ok(Ok(begun));
                }
                // What it does not understand it may understand otherwise.
                Ok(Err(Verdict::Dialect(_) | Verdict::Unknown(_)))
                | Err(Error::Empty { .. } | Error::Away { .. } | Error::Garbled { .. })
                    if known.as_ref() != Some(&method) || answer_is_refusal(&answer) =>
                {
                    refused = better(refused, answer);
                }
                other => return other,
            }
        }
        refused
    }

    async fn begin_by(&self, method: Method, body: &str) -> Result<Result<Begun, Verdict>> {
        let ask = Ask {
            method,
            path: PATH,
            body: Some(body),
            what: WHAT,
        };
        let mut response = self.send(&ask).await?;
        let status = response.status();
        let deadline = Instant::now() + self.config.exchange;
        if status != StatusCode::OK {
            let answer = self.body(response, MOST_ERROR, deadline).await?;
            let other = || Verdict::Unknown(format!("HTTP {}", status.as_u16()));
            return Ok(Err(verdict(status.as_u16(), &answer).unwrap_or_else(other)));
        }
        // What the client has of it from here on is what is left.
        let length = response.content_length().filter(|&length| length > 0);
        let mut first = self.piece(&mut response, deadline).await?;
        while first.as_ref().is_some_and(Bytes::is_empty) {
            first = self.piece(&mut response, deadline).await?;
        }
        let Some(first) = first else {
            return Err(Error::Empty {
                device: self.name.clone(),
            });
        };
        if !is_text(&response, &first) {
            return Ok(Ok(Begun {
                response,
                first,
                length,
            }));
        }
        // An error under status 200.
        let mut answer = first.to_vec();
        answer.extend(self.body(response, MOST_ERROR, deadline).await?);
        match verdict(status.as_u16(), &answer) {
            Some(verdict) => Ok(Err(verdict)),
            None => Err(Error::garbled(&self.name, "a text in place of a recording")),
        }
    }
}

/// An answer that is a recording.
struct Begun {
    response: Response,
    first: Bytes,
    length: Option<u64>,
}

/// Whether the answer is XML or a page: no recording begins so.
fn is_text(response: &Response, first: &Bytes) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let begin = first.iter().find(|byte| !byte.is_ascii_whitespace());
    kind.contains("xml") || kind.contains("html") || begin == Some(&b'<')
}

fn answer_is_refusal<T>(answer: &Result<Result<T, Verdict>>) -> bool {
    matches!(answer, Ok(Err(_)))
}

/// Of two failures the one that says more: the device's own words.
fn better<T>(
    first: Result<Result<T, Verdict>>,
    second: Result<Result<T, Verdict>>,
) -> Result<Result<T, Verdict>> {
    match (&first, &second) {
        (Ok(Err(_)), _) if !matches!(second, Ok(Err(Verdict::Dialect(_)))) => first,
        _ => second,
    }
}
