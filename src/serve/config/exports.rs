//! The settings of exports.

use std::path::Path;
use std::time::Duration;

use crate::config::{Secret, Variables};
use crate::queue::{postgres, webhook};
use crate::runner;
use crate::store;
use crate::workload::export;

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
    /// The file below [`Config::data`](super::Config::data).
    Sqlite,
    /// `REDIS_URL`.
    BullMq(Secret),
    /// `DATABASE_URL`.
    Postgres(Secret),
}

impl Exports {
    pub(super) fn read(variables: &mut Variables, data: &Path, database: Option<&Secret>) -> Self {
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
