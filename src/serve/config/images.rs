//! The settings of images that a backend orders.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use url::Url;

use crate::client::callback;
use crate::config::Variables;
use crate::fetch;
use crate::queue::redis_list;
use crate::runner;
use crate::store;
use crate::workload::image;

/// The most time that an image's download gets; `FETCH_TIMEOUT_SECONDS` may say less.
pub(super) const LONGEST_DOWNLOAD: Duration = Duration::from_secs(120);

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// Images that a backend orders.
#[derive(Debug, Clone)]
pub struct Images {
    /// How images are made.
    pub images: image::Config,
    /// The list of jobs.
    pub queue: redis_list::Config,
    /// Who orders them.
    pub backend: callback::Config,
    /// Where they are, and where results go.
    pub store: store::Config,
    /// `R2_PUBLIC_URL`: where the public reads the same.
    pub public: Url,
    /// Where else images may be fetched from.
    pub fetch: fetch::Config,
    /// Concurrency, deadline, grace.
    pub runner: runner::Config,
}

impl Images {
    /// What is needed is an error where images are asked for by name, and else the
    /// reason why they are off.
    pub(super) fn read(
        variables: &mut Variables,
        named: bool,
        grace: Duration,
        costs: image::Costs,
        fetch: &fetch::Config,
    ) -> Result<Self, &'static str> {
        let needed = [
            (&["BACKEND_URL"][..], "BACKEND_URL is not set"),
            (&["REDIS_URI", "REDIS_URL"], "REDIS_URI is not set"),
            (&["R2_BUCKET"], "R2_BUCKET is not set"),
            (&["R2_PUBLIC_URL"], "R2_PUBLIC_URL is not set"),
        ];
        let mut missing = None;
        for (names, reason) in needed {
            if names.iter().any(|name| variables.is_set(name)) {
                continue;
            }
            if let (true, [name, ..]) = (named, names) {
                variables.wrong(name, "must be set, FLATBED_WORKLOADS names images");
            }
            missing = missing.or(Some(reason));
        }
        if let Some(reason) = missing {
            return Err(reason);
        }
        let (backend, queue, store) = (
            callback::Config::read(variables),
            redis_list::Config::images(variables),
            store::Config::r2(variables),
        );
        let (Some(backend), Some(queue), Some(store)) = (backend, queue, store) else {
            return Err("a setting is missing");
        };
        // What is no address was told already.
        let public = store.public.as_deref().and_then(|url| Url::parse(url).ok());
        let public = public.ok_or("R2_PUBLIC_URL is no address")?;
        let cores = available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let runner = runner::Config {
            // While one is on its way, another is in the engine.
            concurrency: variables.number("IMAGE_CONCURRENCY", cores.saturating_mul(TWO), 1..=256),
            deadline: variables.seconds(
                "IMAGE_TIMEOUT_SECONDS",
                Duration::from_secs(900),
                1..=24 * 3600,
            ),
            shutdown_grace: grace,
        };
        Ok(Self {
            images: image::Config::read(variables, costs),
            fetch: fetch::Config {
                total: fetch.total.min(LONGEST_DOWNLOAD),
                ..fetch.clone()
            },
            queue,
            backend,
            store,
            public,
            runner,
        })
    }
}
