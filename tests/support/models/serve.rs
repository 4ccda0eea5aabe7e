//! Requests as they come, one after the other through: faults, the key, the model, the
//! limits, and what answers.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request, Response};
use bytes::Bytes;
use futures_util::stream::iter;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::limit::{Meter, span};
use super::profile::{Fault, Shape};
use super::refusal::Refusal;
use super::{Seen, State, body, compare, hear, lock, see};

/// Models that OpenAI has, and what they are for by the last part of the path.
const MODELS: [(&str, &str); 10] = [
    ("whisper-1", "transcriptions"),
    ("gpt-4o-transcribe", "transcriptions"),
    ("gpt-4o-mini-transcribe", "transcriptions"),
    ("gpt-4o-mini", "completions"),
    ("gpt-4o", "completions"),
    ("gpt-5-mini", "completions"),
    ("text-embedding-3-small", "embeddings"),
    ("text-embedding-3-large", "embeddings"),
    ("text-embedding-ada-002", "embeddings"),
    ("tts-1", "speech"),
];

/// A success.
pub struct Said {
    media_type: &'static str,
    body: String,
    /// What it took of the minute's.
    tokens: usize,
}

impl Said {
    pub fn json(body: &Value, tokens: usize) -> Self {
        Self {
            media_type: "application/json",
            body: body.to_string(),
            tokens,
        }
    }

    pub fn text(body: String) -> Self {
        Self {
            media_type: "text/plain; charset=utf-8",
            body,
            tokens: 0,
        }
    }
}

pub async fn listen(listener: TcpListener, state: Arc<State>) {
    while let Ok((socket, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let state = Arc::clone(&state);
                async move { attend(&state, request).await }
            });
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

/// Counts a request as long as it is before us, and notes if nobody waited for its end.
struct Attended<'a> {
    state: &'a State,
    ended: bool,
}

impl<'a> Attended<'a> {
    fn new(state: &'a State) -> Self {
        state.requests.fetch_add(1, Ordering::SeqCst);
        let now = state.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        state.most_at_once.fetch_max(now, Ordering::SeqCst);
        Self {
            state,
            ended: false,
        }
    }
}

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        self.state.at_once.fetch_sub(1, Ordering::SeqCst);
        if !self.ended {
            self.state.hung_up.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn attend(state: &State, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let mut attended = Attended::new(state);
    let mut seen = Seen {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        headers: request.headers().clone(),
        json: Value::Null,
        fields: BTreeMap::new(),
        file: None,
        status: 0,
        at: Instant::now(),
    };
    let read = body::read(request, &mut seen).await;
    let fault = fault(state, &seen.path);
    match &fault {
        Some(Fault::Slow(time)) => sleep(*time).await,
        Some(Fault::Hang) => std::future::pending().await,
        _ => {}
    }
    let answered = read.and_then(|()| answer(state, &seen, fault.as_ref()));
    let mut response = match answered {
        Ok(said) => found(state, &seen, said),
        Err(refusal) => refused(state, &refusal),
    };
    let id = match &fault {
        Some(Fault::Echo) => bearer(&seen.headers).to_owned(),
        _ => format!("req_{:032x}", digest(format!("{:?}", seen.at).as_bytes())),
    };
    set(&mut response, "x-request-id", &id);
    seen.status = response.status().as_u16();
    lock(&state.seen).push(seen);
    attended.ended = true;
    match fault {
        Some(Fault::Cut) => Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Fault::CutHalf) => Ok(halved(response).await),
        Some(Fault::Redirect(to)) => {
            *response.status_mut() = axum::http::StatusCode::TEMPORARY_REDIRECT;
            set(&mut response, "location", &to);
            Ok(response)
        }
        _ => Ok(response),
    }
}

/// The first fault for this path.
fn fault(state: &State, path: &str) -> Option<Fault> {
    let mut faults = lock(&state.faults);
    let at = faults.iter().position(|(own, _)| path.ends_with(own))?;
    faults.remove(at).map(|(_, fault)| fault)
}

