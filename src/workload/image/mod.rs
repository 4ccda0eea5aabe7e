//! Images: a photo becomes a small WebP in the bucket, and the backend that ordered it
//! hears of it.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | the settings |
//! | `order.rs` | what a message must be; where the result goes |
//! | [`optimise`] | the image becomes WebP; images by HTTP go the same way |
//! | [`source`] | the image's bytes: from the bucket, or from its address |
//! | [`failure`] | why there is no image, what becomes of the job, what the backend is told |
//!
//! The result of `raw/1234-abc.jpg` is at `optimized/1234-abc-optimized.webp`: a second
//! run writes the same over it, and says the same of it.

pub mod config;
pub mod failure;
pub mod optimise;
mod order;
pub mod source;

use std::time::Duration;

use async_trait::async_trait;
use flatbed_media::Input;
use flatbed_media::image::Report;
use serde::Serialize;
use tokio::time::sleep;

pub use config::{Config, SourceChoice};
pub use failure::Failure;
use failure::OUTAGE;
pub use optimise::{Costs, Optimiser};
pub use source::Sources;

use crate::client::callback::{self, Backend, ImageJob, ImageJobId, Status, Update};
use crate::job::{Job, JobId, Outcome};
use crate::runner::{JobContext, Workload};
use crate::store::{Describe, Key, Store};
use crate::telemetry::Stage;

/// The workload.
pub struct Images {
    backend: Backend,
    sources: Sources,
    store: Store,
    config: Config,
    optimiser: Optimiser,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    #[serde(rename = "outputImageURL")]
    url: String,
    #[serde(rename = "outputImageKey")]
    key: Key,
    width: u32,
    height: u32,
    notes: Vec<String>,
}

impl Images {
    /// The workload, with threads for the engine.
    ///
    /// # Errors
    /// Where no threads can be started.
    pub async fn new(
        backend: Backend,
        sources: Sources,
        store: Store,
        config: Config,
    ) -> flatbed_media::Result<Self> {
        let optimiser = Optimiser::new(&config.costs).await?;
        Ok(Self {
            backend,
            sources,
            store,
            config,
            optimiser,
        })
    }
}

#[async_trait]
impl Workload for Images {
    fn name(&self) -> &'static str {
        "image"
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        let done = tokio::select! {
            done = self.image(&job, &context) => done,
            () = context.stopped() => Err(Failure::Stopped),
        };
        match done {
            Ok(Some(made)) => Outcome::Done(serde_json::to_value(made).unwrap_or_default()),
            Ok(None) => Outcome::Done(serde_json::Value::Null),
            Err(failure) => failure.end(&context).await,
        }
    }

    async fn failed(&self, _job: &JobId, payload: &[u8], reason: &str, context: &JobContext) {
        let (Ok(id), Some(message)) = (order::parse(payload), failure::public(reason)) else {
            return;
        };
        loop {
            match self.say_failed(&id, &message, context).await {
                Ok(()) | Err(callback::Error::Absent { .. }) => return,
                Err(error) if error.is_about_all_jobs() => sleep(OUTAGE).await,
                Err(error) => {
                    tracing::error!(%id, %error, "the backend was not told that the image failed");
                    return;
                }
            }
        }
    }
}

impl Images {
    /// `None` if it was made before.
    async fn image(&self, job: &Job, context: &JobContext) -> Result<Option<Made>, Failure> {
        let id = order::parse(&job.payload)?;
        let ordered = self.backend.job(&id).await?;
        match ordered.status {
            Status::Completed => return Ok(None),
            // Told by an attempt that ended before that was settled. Where this is the
            // first attempt, somebody wants it anew.
            Status::Failed if job.attempt > 1 => return Err(Failure::Ended),
            _ => {}
        }
        let key = order::result_key(&self.config.prefix, &id, &ordered)?;
        self.say(&id, &Update::Processing, context).await?;
        let image = context
            .stage(Stage::Fetch, self.sources.get(&ordered))
            .await?;
        let (webp, report) = context
            .stage(Stage::Engine, self.make(&id, &ordered, image, context))
            .await?;
        let url = context.stage(Stage::Store, self.keep(&key, webp)).await?;
        context.metrics().bytes_in(report.bytes_in);
        context.metrics().bytes_out(report.bytes_out);
        let completed = Update::Completed {
            output_image_url: &url,
            output_image_key: key.as_str(),
        };
        match self.say(&id, &completed, context).await {
            Err(callback::Error::Absent { .. }) => {
                // Whoever deleted the job has deleted what there was then.
                self.store.delete(&key).await?;
                return Err(Failure::Deleted);
            }
            said => said?,
        }
        Ok(Some(Made {
            url,
            key,
            width: report.width,
            height: report.height,
            notes: report.notes,
        }))
    }

    async fn make(
        &self,
        id: &ImageJobId,
        ordered: &ImageJob,
        image: Vec<u8>,
        context: &JobContext,
    ) -> Result<(Vec<u8>, Report), Failure> {
        let input = Input::bytes(order::shown_name(id, ordered), image);
        let options = self.config.options.clone();
        Ok(self.optimiser.make(input, options, context).await?)
    }

    /// Puts it into the bucket; where anybody can fetch it.
    async fn keep(&self, key: &Key, webp: Vec<u8>) -> Result<String, Failure> {
        let describe = Describe {
            media_type: Some("image/webp".to_owned()),
            cache_control: Some(self.config.cache_control.clone()),
            ..Describe::default()
        };
        self.store.put(key, webp, describe).await?;
        let link = self.store.link(key, Duration::ZERO, None).await?;
        Ok(link.url)
    }

    async fn say(
        &self,
        id: &ImageJobId,
        update: &Update<'_>,
        context: &JobContext,
    ) -> callback::Result<()> {
        self.backend
            .update(id, update, || context.lease_held())
            .await
    }

    /// Unless the job has come to an end otherwise.
    async fn say_failed(
        &self,
        id: &ImageJobId,
        message: &str,
        context: &JobContext,
    ) -> callback::Result<()> {
        let now = self.backend.job(id).await?.status;
        if matches!(now, Status::Completed | Status::Failed) {
            return Ok(());
        }
        let failed = Update::Failed { error_msg: message };
        self.say(id, &failed, context).await
    }
}
