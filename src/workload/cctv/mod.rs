//! Clips of cameras: what a recorder has of a stretch of time, into a bucket.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | the settings |
//! | [`passwords`] | passwords of cameras, decrypted |
//! | `order.rs` | what an order must be; its place in the bucket |
//! | [`camera`] | a camera's row as a recorder |
//! | [`footage`] | which recordings there are, and what is missing |
//! | `stream.rs` | recordings as streams into the engine |
//! | `spool.rs` | recordings as files on a disk |
//! | `cut.rs` | the engine's part |
//! | `failure.rs` | why there is no clip, and what becomes of the item |
//!
//! The clip of item 123 is at `clips/2026/07/24/123.mp4`: a second run writes the same
//! over it.

pub mod camera;
pub mod config;
mod cut;
mod failure;
pub mod footage;
mod order;
pub mod passwords;
mod spool;
mod stream;

use std::time::Duration;

use async_trait::async_trait;
use flatbed_media::Container;
use flatbed_media::cut::{Mode, Report};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use config::{Config, Spool};
pub use failure::Failure;

use self::camera::called;
use self::footage::{Coverage, Gap, Patience};
use self::order::{Checked, between};
use self::spool::Spooled;
use self::stream::Downloads;
use crate::client::hikvision::{Device, Hikvision, Recording};
use crate::clip::Made;
use crate::job::{Job, Outcome};
use crate::runner::{JobContext, Workload};
use crate::store::engine::{Pending, Shape};
use crate::store::{Describe, Key, Object, Store};
use crate::telemetry::{ClipMetrics, Stage};

/// The workload.
pub struct Clips {
    /// How clips are made.
    pub config: Config,
    /// The recorders; one of these a process.
    pub hikvision: Hikvision,
    /// Where clips go.
    pub store: Store,
    /// The bucket's name, as rows have it.
    pub bucket: String,
    /// What stands before an object's key in its address.
    pub address: String,
    /// What is counted of clips.
    pub metrics: ClipMetrics,
}

/// What came of a job: the row of the clip, and what is told beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// The clip.
    #[serde(flatten)]
    pub made: Made,
    /// What is missing in it.
    pub gaps: Vec<Gap>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What the engine has made, and what it was made of.
struct Cut {
    report: Report,
    coverage: Coverage,
    pending: Pending,
    /// Bytes that were fetched for it.
    fetched: u64,
}

#[async_trait]
impl Workload for Clips {
    fn name(&self) -> &'static str {
        "cctv"
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        match self.clip(&job, &context).await {
            Ok(clip) => Outcome::Done(serde_json::to_value(clip).unwrap_or_default()),
            Err(failure) => {
                self.metrics.failed(failure.kind());
                failure.outcome(&job)
            }
        }
    }
}

impl Clips {
    async fn clip(&self, job: &Job, context: &JobContext) -> Result<Clip, Failure> {
        let order = Checked::of(job, &self.config)?;
        let patience = Patience {
            now: Timestamp::now(),
            settle: self.config.settle,
            attempts_left: job.max_attempts.saturating_sub(job.attempt),
        };
        let device = camera::recorder(&order.camera, &self.hikvision, &self.config)?;
        let searching = self.find(&order, &device, patience, context);
        let recordings = context.stage(Stage::Fetch, searching).await?;
        let key = order.key(&self.config)?;
        let cut = self
            .cut(&order, &device, &recordings, &key, patience, context)
            .await?;
        self.keep(&order, key, cut, context).await
    }

    /// The recordings that show something of it.
    async fn find(
        &self,
        order: &Checked,
        device: &Device,
        patience: Patience,
        context: &JobContext,
    ) -> Result<Vec<Recording>, Failure> {
        let track = camera::track(&order.camera, &self.config);
        let recordings = tokio::select! {
            found = device.recordings(track, order.span) => found?,
            () = context.stopped() => return Err(Failure::Stopped),
        };
        if recordings.is_empty() {
            let (camera, start, end) = (called(&order.camera), order.span.start, order.span.end);
            let missing =
                format!("{camera}: nothing was recorded on track {track} from {start} to {end}");
            return Err(patience.or_later(order.span, missing));
        }
        if !footage::reach_the_end(&recordings, order.span) {
            patience.check(order, "the recordings end before it does")?;
        }
        Ok(recordings)
    }