fn answer(state: &State, seen: &Seen, fault: Option<&Fault>) -> Result<Said, Refusal> {
    match fault {
        Some(Fault::RateLimited(headers)) => {
            let refusal = Refusal::invalid(
                "Rate limit reached for this model in organization org-flatbed on requests per \
                 min (RPM): Limit 3, Used 3, Requested 1.",
            );
            let refusal = refusal
                .status(429)
                .kind("requests")
                .code("rate_limit_exceeded");
            return Err(Refusal {
                headers: headers.clone(),
                ..refusal
            });
        }
        Some(Fault::Quota) => {
            let headers = vec![("retry-after", "1".to_owned())];
            return Err(Refusal {
                headers,
                ..Refusal::quota()
            });
        }
        Some(Fault::ServerError) => return Err(Refusal::server_error()),
        Some(Fault::Overloaded) => return Err(Refusal::overloaded()),
        Some(Fault::Echo) => {
            let key = bearer(&seen.headers);
            return Err(Refusal::invalid(format!("Your key {key} is wrong: '{key}'.")).status(401));
        }
        Some(Fault::Answer(status, headers, body)) => {
            let mut refusal = Refusal::invalid(body.clone()).status(*status);
            refusal.headers.clone_from(headers);
            refusal.kind = RAW;
            return Err(refusal);
        }
        Some(Fault::Garbage(body)) => return Ok(Said::text((*body).to_owned())),
        _ => {}
    }
    if let Some(key) = state.profile.key {
        match bearer(&seen.headers) {
            "" => return Err(Refusal::no_key()),
            own if own == key => {}
            own => return Err(Refusal::wrong_key(own)),
        }
    }
    let path = seen.path.strip_prefix("/v1/").unwrap_or_default();
    if path == "models" && seen.method == "GET" {
        let models = models(state).map(|(id, _)| {
            json!({"id": id, "object": "model", "created": 1_686_935_002, "owned_by": "openai"})
        });
        let data: Vec<Value> = models.collect();
        return Ok(Said::json(&json!({"object": "list", "data": data}), 0));
    }
    if !matches!(
        path,
        "audio/transcriptions" | "chat/completions" | "embeddings"
    ) {
        let message = format!("Invalid URL ({} {})", seen.method, seen.path);
        return Err(Refusal::invalid(message).status(404));
    }
    if seen.method != "POST" {
        let message = format!(
            "Not allowed to {} on {}. (HINT: Perhaps you meant to use a different HTTP method?)",
            seen.method, seen.path
        );
        return Err(Refusal::invalid(message).status(405));
    }
    let model = model(seen).ok_or_else(|| Refusal::missing("model"))?;
    let purpose = models(state).find(|(own, _)| *own == model);
    match purpose {
        None => return Err(Refusal::no_model(model)),
        Some((_, purpose)) if !path.ends_with(purpose) => {
            return Err(Refusal::invalid(format!(
                "This is not a model for the v1/{path} endpoint."
            ))
            .about("model")
            .status(404));
        }
        _ => {}
    }
    let usage = state.profile.usage;
    let said = match path {
        "audio/transcriptions" => hear::answer(&seen.fields, seen.file.as_ref(), usage),
        "chat/completions" => see::answer(&seen.json, usage, fault),
        _ => compare::answer(&seen.json, &state.profile),
    }?;
    let mut meters = lock(&state.meters);
    let meter = meters
        .entry(model.to_owned())
        .or_insert_with(|| Meter::new(state.profile.limits));
    let tokens = f64::from(u32::try_from(said.tokens).unwrap_or(u32::MAX));
    meter.take(model, tokens).map_err(|(refusal, wait)| {
        let mut headers = meter.headers(!path.starts_with("audio"));
        if state.profile.tells_when {
            headers.push(("retry-after-ms", wait.as_millis().max(1).to_string()));
            headers.push(("retry-after", wait.as_secs_f64().ceil().to_string()));
        }
        Refusal { headers, ..refusal }
    })?;
    Ok(said)
}

/// The kind of a body that is given as it stands.
const RAW: &str = "raw";

fn models(state: &State) -> impl Iterator<Item = (&'static str, &'static str)> {
    MODELS
        .into_iter()
        .chain(state.profile.models.iter().copied())
}

fn model(seen: &Seen) -> Option<&str> {
    let field = seen.fields.get("model").map(String::as_str);
    field.or_else(|| seen.json["model"].as_str())
}

fn found(state: &State, seen: &Seen, said: Said) -> Response<Body> {
    let mut response = Response::new(Body::from(said.body));
    set(&mut response, "content-type", said.media_type);
    set(&mut response, "openai-organization", "org-flatbed");
    set(&mut response, "openai-version", "2020-10-01");
    set(&mut response, "openai-processing-ms", "12");
    let model = model(seen).unwrap_or_default();
    if let Some(meter) = lock(&state.meters).get_mut(model) {
        for (name, value) in meter.headers(!seen.path.contains("/audio/")) {
            set(&mut response, name, &value);
        }
    }
    response
}

fn refused(state: &State, refusal: &Refusal) -> Response<Body> {
    let body = match refusal.kind {
        RAW => refusal.message.clone(),
        _ => refusal.body(state.profile.shape).to_string(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = refusal.status.try_into().expect("a status");
    set(&mut response, "content-type", "application/json");
    for (name, value) in &refusal.headers {
        set(&mut response, name, value);
    }
    response
}

/// Half of the body, of which all was promised.
async fn halved(response: Response<Body>) -> Response<Body> {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = body.slice(..body.len() / 2);
    let broken = io::Error::from(io::ErrorKind::ConnectionAborted);
    let pieces = [Ok::<Bytes, _>(half), Err(broken)];
    Response::from_parts(head, Body::from_stream(iter(pieces)))
}

fn set(response: &mut Response<Body>, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).expect("a header's value");
    response.headers_mut().insert(name, value);
}

/// The key that was sent.
fn bearer(headers: &HeaderMap) -> &str {
    let value = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default()
}

/// About as many tokens as words have parts of 4 letters; other scripts one a letter.
pub fn tokens(text: &str) -> usize {
    let word = |word: &str| {
        let ascii = word.bytes().filter(u8::is_ascii).count();
        let other = word.chars().filter(|c| !c.is_ascii()).count();
        ascii.div_ceil(4) + other
    };
    text.split_whitespace().map(word).sum()
}

/// FNV-1a, and a stir: the same on all machines.
pub fn digest(bytes: &[u8]) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    digest ^= digest >> 32;
    digest.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
