//! `/trigger`: the clip of one packing item, now.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::body::Body;
use super::failure::{ErrorBody, Failure};
use crate::queue::packing_items::{PackingItems, Trigger};

/// The one message that the service before this one gave.
const NOT_READY: &str = "Packing item not found or not ready";

/// Which item.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TriggerItem {
    /// Its `id`.
    #[schema(example = 123)]
    #[serde(deserialize_with = "whole_number")]
    packing_item_id: i64,
}

/// A number, or one as text: the service before this one took that too.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = match &value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    };
    number.ok_or_else(|| D::Error::custom("packing_item_id: expected a whole number"))
}

/// The item was taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// Always `accepted`.
    #[schema(pattern = "^accepted$", example = "accepted")]
    status: &'static str,
    /// Its `id`.
    packing_item_id: i64,
    #[schema(example = "Job queued for processing")]
    message: &'static str,
}

/// The route.
pub fn routes(items: PackingItems) -> Router {
    Router::new()
        .route("/trigger", post(trigger))
        .with_state(items)
}

/// Has a packing item's clip made before those that wait for their batch.
///
/// Where clips of cameras are on. The item must be `READY_FOR_BATCH`. Asking again
/// before its turn changes nothing.
#[utoipa::path(
    post, path = "/trigger", tag = "clips", request_body = TriggerItem,
    responses(
        (status = 202, body = Accepted),
        (status = 400, body = ErrorBody, description = "The body is not what it should be"),
        (status = 404, body = ErrorBody, description = "There is no such item, or it is not ready; or clips are off"),
    )
)]
pub async fn trigger(
    State(items): State<PackingItems>,
    Body(TriggerItem { packing_item_id }): Body<TriggerItem>,
) -> Result<(StatusCode, Json<Accepted>), Failure> {
    match items.trigger(packing_item_id).await? {
        Trigger::Accepted => Ok((
            StatusCode::ACCEPTED,
            Json(Accepted {
                status: "accepted",
                packing_item_id,
                message: "Job queued for processing",
            }),
        )),
        Trigger::NotReady => Err(Failure::not_found(NOT_READY)),
    }
}
