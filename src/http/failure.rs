//! What went wrong, as every answer of the API says it:
//! `{"status":"error","message":"…"}` and the code that fits.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{queue, store};

/// An answer that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: StatusCode,
    message: String,
    /// In seconds: when to come again.
    after: Option<u32>,
}

/// The body of a [`Failure`].
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Always `error`.
    #[schema(pattern = "^error$", example = "error")]
    status: &'static str,
    /// What went wrong and how it is mended, in one line.
    #[schema(example = "operations: operation 1: transcode: unknown field `bitrat`")]
    message: String,
}

impl Failure {
    /// With this code.
    pub fn new(code: StatusCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            after: None,
        }
    }

    /// 400: the request itself is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404: it names what is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409: not in the state that things are in.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 413: more bytes than are taken.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// 422: well put, but what it is about will not do.
    pub fn unfit(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// 503: there is too much to do, which passes.
    pub fn busy(message: impl Into<String>) -> Self {
        Self {
            after: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
        }
    }

    /// The code of its answer.
    pub fn code(&self) -> StatusCode {
        self.code
    }

    /// Whether it is a matter of time alone.
    pub fn is_busy(&self) -> bool {
        self.after.is_some()
    }

    /// 503: something that this needs is away; logged, since nobody else will.
    pub fn away(message: impl Into<String>) -> Self {
        let message = message.into();
        tracing::error!(message, "a request failed");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// 500: a fault of this program's or its settings; the caller is told no more
    /// than that.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "something is wrong on this side; the log says what",
        )
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            status: "error",
            message: self.message,
        };
        let mut response = (self.code, Json(body)).into_response();
        if let Some(seconds) = self.after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<queue::Error> for Failure {
    fn from(error: queue::Error) -> Self {
        match error {
            queue::Error::Away { .. } => Self::away(error.to_string()),
            queue::Error::Refused { .. } => Self::internal(&error),
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Absent { .. } => Self::not_found(error.to_string()),
            store::Error::Away { .. } => Self::away(error.to_string()),
            store::Error::Full { .. } => {
                // Which disk that is, and where, is the operator's affair.
                tracing::error!(%error, "a request failed");
                Self::new(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "there is no room in the store; the log says where",
                )
            }
            _ => Self::internal(&error),
        }
    }
}
