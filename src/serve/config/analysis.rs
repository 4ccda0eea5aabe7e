//! The settings of analyses of videos.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::aws::Access;
use crate::client::models;
use crate::config::{Secret, Variables};
use crate::fetch;
use crate::job::RetryPolicy;
use crate::queue::{postgres, redis_list, sqs, webhook};
use crate::runner;
use crate::store::{self, config::Bucket, config::Place, config::Service};
use crate::workload::analysis;

/// Analyses of videos.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Steps, and what they may cost.
    pub analysis: analysis::Config,
    /// `JOB_SOURCE_TYPE`.
    pub source: JobSource,
    /// `WORKER_MAX_ATTEMPTS`.
    pub retry: RetryPolicy,
    /// `WORKER_POLL_MS`: how often an idle worker looks that was not woken.
    pub look: Duration,
    /// `ANALYSIS_LEASE_SECONDS`: how long a killed worker's job waits.
    pub lease: Duration,
    /// `STORAGE_TYPE`.
    pub storage: Storage,
    /// Buckets of which videos may be read.
    pub buckets: Vec<store::Config>,
    /// The models, or why there are none.
    pub models: Result<models::Config, &'static str>,
    /// Where else videos may be fetched from.
    pub fetch: fetch::Config,
    /// `DOWNLOAD_URL_TTL_SECONDS`: how long a link works.
    pub link_life: Duration,
    /// Concurrency, deadline, grace.
    pub runner: runner::Config,
    /// `WEBHOOK_SECRET`: who may push jobs.
    pub webhook: Option<webhook::Config>,
    /// `WEBHOOK_PORT` and `WORKER_HTTP_PORT`: further ports that answer.
    pub ports: Vec<u16>,
}

/// Where jobs come from.
#[derive(Debug, Clone)]
pub enum JobSource {
    /// A file below `FLATBED_DATA_DIR`.
    Sqlite,
    /// The database's table `jobs`.
    Postgres(Secret),
    /// A list at `REDIS_URL`.
    Redis(redis_list::Config),
    /// `AWS_SQS_QUEUE_URL`.
    Sqs(sqs::Config),
}

/// Where results are kept.
#[derive(Debug, Clone)]
pub enum Storage {
    /// All of it in a database.
    Postgres(Secret),
    /// All of it in a folder or a bucket.
    Objects(store::Config),
    /// Pictures in a folder or a bucket, the rest in a database.
    Hybrid(Secret, store::Config),
}

/// What says that somebody wants analyses.
const WANTED: [&str; 6] = [
    "JOB_SOURCE_TYPE",
    "STORAGE_TYPE",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "AWS_SQS_QUEUE_URL",
    "MAX_FRAMES_PER_VIDEO",
];

impl Analysis {
    /// `own` is where exports keep videos; `named` whether analyses are asked for by
    /// name.
    pub(super) fn read(
        variables: &mut Variables,
        named: bool,
        exports: &super::Exports,
        database: Option<&Secret>,
        fetch: &fetch::Config,
    ) -> Result<Self, &'static str> {
        let is_embedded = database.is_none() && !variables.is_set("REDIS_URL");
        if !named && !is_embedded && !WANTED.iter().any(|name| variables.is_set(name)) {
            return Err("neither JOB_SOURCE_TYPE nor STORAGE_TYPE nor OPENAI_API_KEY is set");
        }
        let own = exports.store.clone();
        let analysis = analysis::Config::read(variables);
        let attempts = variables.number("WORKER_MAX_ATTEMPTS", 3, 1..=100);
        let source = JobSource::read(variables, database, attempts);
        let models = models::Config::read(variables).ok_or("OPENAI_API_KEY is not set");
        let at_once = match &source {
            JobSource::Sqs(config) => config.at_once,
            _ => NonZeroUsize::MIN,
        };
        let dev = variables.switch("WORKER_DEV_HTTP", false);
        let mut ports = Vec::new();
        if dev {
            ports.push(variables.number("WORKER_HTTP_PORT", 8000, 1..=65535));
        }
        if variables.is_set("WEBHOOK_PORT") {
            ports.push(variables.number("WEBHOOK_PORT", 8080, 1..=65535));
        }
        Ok(Self {
            buckets: buckets(variables, &analysis.sources.buckets, &own),
            storage: Storage::read(variables, database, own),
            retry: RetryPolicy {
                attempts,
                ..RetryPolicy::default()
            },
            look: variables.millis(
                "WORKER_POLL_MS",
                Duration::from_millis(1500),
                10..=3_600_000,
            ),
            lease: variables.seconds("ANALYSIS_LEASE_SECONDS", Duration::from_secs(30), 1..=3600),
            fetch: fetch.clone(),
            link_life: exports.link_life,
            runner: runner::Config {
                concurrency: variables.number("ANALYSIS_CONCURRENCY", at_once, 1..=256),
                deadline: variables.seconds(
                    "ANALYSIS_TIMEOUT_SECONDS",
                    Duration::from_secs(6 * 3600),
                    1..=7 * 24 * 3600,
                ),
                shutdown_grace: exports.runner.shutdown_grace,
            },
            webhook: exports.webhook.clone(),
            models,
            source,
            analysis,
            ports,
        })
    }
}

