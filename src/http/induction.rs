//! `/eposh-induction`: the people whom Eposh lists, into the chain to the gates.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body;
use super::failure::{ErrorBody, Failure};
use crate::workload::access::inducting::{Broken, Days, Inductor, Why};

/// Which days; those of the settings where none are named.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The first day.
    #[schema(value_type = Option<String>, format = Date, example = "2026-01-01")]
    from: Option<Date>,
    /// The last day.
    #[schema(value_type = Option<String>, format = Date, example = "2026-01-19")]
    to: Option<Date>,
    /// Days in between that are left out.
    #[schema(value_type = Option<Vec<String>>, example = json!(["2026-01-02", "2026-01-05"]))]
    skip: Option<BTreeSet<Date>>,
}

/// All of it was sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Queued {
    /// Always `queued`.
    #[schema(pattern = "^queued$", example = "queued")]
    status: &'static str,
    #[schema(example = "All dates processed: 1543 employees across 17 pages sent to RabbitMQ")]
    message: String,
}

/// Who sends, and the days of the settings.
#[derive(Clone)]
struct Induction {
    inductor: Inductor,
    days: Option<Days>,
}

/// The route.
pub fn routes(inductor: Inductor, days: Option<Days>) -> Router {
    Router::new()
        .route("/eposh-induction", post(induct))
        .with_state(Induction { inductor, days })
}

/// Fetch the people who were inducted on these days and send them to the gates.
///
/// Where access is on and `EPOSH_API_URL` is set. It is answered when all are queued;
/// a caller that goes away changes nothing. What was sent before an error stays sent,
/// and sending it again does no harm.
#[utoipa::path(
    post, path = "/eposh-induction", operation_id = "induct", tag = "access",
    request_body = inline(Option<Range>),
    responses(
        (status = 200, body = Queued),
        (status = 400, body = ErrorBody, description = "The body is not what it should be, or no days are named anywhere"),
        (status = 404, body = ErrorBody, description = "Access is off, or EPOSH_API_URL is not set"),
        (status = 409, body = ErrorBody, description = "Another induction is under way"),
        (status = 502, body = ErrorBody, description = "Eposh gave no page: the message says of which day, which page, and what was sent before"),
    )
)]
async fn induct(
    State(Induction { inductor, days }): State<Induction>,
    bytes: Bytes,
) -> Result<Json<Queued>, Failure> {
    let days = asked(&bytes, days)?;
    let Some(turn) = inductor.turn() else {
        let busy = "an induction is under way; ask again when it has ended";
        return Err(Failure::conflict(busy));
    };
    // In a task of its own: a caller that goes away leaves no half of it.
    let inducting = tokio::spawn(async move { inductor.induct(&days, turn).await });
    let sent = match inducting.await {
        Ok(sent) => sent.map_err(|broken| failure(&broken))?,
        Err(error) => return Err(Failure::internal(&error)),
    };
    let message = format!(
        "All dates processed: {} employees across {} pages sent to RabbitMQ",
        sent.employees, sent.pages
    );
    tracing::info!(message, "induction");
    Ok(Json(Queued {
        status: "queued",
        message,
    }))
}

/// The days that a body names, or else the settings.
fn asked(bytes: &[u8], settings: Option<Days>) -> Result<Days, Failure> {
    let range = if bytes.trim_ascii().is_empty() {
        Range::default()
    } else {
        body::parse::<Option<Range>>(bytes)?.unwrap_or_default()
    };
    let skip = range.skip;
    match (range.from, range.to) {
        (Some(from), Some(to)) => Days::new(from, to, skip.unwrap_or_default())
            .map_err(|wrong| Failure::bad_request(format!("the body: {wrong}"))),
        (None, None) => {
            let days = settings.ok_or_else(|| {
                let nowhere = "which days? send {\"from\": \"2026-01-01\", \"to\": \"2026-01-19\"}, \
                               or set EPOSH_FROM and EPOSH_TO";
                Failure::bad_request(nowhere)
            })?;
            Ok(match skip {
                Some(skip) => days.without(skip),
                None => days,
            })
        }
        _ => Err(Failure::bad_request(
            "the body: from and to are both needed, or neither",
        )),
    }
}

fn failure(broken: &Broken) -> Failure {
    let message = broken.to_string();
    tracing::error!(message, "an induction broke off");
    let code = match broken.why {
        Why::Eposh(_) | Why::Pages(_) => StatusCode::BAD_GATEWAY,
        Why::Queue(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    Failure::new(code, message)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_body_or_the_settings_name_the_days() {
        let january = Days::new(date(2026, 1, 1), date(2026, 1, 3), BTreeSet::new()).unwrap();
        let days = |body: &str| {
            let days = asked(body.as_bytes(), Some(january.clone()));
            days.map(|days| days.each().map(|day| day.to_string()).collect::<Vec<_>>())
        };
        let settings = ["2026-01-01", "2026-01-02", "2026-01-03"].map(str::to_owned);
        for body in ["", " \n", "{}", "null"] {
            assert_eq!(days(body).unwrap(), settings, "{body:?}");
        }
        let two = days(r#"{"skip":["2026-01-02"]}"#).unwrap();
        assert_eq!(two, ["2026-01-01", "2026-01-03"]);
        let own = days(r#"{"from":"2025-12-31","to":"2026-01-01","skip":["2026-01-01"]}"#);
        assert_eq!(own.unwrap(), ["2025-12-31"]);
        for wrong in [
            r#"{"from":"2026-01-01"}"#,
            r#"{"from":"2026-01-02","to":"2026-01-01"}"#,
            r#"{"from":"01/02/2026","to":"2026-01-01"}"#,
            r#"{"form":"2026-01-01"}"#,
            "[]",
            "{",
        ] {
            let error = days(wrong).unwrap_err();
            assert_eq!(error.code(), StatusCode::BAD_REQUEST, "{wrong}");
        }
        let nowhere = asked(b"", None).unwrap_err();
        assert_eq!(nowhere.code(), StatusCode::BAD_REQUEST);
    }
}
