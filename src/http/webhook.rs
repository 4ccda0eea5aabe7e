//! `/api/jobs/webhook`: jobs that are pushed by who knows the secret.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};

use super::body;
use super::exports::create::{CreateExport, Taken, known};
use super::failure::{ErrorBody, Failure};
use crate::queue::webhook::{Door, Headers, Refusal};
use crate::queue::{Added, Ledger, NewJob};

/// The most bytes of a job: it is a description of work, and is held in memory.
const LARGEST: usize = 1 << 20;

/// Looks at a job before it is taken.
#[async_trait]
pub trait Check: Send + Sync {
    /// What the workload is to get, or what is wrong with it.
    async fn check(&self, body: &[u8]) -> Result<Vec<u8>, Failure>;
}

/// What these answers are made from.
#[derive(Clone)]
pub struct Webhook {
    /// Who may come in.
    pub door: Door,
    /// Where jobs are kept.
    pub queue: Arc<dyn Ledger>,
    /// What kind of job they are.
    pub job: &'static str,
    /// What they must be.
    pub check: Arc<dyn Check>,
}

/// The route.
pub fn routes(webhook: Webhook) -> Router {
    Router::new()
        .route("/api/jobs/webhook", post(take))
        .with_state(webhook)
}

/// Takes an export that is pushed by a signed request.
///
/// Signed as [Standard Webhooks](https://www.standardwebhooks.com) says, with a secret
/// of `WEBHOOK_SECRET`. When it is answered the job outlives a crash. The same
/// `webhook-id` again adds nothing.
#[utoipa::path(
    post, path = "/api/jobs/webhook", tag = "exports", request_body = CreateExport,
    params(
        ("webhook-id" = String, Header, description = "The message's name, the same when it is sent again"),
        ("webhook-timestamp" = String, Header, description = "When it is sent, in seconds since 1970"),
        ("webhook-signature" = String, Header, description = "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; several with spaces between"),
    ),
    responses(
        (status = 202, body = Taken),
        (status = 400, body = ErrorBody, description = "A header or a field is wrong; the message names it"),
        (status = 401, body = ErrorBody, description = "Unsigned, forged, too old or from the future"),
        (status = 404, body = ErrorBody, description = "There is no such video"),
        (status = 413, body = ErrorBody, description = "Longer than a description of work can be"),
        (status = 422, body = ErrorBody, description = "The webhook-id was used for other work"),
    )
)]
pub async fn take(
    State(webhook): State<Webhook>,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let headers = Headers {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
    };
    let claimed = webhook.door.admit(&headers, SystemTime::now())?;
    let body = body::read(request, LARGEST).await?;
    let id = webhook.door.verify(&claimed, &body)?;
    let payload = webhook.check.check(&body).await?;
    let job = NewJob::new(webhook.job, payload.clone()).with_id(id.clone());
    let taken = match webhook.queue.add(job).await? {
        Added::New => Taken::queued(id),
        Added::Known => known(webhook.queue.as_ref(), id, &payload, "webhook-id").await?,
    };
    Ok((StatusCode::ACCEPTED, Json(taken)))
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Malformed { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNAUTHORIZED,
        };
        Self::new(code, refusal.to_string())
    }
}
