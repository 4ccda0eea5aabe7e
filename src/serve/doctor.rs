//! Whether all that the worker needs is there, tried rather than believed.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::access::Access;
use super::analysis::Analysis;
use super::cctv::Cctv;
use super::config::{self, Config, WorkloadName};
use super::exports::Exports;
use super::image_api::ImageApi;
use super::images::Images;
use super::queues::Queue;
use crate::http::health::Answer;
use crate::store::Store;
use crate::telemetry::Metrics;

/// What was found of one thing.
#[derive(Debug)]
pub struct Finding {
    /// Its name.
    pub name: &'static str,
    /// What it is, or what is wrong and how it is mended.
    pub answer: Answer,
}

/// Tries everything that `config` names; recorders of cameras only if `ask_cameras`.
pub async fn examine(config: &Config, ask_cameras: bool) -> Vec<Finding> {
    let mut findings = vec![
        Finding {
            name: "ffmpeg",
            answer: Ok(flatbed_media::ffmpeg_version().version.to_owned()),
        },
        Finding {
            name: "listener",
            answer: listener(config).await,
        },
    ];
    if config.wants(WorkloadName::Exports) {
        exports(config, &mut findings).await;
    } else if config.wants(WorkloadName::ImageApi) {
        // They have the same store, and ask the same server.
        image_api(config, &mut findings).await;
    }
    if let Ok(settings) = config.clips() {
        clips(config, settings, ask_cameras, &mut findings).await;
    }
    if let Ok(settings) = config.images() {
        images(settings, &mut findings).await;
    }
    if let Ok(settings) = config.analyses() {
        analyses(config, settings, &mut findings).await;
    }
    if let Ok(settings) = config.access() {
        access(settings, &mut findings).await;
    }
    findings
}

async fn listener(config: &Config) -> Answer {
    let address = SocketAddr::new(config.http.host, config.http.port);
    match TcpListener::bind(address).await {
        Ok(_) => Ok(format!("{address} is free")),
        Err(error) => Err(format!(
            "{address}: {error}; if it is no other `flatbed serve`, set WORKER_PORT or WORKER_HOST"
        )),
    }
}

async fn exports(config: &Config, findings: &mut Vec<Finding>) {
    match Exports::open(config).await {
        Err(error) => findings.push(Finding {
            name: "exports",
            answer: Err(format!("{error:#}")),
        }),
        Ok(exports) => both(&exports.queue, &exports.store, findings).await,
    }
}

async fn image_api(config: &Config, findings: &mut Vec<Finding>) {
    match ImageApi::open(config).await {
        Err(error) => findings.push(Finding {
            name: "image-api",
            answer: Err(format!("{error:#}")),
        }),
        Ok(images) => both(&images.queue, &images.store, findings).await,
    }
}

async fn both(queue: &Queue, store: &Store, findings: &mut Vec<Finding>) {
    let mut found = |name, answer| findings.push(Finding { name, answer });
    found("queue", queue.examine().await);
    let rehearsed = store.rehearse().await;
    found(
        "store",
        rehearsed
            .map(|()| format!("{}: written, read and deleted", store.name()))
            .map_err(|error| error.to_string()),
    );
}

async fn clips(
    config: &Config,
    settings: &config::Cctv,
    ask_cameras: bool,
    findings: &mut Vec<Finding>,
) {
    let mut found = |name, answer| findings.push(Finding { name, answer });
    match Cctv::open(config, settings).await {
        Err(error) => found("cctv", Err(format!("{error:#}"))),
        Ok(cctv) => {
            let items = cctv.examine().await;
            // Else there is nothing to look at.
            let are_there = matches!(&items, Ok((_, true)));
            found("items", items.map(|(text, _)| text));
            if are_there {
                for answer in cctv.examine_cameras(ask_cameras).await {
                    found("cameras", answer);
                }
            }
            let rehearsed = cctv.store.rehearse().await;
            found(
                "bucket",
                rehearsed
                    .map(|()| format!("{}: written, read and deleted", cctv.store.name()))
                    .map_err(|error| error.to_string()),
            );
        }
    }
}

async fn images(settings: &config::Images, findings: &mut Vec<Finding>) {
    let mut found = |name, answer| findings.push(Finding { name, answer });
    match Images::open(settings) {
        Err(error) => found("images", Err(format!("{error:#}"))),
        Ok(images) => {
            for (name, answer) in images.examine().await {
                found(name, answer);
            }
            let rehearsed = images.store.rehearse().await;
            found(
                "r2",
                rehearsed
                    .map(|()| format!("{}: written, read and deleted", images.store.name()))
                    .map_err(|error| error.to_string()),
            );
        }
    }
}

async fn analyses(config: &Config, settings: &config::Analysis, findings: &mut Vec<Finding>) {
    let opened = match Metrics::new() {
        Ok(metrics) => Analysis::open(config, settings, &metrics).await,
        Err(error) => Err(error.into()),
    };
    match opened {
        Err(error) => findings.push(Finding {
            name: "analysis",
            answer: Err(format!("{error:#}")),
        }),
        Ok(analysis) => {
            let found = analysis.examine().await.into_iter();
            findings.extend(found.map(|(name, answer)| Finding { name, answer }));
        }
    }
}

async fn access(settings: &config::Access, findings: &mut Vec<Finding>) {
    match Access::open(settings) {
        Err(error) => findings.push(Finding {
            name: "access",
            answer: Err(format!("{error:#}")),
        }),
        Ok(access) => {
            let found = access.examine().await.into_iter();
            findings.extend(found.map(|(name, answer)| Finding { name, answer }));
        }
    }
}
