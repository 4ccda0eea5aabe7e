//! Requests as they come, one after the other through: faults, the signature, the
//! quota, and what answers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use futures_util::stream::repeat_with;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::people::Answer;
use super::profile::Fault;
use super::refusal::{Refusal, words};
use super::{Seen, State, gate, lock, path, people, rights};

/// The most of a request: a face in base64, and more.
const LARGEST: usize = 4 << 20;

/// What goes wrong, and where.
pub struct Rule {
    path: String,
    holding: String,
    fault: Fault,
    always: bool,
}

impl Rule {
    pub fn once(path: &str, holding: &str, fault: Fault) -> Self {
        Self {
            path: path.to_owned(),
            holding: holding.to_owned(),
            fault,
            always: false,
        }
    }

    pub fn always(path: &str, holding: &str, fault: Fault) -> Self {
        Self {
            always: true,
            ..Self::once(path, holding, fault)
        }
    }
}

pub async fn listen(listener: TcpListener, state: Arc<State>) {
    let tls = state.tls.as_ref().map(super::Certificate::acceptor);
    while let Ok((socket, _)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let number = state.connections.fetch_add(1, Ordering::SeqCst);
        let (state, tls) = (Arc::clone(&state), tls.clone());
        tokio::spawn(async move {
            match tls {
                Some(tls) => {
                    if let Ok(socket) = tls.accept(socket).await {
                        connection(socket, state, number).await;
                    }
                }
                None => connection(socket, state, number).await,
            }
        });
    }
}

async fn connection(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    state: Arc<State>,
    number: usize,
) {
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move {
            let answer = attend(&state, number, request).await;
            answer.ok_or(io::Error::from(io::ErrorKind::ConnectionAborted))
        }
    });
    let _ = Builder::new(TokioExecutor::new())
        .http1_only()
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

/// Counts a request as long as it is before us.
struct Attended<'a>(&'a State);

impl<'a> Attended<'a> {
    fn new(state: &'a State, path: &str) -> Self {
        state.requests.fetch_add(1, Ordering::SeqCst);
        let mut counts = lock(&state.counts);
        if let Some(count) = counts.get_mut(path) {
            *count += 1;
        } else {
            counts.insert(path.to_owned(), 1);
        }
        let now = state.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        state.most_at_once.fetch_max(now, Ordering::SeqCst);
        Self(state)
    }
}

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn attend(
    state: &State,
    connection: usize,
    request: Request<Incoming>,
) -> Option<Response<Body>> {
    let (head, body) = request.into_parts();
    let _attended = Attended::new(state, head.uri.path());
    let at = Instant::now();
    let body = to_bytes(Body::new(body), LARGEST).await.ok()?;
    if let Some(latency) = state.profile.latency {
        sleep(latency).await;
    }
    let response = answer(state, &head, &body).await;
    if state.profile.keeps {
        let status = response.as_ref().map(Response::status);
        lock(&state.seen).push(Seen {
            path: head.uri.path().to_owned(),
            body: String::from_utf8_lossy(&body).into_owned(),
            headers: head.headers.clone(),
            status: status.map_or(0, |status| status.as_u16()),
            connection,
            at,
        });
    }
    response
}

