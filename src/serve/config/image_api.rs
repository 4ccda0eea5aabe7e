//! The settings of images over HTTP. What they share with exports (store, kind of
//! queue, lease, life of links) is said there.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use super::images::LONGEST_DOWNLOAD;
use crate::config::Variables;
use crate::fetch;
use crate::http::images::desk;
use crate::runner;
use crate::workload::image::Costs;
use crate::workload::image_api::QUEUE_NAME;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Images over HTTP.
#[derive(Debug, Clone)]
pub struct ImageApi {
    /// `IMAGE_API_QUEUE_NAME`.
    pub queue_name: String,
    /// What images may cost.
    pub costs: Costs,
    /// What is taken on at once.
    pub desk: desk::Config,
    /// Where images may be fetched from.
    pub fetch: fetch::Config,
    /// Concurrency, deadline, grace.
    pub runner: runner::Config,
    /// `IMAGE_API_KEEP_DAYS`: how long results are kept; `None` is for ever.
    pub keep: Option<Duration>,
}

impl ImageApi {
    pub(super) fn read(
        variables: &mut Variables,
        grace: Duration,
        costs: Costs,
        fetch: &fetch::Config,
    ) -> Self {
        let cores = available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let days = variables.number("IMAGE_API_KEEP_DAYS", 7_u32, 0..=36_500);
        Self {
            queue_name: variables.text_or("IMAGE_API_QUEUE_NAME", QUEUE_NAME),
            desk: desk::Config::read(variables),
            fetch: fetch::Config {
                total: fetch.total.min(LONGEST_DOWNLOAD),
                ..fetch.clone()
            },
            runner: runner::Config {
                concurrency: variables.number("IMAGE_API_CONCURRENCY", cores, 1..=256),
                // The engine takes a minute at most.
                deadline: LONGEST_DOWNLOAD * 3,
                shutdown_grace: grace,
            },
            keep: (days > 0).then(|| DAY * days),
            costs,
        }
    }
}
