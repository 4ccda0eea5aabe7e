//! Requests as they come, and downloads as they go.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use futures_util::stream::unfold;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use jiff::Timestamp;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::answers::Answer;
use super::endless::Loop;
use super::footage::Content;
use super::login::{Judgement, Shown, Visit};
use super::profile::{Fault, Length};
use super::{Seen, Sent, State, lock};

/// Bytes of a download that are handed over at a time.
const PIECE: usize = 64 * 1024;

/// Before a connection breaks, its last bytes are let out.
const FLUSH: Duration = Duration::from_millis(5);

pub async fn listen(listener: TcpListener, state: Arc<State>) {
    let tls = state.profile.tls.then(super::tls::acceptor);
    while let Ok((socket, _)) = listener.accept().await {
        let (state, tls) = (Arc::clone(&state), tls.clone());
        tokio::spawn(async move {
            match tls {
                Some(tls) => {
                    if let Ok(socket) = tls.accept(socket).await {
                        connection(socket, state).await;
                    }
                }
                None => connection(socket, state).await,
            }
        });
    }
}

async fn connection(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    state: Arc<State>,
) {
    let number = state.connections.fetch_add(1, Ordering::SeqCst);
    let spoilt = Arc::new(AtomicBool::new(false));
    let service = service_fn(move |request| {
        let (state, spoilt) = (Arc::clone(&state), Arc::clone(&spoilt));
        async move {
            match answer(&state, &spoilt, number, request).await {
                Some(answer) => Ok::<_, io::Error>(answer),
                None => Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
    });
    let _ = Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

/// Counts itself as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(now: &'a AtomicUsize, most: &AtomicUsize) -> Self {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Self(now)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(
    state: &Arc<State>,
    spoilt: &AtomicBool,
    connection: usize,
    request: Request<Incoming>,
) -> Option<Response<Body>> {
    let _counted = Counted::new(&state.asked_at_once, &state.most_asked);
    let (head, body) = request.into_parts();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text(header::AUTHORIZATION);
    let body = to_bytes(Body::new(body), 1 << 20).await.ok()?;
    let mut seen = Seen {
        method: head.method.to_string(),
        path: head
            .uri
            .path_and_query()
            .map_or(String::new(), ToString::to_string),
        host: text(header::HOST).unwrap_or_default().to_owned(),
        shown: match authorization {
            None => Shown::Nothing,
            Some(text) if text.starts_with("Basic") => Shown::Basic,
            Some(_) => Shown::Digest,
        },
        range: head.headers.contains_key(header::RANGE),
        body: String::from_utf8_lossy(&body).into_owned(),
        status: 0,
        at: Timestamp::now(),
        connection,
        sent: Arc::default(),
    };
    let fault = fault(state, &seen);
    let judgement = lock(&state.gate).judge(
        &state.profile,
        &Visit {
            method: &seen.method,
            path: &seen.path,
            authorization,
            stale: fault == Some(Fault::Stale),
        },
    );
    let response = match judgement {
        Judgement::Refused { challenges, body } => {
            spoilt.store(!seen.body.is_empty(), Ordering::SeqCst);
            let mut response = reply(&Answer { status: 401, body });
            for challenge in challenges {
                let value = HeaderValue::from_str(&challenge).ok()?;
                response
                    .headers_mut()
                    .append(header::WWW_AUTHENTICATE, value);
            }
            Some(response)
        }
        Judgement::Welcome if state.profile.joins_bodies && spoilt.load(Ordering::SeqCst) => {
            Some(reply(&Answer::status(
                &state.profile,
                400,
                5,
                "Invalid XML Format",
                "badXmlFormat",
            )))
        }
        Judgement::Welcome => admitted(state, &seen, fault).await,
    };
    seen.status = response
        .as_ref()
        .map_or(0, |response| response.status().as_u16());
    lock(&state.seen).push(seen);
    response
}

/// The next fault for this path; a request that shows nothing meets none, as
/// nothing but a 401 comes of it.
fn fault(state: &State, seen: &Seen) -> Option<Fault> {
    let mut faults = lock(&state.faults);
    let open = state.profile.login == super::Login::Open;
    if seen.shown == Shown::Nothing && !open {
        return None;
    }
    let index = faults
        .iter()
        .position(|(path, _)| seen.path.ends_with(path.as_str()))?;
    Some(faults.remove(index).1)
}

async fn admitted(state: &Arc<State>, seen: &Seen, fault: Option<Fault>) -> Option<Response<Body>> {
    match &fault {
        Some(Fault::Busy { status, told: true }) => {
            let busy = Answer::status(&state.profile, *status, 2, "Device Busy", "deviceBusy");
            return Some(reply(&busy));
        }
        Some(Fault::Busy { status, .. }) => {
            return Some(reply(&Answer {
                status: *status,
                body: String::new(),
            }));
        }
        Some(Fault::Answer { status, body }) => {
            let mut response = reply(&Answer {
                status: *status,
                body: body.clone(),
            });
            if *status == 401 {
                let basic = HeaderValue::from_static("Basic realm=\"nobody\"");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, basic);
            }
            return Some(response);
        }
        Some(Fault::Redirect(to)) => {
            let mut response = reply(&Answer {
                status: 302,
                body: String::new(),
            });
            response
                .headers_mut()
                .insert(header::LOCATION, HeaderValue::from_str(to).ok()?);
            return Some(response);
        }
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::HangUp) => return None,
        _ => {}
    }
    match (seen.method.as_str(), seen.path.as_str()) {
        ("POST", "/ISAPI/ContentMgmt/search") => Some(reply(&state.search(&seen.body))),
        (method, "/ISAPI/ContentMgmt/download") => {
            if state.profile.methods.contains(&method) {
                Some(download(state, seen, fault).await)
            } else {
                let refused = Answer::status(
                    &state.profile,
                    405,
                    4,
                    "Invalid Operation",
                    "methodNotAllowed",
                );
                Some(reply(&refused))
            }
        }
        ("GET", path) => Some(match state.document(path) {
            Some(document) => reply(&document),
            None => reply(&Answer::status(
                &state.profile,
                404,
                4,
                "Invalid Operation",
                "notSupport",
            )),
        }),
        _ => Some(reply(&Answer::status(
            &state.profile,
            403,
            4,
            "Invalid Operation",
            "notSupport",
        ))),
    }
}

