//! `/metrics`: what Prometheus scrapes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::failure::Failure;
use crate::queue::{Counts, Result};
use crate::telemetry::{JobMetrics, Metrics};

/// Queues are counted no more often than this, however many scrape.
const FRESH: Duration = Duration::from_secs(2);

/// A queue that does not answer holds no scrape up longer than this; its last
/// sizes stand.
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts the jobs of a queue.
pub type Count =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Counts>> + Send>> + Send + Sync>;

/// How the jobs of a queue are counted.
pub fn counting<F>(count: impl Fn() -> F + Send + Sync + 'static) -> Count
where
    F: Future<Output = Result<Counts>> + Send + 'static,
{
    Arc::new(move || Box::pin(count()))
}

/// What is scraped.
#[derive(Clone)]
pub struct Scrape {
    metrics: Metrics,
    queues: Vec<(JobMetrics, Count)>,
    counted: Arc<Mutex<Option<Instant>>>,
}

impl Scrape {
    /// `metrics`, and the sizes of these queues.
    pub fn new(metrics: Metrics, queues: Vec<(JobMetrics, Count)>) -> Self {
        Self {
            metrics,
            queues,
            counted: Arc::default(),
        }
    }

    async fn count(&self) {
        let mut counted = self.counted.lock().await;
        if counted.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        for (metrics, queue) in &self.queues {
            match timeout(PATIENCE, queue()).await {
                Ok(Ok(counts)) => metrics.set_queue_size(&counts),
                Ok(Err(_)) | Err(_) => metrics.queue_error(),
            }
        }
        *counted = Some(Instant::now());
    }
}

/// The route.
pub fn routes(scrape: Scrape) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .with_state(scrape)
}

/// All metrics in Prometheus's text format.
#[utoipa::path(
    get, path = "/metrics", operation_id = "getMetrics", tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain; version=0.0.4"))
)]
pub async fn show(State(scrape): State<Scrape>) -> Result<Response, Failure> {
    scrape.count().await;
    let text = scrape
        .metrics
        .render()
        .map_err(|error| Failure::internal(&error))?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