    /// Cuts the clip out of the recordings, by the way that is set; those that break
    /// off on their way are fetched to the disk instead, once.
    async fn cut(
        &self,
        order: &Checked,
        device: &Device,
        recordings: &[Recording],
        key: &Key,
        patience: Patience,
        context: &JobContext,
    ) -> Result<Cut, Failure> {
        let mut seen = Vec::new();
        if self.config.spool == Spool::Stream {
            let streamed = self.stream(order, device, recordings, key, &mut seen, context);
            match context.stage(Stage::Engine, streamed).await {
                Err(failure) if failure.may_be_a_broken_download() => {
                    tracing::warn!(error = %failure, "the recordings are fetched anew, to the disk");
                    self.metrics.spooled();
                }
                done => return done?.unless_early(order, patience).await,
            }
        }
        let spooled = self.spool(order, device, recordings, key, &seen, context);
        match context.stage(Stage::Engine, spooled).await {
            Ok(cut) => cut.unless_early(order, patience).await,
            // Nothing of what is there shows it.
            Err(Failure::Engine(error @ flatbed_media::Error::Malformed { .. })) => {
                Err(patience.or_later(order.span, error.to_string()))
            }
            Err(failure) => Err(failure),
        }
    }

    /// From the recorder through the engine into the bucket, all at once. `seen` gets
    /// how much came of recordings that ended without a word.
    async fn stream(
        &self,
        order: &Checked,
        device: &Device,
        recordings: &[Recording],
        key: &Key,
        seen: &mut Vec<Option<u64>>,
        context: &JobContext,
    ) -> Result<Cut, Failure> {
        let downloads = Downloads::new(device.clone());
        let going = downloads.going();
        let inputs = recordings.iter().map(|each| downloads.input(each));
        let (output, pending) = self.output(key, Shape::Streamed, context).await?;
        let mode = self.mode();
        let cutting = cut::clip(
            inputs.collect(),
            recordings,
            output,
            order.span,
            mode,
            context,
        );
        let done = cutting.await;
        drop(going);
        let fetched = downloads.fetched();
        let bytes = fetched.iter().map(stream::Fetched::bytes).sum();
        seen.extend(fetched.iter().map(|each| each.ended.then(|| each.bytes())));
        let checked = match downloads.failure() {
            Some(error) if !matches!(done, Err(Failure::Stopped)) => Err(error.into()),
            _ => done.and_then(|report| whole(report, order, recordings, &fetched)),
        };
        match checked {
            Ok(report) => Ok(Cut::new(report, order, pending, bytes)),
            Err(failure) => {
                pending.abort().await;
                context.metrics().bytes_in(bytes);
                Err(failure)
            }
        }
    }

    /// By way of the disk: whole recordings first, then the clip as a file.
    async fn spool(
        &self,
        order: &Checked,
        device: &Device,
        recordings: &[Recording],
        key: &Key,
        seen: &[Option<u64>],
        context: &JobContext,
    ) -> Result<Cut, Failure> {
        let spooled = tokio::select! {
            spooled = Spooled::fetch(device, recordings, seen, &self.store) => spooled?,
            () = context.stopped() => return Err(Failure::Stopped),
        };
        let shape = Shape::Whole {
            bytes: spooled.bytes,
        };
        let mut mode = self.mode();
        loop {
            let (output, pending) = self.output(key, shape, context).await?;
            let inputs = spooled.inputs(recordings);
            match cut::clip(inputs, recordings, output, order.span, mode, context).await {
                Ok(report) => return Ok(Cut::new(report, order, pending, spooled.bytes)),
                // What can be neither copied nor spliced can be encoded.
                Err(Failure::Engine(flatbed_media::Error::Unsupported { .. }))
                    if mode != Mode::Reencode =>
                {
                    pending.abort().await;
                    mode = Mode::Reencode;
                }
                Err(failure) => {
                    pending.abort().await;
                    return Err(failure);
                }
            }
        }
    }

