//! What `flatbed serve` reads from its environment: each module's part, put
//! together, and all that is wrong told at once.
//!
//! | file | what it does |
//! |---|---|
//! | `access.rs` | people on their way to the gates |
//! | `exports.rs` | exports, and their queue |
//! | `cctv.rs` | clips of cameras |
//! | `images.rs` | images that a backend orders |
//! | `image_api.rs` | images over HTTP |
//! | `analysis.rs` | analyses of videos |

mod access;
mod analysis;
mod cctv;
mod exports;
mod image_api;
mod images;

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use crate::config::{Invalid, Secret, Setting, Variables};
use crate::fetch;
use crate::telemetry::log;
use crate::workload::image::Costs;

pub use self::access::Access;
pub use self::analysis::{Analysis, JobSource, Storage};
pub use self::cctv::Cctv;
pub use self::exports::{Exports, QueueChoice};
pub use self::image_api::ImageApi;
pub use self::images::Images;

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
    /// Clips of cameras; an error says why they are off.
    pub cctv: Result<Cctv, &'static str>,
    /// Images over HTTP.
    pub image_api: ImageApi,
    /// Images that a backend orders, or why there are none.
    pub images: Result<Images, &'static str>,
    /// Analyses of videos, or why there are none.
    pub analysis: Result<Analysis, &'static str>,
    /// People on their way to the gates, or why there are none.
    pub access: Result<Access, &'static str>,
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

/// A kind of work, by its name in `FLATBED_WORKLOADS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkloadName {
    /// Exports of videos.
    Exports,
    /// Clips of cameras.
    Cctv,
    /// Images over HTTP.
    ImageApi,
    /// Images that a backend orders.
    Images,
    /// Analyses of videos.
    Analysis,
    /// People on their way to the gates.
    Access,
}

impl FromStr for WorkloadName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "exports" | "export" => Ok(Self::Exports),
            "cctv" => Ok(Self::Cctv),
            "image-api" | "image_api" => Ok(Self::ImageApi),
            "images" | "image" => Ok(Self::Images),
            "analysis" => Ok(Self::Analysis),
            "access" => Ok(Self::Access),
            _ => Err(format!(
                "there is no workload '{text}'; there are: exports, cctv, image-api, images, \
                 analysis, access"
            )),
        }
    }
}

impl fmt::Display for WorkloadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exports => "exports",
            Self::Cctv => "cctv",
            Self::ImageApi => "image-api",
            Self::Images => "images",
            Self::Analysis => "analysis",
            Self::Access => "access",
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
        let named = |name| {
            workloads
                .as_ref()
                .is_some_and(|named| named.contains(&name))
        };
        let grace = exports.runner.shutdown_grace;
        let costs = Costs::read(variables_);
        let fetch = fetch::Config::parse(variables_);
        let config = Self {
            cctv: Cctv::read(
                variables_,
                named(WorkloadName::Cctv),
                grace,
                database.as_ref(),
            ),
            image_api: ImageApi::read(variables_, grace, costs.clone(), &fetch),
            images: Images::read(
                variables_,
                named(WorkloadName::Images),
                grace,
                costs,
                &fetch,
            ),
            analysis: Analysis::read(
                variables_,
                named(WorkloadName::Analysis),
                &exports,
                database.as_ref(),
                &fetch,
            ),
            access: Access::read(variables_, named(WorkloadName::Access), grace, &fetch),
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

    /// The settings of clips, if they are to be made; else why not.
    pub fn clips(&self) -> Result<&Cctv, &'static str> {
        if !self.wants(WorkloadName::Cctv) {
            return Err("FLATBED_WORKLOADS does not name it");
        }
        self.cctv.as_ref().map_err(|reason| *reason)
    }

    /// The settings of images, if they are to be made; else why not.
    pub fn images(&self) -> Result<&Images, &'static str> {
        if !self.wants(WorkloadName::Images) {
            return Err("FLATBED_WORKLOADS does not name it");
        }
        self.images.as_ref().map_err(|reason| *reason)
    }

    /// The settings of analyses, if they are to be made; else why not.
    pub fn analyses(&self) -> Result<&Analysis, &'static str> {
        if !self.wants(WorkloadName::Analysis) {
            return Err("FLATBED_WORKLOADS does not name it");
        }
        self.analysis.as_ref().map_err(|reason| *reason)
    }

    /// The settings of access, if it is on; else why not.
    pub fn access(&self) -> Result<&Access, &'static str> {
        if !self.wants(WorkloadName::Access) {
            return Err("FLATBED_WORKLOADS does not name it");
        }
        self.access.as_ref().map_err(|reason| *reason)
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
