//! What a step found, in one transaction: all of it or nothing.

use std::borrow::Cow;
use std::path::PathBuf;

use flatbed_media::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Shared;
use crate::archive::{Analysis, Error, Frame, NewFrame, Result, Scene, Seen, Transcript, Writer};
use crate::job::JobId;
use crate::queue::postgres::connection::{Parameters, Transaction};
use crate::queue::postgres::rows::text;
use crate::store::Key;

/// The producer's address is its own. An `INSERT` that meets the row would be refused
/// for columns of the producer's that must have a value, so the row is looked for first.
const BEGIN: &str = "
    WITH hit AS (
        UPDATE videos SET shown_url = $2, source_version = $3, status = $4, error = $5,
            duration_seconds = $6, width = $7, height = $8, steps = $9::text::jsonb,
            notes = $10::text::jsonb, analysis_job_id = $11, updated_at = now(),
            proxy_key = CASE WHEN source_version IS NOT DISTINCT FROM $3 THEN proxy_key END
        WHERE id = $1 RETURNING id)
    INSERT INTO videos (id, shown_url, source_version, status, error, duration_seconds,
        width, height, steps, notes, analysis_job_id, updated_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb, $10::text::jsonb, $11, now()
    WHERE NOT EXISTS (SELECT FROM hit)";

const REPORT: &str = "
    UPDATE videos SET status = $4, error = $5, shown_url = coalesce(shown_url, $3),
        steps = $6::text::jsonb, notes = $7::text::jsonb, updated_at = now()
    WHERE id = $1 AND analysis_job_id IS NOT DISTINCT FROM $2";

/// A job that has ended already is not asked for any more.
const ASK: &str = "
    WITH known AS (SELECT FROM videos WHERE id = $1), asked AS (
        UPDATE videos SET status = 'queued', error = NULL, analysis_job_id = $2,
            shown_url = coalesce($3, shown_url), updated_at = now()
        WHERE id = $1 AND status IS DISTINCT FROM 'processing'
            AND ($2::text IS NULL OR analysis_job_id IS DISTINCT FROM $2))
    INSERT INTO videos (id, shown_url, status, analysis_job_id)
    SELECT $1, $3, 'queued', $2 WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT DO NOTHING";

/// A row that a producer made, or that a job of `jobs` is about, stays: it loses what
/// Flatbed has written.
const UNKNOWN: &str = "
    UPDATE videos SET status = 'queued', error = NULL, shown_url = NULL,
        source_version = NULL, duration_seconds = NULL, width = NULL, height = NULL,
        proxy_key = NULL, steps = NULL, notes = NULL, analysis_job_id = NULL, updated_at = now()
    WHERE id = $1 AND (source_url IS NOT NULL OR EXISTS (SELECT FROM jobs WHERE video_id = $1))";

const GONE: &str = "
    DELETE FROM videos WHERE id = $1 AND source_url IS NULL
        AND NOT EXISTS (SELECT FROM jobs WHERE video_id = $1)";

/// The row is held until the transaction ends.
const MINE: &str = "
    UPDATE videos SET updated_at = now() WHERE id = $1 AND analysis_job_id IS NOT DISTINCT FROM $2";

const SCENES: &str = "
    INSERT INTO scenes (video_id, index, start_seconds, end_seconds)
    SELECT $1, * FROM unnest($2::integer[], $3::float8[], $4::float8[])";

const FRAME: &str = "
    INSERT INTO frames (video_id, index, scene, at_seconds, width, height, bytes, image,
        object_key, caption, refusal)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

const TRANSCRIPT: &str = "
    INSERT INTO transcripts (video_id, language, text, segments, pieces)
    VALUES ($1, $2, $3, $4::text::jsonb, $5::text::jsonb)";

const SEEN: &str = "
    WITH mine AS (
        UPDATE videos SET updated_at = now()
        WHERE id = $1 AND analysis_job_id IS NOT DISTINCT FROM $2 RETURNING id), told AS (
        UPDATE frames SET caption = seen.caption, refusal = seen.refusal
        FROM mine, unnest($3::integer[], $4::text[], $5::text[]) AS seen (index, caption, refusal)
        WHERE frames.video_id = mine.id AND frames.index = seen.index)
    SELECT FROM mine";

/// What belongs to a content.
const FOUND: [&str; 4] = ["transcripts", "scenes", "frames", "embeddings"];

impl Shared {
    pub(super) async fn begin(&self, analysis: &Analysis) -> Result<()> {
        const VERSION: &str = "SELECT source_version FROM videos WHERE id = $1 FOR NO KEY UPDATE";
        let video = analysis.video_id;
        let writing = self.lane.begin().await?;
        let row = writing.query(VERSION, &[&video]).await?.into_iter().next();
        let version = row.map(|row| row.try_get::<_, Option<String>>(0));
        let version = version
            .transpose()
            .map_err(|error| self.unreadable(error))?;
        let is_other = version.is_some_and(|version| version != analysis.source_version);
        if is_other {
            for table in FOUND {
                delete(&writing, table, video).await?;
            }
        }
        let (url, error) = (
            held(analysis.source_url.as_ref()),
            held(analysis.error.as_ref()),
        );
        let duration = analysis.duration.map(Timestamp::as_secs_f64);
        let (width, height) = (analysis.width.map(pixels), analysis.height.map(pixels));
        let (steps, notes) = (steps(analysis), notes(analysis));
        let values: Parameters<'_> = &[
            &video,
            &url,
            &held(analysis.source_version.as_ref()),
            &analysis.status.as_str(),
            &error,
            &duration,
            &width,
            &height,
            &steps,
            &notes,
            &job(analysis.job_id.as_ref()),
        ];
        writing.execute(BEGIN, values).await?;
        writing.commit().await?;
        match &self.pictures {
            Some(pictures) if is_other => pictures.forget(video).await,
            _ => Ok(()),
        }
    }

    pub(super) async fn keep_pictures(
        &self,
        writer: &Writer,
        scenes: &[Scene],
        frames: &[NewFrame],
        proxy: Option<PathBuf>,
    ) -> Result<()> {
        let video = writer.video;
        let mut kept: Vec<Frame> = frames.iter().map(|new| new.frame.clone()).collect();
        let mut proxy_key = None;
        if let Some(pictures) = &self.pictures {
            // Files are not taken back.
            self.check(writer).await?;
            kept = pictures.keep(video, frames).await?;
            if let Some(proxy) = proxy {
                proxy_key = Some(pictures.keep_proxy(video, &proxy).await?);
            }
        }
        let writing = self.lane.begin().await?;
        mine(&writing, writer).await?;
        delete(&writing, "scenes", video).await?;
        delete(&writing, "frames", video).await?;
        let indexes: Vec<i32> = scenes.iter().map(|scene| number(scene.index)).collect();
        let starts: Vec<f64> = scenes
            .iter()
            .map(|scene| scene.start.as_secs_f64())
            .collect();
        let ends: Vec<f64> = scenes.iter().map(|scene| scene.end.as_secs_f64()).collect();
        let values: Parameters<'_> = &[&video, &indexes, &starts, &ends];
        writing.execute(SCENES, values).await?;
        for (frame, new) in kept.iter().zip(frames) {
            // One at a time: together they may be more than memory should hold.
            let image = match &self.pictures {
                None => Some(picture(new).await?),
                Some(_) => None,
            };
            insert_frame(&writing, video, frame, image).await?;
        }
        if let Some(key) = &proxy_key {
            let sql = "UPDATE videos SET proxy_key = $2 WHERE id = $1";
            writing.execute(sql, &[&video, &key.as_str()]).await?;
        }
        writing.commit().await?;
        match &self.pictures {
            Some(pictures) => pictures.forget_others(video, &kept).await,
            None => Ok(()),
        }
    }

    pub(super) async fn keep_transcript(&self, writer: &Writer, kept: &Transcript) -> Result<()> {
        let video = writer.video;
        let mut segments = kept.segments.clone();
        for segment in &mut segments {
            segment.text = text(&segment.text).into_owned();
        }
        let whole = kept.text();
        let language = held(kept.language.as_ref());
        let (segments, pieces) = (json(&segments), json(&kept.pieces));
        let writing = self.lane.begin().await?;
        mine(&writing, writer).await?;
        delete(&writing, "transcripts", video).await?;
        let values: Parameters<'_> = &[&video, &language, &text(&whole), &segments, &pieces];
        writing.execute(TRANSCRIPT, values).await?;
        Ok(writing.commit().await?)
    }

    pub(super) async fn keep_seen(&self, writer: &Writer, seen: &[Seen]) -> Result<()> {
        let indexes: Vec<i32> = seen.iter().map(|seen| number(seen.frame)).collect();
        let captions: Vec<_> = seen
            .iter()
            .map(|seen| seen.caption.as_deref().ok())
            .collect();
        let captions: Vec<_> = captions.iter().map(|caption| caption.map(text)).collect();
        let refusals: Vec<_> = seen
            .iter()
            .map(|seen| seen.caption.as_ref().err().map(|refusal| text(refusal)))
            .collect();
        let (video, job) = (writer.video, job(writer.job.as_ref()));
        let values: Parameters<'_> = &[&video, &job, &indexes, &captions, &refusals];
        let told = self.lane.query_row(SEEN, values).await?;
        told.map(drop).ok_or(Error::Superseded(video))
    }

    pub(super) async fn ask(&self, asked: &Writer, source_url: Option<&str>) -> Result<()> {
        let url = source_url.map(text);
        let values: Parameters<'_> = &[&asked.video, &job(asked.job.as_ref()), &url];
        self.lane.execute(ASK, values).await?;
        Ok(())
    }

    /// Fails unless the video is the writer's at this moment.
    async fn check(&self, writer: &Writer) -> Result<()> {
        const IS_MINE: &str =
            "SELECT FROM videos WHERE id = $1 AND analysis_job_id IS NOT DISTINCT FROM $2";
        let (video, job) = (writer.video, job(writer.job.as_ref()));
        let row = self.lane.query_row(IS_MINE, &[&video, &job]).await?;
        row.map(drop).ok_or(Error::Superseded(video))
    }

    pub(super) async fn report(&self, analysis: &Analysis) -> Result<()> {
        let (url, error) = (
            held(analysis.source_url.as_ref()),
            held(analysis.error.as_ref()),
        );
        let (steps, notes) = (steps(analysis), notes(analysis));
        let values: Parameters<'_> = &[
            &analysis.video_id,
            &job(analysis.job_id.as_ref()),
            &url,
            &analysis.status.as_str(),
            &error,
            &steps,
            &notes,
        ];
        match self.lane.execute(REPORT, values).await? {
            0 => Err(Error::Superseded(analysis.video_id)),
            _ => Ok(()),
        }
    }

    pub(super) async fn forget(&self, video: Uuid) -> Result<()> {
        let writing = self.lane.begin().await?;
        // Those that were there before Flatbed may know no cascade.
        for table in FOUND {
            delete(&writing, table, video).await?;
        }
        for sql in [UNKNOWN, GONE] {
            writing.execute(sql, &[&video]).await?;
        }
        writing.commit().await?;
        match &self.pictures {
            Some(pictures) => pictures.forget(video).await,
            None => Ok(()),
        }
    }
}

