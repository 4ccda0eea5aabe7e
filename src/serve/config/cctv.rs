//! The settings of clips of cameras.

use std::time::Duration;

use crate::client::hikvision;
use crate::config::{Secret, Variables};
use crate::queue::{packing_items, postgres};
use crate::runner;
use crate::store;
use crate::workload::cctv;

/// Clips of cameras.
#[derive(Debug, Clone)]
pub struct Cctv {
    /// How clips are made.
    pub clips: cctv::Config,
    /// The table of items.
    pub items: packing_items::Config,
    /// How patient to be with recorders.
    pub hikvision: hikvision::Config,
    /// Where clips go.
    pub store: store::Config,
    /// Concurrency, deadline, grace.
    pub runner: runner::Config,
}

impl Cctv {
    /// What is needed is an error where clips are asked for by name, and else the
    /// reason why they are off.
    pub(super) fn read(
        variables: &mut Variables,
        named: bool,
        grace: Duration,
        database: Option<&Secret>,
    ) -> Result<Self, &'static str> {
        let clips = cctv::Config::read(variables);
        let store = store::Config::gcs(variables);
        let (clips, store) = match (clips, store) {
            (Some(clips), Some(store)) => (clips, store),
            (clips, _) => {
                let (name, reason) = match clips {
                    None => ("CAMERA_ENCRYPTION_KEY", "CAMERA_ENCRYPTION_KEY is not set"),
                    Some(_) => ("GCS_BUCKET", "GCS_BUCKET is not set"),
                };
                if named {
                    variables.wrong(name, "must be set, FLATBED_WORKLOADS names cctv");
                }
                return Err(reason);
            }
        };
        if let Some(url) = database
            && let Err(error) = postgres::check(url.expose())
        {
            variables.wrong("DATABASE_URL", &error);
        }
        let items = packing_items::Config::read(variables);
        let hikvision = hikvision::Config::parse(variables);
        Ok(Self {
            clips,
            items: packing_items::Config {
                per_recorder: u32::try_from(hikvision.downloads).unwrap_or(u32::MAX),
                ..items
            },
            hikvision,
            store,
            runner: runner::Config::clips(variables, grace),
        })
    }
}
