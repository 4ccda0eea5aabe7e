//! Requests as they come: faults, the token, pages, photos.

use std::io;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request, Response};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::people::{face, person};
use super::photos::picture;
use super::{Fault, PAGE, Seen, State, TOKEN, lock};

pub async fn listen(listener: TcpListener, state: Arc<State>) {
    while let Ok((socket, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let state = Arc::clone(&state);
                async move { attend(&state, &request).await }
            });
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

async fn attend(state: &State, request: &Request<Incoming>) -> io::Result<Response<Body>> {
    let mut seen = Seen {
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: request.headers().clone(),
        status: 0,
    };
    let fault = fault(state, &format!("{}?{}", seen.path, seen.query));
    match &fault {
        Some(Fault::Slow(time)) => sleep(*time).await,
        Some(Fault::Hang) => {
            lock(&state.seen).push(seen);
            return std::future::pending().await;
        }
        _ => {}
    }
    let response = match &fault {
        Some(Fault::Answer(status, headers, body)) => {
            let mut response = answer(*status, "application/json", body.clone());
            for (name, value) in headers {
                set(&mut response, name, value);
            }
            response
        }
        Some(Fault::Echo) => {
            let told = seen.headers.get("authorization");
            let told = told.and_then(|value| value.to_str().ok());
            let message = format!("No such token: {}.", told.unwrap_or_default());
            refused(401, &message)
        }
        Some(Fault::Endless) => {
            let letters = Bytes::from(vec![b'a'; 64 << 10]);
            let start = stream::once(async { Ok::<_, io::Error>(Bytes::from("{\"data\":\"")) });
            let rest = stream::repeat_with(move || Ok(letters.clone()));
            Response::new(Body::from_stream(start.chain(rest)))
        }
        _ => found(state, &seen),
    };
    seen.status = response.status().as_u16();
    lock(&state.seen).push(seen);
    match fault {
        Some(Fault::Cut) => Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Fault::CutHalf) => Ok(halved(response, true).await),
        Some(Fault::Stall) => Ok(halved(response, false).await),
        _ => Ok(response),
    }
}

fn fault(state: &State, asked: &str) -> Option<Fault> {
    let mut faults = lock(&state.faults);
    let at = faults.iter().position(|(part, _)| asked.contains(part))?;
    faults.remove(at).map(|(_, fault)| fault)
}

fn found(state: &State, seen: &Seen) -> Response<Body> {
    if let Some(photo) = seen.path.strip_prefix("/photos/") {
        let number = photo.split('/').next().and_then(|text| text.parse().ok());
        let picture = number.and_then(|number| picture(face(number)));
        return match picture {
            Some((media_type, bytes)) => answer(200, media_type, bytes),
            None => answer(404, "text/html", "<title>Not Found</title>"),
        };
    }
    if seen.path != "/api/inductions" {
        return refused(404, "The route could not be found.");
    }
    if bearer(&seen.headers) != Some(TOKEN) {
        return refused(401, "Unauthenticated.");
    }
    let date = parameter(&seen.query, "date").and_then(|text| text.parse().ok());
    let page = parameter(&seen.query, "page").and_then(|text| text.parse().ok());
    match (date, page) {
        (Some(date), Some(page @ 1..)) => answer(
            200,
            "application/json",
            people(state, date, page).to_string(),
        ),
        _ => refused(422, "The date field is required."),
    }
}

fn people(state: &State, date: Date, page: usize) -> Value {
    let numbers = state.numbers(date);
    let data: Vec<Value> = numbers
        .clone()
        .skip((page - 1) * PAGE)
        .take(PAGE)
        .map(|number| person(number, state.address))
        .collect();
    let last_page = numbers.len().div_ceil(PAGE).max(1);
    let pagination = json!({
        "current_page": page, "last_page": last_page, "total": numbers.len(),
    });
    json!({"data": data, "pagination": pagination})
}

fn answer(status: u16, media_type: &str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status.try_into().expect("a status");
    set(&mut response, "content-type", media_type);
    response
}

fn refused(status: u16, message: &str) -> Response<Body> {
    let body = json!({"message": message}).to_string();
    answer(status, "application/json", body)
}

/// Half of the body, of which all was promised; then the end, or nothing.
async fn halved(response: Response<Body>, ends: bool) -> Response<Body> {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = stream::once(async move { Ok(body.slice(..body.len() / 2)) });
    let broken = stream::once(async move {
        if !ends {
            std::future::pending::<()>().await;
        }
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    Response::from_parts(head, Body::from_stream(half.chain(broken)))
}

fn set(response: &mut Response<Body>, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).expect("a header's value");
    response.headers_mut().insert(name, value);
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("authorization")?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(own, value)| (own == name).then_some(value))
}
