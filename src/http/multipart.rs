//! A form with files, bounded where its parser is not: what comes before the first
//! field, between two, and in their headers is held until it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use tokio::time::timeout;

use super::failure::Failure;

/// The most bytes that may come without anything having come out.
const MOST: u64 = 1 << 20;

/// A form, as it comes.
pub(super) struct Form {
    fields: Multipart,
    pace: Pace,
}

/// A field of a form, as it comes.
pub(super) struct Part<'a> {
    field: Field<'a>,
    pace: Pace,
}

/// How much the parser holds, and how long it is waited for.
#[derive(Clone)]
struct Pace {
    held: Arc<AtomicU64>,
    idle: Option<Duration>,
}

impl Form {
    /// The form of a request. A caller that sends nothing for as long as `idle` is
    /// given up.
    pub(super) async fn of(request: Request, idle: Option<Duration>) -> Result<Self, Failure> {
        let pace = Pace {
            held: Arc::default(),
            idle,
        };
        let held = Arc::clone(&pace.held);
        let request = request.map(|body| bounded(body, held));
        let fields = Multipart::from_request(request, &()).await;
        let fields = fields.map_err(|error| Failure::new(error.status(), error.body_text()))?;
        Ok(Self { fields, pace })
    }

    /// The next field.
    pub(super) async fn next(&mut self) -> Result<Option<Part<'_>>, Failure> {
        let Self { fields, pace } = self;
        let field = pace.waited(fields.next_field()).await?;
        let pace = pace.clone();
        Ok(field.map(|field| Part { field, pace }))
    }
}

impl Part<'_> {
    /// Its name.
    pub(super) fn name(&self) -> Option<&str> {
        self.field.name()
    }

    /// The name of the file that it brings.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// The next piece of what it brings.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        self.pace.waited(self.field.chunk()).await
    }
}

impl Pace {
    async fn waited<T>(
        &self,
        next: impl Future<Output = Result<T, MultipartError>>,
    ) -> Result<T, Failure> {
        let next = match self.idle {
            None => next.await,
            Some(idle) => timeout(idle, next).await.map_err(|_| {
                let seconds = idle.as_secs();
                let message = format!("the form: nothing came for {seconds} s");
                Failure::new(StatusCode::REQUEST_TIMEOUT, message)
            })?,
        };
        let held = self.held.swap(0, Ordering::Relaxed);
        next.map_err(|error| {
            if held > MOST {
                return Failure::too_large("the form: there is too much beside its fields");
            }
            Failure::new(error.status(), format!("the form: {}", error.body_text()))
        })
    }
}

/// `body`, of which no more is given than [`MOST`] unless `held` is set back meanwhile.
///
/// The parser takes all that it can get before it looks at it: so it is made to look
/// once before this becomes an error.
fn bounded(body: Body, held: Arc<AtomicU64>) -> Body {
    let mut chunks = body.into_data_stream();
    let mut has_looked = false;
    Body::from_stream(poll_fn(move |task| {
        if held.load(Ordering::Relaxed) > MOST {
            if has_looked {
                return Poll::Ready(Some(Err(axum::Error::new("it holds too much"))));
            }
            has_looked = true;
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        has_looked = false;
        let chunk = ready!(chunks.poll_next_unpin(task));
        if let Some(Ok(chunk)) = &chunk {
            held.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        Poll::Ready(chunk)
    }))
}