async fn answer(state: &State, head: &Parts, body: &Bytes) -> Option<Response<Body>> {
    let fault = fault(state, head.uri.path(), body);
    // Of a forged request nothing is done, whatever else goes wrong.
    if let Err(refusal) = lock(&state.gate).judge(&state.profile, head, body) {
        state.forged.fetch_add(1, Ordering::SeqCst);
        return Some(refused(state, state.profile.refusal_status, &refusal));
    }
    match fault {
        None => {}
        Some(Fault::Code(status, code)) => {
            return Some(refused(state, status, &Refusal::new(code, words(code))));
        }
        Some(Fault::After(status, code, seconds)) => {
            let mut response = refused(state, status, &Refusal::new(code, words(code)));
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            return Some(response);
        }
        Some(Fault::Answer(status, page)) => return Some(written(status, page)),
        Some(Fault::Echo(status)) => return Some(echo(state, status, head)),
        Some(Fault::Redirect(to)) => {
            let mut response = written(302, String::new());
            let to = HeaderValue::from_str(&to).ok()?;
            response.headers_mut().insert(LOCATION, to);
            return Some(response);
        }
        Some(Fault::Silence) => std::future::pending::<()>().await,
        Some(Fault::HangUp) => return None,
        Some(Fault::DoneThenSilence) => {
            let _ = done(state, head.uri.path(), body);
            std::future::pending::<()>().await;
        }
        Some(Fault::DoneThenHangUp) => {
            let _ = done(state, head.uri.path(), body);
            return None;
        }
        Some(Fault::DoneThen(status, page)) => {
            let _ = done(state, head.uri.path(), body);
            return Some(written(status, page));
        }
        Some(Fault::Endless) => {
            let blanks = Bytes::from(vec![b' '; 64 << 10]);
            let piece = move || Ok::<_, io::Error>(blanks.clone());
            return Some(Response::new(Body::from_stream(repeat_with(piece))));
        }
    }
    if over_quota(state) {
        let refusal = Refusal::new("0x02401009", words("0x02401009"));
        return Some(refused(state, state.profile.refusal_status, &refusal));
    }
    let turn = state.requests.load(Ordering::SeqCst);
    if state
        .profile
        .busy_every
        .is_some_and(|every| turn.is_multiple_of(every))
    {
        return Some(refused(state, 200, &Refusal::new("6", words("6"))));
    }
    Some(match done(state, head.uri.path(), body) {
        Some(Ok(data)) => said(state, 200, "0", words("0"), &data),
        Some(Err(refusal)) => refused(state, 200, &refusal),
        None => written(404, "<html><body>404 Not Found</body></html>".to_owned()),
    })
}

/// Does what is asked; `None` where nobody knows how.
fn done(state: &State, asked: &str, body: &Bytes) -> Option<Answer> {
    let mut site = lock(&state.site);
    let profile = &state.profile;
    Some(match asked {
        path::VERSION => Ok(rights::version()),
        path::ORGANISATIONS => rights::organisations(profile, body),
        path::FIND => people::find(&site, profile, body),
        path::ADD => people::add(&mut site, profile, body),
        path::FACE => people::set_face(&mut site, body),
        path::FIELD => people::set_fields(&mut site, body),
        path::GROUP => rights::add_persons(&mut site, profile, body),
        path::APPLY => rights::apply(&mut site, profile, body),
        path::RESULT => rights::result(&mut site, body),
        _ => return None,
    })
}

/// The next fault for this request.
fn fault(state: &State, path: &str, body: &[u8]) -> Option<Fault> {
    let mut rules = lock(&state.rules);
    if rules.is_empty() {
        return None;
    }
    let body = String::from_utf8_lossy(body);
    let meets = |rule: &Rule| path.ends_with(&rule.path) && body.contains(&rule.holding);
    let index = rules.iter().position(meets)?;
    if rules[index].always {
        return Some(rules[index].fault.clone());
    }
    Some(rules.remove(index).fault)
}

fn over_quota(state: &State) -> bool {
    let Some(quota) = state.profile.quota else {
        return false;
    };
    let mut window = lock(&state.window);
    if window.0.elapsed() >= quota.each {
        *window = (Instant::now(), 0);
    }
    window.1 += 1;
    window.1 > quota.requests
}

/// What gateways were seen to say of a wrong signature.
fn echo(state: &State, status: u16, head: &Parts) -> Response<Body> {
    let profile = &state.profile;
    let words = format!(
        "Invalid Signature! StringToSign: {} appKey={} appSecret={}",
        gate::text(head),
        profile.key,
        profile.secret
    );
    said(state, status, "0x02401003", &words, &Value::Null)
}

fn refused(state: &State, status: u16, refusal: &Refusal) -> Response<Body> {
    said(state, status, refusal.code, &refusal.words, &json!(""))
}

fn said(state: &State, status: u16, code: &str, words: &str, data: &Value) -> Response<Body> {
    let number = code.parse::<u64>().ok().filter(|_| state.profile.numbers);
    let code = number.map_or_else(|| json!(code), |number| json!(number));
    let body = json!({"code": code, "msg": words, "data": data}).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let kind = HeaderValue::from_static("application/json;charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn written(status: u16, page: String) -> Response<Body> {
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let kind = HeaderValue::from_static("text/html");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
