//! `/files/…`: objects of a folder store, for those who have a signed link.

use std::io::SeekFrom;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::failure::{ErrorBody, Failure};
use crate::store::link::disposition;
use crate::store::{BadLink, Key, Signed, Store, media_type};

/// The route: `GET`, and `HEAD` with it.
pub fn routes(store: Store) -> Router {
    Router::new()
        .route("/files/{*key}", get(send))
        .with_state(store)
}

/// The object, or the part of it that the header `Range` asks for. Links come from
/// `/api/exports/{id}/download`, and need no token.
#[utoipa::path(
    get, path = "/files/{key}", operation_id = "getFile", tag = "files",
    params(
        ("key" = String, Path, description = "The object's key, slashes and all"),
        ("expires" = u64, Query, description = "Of the link"),
        ("signature" = String, Query, description = "Of the link"),
        ("filename" = Option<String>, Query, description = "Of the link"),
        ("Range" = Option<String>, Header, description = "As `bytes=0-99`"),
    ),
    responses(
        (status = 200, body = String, content_type = "application/octet-stream"),
        (status = 206, body = String, content_type = "application/octet-stream"),
        (status = 403, body = ErrorBody, description = "The link has ended, or is not as it was given"),
        (status = 404, body = ErrorBody), (status = 416, body = ErrorBody),
    )
)]
pub(super) async fn send(
    State(store): State<Store>,
    Path(key): Path<String>,
    signed: Result<Query<Signed>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let forbidden = |bad: BadLink| Failure::new(StatusCode::FORBIDDEN, bad.to_string());
    let Query(signed) = signed.map_err(|_| forbidden(BadLink::Forged))?;
    let key: Key = key.parse().map_err(|_| forbidden(BadLink::Forged))?;
    store.verify(&key, &signed).map_err(forbidden)?;
    let absent = || Failure::not_found("the file is not there any more");
    let path = store.file(&key)?.ok_or_else(absent)?;
    let mut file = File::open(path).await.map_err(|_| absent())?;
    let size = file
        .metadata()
        .await
        .map_err(|error| Failure::internal(&error))?
        .len();

    let (first, length, code) = match part(headers.get(RANGE), size) {
        Part::All => (0, size, StatusCode::OK),
        Part::Some { first, length } => (first, length, StatusCode::PARTIAL_CONTENT),
        Part::Beyond => {
            let range = [(CONTENT_RANGE, format!("bytes */{size}"))];
            let message = format!("the file has {size} bytes");
            let failure = Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, message);
            return Ok((range, failure).into_response());
        }
    };
    if first > 0 {
        let moved = file.seek(SeekFrom::Start(first)).await;
        moved.map_err(|error| Failure::internal(&error))?;
    }
    let stream = ReaderStream::with_capacity(file.take(length), 64 << 10);
    let mut response = (code, Body::from_stream(stream)).into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static(media_type(key.as_str()));
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if code == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{size}", first + length - 1);
        headers.extend(
            HeaderValue::try_from(range)
                .ok()
                .map(|range| (CONTENT_RANGE, range)),
        );
    }
    let saved = disposition(&signed).and_then(|value| HeaderValue::try_from(value).ok());
    headers.extend(saved.map(|value| (CONTENT_DISPOSITION, value)));
    Ok(response)
}

/// What of the file is to be sent.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    All,
    Some { first: u64, length: u64 },
    Beyond,
}

/// What `range` asks for of `size` bytes (RFC 9110, section 14.1.2). Several ranges
/// and what is no range of bytes are answered with all of it, as 14.2 allows.
fn part(range: Option<&HeaderValue>, size: u64) -> Part {
    let asked = range
        .and_then(|range| range.to_str().ok())
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'));
    let Some((first, last)) = asked else {
        return Part::All;
    };
    let (first, end) = match (first.trim(), last.trim()) {
        ("", last) => match last.parse::<u64>() {
            Ok(0) => return Part::Beyond,
            Ok(last) => (size.saturating_sub(last), size),
            Err(_) => return Part::All,
        },
        (first, last) => {
            let last = if last.is_empty() {
                Ok(u64::MAX)
            } else {
                last.parse::<u64>()
            };
            match (first.parse::<u64>(), last) {
                (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
                _ => return Part::All,
            }
        }
    };
    if first >= end {
        return Part::Beyond;
    }
    Part::Some {
        first,
        length: end - first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_browsers_ask_for_them() {
        let part = |range: &str| super::part(Some(&range.parse().unwrap()), 1000);
        let some = |first, length| Part::Some { first, length };
        assert_eq!(super::part(None, 1000), Part::All);
        assert_eq!(part("bytes=0-"), some(0, 1000));
        assert_eq!(part("bytes=0-0"), some(0, 1));
        assert_eq!(part("bytes=500-99999"), some(500, 500));
        assert_eq!(part("bytes=-100"), some(900, 100));
        assert_eq!(part("bytes=-5000"), some(0, 1000));
        for beyond in ["bytes=1000-", "bytes=1000-2000", "bytes=-0"] {
            assert_eq!(part(beyond), Part::Beyond, "{beyond}");
        }
        for all in [
            "bytes=5-2",
            "lines=1-2",
            "bytes=a-b",
            "bytes=0-1,4-5",
            "bytes",
        ] {
            assert_eq!(part(all), Part::All, "{all}");
        }
    }
}
