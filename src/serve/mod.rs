//! `flatbed serve`: the worker, put together. The one place that names concrete
//! queues.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | what it reads from its environment |
//! | [`doctor`] | whether all that it needs is there |
//! | [`queues`] | the queue that the settings name |
//! | [`exports`] | exports: queue, store, workload, routes |
//! | [`images`] | images: list, backend, bucket, workload |
//! | `shutdown.rs` | SIGTERM and Ctrl-C |

pub mod config;
pub mod doctor;
pub mod exports;
pub mod images;
pub mod queues;
mod shutdown;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::config::{Config, WorkloadName};
use self::shutdown::Shutdown;
use crate::http;
use crate::http::health::Health;
use crate::http::metrics::{Scrape, counting};
use crate::queue::DeadLetters as _;
use crate::runner::{Runner, WorkThreads};
use crate::telemetry::Metrics;

/// What answers that were begun get once all jobs are settled.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Serves until SIGTERM or Ctrl-C.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals().context("signals")?;
    let metrics = Metrics::new().context("metrics")?;
    let mut health = Health::default();
    health.add("ffmpeg", async || {
        Ok(flatbed_media::ffmpeg_version().version.to_owned())
    });

    let mut guarded = Router::new();
    let mut open = Router::new();
    let mut queues = Vec::new();
    let mut runners = Vec::new();
    if config.wants(WorkloadName::Exports) {
        let exports = exports::Exports::open(&config).await?;
        exports.queue.greet().await?;
        exports.add_checks(&mut health);
        guarded = guarded.merge(exports.guarded_routes());
        open = open.merge(exports.open_routes());
        let reports = metrics.workload("export");
        let admin = Arc::clone(&exports.queue.admin);
        let count = counting(move || {
            let admin = Arc::clone(&admin);
            async move { admin.counts().await }
        });
        queues.push((reports.clone(), count));
        tracing::info!(
            queue = exports.queue.text,
            store = exports.store.name(),
            "exports: on"
        );
        tokio::spawn(exports::measure(exports.store.clone(), metrics.clone()));
        let work = WorkThreads::new().context("threads")?;
        runners.push(("processor", exports.runner(work, reports)));
    } else {
        tracing::info!("exports: off, FLATBED_WORKLOADS does not name it");
    }
    match config.images() {
        Ok(settings) => {
            let images = images::Images::open(settings)?;
            images.greet().await?;
            images.add_checks(&mut health);
            let reports = metrics.workload("image");
            let queue = images.queue.clone();
            let count = counting(move || {
                let queue = queue.clone();
                async move { queue.counts().await }
            });
            queues.push((reports.clone(), count));
            tracing::info!(
                list = images.list(),
                backend = images.backend.address(),
                store = images.store.name(),
                "images: on"
            );
            let work = WorkThreads::new().context("threads")?;
            runners.push(("images", images.runner(work, reports).await?));
        }
        Err(reason) => tracing::info!("images: off, {reason}"),
    }

    let address = SocketAddr::new(config.http.host, config.http.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address} (WORKER_HOST, WORKER_PORT)"))?;
    let address = listener.local_addr().context("the listener's address")?;
    if !config.http.host.is_loopback() && config.http.token.is_none() {
        tracing::warn!(
            "{address} can be reached from other hosts and API_TOKEN is not set: whoever reaches it \
             may do everything"
        );
    }
    let running: Vec<_> = runners
        .into_iter()
        .map(|(name, runner)| run(name, runner, &shutdown, &mut health))
        .collect();
    let open = open
        .merge(http::health::routes(health))
        .merge(http::metrics::routes(Scrape::new(metrics, queues)));
    let router = http::router(guarded, open, config.http.token.clone());
    tracing::info!("listening on http://{address}");

    let stop = shutdown.clone();
    let answering =
        axum::serve(listener, router).with_graceful_shutdown(async move { stop.drained().await });
    let answering = tokio::spawn(answering.into_future());
    shutdown.asked().await;
    tracing::info!("stopping");
    for runner in running {
        runner.await.context("a runner")?;
    }
    shutdown.all_drained();
    // An event stream has no end of its own.
    let _ = timeout(LAST_ANSWERS, answering).await;
    tracing::info!("stopped");
    Ok(())
}

/// Starts a runner, and has `/health` tell should it end.
fn run(
    name: &'static str,
    runner: Runner,
    shutdown: &Shutdown,
    health: &mut Health,
) -> JoinHandle<()> {
    let stop = shutdown.clone();
    let running = tokio::spawn(runner.run(async move { stop.asked().await }));
    let watched = running.abort_handle();
    health.add(name, move || {
        let ended = watched.is_finished();
        async move {
            if ended {
                Err("it has ended; the log says why".to_owned())
            } else {
                Ok("takes jobs".to_owned())
            }
        }
    });
    running
}
