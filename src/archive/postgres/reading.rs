//! What is known of a video: one statement, so that it is of one moment.

use bytes::Bytes;
use uuid::Uuid;

use super::Shared;
use crate::archive::pictures::parsed;
use crate::archive::{Analysis, Error, Result, Usage};

/// As [`Analysis`] is written.
const LOAD: &str = "
    SELECT json_build_object(
        'video_id', id, 'source_url', shown_url, 'source_version', source_version,
        'job_id', analysis_job_id,
        'status', CASE WHEN status IN ('processing', 'completed', 'failed') THEN status
                       ELSE 'queued' END,
        'error', error, 'duration', duration_seconds, 'width', width, 'height', height,
        'proxy', proxy_key, 'steps', coalesce(steps, '{}'), 'notes', coalesce(notes, '[]'),
        'updated_at', to_char(updated_at::timestamptz AT TIME ZONE 'UTC',
                              'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
        'scenes', coalesce((SELECT json_agg(json_build_object(
                'index', index, 'start', start_seconds, 'end', end_seconds) ORDER BY index)
            FROM scenes WHERE video_id = $1), '[]'),
        'frames', coalesce((SELECT json_agg(json_build_object(
                'index', index, 'scene', scene, 'at', at_seconds, 'width', width,
                'height', height, 'bytes', bytes, 'key', object_key, 'caption', caption,
                'refusal', refusal) ORDER BY index)
            FROM frames WHERE video_id = $1), '[]'),
        'transcript', (SELECT json_build_object('language', language,
                'pieces', coalesce(pieces, '[]'), 'segments', coalesce(segments, '[]'))
            FROM transcripts WHERE video_id = $1)
    )::text FROM videos WHERE id = $1";

const PICTURE: &str = "SELECT image, object_key FROM frames WHERE video_id = $1 AND index = $2";

const USAGE: &str = "
    SELECT (SELECT count(*) FROM videos), (SELECT count(*) FROM frames),
           (SELECT coalesce(sum(bytes), 0)::bigint FROM frames),
           (SELECT count(*) FROM scenes), (SELECT count(*) FROM transcripts),
           (SELECT count(*) FROM embeddings)";

impl Shared {
    pub(super) async fn source(&self, video: Uuid) -> Result<Option<String>> {
        const SOURCE: &str = "SELECT source_url::text FROM videos WHERE id = $1";
        let Some(row) = self.lane.query_row(SOURCE, &[&video]).await? else {
            return Ok(None);
        };
        row.try_get(0).map_err(|error| self.unreadable(error))
    }

    pub(super) async fn load(&self, video: Uuid) -> Result<Option<Analysis>> {
        let Some(row) = self.lane.query_row(LOAD, &[&video]).await? else {
            return Ok(None);
        };
        let text: &str = row.try_get(0).map_err(|error| self.unreadable(error))?;
        let analysis = serde_json::from_str(text);
        analysis.map(Some).map_err(|error| Error::Unreadable {
            what: format!("the rows of video {video}"),
            reason: error.to_string(),
        })
    }

    pub(super) async fn picture(&self, video: Uuid, frame: u32) -> Result<Option<Bytes>> {
        let Ok(index) = i32::try_from(frame) else {
            return Ok(None);
        };
        let Some(row) = self.lane.query_row(PICTURE, &[&video, &index]).await? else {
            return Ok(None);
        };
        let unreadable = |error| self.unreadable(error);
        if let Some(image) = row.try_get::<_, Option<Vec<u8>>>(0).map_err(unreadable)? {
            return Ok(Some(image.into()));
        }
        let key: Option<&str> = row.try_get(1).map_err(unreadable)?;
        match (key, &self.pictures) {
            (Some(key), Some(pictures)) => pictures.get(&parsed(key)?).await,
            _ => Ok(None),
        }
    }

    pub(super) async fn usage(&self) -> Result<Usage> {
        let Some(row) = self.lane.query_row(USAGE, &[]).await? else {
            return Ok(Usage::default());
        };
        let number = |column: usize| {
            let number = row.try_get::<_, i64>(column).map(i64::unsigned_abs);
            number.map_err(|error| self.unreadable(error))
        };
        Ok(Usage {
            videos: number(0)?,
            frames: number(1)?,
            frame_bytes: number(2)?,
            scenes: number(3)?,
            transcripts: number(4)?,
            embeddings: number(5)?,
        })
    }
}
