//! The HTTP side: one file an API.
//!
//! | file | what it answers |
//! |---|---|
//! | [`exports`], [`events`] | `/api/exports` |
//! | [`images`] | `/api/images` |
//! | [`webhook`] | `/api/jobs/webhook`, for those who push jobs |
//! | [`videos`], `upload.rs` | `/api/videos` |
//! | [`analysis`] | `/api/videos/{id}/analysis`, `/api/search`, `/webhook`, `/stats` |
//! | [`induction`] | `/eposh-induction`: inducted people, into the chain to the gates |
//! | [`trigger`] | `/trigger`: the clip of one packing item, now |
//! | [`files`] | `/files`: objects of a folder store, by signed links |
//! | [`health`], [`metrics`] | `/health`, `/metrics` |
//! | [`openapi`] | `/openapi.json`, which `tests/exports/document.rs` holds against what is answered |
//! | [`auth`] | who may ask |
//! | [`failure`], [`body`], `multipart.rs` | errors and requests, as JSON; forms with files |

pub mod analysis;
pub mod auth;
pub mod body;
pub mod events;
pub mod exports;
pub mod failure;
pub mod files;
pub mod health;
pub mod images;
pub mod induction;
pub mod metrics;
mod multipart;
pub mod openapi;
pub mod trigger;
mod upload;
pub mod videos;
pub mod webhook;

use std::time::SystemTime;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;

use self::failure::Failure;
use crate::config::Secret;

/// Everything that is answered. `guarded` needs the token, `open` does not.
pub fn router(guarded: Router, open: Router, token: Option<Secret>) -> Router {
    guarded
        .merge(openapi::routes())
        .route_layer(from_fn_with_state(token, auth::guard))
        .merge(open)
        .fallback(nothing)
        .method_not_allowed_fallback(not_that_way)
}

async fn nothing(uri: Uri) -> Failure {
    Failure::not_found(format!("there is nothing at {}", uri.path()))
}

async fn not_that_way(method: Method, uri: Uri) -> Failure {
    Failure::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        format!("{} does not answer {method}", uri.path()),
    )
}

/// A time as RFC 3339 has it, in UTC with milliseconds.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}
