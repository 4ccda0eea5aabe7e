//! `GET /api/search`: passages of videos that are near to a question.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Analyses;
use crate::archive::{self, Hit};
use crate::http::failure::{ErrorBody, Failure};

/// What is searched for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// In plain words.
    q: String,
    /// In this video alone.
    video_id: Option<Uuid>,
    /// How many at most, up to 100.
    #[serde(default = "ten")]
    limit: u32,
}

fn ten() -> u32 {
    10
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// The nearest first.
    hits: Vec<Hit>,
}

/// The longest question, in bytes.
const LONGEST: usize = 2000;

/// Passages of what was said and seen, the nearest to the question first.
#[utoipa::path(
    get, path = "/api/search", operation_id = "search", tag = "analysis", params(Question),
    responses(
        (status = 200, body = Found), (status = 400, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "There are no vectors: embeddings are off, or there is no key for models"),
    )
)]
pub async fn search(
    State(api): State<Analyses>,
    question: Result<Query<Question>, QueryRejection>,
) -> Result<Json<Found>, Failure> {
    let Query(question) = question.map_err(|error| Failure::bad_request(error.body_text()))?;
    let text = question.q.trim();
    if text.is_empty() || text.len() > LONGEST {
        let expected = format!("q: expected 1 to {LONGEST} bytes");
        return Err(Failure::bad_request(expected));
    }
    let Some((models, model)) = &api.models else {
        return Err(Failure::conflict(
            "nothing can be searched: set OPENAI_API_KEY and ENABLE_EMBEDDINGS",
        ));
    };
    let made = models.embed(&[text]).await;
    let made = made.map_err(|error| Failure::away(error.to_string()))?;
    let query = archive::Query {
        vector: made.vectors.into_iter().next().unwrap_or_default(),
        model: model.clone(),
        video: question.video_id,
        limit: question.limit.clamp(1, 100),
    };
    let hits = api.archive.search(&query).await?;
    Ok(Json(Found { hits }))
}
