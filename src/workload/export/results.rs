//! The files of an export, and how they get into the store.

use anyhow::Context as _;
use flatbed_media::render::{Report, Written};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::job::JobId;
use crate::runner::JobContext;
use crate::store::{self, Describe, Key, Store};

/// All results are below it.
pub const PREFIX: &str = "exports";

/// What an export came to; the job's return value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Files {
    /// The video first, then the pictures.
    pub files: Vec<File>,
    /// How long the video is, in seconds.
    pub duration: f64,
    /// Frames that it shows.
    pub frames: u64,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// As `video.mp4`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its size.
    pub bytes: u64,
    /// Where it is in the store.
    pub key: Key,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The video, or its sound alone.
    Video,
    /// A frame as a picture.
    Thumbnail,
}

/// Puts what `report` tells of into the store.
pub async fn upload(
    store: &Store,
    job: &JobId,
    report: &Report,
    context: &JobContext,
) -> anyhow::Result<Files> {
    let mut files = Vec::new();
    let mut bytes = 0;
    for written in &report.outputs {
        let file = upload_one(store, job, written, context).await?;
        bytes += file.bytes;
        files.push(file);
    }
    context.metrics().bytes_out(bytes);
    Ok(Files {
        files,
        duration: report.duration.as_secs_f64(),
        frames: report.frames,
        notes: report.notes.clone(),
    })
}

async fn upload_one(
    store: &Store,
    job: &JobId,
    written: &Written,
    context: &JobContext,
) -> anyhow::Result<File> {
    let path = written.path.as_deref().context("a result is no file")?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.context("a result has no name")?.to_owned();
    let key = folder(job)?.join(&name)?;
    let object = tokio::select! {
        stored = store.put_file(&key, path, Describe::default()) => stored?,
        () = context.stopped() => anyhow::bail!(flatbed_media::Error::Cancelled),
    };
    Ok(File {
        name,
        kind: match written.kind {
            flatbed_media::render::Kind::Thumbnail => Kind::Thumbnail,
            _ => Kind::Video,
        },
        bytes: object.bytes,
        key,
    })
}

/// Removes whatever is there of an export.
pub async fn remove(store: &Store, job: &JobId) {
    let removed = match folder(job) {
        Ok(folder) => store.delete_all(&folder).await,
        Err(_) => return,
    };
    if let Err(error) = removed {
        tracing::warn!(%job, %error, "files of a failed export may be left in the store");
    }
}

/// Where the files of an export are.
fn folder(job: &JobId) -> Result<Key, store::InvalidKey> {
    format!("{PREFIX}/{job}").parse()
}
