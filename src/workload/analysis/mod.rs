//! Analysis: what is seen and said in a video, to be searched.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | which steps are on, and what they may cost |
//! | [`order`] | what a job brings |
//! | [`source`] | where a video is, and how the engine gets it |
//! | `version.rs` | of which content something is known |
//! | `pictures.rs` | proxy, sound, scenes and frames, from one decode |
//! | `speech.rs` | sound becomes text |
//! | `vision.rs` | frames become text |
//! | `embedding.rs` | texts become vectors |
//! | [`failure`] | why a step failed, and what becomes of the job |
//!
//! What a step found is kept when it is found, item by item where a model is asked. A
//! job that comes again does what is missing. Steps that need not wait for one that
//! failed are done all the same; the job is tried again for the rest.

pub mod config;
mod embedding;
pub mod failure;
pub mod order;
mod pictures;
pub mod source;
mod speech;
mod version;
mod vision;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

pub use config::Config;
pub use failure::Failure;
pub use order::Order;
pub use source::Sources;

use self::source::Source;
use self::version::Version;
use crate::archive::model::{Status, StepReport, StepState};
use crate::archive::{self, Analysis, Archive, Step};
use crate::client::models::Models;
use crate::job::{Job, JobId, Outcome};
use crate::runner::{JobContext, Workload};

/// What jobs of this kind are called in the queue, and the queue: triggers in databases
/// know both.
pub use crate::archive::postgres::{JOB as JOB_NAME, QUEUE as QUEUE_NAME};

/// Between two tries to say that a video has failed.
const PAUSE: Duration = Duration::from_secs(2);

/// The workload.
pub struct Analyses {
    archive: Arc<dyn Archive>,
    sources: Sources,
    /// Or why there are none.
    models: Result<Models, &'static str>,
    /// What vectors are made by.
    embedding_model: String,
    config: Config,
}

#[async_trait]
impl Workload for Analyses {
    fn name(&self) -> &'static str {
        "analysis"
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        match self.analyse(&job, &context).await {
            Ok(analysis) => Outcome::Done(summary(&analysis)),
            Err(Failure::Archive(archive::Error::Superseded(video))) => {
                tracing::info!(%video, "another job has begun with the video, or it was forgotten");
                Outcome::Done(json!({ "video_id": video, "status": "superseded" }))
            }
            Err(failure) => failure.outcome(),
        }
    }

    async fn failed(&self, job: &JobId, payload: &[u8], reason: &str, _context: &JobContext) {
        self.give_up(job, payload, reason).await;
    }

    async fn cancelled(&self, job: &JobId, payload: &[u8], _context: &JobContext) {
        self.give_up(job, payload, "cancelled").await;
    }
}

impl Analyses {
    /// The workload; `models` or why there are none.
    pub fn new(
        archive: Arc<dyn Archive>,
        sources: Sources,
        models: Result<(Models, String), &'static str>,
        config: Config,
    ) -> Self {
        let (models, embedding_model) = match models {
            Ok((models, name)) => (Ok(models), name),
            Err(reason) => (Err(reason), String::new()),
        };
        Self {
            archive,
            sources,
            models,
            embedding_model,
            config,
        }
    }

    async fn analyse(&self, job: &Job, context: &JobContext) -> Result<Analysis, Failure> {
        let order = Order::parse(&job.payload)?;
        let (source, mut known) = self.begin(&order, job, context).await?;
        if known.status == Status::Completed {
            return Ok(known);
        }
        let done = tokio::select! {
            biased;
            // Whatever waits for a peer is let go; what was found is kept already.
            () = context.stopped() => return Err(Failure::Stopped),
            done = self.steps(&source, &mut known, context) => done,
        };
        if matches!(done, Err(Failure::Stopped)) {
            // If it is a cancel, `cancelled` says so.
            return Err(Failure::Stopped);
        }
        context.lease_held().await;
        match &done {
            Ok(()) => {
                known.status = Status::Completed;
                known.error = None;
            }
            Err(failure) => known.error = Some(failure.to_string()),
        }
        self.archive.report(&known).await?;
        done.map(|()| known)
    }

    /// Where the video is, and what is known of it: nothing, where it is another one by
    /// now or all is to be found out anew.
    async fn begin(
        &self,
        order: &Order,
        job: &Job,
        context: &JobContext,
    ) -> Result<(Source, Analysis), Failure> {
        let video = order.video_id;
        let url = match &order.source_url {
            Some(url) => Some(url.clone()),
            None => self.archive.source(video).await?,
        };
        let source = self.sources.find(video, url.as_deref()).await?;
        context.lease_held().await;
        let known = match self.archive.load(video).await {
            Err(archive::Error::Unreadable { .. }) if order.force => {
                self.archive.forget(video).await?;
                None
            }
            known => known?,
        };
        let version = Version::of(&source.version, order.force.then_some(&job.id));
        let known = known.filter(|known| version.is_that_of(known));
        let mut known = known.unwrap_or_else(|| Analysis {
            source_version: Some(version.to_string()),
            ..Analysis::of(video)
        });
        known.source_url = Some(source.shown.clone());
        known.job_id = Some(job.id.clone());
        known.error = None;
        known.status = if self.is_complete(&known) {
            Status::Completed
        } else {
            Status::Processing
        };
        self.archive.begin(&known).await?;
        Ok((source, known))
    }

