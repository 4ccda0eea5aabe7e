//! `/api/exports/{id}/events`: an export's progress as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream};
use tokio::time::sleep;

use super::exports::Exports;
use super::exports::status::ExportStatus;
use super::failure::{ErrorBody, Failure};

/// How often the queue is looked at for one listener: as often as workers tell.
const PERIOD: Duration = Duration::from_millis(500);

/// An export's status each time it changes, until it is finished.
///
/// Each event is called `status`, and its data is what `GET /api/exports/{id}`
/// answers. The last one has a final status, and the stream ends.
#[utoipa::path(
    get, path = "/api/exports/{id}/events", operation_id = "streamExportEvents", tag = "exports",
    params(("id" = String, Path, description = "The export's id")),
    responses(
        (
            status = 200, content_type = "text/event-stream", body = String,
            description = "Events called `status`; the data of each is an `ExportStatus`, in \
                           one line. Lines that begin with a colon keep the connection alive.",
            example = "event: status\ndata: {\"id\":\"0191...\",\"status\":\"processing\",...}\n\n",
        ),
        (status = 404, body = ErrorBody),
    )
)]
pub async fn stream(
    State(api): State<Exports>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    // So that what is unknown is told as such.
    let first = api.find(&id).await?;
    let watch = Watch {
        api,
        id,
        last: String::new(),
        next: Some(first.into()),
        finished: false,
    };
    let events = stream::unfold(watch, |mut watch| async {
        let event = watch.changed().await?;
        Some((Ok(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// One listener.
struct Watch {
    api: Exports,
    id: String,
    last: String,
    next: Option<ExportStatus>,
    finished: bool,
}

impl Watch {
    /// The next status that differs from the last; none once it is final, or the
    /// export is forgotten. While the queue is away, it waits.
    async fn changed(&mut self) -> Option<Event> {
        if self.finished {
            return None;
        }
        loop {
            let status = if let Some(status) = self.next.take() {
                status
            } else {
                sleep(PERIOD).await;
                match self.api.queue.find(&self.id.parse().ok()?).await {
                    Ok(record) => record?.into(),
                    Err(_) => continue,
                }
            };
            let text = serde_json::to_string(&status).ok()?;
            if text != self.last {
                self.finished = status.is_final();
                self.last.clone_from(&text);
                return Some(Event::default().event("status").data(text));
            }
        }
    }
}