    /// Makes the clip visible, and tells of it.
    async fn keep(
        &self,
        order: &Checked,
        key: Key,
        cut: Cut,
        context: &JobContext,
    ) -> Result<Clip, Failure> {
        let Cut {
            report,
            coverage,
            pending,
            fetched,
        } = cut;
        let object: Object = tokio::select! {
            kept = context.stage(Stage::Store, pending.finish()) => kept?,
            () = context.stopped() => return Err(Failure::Stopped),
        };
        let item = order.item;
        for Gap { start, end } in &coverage.gaps {
            tracing::warn!(item, %start, %end, "nothing was recorded");
        }
        let metrics = context.metrics();
        metrics.bytes_in(fetched);
        metrics.bytes_out(object.bytes);
        metrics.frames(report.frames_copied, report.frames_encoded);
        let age = between(order.span.end, Timestamp::now());
        self.metrics.made(coverage.part, age);
        let moment =
            |at: Option<flatbed_media::Timestamp>, other| at.map_or(other, footage::moment);
        let (first, last) = (report.shown.first(), report.shown.last());
        let made = Made {
            bucket: self.bucket.clone(),
            url: format!("{}/{}", self.address, key.escaped()),
            object_key: key.into(),
            start_time: moment(first.map(|span| span.start), order.span.start),
            end_time: moment(last.map(|span| span.end), order.span.end),
            duration_ms: report.duration.as_micros() / 1000,
            size_bytes: i64::try_from(object.bytes).unwrap_or(i64::MAX),
            coverage: coverage.part,
        };
        let (frames, coverage_) = (report.frames, coverage.part);
        tracing::info!(
            item,
            key = made.object_key,
            frames,
            coverage = coverage_,
            "the clip is there"
        );
        Ok(Clip {
            made,
            gaps: coverage.gaps,
            notes: report.notes,
        })
    }

    async fn output(
        &self,
        key: &Key,
        shape: Shape,
        context: &JobContext,
    ) -> Result<(flatbed_media::Output, Pending), Failure> {
        let (describe, cancel) = (Describe::default(), context.cancel());
        let output = self
            .store
            .output(key, Container::Mp4, shape, describe, cancel);
        Ok(output.await?)
    }

    fn mode(&self) -> Mode {
        if self.config.exact {
            Mode::Exact
        } else {
            Mode::Copy
        }
    }
}

impl Patience {
    /// An error while footage of the order's end may still come.
    fn check(&self, order: &Checked, why: &str) -> Result<(), Failure> {
        let Some(after) = self.wait(order.span) else {
            return Ok(());
        };
        Err(Failure::Later {
            after,
            reason: format!("{}: {why}; more may still come", called(&order.camera)),
        })
    }
}

impl Cut {
    fn new(report: Report, order: &Checked, pending: Pending, fetched: u64) -> Self {
        let frames = u32::try_from(report.frames).unwrap_or(u32::MAX).max(1);
        let length = Duration::from_secs_f64(report.duration.as_secs_f64().max(0.0));
        let coverage = footage::coverage(order.span, &report.shown, length / frames);
        Self {
            report,
            coverage,
            pending,
            fetched,
        }
    }

    /// Given up if it lacks its end, and that may still come.
    async fn unless_early(self, order: &Checked, patience: Patience) -> Result<Self, Failure> {
        let lacks_end = |gap: &Gap| gap.end == order.span.end;
        if self.coverage.gaps.last().is_some_and(lacks_end) {
            let checked = patience.check(order, "the footage ends before it does");
            if let Err(early) = checked {
                self.pending.abort().await;
                return Err(early);
            }
        }
        Ok(self)
    }
}

/// An error if a recording has ended early and nobody can tell whether it broke off.
fn whole(
    report: Report,
    order: &Checked,
    recordings: &[Recording],
    fetched: &[stream::Fetched],
) -> Result<Report, Failure> {
    for (recording, fetched) in recordings.iter().zip(fetched) {
        let hint = recording.size_hint;
        let all = fetched.told.is_some() || hint.is_some_and(|hint| fetched.bytes() >= hint);
        if fetched.ended && !all && footage::falls_short(recording, order.span, &report.shown) {
            let Recording { start, end, .. } = recording;
            return Err(Failure::Short(format!(
                "the recording of {start} is said to go on to {end} and ended before"
            )));
        }
    }
    Ok(report)
}
