//! JSON that a request brings; what is wrong with it is told as JSON too.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::failure::Failure;

const TOO_LONG: &str = "the body is longer than a description of work can be";

/// The body as a `T`, whatever its content type says: what is not JSON is refused
/// for what it is.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            let code = error.status();
            let message = if code == StatusCode::PAYLOAD_TOO_LARGE {
                TOO_LONG.to_owned()
            } else {
                error.body_text()
            };
            Failure::new(code, message)
        })?;
        parse(&bytes).map(Self)
    }
}

/// How much of a body that is too long is read, so that who sends it gets the
/// answer: one that is sending when the connection ends sees only that.
const PASSED_OVER: usize = 16 << 20;

/// All of a body of `most` bytes at most.
pub async fn read(request: Request, most: usize) -> Result<Vec<u8>, Failure> {
    let mut chunks = request.into_body().into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Failure::bad_request(format!("the body: {error}")))?;
        length = length.saturating_add(chunk.len());
        if length <= most {
            bytes.extend_from_slice(&chunk);
        } else if length > PASSED_OVER {
            break;
        }
    }
    if length > most {
        return Err(Failure::too_large(TOO_LONG));
    }
    Ok(bytes)
}

/// `bytes` as a `T`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::bad_request(format!("the body: {error}")))
}

/// Whether a request brings a form with files.
pub fn is_form(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.get(..20)
        .is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data;"))
        || kind.eq_ignore_ascii_case("multipart/form-data")
}
