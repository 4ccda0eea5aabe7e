//! `flatbed serve`: the worker, put together. The one place that names concrete
//! queues.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | what it reads from its environment |
//! | [`doctor`] | whether all that it needs is there |
//! | [`queues`] | the queue that the settings name |
//! | [`exports`] | exports: queue, store, workload, routes |
//! | [`cctv`] | clips of cameras: table, recorders, bucket, workload, routes |
//! | `cameras.rs` | how cameras and their recorders are |
//! | [`image_api`] | images over HTTP: queue, store, workload, routes |
//! | [`images`] | images: list, backend, bucket, workload |
//! | [`analysis`] | analyses: source of jobs, archive, models, workload, routes |
//! | [`access`] | people on their way to the gates: queues, HikCentral, Eposh, stages, routes |
//! | `parts.rs` | what runs and what answers, of all workloads that are on |
//! | `shutdown.rs` | SIGTERM and Ctrl-C |

pub mod access;
pub mod analysis;
mod cameras;
pub mod cctv;
pub mod config;
pub mod doctor;
pub mod exports;
pub mod image_api;
pub mod images;
mod parts;
pub mod queues;
mod shutdown;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

use self::config::Config;
use self::parts::Parts;
use self::shutdown::Shutdown;
use crate::http;
use crate::http::health::Health;
use crate::http::metrics::Scrape;
use crate::runner::Runner;

/// What answers that were begun get once all jobs are settled.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Serves until SIGTERM or Ctrl-C.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals().context("signals")?;
    let Parts {
        metrics,
        mut health,
        guarded,
        open,
        queues,
        runners,
        desk,
    } = Parts::of(&config).await?;

    let further = config.analyses().map(|analysis| &*analysis.ports);
    let access = config.access().ok().and_then(|access| access.port);
    let mut listeners = Vec::new();
    let ports = [&[config.http.port][..], further.unwrap_or_default()].concat();
    for port in ports.into_iter().chain(access) {
        let address = SocketAddr::new(config.http.host, port);
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!(
                "listening on {address} (WORKER_HOST; WORKER_PORT, WORKER_HTTP_PORT, WEBHOOK_PORT, \
                 ACCESS_HTTP_PORT)"
            )
        })?;
        listeners.push((
            listener.local_addr().context("the listener's address")?,
            listener,
        ));
    }
    let address = config.http.host;
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
    let mut answering = JoinSet::new();
    for (address, listener) in listeners {
        tracing::info!("listening on http://{address}");
        let stop = shutdown.clone();
        let answers = axum::serve(listener, router.clone())
            .with_graceful_shutdown(async move { stop.drained().await });
        answering.spawn(answers.into_future());
    }
    shutdown.asked().await;
    tracing::info!("stopping");
    let by = Instant::now() + config.exports.runner.shutdown_grace;
    for runner in running {
        runner.await.context("a runner")?;
    }
    shutdown.all_drained();
    if let Some(desk) = desk {
        // No more come in.
        let _ = timeout_at(by, desk.empty()).await;
    }
    // An event stream has no end of its own.
    let _ = timeout(LAST_ANSWERS, answering.join_all()).await;
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
