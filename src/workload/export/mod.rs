//! Exports: a video through a list of operations, into the store.
//!
//! | file | what it does |
//! |---|---|
//! | [`operations`] | what a list of operations must be, and which images it names |
//! | `results.rs` | the files, and how they get into the store |
//!
//! The files of export `7f…` are at `exports/7f…/video.mp4`, `thumbnail-1.jpg` and
//! so on: a second run of the job writes the same over them.

pub mod operations;
mod results;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use flatbed_media::render::{self, Operation, Options, Outputs, Report};
use flatbed_media::{Error as Engine, Input};
use serde::{Deserialize, Serialize};

pub use results::{File, Files, Kind, PREFIX};

use crate::catalogue::{Catalogue, Video};
use crate::job::{Job, JobId, Outcome};
use crate::runner::verdict::{self, Fault};
use crate::runner::{JobContext, Workload};
use crate::store::{self, Store};
use crate::telemetry::Stage;

/// What jobs of this kind are called in the queue.
pub const JOB_NAME: &str = "export";

/// The queue's name where `EXPORT_QUEUE_NAME` gives none.
pub const QUEUE_NAME: &str = "video-processing";

/// What a job brings, as the API or a Node producer writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// The video's id.
    pub video_id: String,
    /// What to do with it, in this order.
    pub operations: serde_json::Value,
}

/// The workload.
pub struct Exports {
    /// Which videos there are.
    pub catalogue: Catalogue,
    /// Where they are, and where results go.
    pub store: Store,
}

#[async_trait]
impl Workload for Exports {
    fn name(&self) -> &'static str {
        "export"
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        match self.export(&job, &context).await {
            Ok(files) => Outcome::Done(serde_json::to_value(files).unwrap_or_default()),
            Err(error) => outcome(&error),
        }
    }

    async fn clean_up(&self, job: &JobId) {
        results::remove(&self.store, job).await;
    }
}

/// A store's error inside an engine's is the store's fault and not the input's.
fn outcome(error: &anyhow::Error) -> Outcome {
    let store = error.chain().find_map(|cause| store::Error::within(cause));
    match store {
        Some(store::Error::Cancelled { .. }) => Outcome::Cancelled,
        Some(store::Error::Absent { .. }) => Outcome::reject(format!("{error:#}")),
        Some(_) => Outcome::retry(format!("{error:#}")),
        None => verdict::of(error),
    }
}

impl Exports {
    async fn export(&self, job: &Job, context: &JobContext) -> anyhow::Result<Files> {
        let (export, operations) = parse(job)?;
        let (video, source, images) = context
            .stage(Stage::Fetch, self.open(&export, &operations, context))
            .await?;
        let scratch = self.store.scratch(video.bytes).await?;
        let report = context
            .stage(
                Stage::Engine,
                render(context, source, operations, images, scratch.folder()),
            )
            .await?;
        context.metrics().bytes_in(video.bytes);
        context
            .metrics()
            .frames(report.frames_copied, report.frames_encoded);
        context
            .stage(
                Stage::Store,
                results::upload(&self.store, &job.id, &report, context),
            )
            .await
    }

    /// The video, and the images of watermarks by their names.
    async fn open(
        &self,
        export: &Export,
        operations: &[Operation],
        context: &JobContext,
    ) -> anyhow::Result<(Video, Input, Images)> {
        let id = &export.video_id;
        let video = self.catalogue.find(id).await?;
        let video = video.ok_or_else(|| fault(format!("videoId: there is no video {id:?}")))?;
        video.check_operations().map_err(fault)?;
        let mut images = Images::new();
        for name in operations::images(operations) {
            let image = self.image(name).await?;
            images.insert(name.to_owned(), image);
        }
        let source = self.store.input(&video.key, context.cancel()).await?;
        let source = source.called(video.shown_name());
        Ok((video, source, images))
    }

    async fn image(&self, name: &str) -> anyhow::Result<Arc<[u8]>> {
        let key = self.catalogue.image(name).await?;
        let key = key.ok_or_else(|| fault(format!("watermark: there is no image {name:?}")))?;
        let bytes = self.store.head(&key).await?.bytes;
        if bytes > LARGEST_IMAGE {
            return Err(fault(format!(
                "watermark: the image {name:?} has {bytes} bytes, more than {LARGEST_IMAGE}"
            )));
        }
        Ok(self.store.get(&key).await?.as_ref().into())
    }
}

/// The images of watermarks, by their names.
type Images = HashMap<String, Arc<[u8]>>;

/// Bytes of a watermark's image: it is held in memory.
const LARGEST_IMAGE: u64 = 32 << 20;

fn parse(job: &Job) -> anyhow::Result<(Export, Vec<Operation>)> {
    let export: Export = job
        .parse()
        .context("the job's data")
        .context(Fault::Input)?;
    let operations = operations::check(&export.operations).map_err(fault)?;
    Ok((export, operations))
}

fn fault(reason: impl Into<String>) -> anyhow::Error {
    anyhow!(reason.into()).context(Fault::Input)
}

/// Into files: they go into the store when all of them are whole.
async fn render(
    context: &JobContext,
    source: Input,
    operations: Vec<Operation>,
    images: Images,
    folder: &Path,
) -> anyhow::Result<Report> {
    let folder = folder.to_owned();
    let find = move |name: &str| match images.get(name) {
        Some(image) => Ok(Input::bytes(name, Arc::clone(image))),
        None => Err(Engine::malformed(name, "there is no such image")),
    };
    let done = context.engine(move |context| {
        render::render(
            source,
            &operations,
            Outputs::folder(folder),
            &Options::default().with_images(find),
            context,
        )
    });
    Ok(done.await?)
}
