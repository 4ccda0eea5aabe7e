//! JSON that a request brings; what is wrong with it is told as JSON too.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use super::failure::Failure;

/// The body as a `T`, whatever its content type says: what is not JSON is refused
/// for what it is.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        parse(&read(request, state).await?).map(Self)
    }
}

/// All of the body, as far as its length is allowed.
pub async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    Bytes::from_request(request, state).await.map_err(|error| {
        let code = error.status();
        let message = if code == StatusCode::PAYLOAD_TOO_LARGE {
            "the body is longer than a description of work can be".to_owned()
        } else {
            error.body_text()
        };
        Failure::new(code, message)
    })
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