    /// Whether all that is on now has been done: a key may have come since.
    fn is_complete(&self, known: &Analysis) -> bool {
        let mut on = Step::ALL
            .into_iter()
            .filter(|step| self.off(*step).is_none());
        on.all(|step| known.is_done(step)) && !self.vectors_are_of_another(known)
    }

    /// Whether there are vectors, and of a model that is not in use any more: a search
    /// would not find them.
    fn vectors_are_of_another(&self, known: &Analysis) -> bool {
        let model = known
            .steps
            .get(&Step::Embed)
            .and_then(|report| report.model.as_ref());
        self.off(Step::Embed).is_none() && model.is_some_and(|model| *model != self.embedding_model)
    }

    /// The steps, one after the other; the first failure, if there were several.
    async fn steps(
        &self,
        source: &Source,
        known: &mut Analysis,
        context: &JobContext,
    ) -> Result<(), Failure> {
        let mut failed = None;
        for step in Step::ALL {
            if let Some(reason) = self.off(step) {
                known.set(step, StepState::Off, Some(reason.to_owned()));
            }
        }
        let scratch = pictures::scratch(&self.config.temp_dir).await?;
        // One decode for all that comes of it; nothing else can be done without.
        let sound = self
            .normalize(source, known, scratch.folder(), context)
            .await?;
        if let Some(sound) = sound {
            note(&mut failed, self.transcribe(&sound, known, context).await);
            self.tell(known, context).await?;
        }
        if !is_hopeless(failed.as_ref()) {
            note(&mut failed, self.look(known, context).await);
            self.tell(known, context).await?;
        }
        if !is_hopeless(failed.as_ref()) {
            note(&mut failed, self.embed(known, context).await);
        }
        failed.map_or(Ok(()), Err)
    }

    /// Has readers see which steps are done.
    async fn tell(&self, known: &Analysis, context: &JobContext) -> Result<(), Failure> {
        context.lease_held().await;
        Ok(self.archive.report(known).await?)
    }

    /// Why a step is not taken, if it is not.
    fn off(&self, step: Step) -> Option<&'static str> {
        let (is_on, needs_model, why) = match step {
            Step::Normalize | Step::Scenes | Step::Frames => return None,
            Step::Transcribe => (
                self.config.transcription,
                true,
                "switched off (ENABLE_TRANSCRIPTION)",
            ),
            Step::Vision => (
                self.config.vision,
                true,
                "switched off (ENABLE_VISION_ANALYSIS)",
            ),
            Step::Embed => (
                self.config.embeddings,
                true,
                "switched off (ENABLE_EMBEDDINGS)",
            ),
        };
        match &self.models {
            _ if !is_on => Some(why),
            Err(reason) if needs_model => Some(reason),
            _ => None,
        }
    }

    /// Says that no more will come of a job, as soon as the archive lets it be said.
    async fn give_up(&self, job: &JobId, payload: &[u8], reason: &str) {
        let Ok(Order {
            video_id: video, ..
        }) = Order::parse(payload)
        else {
            return;
        };
        loop {
            match self.try_to_give_up(job, video, reason).await {
                Err(error) if error.is_away() => {
                    tracing::warn!(%video, %error, "its status is not written; trying again");
                    sleep(PAUSE).await;
                }
                Err(error) => {
                    tracing::error!(%video, %error, "its status is not written");
                    return;
                }
                Ok(()) => return,
            }
        }
    }

    /// A video that another job has begun with is that one's to speak of.
    async fn try_to_give_up(&self, job: &JobId, video: Uuid, reason: &str) -> archive::Result<()> {
        let known = self.archive.load(video).await?;
        let before = known.as_ref().and_then(|known| known.job_id.as_ref());
        let is_ours = before == Some(job);
        if before.is_some() && !is_ours {
            return Ok(());
        }
        let known = Analysis {
            job_id: Some(job.clone()),
            status: Status::Failed,
            error: Some(reason.to_owned()),
            ..known.unwrap_or_else(|| Analysis::of(video))
        };
        if is_ours {
            self.archive.report(&known).await
        } else {
            self.archive.begin(&known).await
        }
    }
}

/// Keeps the first failure.
fn note(failed: &mut Option<Failure>, result: Result<(), Failure>) {
    if let Err(failure) = result {
        tracing::warn!(%failure, "a step failed");
        failed.get_or_insert(failure);
    }
}

fn is_hopeless(failed: Option<&Failure>) -> bool {
    failed.is_some_and(Failure::is_about_all_calls)
}

/// What a queue keeps of it.
fn summary(known: &Analysis) -> serde_json::Value {
    let steps: BTreeMap<_, _> = known
        .steps
        .iter()
        .map(|(step, StepReport { state, .. })| (step, state))
        .collect();
    json!({
        "video_id": known.video_id,
        "status": known.status,
        "duration": known.duration.map(flatbed_media::Timestamp::as_secs_f64),
        "scenes": known.scenes.len(),
        "frames": known.frames.len(),
        "segments": known.transcript.as_ref().map(|transcript| transcript.segments.len()),
        "steps": steps,
    })
}