/// Deletes a video's rows of one of our tables.
pub(super) async fn delete(writing: &Transaction, table: &str, video: Uuid) -> Result<()> {
    let sql = format!("DELETE FROM {table} WHERE video_id = $1");
    writing.execute(&sql, &[&video]).await?;
    Ok(())
}

/// Holds the video's row, if it is still the writer's.
pub(super) async fn mine(writing: &Transaction, writer: &Writer) -> Result<()> {
    let job = job(writer.job.as_ref());
    match writing.execute(MINE, &[&writer.video, &job]).await? {
        0 => Err(Error::Superseded(writer.video)),
        _ => Ok(()),
    }
}

fn job(id: Option<&JobId>) -> Option<&str> {
    id.map(JobId::as_str)
}

async fn insert_frame(
    writing: &Transaction,
    video: Uuid,
    frame: &Frame,
    image: Option<Vec<u8>>,
) -> Result<()> {
    let bytes = i64::try_from(frame.bytes).unwrap_or(i64::MAX);
    let object = frame.key.as_ref().filter(|_| image.is_none());
    let values: Parameters<'_> = &[
        &video,
        &number(frame.index),
        &number(frame.scene),
        &frame.at.as_secs_f64(),
        &pixels(frame.width),
        &pixels(frame.height),
        &bytes,
        &image,
        &object.map(Key::as_str),
        &held(frame.caption.as_ref()),
        &held(frame.refusal.as_ref()),
    ];
    writing.execute(FRAME, values).await?;
    Ok(())
}

async fn picture(new: &NewFrame) -> Result<Vec<u8>> {
    let read = tokio::fs::read(&new.file).await;
    read.map_err(|error| Error::Unreadable {
        what: new.file.display().to_string(),
        reason: error.to_string(),
    })
}

/// What Postgres can hold of a text.
fn held(told: Option<&String>) -> Option<Cow<'_, str>> {
    told.map(|told| text(told))
}

fn number(index: u32) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

fn pixels(size: u32) -> i32 {
    number(size)
}

/// JSON has no NUL in `jsonb` either.
fn json(value: &impl Serialize) -> String {
    // What is derived does not fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn notes(analysis: &Analysis) -> String {
    let notes: Vec<_> = analysis.notes.iter().map(|note| text(note)).collect();
    json(&notes)
}

fn steps(analysis: &Analysis) -> String {
    let mut steps = analysis.steps.clone();
    for step in steps.values_mut() {
        step.note = held(step.note.as_ref()).map(Cow::into_owned);
    }
    json(&steps)
}