impl JobSource {
    fn read(variables: &mut Variables, database: Option<&Secret>, attempts: u32) -> Self {
        let default = if database.is_some() {
            "postgres"
        } else {
            "sqlite"
        };
        let choice = variables.text_or("JOB_SOURCE_TYPE", default);
        let (name, example) = match choice.as_str() {
            "sqlite" => return Self::Sqlite,
            "postgres" => match postgres(variables, database) {
                Some(url) => return Self::Postgres(url),
                None => (
                    "DATABASE_URL",
                    "postgres://user:password@host:5432/database",
                ),
            },
            // Pushed jobs are kept before they are answered.
            "webhook" => {
                if !variables.is_set("WEBHOOK_SECRET") {
                    variables.wrong("WEBHOOK_SECRET", "JOB_SOURCE_TYPE=webhook needs it");
                }
                return postgres(variables, database).map_or(Self::Sqlite, Self::Postgres);
            }
            "sqs" => match sqs::Config::analysis(variables) {
                Some(config) => return Self::Sqs(config),
                None => (
                    "AWS_SQS_QUEUE_URL",
                    "https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
                ),
            },
            "redis" => match redis_list::Config::analyses(variables, attempts) {
                Some(config) => return Self::Redis(config),
                None => ("REDIS_URL", "redis://host:6379"),
            },
            other => {
                let expected = "expected postgres, sqs, webhook, redis or sqlite";
                variables.wrong("JOB_SOURCE_TYPE", &format!("'{other}': {expected}"));
                return Self::Sqlite;
            }
        };
        variables.wrong(
            name,
            &format!("JOB_SOURCE_TYPE={choice} needs it, as {example}"),
        );
        Self::Sqlite
    }
}

impl Storage {
    fn read(variables: &mut Variables, database: Option<&Secret>, own: store::Config) -> Self {
        let default = if database.is_some() {
            "postgres"
        } else {
            "local"
        };
        let choice = variables.text_or("STORAGE_TYPE", default);
        let needs = |variables: &mut Variables, name: &'static str| {
            variables.wrong(name, &format!("STORAGE_TYPE={choice} needs it"));
        };
        match choice.as_str() {
            "local" => Self::Objects(own),
            "s3" => {
                if !is_bucket(&own) {
                    needs(variables, "AWS_S3_BUCKET");
                }
                Self::Objects(own)
            }
            "postgres" | "hybrid" => {
                let Some(url) = postgres(variables, database) else {
                    needs(variables, "DATABASE_URL");
                    return Self::Objects(own);
                };
                if choice == "postgres" {
                    return Self::Postgres(url);
                }
                one_of(variables, "METADATA_STORAGE", "postgres", &["postgres"]);
                let files = one_of(variables, "FILE_STORAGE", "s3", &["s3", "local"]);
                if files == "s3" && !is_bucket(&own) {
                    needs(variables, "AWS_S3_BUCKET");
                }
                Self::Hybrid(url, own)
            }
            other => {
                let expected = "expected postgres, s3, hybrid or local";
                variables.wrong("STORAGE_TYPE", &format!("'{other}': {expected}"));
                Self::Objects(own)
            }
        }
    }
}

fn one_of(variables: &mut Variables, name: &'static str, default: &str, known: &[&str]) -> String {
    let choice = variables.text_or(name, default);
    if !known.contains(&choice.as_str()) {
        let expected = known.join(" or ");
        variables.wrong(name, &format!("'{choice}': expected {expected}"));
    }
    choice
}

fn postgres(variables: &mut Variables, database: Option<&Secret>) -> Option<Secret> {
    let url = database?;
    if let Err(error) = postgres::check(url.expose()) {
        variables.wrong("DATABASE_URL", &error);
    }
    Some(url.clone())
}

fn is_bucket(store: &store::Config) -> bool {
    matches!(store.place, Place::Bucket(_))
}

