//! What `flatbed serve` reads from its environment: each module's part, put
//! together, and all that is wrong told at once.

mod images;

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::config::{Invalid, Secret, Setting, Variables};
use crate::queue::{postgres, webhook};
use crate::runner;
use crate::store;
use crate::telemetry::log;
use crate::workload::export;

pub use images::Images;

/// Everything.
#[derive(Debug, Clone)]
pub struct Config {
    /// `FLATBED_DATA_DIR`: where the embedded default keeps its files.
    pub data: PathBuf,
    /// Where HTTP is answered.
    pub http: Http,
    /// The workloads that are asked for by name; what its settings allow where
    /// none are.
    pub workloads: Option<BTreeSet<WorkloadName>>,
    /// Exports.
    pub exports: Exports,
    /// Images, or why there are none.
    pub images: Result<Images, &'static str>,
    /// `DATABASE_URL`: a Postgres database.
    pub database: Option<Secret>,
    /// What is logged.
    pub log: log::Config,
}

/// Where HTTP is answered, and whom.
#[derive(Debug, Clone)]
pub struct Http {
    /// `WORKER_HOST`: loopback unless it is set.
    pub host: IpAddr,
    /// `WORKER_PORT`.
    pub port: u16,
    /// `API_TOKEN`.
    pub token: Option<Secret>,
}

/// Exports.
#[derive(Debug, Clone)]
pub struct Exports {
    /// Where jobs are queued.
    pub queue: QueueChoice,
    /// `EXPORT_QUEUE_NAME`.
    pub queue_name: String,
    /// `EXPORT_LEASE_SECONDS`: how long a killed worker's job waits.
    pub lease: Duration,
    /// Concurrency, deadline, grace.
    pub runner: runner::Config,
    /// Where videos and results are kept.
    pub store: store::Config,
    /// `MAX_VIDEO_UPLOAD_SIZE`, in bytes.
    pub largest_upload: u64,
    /// `DOWNLOAD_URL_TTL_SECONDS`: how long a link works.
    pub link_life: Duration,
    /// `WEBHOOK_SECRET`: who may push exports.
    pub webhook: Option<webhook::Config>,
}

/// Which queue, and how it is reached.
#[derive(Debug, Clone)]
pub enum QueueChoice {
    /// The file below [`Config::data`].
    Sqlite,
    /// `REDIS_URL`.
    BullMq(Secret),
    /// `DATABASE_URL`.
    Postgres(Secret),
}

/// A kind of work, by its name in `FLATBED_WORKLOADS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkloadName {
    /// Exports of videos.
    Exports,
    /// Images.
    Images,
}

impl FromStr for WorkloadName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "exports" | "export" => Ok(Self::Exports),
            "images" | "image" => Ok(Self::Images),
            _ => Err(format!(
                "there is no workload '{text}'; there are: exports, images"
            )),
        }
    }
}

impl fmt::Display for WorkloadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exports => "exports",
            Self::Images => "images",
        })
    }
}

impl Config {
    /// Reads it; also what is in force, for `flatbed config`.
    pub fn read(mut variables: Variables) -> Result<(Self, Vec<Setting>), Invalid> {
        let variables_ = &mut variables;
        let data: PathBuf = variables_
            .text_or("FLATBED_DATA_DIR", "flatbed-data")
            .into();
        let database = variables_.secret("DATABASE_URL");
        let http = Http::read(variables_);
        let workloads = workloads(variables_);
        let exports = Exports::read(variables_, &data, database.as_ref());
        let named = workloads.as_ref();
        let named = named.is_some_and(|names| names.contains(&WorkloadName::Images));
        let grace = exports.runner.shutdown_grace;
        let config = Self {
            images: Images::read(variables_, named, grace),
            http,
            workloads,
            exports,
            database,
            log: log::Config::read(variables_),
            data,
        };
        let settings = variables.finish()?;
        Ok((config, settings))
    }

    /// The settings of images, if they are to be made; else why not.
    pub fn images(&self) -> Result<&Images, &'static str> {
        if !self.wants(WorkloadName::Images) {
            return Err("FLATBED_WORKLOADS does not name it");
        }
        self.images.as_ref().map_err(|reason| *reason)
    }

    /// Whether a workload is to run.
    pub fn wants(&self, workload: WorkloadName) -> bool {
        self.workloads
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&workload))
    }
}

fn workloads(variables: &mut Variables) -> Option<BTreeSet<WorkloadName>> {
    let names = variables.text("FLATBED_WORKLOADS")?;
    let mut wanted = BTreeSet::new();
    for name in names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        match name.parse::<WorkloadName>() {
            Ok(workload) => {
                wanted.insert(workload);
            }
            Err(error) => variables.wrong("FLATBED_WORKLOADS", &error),
        }
    }
    Some(wanted)
}

impl Http {
    fn read(variables: &mut Variables) -> Self {
        let host = variables.text_or("WORKER_HOST", "127.0.0.1");
        let host = if host == "localhost" {
            "127.0.0.1"
        } else {
            &host
        };
        let host = host.parse().unwrap_or_else(|_| {
            let expected = format!("'{host}': expected an address, as 127.0.0.1 or 0.0.0.0");
            variables.wrong("WORKER_HOST", &expected);
            IpAddr::from([127, 0, 0, 1])
        });
        Self {
            host,
            port: variables.number("WORKER_PORT", 8001, 0..=65535),
            token: variables.secret("API_TOKEN"),
        }
    }
}

impl Exports {
    fn read(variables: &mut Variables, data: &std::path::Path, database: Option<&Secret>) -> Self {
        Self {
            queue: QueueChoice::read(variables, database),
            queue_name: variables.text_or("EXPORT_QUEUE_NAME", export::QUEUE_NAME),
            lease: variables.seconds("EXPORT_LEASE_SECONDS", Duration::from_secs(30), 1..=3600),
            runner: runner::Config::exports(variables),
            store: store::Config::s3(variables)
                .unwrap_or_else(|| store::Config::folder(data.join("store"))),
            largest_upload: variables.bytes("MAX_VIDEO_UPLOAD_SIZE", 5 << 30),
            link_life: variables.seconds(
                "DOWNLOAD_URL_TTL_SECONDS",
                Duration::from_secs(3600),
                1..=7 * 24 * 3600,
            ),
            webhook: webhook::Config::read(variables),
        }
    }
}

impl QueueChoice {
    fn read(variables: &mut Variables, database: Option<&Secret>) -> Self {
        let redis = variables.secret("REDIS_URL");
        let default = if redis.is_some() { "bullmq" } else { "sqlite" };
        let choice = variables.text_or("EXPORT_QUEUE", default);
        let needed = match (choice.as_str(), redis, database) {
            ("sqlite", ..) => return Self::Sqlite,
            ("bullmq", Some(url), _) => return Self::BullMq(url),
            ("postgres", _, Some(url)) => {
                if let Err(error) = postgres::check(url.expose()) {
                    variables.wrong("DATABASE_URL", &error);
                }
                return Self::Postgres(url.clone());
            }
            ("bullmq", ..) => ("REDIS_URL", "redis://host:6379"),
            ("postgres", ..) => (
                "DATABASE_URL",
                "postgres://user:password@host:5432/database",
            ),
            (other, ..) => {
                let expected = format!("'{other}': expected sqlite, bullmq or postgres");
                variables.wrong("EXPORT_QUEUE", &expected);
                return Self::Sqlite;
            }
        };
        let (name, example) = needed;
        variables.wrong(
            name,
            &format!("EXPORT_QUEUE={choice} needs it, as {example}"),
        );
        Self::Sqlite
    }
}
