//! `/openapi.json`: what this API is, made from its types.

use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use super::{events, exports, health, metrics, videos, webhook};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Flatbed",
        description = "Exports of videos: cut, transcoded, watermarked, thumbnailed.",
    ),
    paths(
        exports::create, exports::list, exports::stats, exports::show, exports::cancel,
        exports::download, exports::retry, events::stream, webhook::take,
        videos::create, videos::list, videos::show, videos::delete,
        health::show, metrics::show,
    ),
    modifiers(&Token),
)]
struct Document;

/// The bearer token that guards all but health and metrics.
struct Token;

impl utoipa::Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("API_TOKEN", scheme);
    }
}

/// The route.
pub(super) fn routes() -> Router {
    Router::new().route("/openapi.json", get(async || Json(Document::openapi())))
}