/// Stores of the buckets that videos may be read of, by keys as a URL has them.
fn buckets(variables: &mut Variables, named: &[String], own: &store::Config) -> Vec<store::Config> {
    let own_bucket = match &own.place {
        Place::Bucket(bucket) => Some(bucket.as_ref().clone()),
        Place::Folder(_) => None,
    };
    if own_bucket.is_none() && named.is_empty() {
        return Vec::new();
    }
    let like = own_bucket.clone().unwrap_or_else(|| {
        let Access {
            region,
            keys,
            identity,
        } = Access::read(variables);
        Bucket {
            service: Service::S3,
            name: String::new(),
            region,
            endpoint: variables.text("S3_ENDPOINT"),
            keys,
            identity,
            prefix: None,
        }
    });
    let own_name = own_bucket.map(|bucket| bucket.name);
    let names = own_name.into_iter().chain(named.iter().cloned());
    names
        .map(|name| store::Config {
            place: Place::Bucket(Box::new(Bucket {
                name,
                prefix: None,
                ..like.clone()
            })),
            public: None,
            temp_dir: own.temp_dir.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Invalid;

    fn read(
        set: &[(&'static str, &'static str)],
        named: bool,
    ) -> Result<Result<Analysis, &'static str>, Invalid> {
        let mut variables = Variables::of(set.iter().copied());
        let database = variables.secret("DATABASE_URL");
        let exports =
            super::super::Exports::read(&mut variables, Path::new("data"), database.as_ref());
        let fetch = fetch::Config::default();
        let database = database.as_ref();
        let analysis = Analysis::read(&mut variables, named, &exports, database, &fetch);
        variables.finish().map(|_| analysis)
    }

    const DATABASE: (&str, &str) = ("DATABASE_URL", "postgres://u:p@localhost/videoqa");

    #[test]
    fn nothing_set_is_embedded_and_others_are_not_disturbed() {
        let analysis = read(&[], false).unwrap().unwrap();
        assert!(matches!(analysis.source, JobSource::Sqlite));
        assert!(matches!(analysis.storage, Storage::Objects(_)));
        assert!(analysis.models.is_err());
        assert!(
            read(&[DATABASE], false).unwrap().is_err(),
            "it may be there for exports"
        );
    }

    #[test]
    fn the_document_s_quick_start() {
        let analysis = read(&[DATABASE, ("OPENAI_API_KEY", "sk-1")], false)
            .unwrap()
            .unwrap();
        assert!(matches!(analysis.source, JobSource::Postgres(_)));
        assert!(matches!(analysis.storage, Storage::Postgres(_)));
        assert!(analysis.models.is_ok());
        assert_eq!(analysis.retry.attempts, 3);
        let sqs = [
            DATABASE,
            ("JOB_SOURCE_TYPE", "sqs"),
            (
                "AWS_SQS_QUEUE_URL",
                "https://sqs.us-east-1.amazonaws.com/1/jobs",
            ),
            ("SQS_MAX_MESSAGES", "2"),
            ("STORAGE_TYPE", "hybrid"),
            ("METADATA_STORAGE", "postgres"),
            ("FILE_STORAGE", "s3"),
            ("AWS_S3_BUCKET", "bucket"),
            ("AWS_REGION", "us-east-1"),
            ("S3_PREFIX", "video-processing/"),
        ];
        let analysis = read(&sqs, false).unwrap().unwrap();
        assert!(matches!(analysis.source, JobSource::Sqs(_)));
        assert!(matches!(analysis.storage, Storage::Hybrid(..)));
        assert_eq!(analysis.runner.concurrency.get(), 2);
        assert_eq!(analysis.buckets.len(), 1);
    }

    #[test]
    fn what_is_missing_is_named() {
        for (set, name) in [
            (&[("JOB_SOURCE_TYPE", "postgres")][..], "DATABASE_URL"),
            (&[("JOB_SOURCE_TYPE", "sqs")], "AWS_SQS_QUEUE_URL"),
            (&[("JOB_SOURCE_TYPE", "redis")], "REDIS_URL"),
            (&[("JOB_SOURCE_TYPE", "webhook")], "WEBHOOK_SECRET"),
            (&[("JOB_SOURCE_TYPE", "kafka")], "JOB_SOURCE_TYPE"),
            (&[("STORAGE_TYPE", "s3")], "AWS_S3_BUCKET"),
            (&[("STORAGE_TYPE", "hybrid")], "DATABASE_URL"),
            (&[("STORAGE_TYPE", "tape")], "STORAGE_TYPE"),
        ] {
            let error = read(set, false).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
