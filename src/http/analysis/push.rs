//! `POST /webhook`: analyses that are pushed. The signature is this document's own:
//! `X-Webhook-Signature: sha256=` and the HMAC of `timestamp.body`, in hex.

use std::time::SystemTime;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};

use super::Analyses;
use super::order::Ordered;
use crate::http::body;
use crate::http::failure::{ErrorBody, Failure};
use crate::queue::webhook::PlainDoor;
use crate::workload::analysis::Order;

/// The most bytes of an order.
const LARGEST: usize = 1 << 16;

/// What these answers are made from.
#[derive(Clone)]
pub struct Pushed {
    /// Who may come in.
    pub door: PlainDoor,
    /// Where they go.
    pub api: Analyses,
}

/// The route.
pub fn routes(pushed: Pushed) -> Router {
    Router::new()
        .route("/webhook", post(take))
        .with_state(pushed)
}

/// Takes an analysis that is pushed by a signed request.
///
/// The body is `{"video_id":"…","source_url":"…"}`. When it is answered the job outlives
/// a crash. The same request again adds nothing.
#[utoipa::path(
    post, path = "/webhook", operation_id = "pushAnalysis", tag = "analysis",
    params(
        ("x-webhook-timestamp" = String, Header, description = "When it is sent, in seconds since 1970"),
        ("x-webhook-signature" = String, Header, description = "`sha256=` and the hex of HMAC-SHA256 over `timestamp.body`"),
    ),
    responses(
        (status = 202, body = Ordered),
        (status = 400, body = ErrorBody, description = "A header or the body is not what it should be"),
        (status = 401, body = ErrorBody, description = "Unsigned, forged, too old or from the future"),
        (status = 413, body = ErrorBody, description = "Longer than an order can be"),
    )
)]
pub async fn take(
    State(pushed): State<Pushed>,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<Ordered>), Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (timestamp, signature) = (text("x-webhook-timestamp"), text("x-webhook-signature"));
    let claimed = pushed.door.admit(timestamp, signature, SystemTime::now())?;
    let body = body::read(request, LARGEST).await?;
    let job_id = pushed.door.verify(&claimed, &body)?;
    let order = Order::parse(&body).map_err(|error| Failure::bad_request(error.to_string()))?;
    // Known already: it was taken the first time.
    let _added = pushed.api.order(&job_id, &order).await?;
    let ordered = Ordered {
        job_id,
        video_id: order.video_id,
        status: "queued",
    };
    Ok((StatusCode::ACCEPTED, Json(ordered)))
}
