//! `/health`: each thing that this worker needs, and how it is.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::future::{join, join_all};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::store::Store;

/// How long one thing may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Answers are this old at most: load balancers ask often, and each of several.
const FRESH: Duration = Duration::from_secs(1);

const HEALTHY: &str = "healthy";

/// How one thing is, or why it is not well.
pub type Answer = Result<String, String>;

/// Asks one thing how it is.
pub type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// Asks how many items wait; `None` where nobody can tell.
type QueueSize = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Option<u64>> + Send>> + Send + Sync>;

/// The things that are asked.
#[derive(Clone, Default)]
pub struct Health {
    checks: Vec<(&'static str, Check)>,
    batches: Option<(bool, QueueSize)>,
    last: Arc<Mutex<Option<(Instant, Report)>>>,
}

/// How this worker is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Report {
    /// `healthy`, or `unhealthy` if anything that matters is down.
    #[schema(example = "healthy")]
    status: &'static str,
    version: &'static str,
    /// Whether packing items are worked on without being triggered, where clips are
    /// on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    auto_batch: Option<bool>,
    /// How many packing items were triggered and wait for their turn, where clips are
    /// on and the database answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    queue_size: Option<u64>,
    /// Each thing by its name.
    dependencies: BTreeMap<&'static str, Dependency>,
}

/// How one thing is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Dependency {
    /// `ok` or `error`.
    status: &'static str,
    /// What it is, or what is wrong with it.
    message: String,
}

impl Health {
    /// Asks whether `store` can be reached.
    pub fn add_store(&mut self, name: &'static str, store: &Store) {
        let store = store.clone();
        self.add(name, move || {
            let store = store.clone();
            async move {
                let checked = store.check().await;
                checked
                    .map(|()| store.name().to_owned())
                    .map_err(|error| error.to_string())
            }
        });
    }

    /// Asks `check` too, as `name`.
    pub fn add<F>(&mut self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        self.checks
            .push((name, Arc::new(move || Box::pin(check()))));
    }

    /// Tells of packing items: whether they are worked on by themselves, and how many
    /// were triggered.
    pub fn batches<F>(&mut self, auto: bool, size: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Option<u64>> + Send + 'static,
    {
        self.batches = Some((auto, Arc::new(move || Box::pin(size()))));
    }

    async fn queue_size(&self) -> Option<u64> {
        let (_, size) = self.batches.as_ref()?;
        timeout(PATIENCE, size()).await.ok().flatten()
    }

    /// Asks all, at the same time.
    pub async fn report(&self) -> Report {
        // The lock has those who come meanwhile wait for the same answer.
        let mut last = self.last.lock().await;
        if let Some((at, report)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return report.clone();
        }
        let asked = self.checks.iter().map(async |(name, check)| {
            let answer = match timeout(PATIENCE, check()).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            (*name, Dependency::of(answer))
        });
        let (answers, queue_size) = join(join_all(asked), self.queue_size()).await;
        let dependencies: BTreeMap<_, _> = answers.into_iter().collect();
        let report = Report {
            status: worst(dependencies.values()),
            version: env!("CARGO_PKG_VERSION"),
            auto_batch: self.batches.as_ref().map(|(auto, _)| *auto),
            queue_size,
            dependencies,
        };
        *last = Some((Instant::now(), report.clone()));
        report
    }
}

impl Report {
    /// Whether all is well.
    pub fn is_ok(&self) -> bool {
        self.status == HEALTHY
    }
}

impl Dependency {
    fn of(answer: Answer) -> Self {
        let (status, message) = match answer {
            Ok(message) => ("ok", message),
            Err(message) => ("error", message),
        };
        Self { status, message }
    }
}

fn worst<'a>(mut states: impl Iterator<Item = &'a Dependency>) -> &'static str {
    if states.all(|state| state.status == "ok") {
        HEALTHY
    } else {
        "unhealthy"
    }
}

/// The route.
pub fn routes(health: Health) -> Router {
    Router::new()
        .route("/health", get(show))
        // As the worker of analyses before this one had it.
        .route("/healthz", get(show))
        .with_state(health)
}

/// How this worker and what it needs are.
#[utoipa::path(
    get, path = "/health", operation_id = "getHealth", tag = "operation",
    responses((status = 200, body = Report), (status = 503, body = Report))
)]
pub async fn show(State(health): State<Health>) -> (StatusCode, Json<Report>) {
    let report = health.report().await;
    let code = if report.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Json(report))
}