fn reply(answer: &Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or_default();
    let kind = HeaderValue::from_static("application/xml; charset=\"UTF-8\"");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn download(state: &Arc<State>, seen: &Seen, fault: Option<Fault>) -> Response<Body> {
    let profile = &state.profile;
    let Some(number) = state.wanted(&seen.body) else {
        return reply(&Answer::bad_xml(profile));
    };
    // Counted before it is compared: two that come together are two.
    let turn = Turn::new(Arc::clone(state));
    if turn.place > profile.downloads {
        let busy = Answer::status(profile, 503, 2, "Device Busy", "deviceBusy");
        return reply(&busy);
    }
    state.most_downloads.fetch_max(turn.place, Ordering::SeqCst);
    let footage = &state.footage[number];
    let whole = if fault == Some(Fault::Empty) {
        0
    } else {
        footage.bytes()
    };
    let until = match fault {
        Some(Fault::Truncate(bytes)) => Until::BreaksOff(bytes),
        Some(Fault::Stall(bytes)) => Until::Stalls(bytes),
        _ => Until::End,
    };
    let reading = match &footage.content {
        Content::File(path) => Reading::File(File::open(path).await.expect("the footage is there")),
        Content::Filler(_) => Reading::Filler,
        Content::Loop(endless) => Reading::Loop(Arc::clone(endless)),
    };
    let going = Going {
        reading,
        speed: profile.speed,
        since: Instant::now(),
        left: whole,
        until,
        begun: false,
        sent: Arc::clone(&seen.sent),
        _turn: turn,
    };
    let body = Body::from_stream(unfold(going, |mut going| async move {
        let piece = going.next().await?;
        Some((piece, going))
    }));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, "Opaque/data");
    // Every device says so, and none does.
    set(headers, header::ACCEPT_RANGES, "bytes");
    match profile.length {
        Length::Told => set(headers, header::CONTENT_LENGTH, &whole.to_string()),
        Length::Chunked => {}
        Length::Closes => {
            set(headers, header::CONNECTION, "close");
            *response.version_mut() = Version::HTTP_10;
        }
    }
    response
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    headers.insert(name, HeaderValue::from_str(value).expect("a header"));
}

/// A place among the downloads that go on.
struct Turn {
    state: Arc<State>,
    place: usize,
}

impl Turn {
    fn new(state: Arc<State>) -> Self {
        let place = state.downloads.fetch_add(1, Ordering::SeqCst) + 1;
        Self { state, place }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.state.downloads.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How far a download goes.
enum Until {
    End,
    BreaksOff(u64),
    Stalls(u64),
}

/// Where its bytes come from.
enum Reading {
    File(File),
    Filler,
    Loop(Arc<Loop>),
}

/// A download that goes on.
struct Going {
    reading: Reading,
    speed: Option<u64>,
    since: Instant,
    left: u64,
    until: Until,
    begun: bool,
    sent: Arc<Sent>,
    _turn: Turn,
}

impl Going {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        let sent = self.sent.bytes();
        let most = match self.until {
            Until::End => self.left,
            Until::BreaksOff(at) | Until::Stalls(at) => at.saturating_sub(sent).min(self.left),
        };
        if most == 0 && self.left > 0 {
            if let Until::Stalls(_) = self.until {
                std::future::pending::<()>().await;
            }
            // While nothing more comes, what was handed over is sent.
            tokio::time::sleep(FLUSH).await;
            return Some(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.left == 0 {
            self.sent.end.store(1, Ordering::SeqCst);
            return None;
        }
        let count = usize::try_from(most).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; count];
        if let Some(speed) = self.speed {
            let due = Duration::from_millis(sent.saturating_mul(1000) / speed.max(1));
            tokio::time::sleep_until(self.since + due).await;
        }
        match &mut self.reading {
            Reading::Loop(endless) => endless.read(sent, &mut piece),
            Reading::File(file) => {
                if let Err(error) = file.read_exact(&mut piece).await {
                    return Some(Err(error));
                }
            }
            Reading::Filler if !self.begun => {
                let front = b"\0\0\x01\xba";
                let count = front.len().min(piece.len());
                piece[..count].copy_from_slice(&front[..count]);
            }
            Reading::Filler => {}
        }
        self.begun = true;
        self.left -= u64::try_from(count).unwrap_or(0);
        self.sent
            .bytes
            .fetch_add(u64::try_from(count).unwrap_or(0), Ordering::SeqCst);
        Some(Ok(piece.into()))
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self
            .sent
            .end
            .compare_exchange(0, 2, Ordering::SeqCst, Ordering::SeqCst);
    }
}
