//! Images that are asked for over HTTP and are not made at once: an upload, or what is
//! at an address, becomes WebP in the store.
//!
//! | file | what it does |
//! |---|---|
//! | [`options`] | what is asked of an image |
//! | [`leftovers`] | what nobody fetched is removed after a while |
//!
//! All of job `7f…` is at `image-jobs/7f…/`: the upload as `source` until the image is
//! made, and `image.webp`. A second run of the job writes the same over it.

pub mod leftovers;
pub mod options;

use async_trait::async_trait;
use flatbed_media::Input;
use flatbed_media::image::{self, Options, Report};
use serde::{Deserialize, Serialize};

use self::options::Fields;
use super::image::{Failure, Optimiser};
use crate::fetch::{Fetcher, Request};
use crate::job::{Job, JobId, Outcome};
use crate::runner::{JobContext, Workload};
use crate::store::{self, Describe, InvalidKey, Key, Store};
use crate::telemetry::Stage;

/// What jobs of this kind are called in the queue.
pub const JOB_NAME: &str = "image";

/// The queue's name where `IMAGE_API_QUEUE_NAME` gives none.
pub const QUEUE_NAME: &str = "flatbed-images";

/// All uploads and results are below it.
pub const PREFIX: &str = "image-jobs";

/// The names of a job's objects.
const SOURCE: &str = "source";
const RESULT: &str = "image.webp";

/// What a job brings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conversion {
    /// Where the image is; what was uploaded is in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of an upload that may be sent again: its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What it is called in messages.
    pub name: String,
    /// What is asked of it.
    #[serde(default)]
    pub options: Fields,
}

/// What came of a job; its return value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Where the WebP is in the store.
    pub key: Key,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The pictures: 1 unless it is an animation.
    pub frames: u64,
    /// Its size.
    pub bytes: u64,
    /// What a person should know.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// The workload. Clones share what it uses.
#[derive(Debug, Clone)]
pub struct ImageApi {
    /// Where uploads are, and where results go.
    pub store: Store,
    /// Goes where addresses lead.
    pub fetcher: Fetcher,
    /// Makes WebP.
    pub optimiser: Optimiser,
}

#[async_trait]
impl Workload for ImageApi {
    fn name(&self) -> &'static str {
        "image_api"
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        let done = tokio::select! {
            done = self.convert(&job, &context) => done,
            () = context.stopped() => Err(Failure::Stopped),
        };
        match done {
            Ok(made) => Outcome::Done(serde_json::to_value(made).unwrap_or_default()),
            Err(failure) => failure.end(&context).await,
        }
    }

    async fn clean_up(&self, job: &JobId) {
        self.remove(job).await;
    }
}

impl ImageApi {
    async fn convert(&self, job: &Job, context: &JobContext) -> Result<Made, Failure> {
        let conversion: Conversion = job
            .parse()
            .map_err(|error| Failure::Order(error.to_string()))?;
        let options = options::check(&conversion.options).map_err(Failure::Order)?;
        let result = result(&job.id)?;
        let Some(bytes) = context
            .stage(Stage::Fetch, self.source(&job.id, &conversion))
            .await?
        else {
            return self.made_before(result).await;
        };
        let input = Input::bytes(&conversion.name, bytes);
        let (webp, report) = self.make(input, options, context).await?;
        let stored = self.keep(&result, webp);
        context.stage(Stage::Store, stored).await?;
        if conversion.url.is_none() {
            self.store.delete(&source(&job.id)?).await?;
        }
        context.metrics().bytes_out(report.bytes_out);
        Ok(Made {
            key: result,
            width: report.width,
            height: report.height,
            frames: report.frames,
            bytes: report.bytes_out,
            notes: report.notes,
        })
    }

    /// The image as WebP, with what it cost among the metrics.
    pub async fn make(
        &self,
        input: Input,
        options: Options,
        context: &JobContext,
    ) -> Result<(Vec<u8>, Report), Failure> {
        let made = self.optimiser.make(input, options, context);
        let (webp, report) = context.stage(Stage::Engine, made).await?;
        context.metrics().bytes_in(report.bytes_in);
        context.metrics().frames(0, report.frames);
        Ok((webp, report))
    }

    /// All of the image; `None` if an attempt before this one made it, and ended before
    /// that was written down.
    async fn source(
        &self,
        job: &JobId,
        conversion: &Conversion,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let most = self.optimiser.limits().image.max_bytes;
        if let Some(url) = &conversion.url {
            let download = self.fetcher.get(&Request::new(url, most)).await?;
            return Ok(Some(download.bytes().await?));
        }
        match self.store.get_within(&source(job)?, most).await {
            Ok(Some(bytes)) => Ok(Some(bytes.into())),
            Ok(None) => Err(Failure::TooLarge(most)),
            Err(store::Error::Absent { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn made_before(&self, key: Key) -> Result<Made, Failure> {
        let webp = match self.store.get(&key).await {
            Err(store::Error::Absent { .. }) => {
                let gone = "what was uploaded is not there any more";
                return Err(Failure::Source(gone.to_owned()));
            }
            webp => webp?,
        };
        let limits = self.optimiser.limits().clone();
        let context = flatbed_media::Context::new().with_limits(limits);
        let facts = image::probe(&webp, RESULT, &context)?;
        Ok(Made {
            key,
            width: facts.width,
            height: facts.height,
            frames: facts.frames,
            bytes: u64::try_from(webp.len()).unwrap_or(u64::MAX),
            notes: Vec::new(),
        })
    }

    async fn keep(&self, key: &Key, webp: Vec<u8>) -> Result<(), Failure> {
        let describe = Describe {
            media_type: Some("image/webp".to_owned()),
            ..Describe::default()
        };
        self.store.put(key, webp, describe).await?;
        Ok(())
    }

    /// Removes whatever is there of a job.
    pub async fn remove(&self, job: &JobId) {
        let removed = match folder(job) {
            Ok(folder) => self.store.delete_all(&folder).await,
            Err(_) => return,
        };
        if let Err(error) = removed {
            tracing::warn!(%job, %error, "files of an image job may be left in the store");
        }
    }
}

fn folder(job: &JobId) -> Result<Key, InvalidKey> {
    format!("{PREFIX}/{job}").parse()
}

/// Where a job's upload is.
pub fn source(job: &JobId) -> Result<Key, InvalidKey> {
    folder(job)?.join(SOURCE)
}

fn result(job: &JobId) -> Result<Key, InvalidKey> {
    folder(job)?.join(RESULT)
}
