//! What a step found. Each object is whole or absent; of several, the one that makes
//! the others count is written last.

use std::path::PathBuf;

use super::documents::{Album, Kept, Main, Scenes, Vectors, Words, fingerprint};
use super::{ANALYSIS, EMBEDDINGS, FRAMES, SCENES, Shared, TRANSCRIPT};
use crate::archive::model::Status;
use crate::archive::pictures::key;
use crate::archive::{
    Analysis, Embedding, NewFrame, Result, Scene, Seen, Transcript, Writer, subtitles,
};
use crate::store::Describe;

impl Shared {
    pub(super) async fn begin(&self, analysis: &Analysis) -> Result<()> {
        let video = analysis.video_id;
        let before = self.main(video).await?;
        let is_other = before
            .as_ref()
            .is_some_and(|before| before.analysis.source_version != analysis.source_version);
        if is_other {
            // A search does not ask which content they are of.
            self.store.delete(&key(video, EMBEDDINGS)?).await?;
        }
        let kept = before.map(|before| before.kept).filter(|_| !is_other);
        self.put_main(analysis.clone(), kept.unwrap_or_default())
            .await?;
        if is_other {
            // They count no more; this is for the room that they take.
            for name in [
                FRAMES,
                SCENES,
                TRANSCRIPT,
                "transcript.vtt",
                "transcript.srt",
            ] {
                self.store.delete(&key(video, name)?).await?;
            }
            self.pictures.forget(video).await?;
        }
        Ok(())
    }

    pub(super) async fn ask(&self, asked: &Writer, source_url: Option<&str>) -> Result<()> {
        let main = self.main(asked.video).await?;
        let is_there = main.is_some();
        let (mut analysis, kept) = match main {
            Some(Main { analysis, kept }) => (analysis, kept),
            None => (Analysis::of(asked.video), Kept::default()),
        };
        let has_ended = asked.job.is_some() && analysis.job_id == asked.job;
        if is_there && (has_ended || analysis.status == Status::Processing) {
            return Ok(());
        }
        analysis.status = Status::Queued;
        analysis.error = None;
        analysis.job_id.clone_from(&asked.job);
        analysis.source_url = source_url.map(str::to_owned).or(analysis.source_url);
        self.put_main(analysis, kept).await
    }

    pub(super) async fn report(&self, report: &Analysis) -> Result<()> {
        let Main { mut analysis, kept } = self.of(&report.writer()).await?;
        analysis.status = report.status;
        analysis.error.clone_from(&report.error);
        analysis.steps.clone_from(&report.steps);
        analysis.notes.clone_from(&report.notes);
        self.put_main(analysis, kept).await
    }

    /// Without what has objects of its own.
    async fn put_main(&self, mut analysis: Analysis, kept: Kept) -> Result<()> {
        analysis.scenes = Vec::new();
        analysis.frames = Vec::new();
        analysis.transcript = None;
        analysis.proxy = None;
        analysis.updated_at = Some(jiff::Timestamp::now().to_string());
        let video = analysis.video_id;
        self.write(video, ANALYSIS, &Main { analysis, kept }).await
    }

    /// Sets down how much there is.
    async fn count(&self, writer: &Writer, count: impl FnOnce(&mut Kept)) -> Result<()> {
        let mut main = self.of(writer).await?;
        let before = main.kept;
        count(&mut main.kept);
        if main.kept == before {
            return Ok(());
        }
        self.put_main(main.analysis, main.kept).await
    }

    pub(super) async fn keep_pictures(
        &self,
        writer: &Writer,
        scenes: &[Scene],
        frames: &[NewFrame],
        proxy: Option<PathBuf>,
    ) -> Result<()> {
        let video = writer.video;
        let source_version = self.of(writer).await?.analysis.source_version;
        let before = self.seen(video, source_version.as_ref()).await?;
        let kept = self.pictures.keep(video, frames).await?;
        let proxy = match proxy {
            Some(proxy) => Some(self.pictures.keep_proxy(video, &proxy).await?),
            None => before.and_then(|(_, frames)| frames.proxy),
        };
        let document = Scenes {
            source_version: source_version.clone(),
            scenes: scenes.to_vec(),
        };
        self.write(video, SCENES, &document).await?;
        let document = Album {
            source_version,
            scenes: fingerprint(scenes),
            proxy,
            frames: kept,
        };
        self.write(video, FRAMES, &document).await?;
        self.pictures.forget_others(video, &document.frames).await?;
        let scenes = u64::try_from(scenes.len()).unwrap_or_default();
        self.count(writer, |kept| kept.scenes = scenes).await
    }

    pub(super) async fn keep_transcript(&self, writer: &Writer, kept: &Transcript) -> Result<()> {
        let video = writer.video;
        let source_version = self.of(writer).await?.analysis.source_version;
        let texts = [
            ("transcript.vtt", subtitles::webvtt(&kept.segments)),
            ("transcript.srt", subtitles::srt(&kept.segments)),
        ];
        for (name, text) in texts {
            let key = key(video, name)?;
            self.store.put(&key, text, Describe::default()).await?;
        }
        let document = Words {
            source_version,
            transcript: kept.clone(),
        };
        self.write(video, TRANSCRIPT, &document).await
    }

    pub(super) async fn keep_seen(&self, writer: &Writer, seen: &[Seen]) -> Result<()> {
        let video = writer.video;
        let version = self.of(writer).await?.analysis.source_version;
        let Some((_, mut document)) = self.seen(video, version.as_ref()).await? else {
            return Ok(());
        };
        for seen in seen {
            let mut frames = document.frames.iter_mut();
            if let Some(frame) = frames.find(|frame| frame.index == seen.frame) {
                frame.caption = seen.caption.clone().ok();
                frame.refusal = seen.caption.clone().err();
            }
        }
        self.write(video, FRAMES, &document).await
    }

    pub(super) async fn keep_embeddings(
        &self,
        writer: &Writer,
        model: &str,
        all: &[Embedding],
    ) -> Result<()> {
        let version = self.of(writer).await?.analysis.source_version;
        let document = Vectors::pack(version, model, all);
        self.write(writer.video, EMBEDDINGS, &document).await?;
        let count = u64::try_from(all.len()).unwrap_or_default();
        self.count(writer, |kept| kept.embeddings = count).await
    }
}
