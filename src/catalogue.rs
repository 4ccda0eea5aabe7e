//! Which videos there are.
//!
//! The catalogue lies in the store beside what it is about: `videos/<id>/source.mp4`
//! and `videos/<id>/video.json`. So every host that reaches the store knows every
//! video, whatever its queue is, and a lost database loses none.

use std::collections::BTreeSet;
use std::time::SystemTime;

use flatbed_media::probe::{MediaInfo, StreamKind, probe, probe_picture};
use flatbed_media::{Cancel, Context, Input};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::runner::engine;
use crate::store::{self, Describe, Key, Store};

/// All keys of the catalogue are below it.
pub const PREFIX: &str = "videos";

/// A video, or a picture for watermarks, in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Video {
    /// What it is known by.
    pub id: Uuid,
    /// Where it is in the store.
    #[schema(value_type = String)]
    pub key: Key,
    /// What whoever uploaded it calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// When it came, as RFC 3339 has it.
    pub created_at: String,
    /// Whether the object came by an upload, and goes with the record.
    pub uploaded: bool,
    /// What probing said.
    pub media: Media,
}

/// What a video or a picture is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Media {
    /// `video`, `audio` or `image`.
    pub kind: MediaKind,
    /// The container's or the picture's format.
    pub format: String,
    /// In seconds, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// In pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// In pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// In frames a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<f64>,
    /// The codecs of its streams, in their order.
    pub codecs: Vec<String>,
}

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// It has moving pictures.
    Video,
    /// It has sound alone.
    Audio,
    /// A picture, for watermarks.
    Image,
}

/// Why a video could not be taken into the catalogue.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is not media, or broken, or exceeds a limit.
    #[error(transparent)]
    Unfit(flatbed_media::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The videos of a store. Clones share it.
#[derive(Clone)]
pub struct Catalogue {
    store: Store,
}

impl Catalogue {
    /// The catalogue in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The key for the content of a new video that was called `name`.
    pub fn key_for(id: Uuid, name: Option<&str>) -> Key {
        let extension = name
            .and_then(|name| name.rsplit_once('.'))
            .map(|(_, extension)| extension.to_ascii_lowercase())
            .filter(|extension| {
                (1..=8).contains(&extension.len())
                    && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        let extension = extension.as_deref().unwrap_or("bin");
        key(&format!("{PREFIX}/{id}/source.{extension}"))
    }

    /// Looks at the object at `key` and takes it in. `uploaded` objects belong to
    /// the catalogue: one that is refused is removed.
    pub async fn take_in(
        &self,
        id: Uuid,
        key: Key,
        name: Option<String>,
        uploaded: bool,
    ) -> Result<Video, Refusal> {
        let taken = self.look_at(&key, name.as_deref()).await;
        if taken.is_err() && uploaded {
            // What is left after a second failure is found by nobody, but costs.
            if let Err(error) = self.store.delete(&key).await {
                tracing::warn!(%error, "a refused upload stays in the store");
            }
        }
        let (bytes, media) = taken?;
        let video = Video {
            id,
            key,
            name,
            bytes,
            created_at: crate::http::rfc3339(SystemTime::now()),
            uploaded,
            media,
        };
        let record = serde_json::to_vec(&video).map_err(|error| store::Error::Refused {
            object: record_key(id).to_string(),
            reason: error.to_string(),
        })?;
        self.store
            .put(&record_key(id), record, Describe::default())
            .await?;
        Ok(video)
    }

    async fn look_at(&self, key: &Key, name: Option<&str>) -> Result<(u64, Media), Refusal> {
        let cancel = Cancel::new();
        let bytes = self.store.head(key).await?.bytes;
        let name = name.unwrap_or(key.as_str());
        let media = self.store.input(key, &cancel).await?.called(name);
        let picture = self.store.input(key, &cancel).await?.called(name);
        let context = Context::new().with_cancel(cancel);
        let media = engine::on_thread(move || Media::of(media, picture, &context)).await;
        media
            .map(|media| (bytes, media))
            .map_err(|error| match store::Error::within(&error) {
                Some(error) => Refusal::Store(error.clone()),
                None => Refusal::Unfit(error),
            })
    }

    /// The video with this id; `None` where there is none, also where it is no id.
    pub async fn find(&self, id: &str) -> store::Result<Option<Video>> {
        let Ok(id) = id.parse::<Uuid>() else {
            return Ok(None);
        };
        match self.store.get(&record_key(id)).await {
            Ok(record) => read(id, &record).map(Some),
            Err(store::Error::Absent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key of a watermark's image: `name` is the id of an upload or a key.
    pub async fn image(&self, name: &str) -> store::Result<Option<Key>> {
        if let Some(upload) = self.find(name).await? {
            return Ok(Some(upload.key));
        }
        let Ok(key) = name.parse::<Key>() else {
            return Ok(None);
        };
        match self.store.head(&key).await {
            Ok(_) => Ok(Some(key)),
            Err(store::Error::Absent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The videos behind the id `after`, in the order of their ids, which is that
    /// of their coming; at most `limit`.
    pub async fn list(&self, after: Option<Uuid>, limit: usize) -> store::Result<Vec<Video>> {
        let mut ids = BTreeSet::new();
        let mut objects = self.store.list(Some(&key(PREFIX)))?;
        while let Some(object) = objects.next().await {
            let object = object?;
            let mut parts = object.key.segments().skip(1);
            let id = parts.next().and_then(|id| id.parse::<Uuid>().ok());
            if let (Some(id), Some("video.json")) = (id, parts.next()) {
                ids.insert(id);
            }
        }
        let behind = ids
            .into_iter()
            .filter(|id| after.is_none_or(|after| *id > after));
        let mut videos = Vec::new();
        for id in behind.take(limit) {
            // One may be deleted meanwhile.
            videos.extend(self.find(&id.to_string()).await?);
        }
        Ok(videos)
    }

    /// Forgets a video, and removes its object if it was uploaded. `false` where
    /// there was none.
    pub async fn delete(&self, id: &str) -> store::Result<bool> {
        let Some(video) = self.find(id).await? else {
            return Ok(false);
        };
        // The record last: until it is gone, deleting can be asked again.
        if video.uploaded {
            self.store.delete(&video.key).await?;
        }
        self.store.delete(&record_key(video.id)).await?;
        Ok(true)
    }
}

impl Media {
    /// What an object is, given twice: media that the engine reads, else a picture.
    fn of(media: Input, picture: Input, context: &Context) -> Result<Self, flatbed_media::Error> {
        let not_media = match probe(media, context) {
            Ok(info) => return Ok(Self::of_info(info)),
            Err(error @ flatbed_media::Error::Malformed { .. }) => error,
            Err(error) => return Err(error),
        };
        match probe_picture(picture, context) {
            Ok(info) => Ok(Self {
                kind: MediaKind::Image,
                duration: None,
                frame_rate: None,
                ..Self::of_info(info)
            }),
            Err(_) => Err(not_media),
        }
    }

    fn of_info(info: MediaInfo) -> Self {
        let pictures = info.streams.iter().find_map(|stream| match &stream.kind {
            StreamKind::Video {
                width,
                height,
                frame_rate,
                ..
            } => Some((*width, *height, *frame_rate)),
            _ => None,
        });
        let frame_rate = pictures.and_then(|(_, _, rate)| rate);
        Self {
            kind: match pictures {
                Some(_) => MediaKind::Video,
                None => MediaKind::Audio,
            },
            format: info.format,
            duration: info.duration.map(flatbed_media::Timestamp::as_secs_f64),
            width: pictures.map(|(width, _, _)| width),
            height: pictures.map(|(_, height, _)| height),
            frame_rate: frame_rate.map(|(num, den)| f64::from(num) / f64::from(den.max(1))),
            codecs: info
                .streams
                .into_iter()
                .map(|stream| stream.codec)
                .collect(),
        }
    }
}

impl Video {
    /// What messages about it call it.
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.key.as_str())
    }

    /// Whether an export can be made of it.
    pub fn check_operations(&self) -> Result<(), String> {
        match self.media.kind {
            MediaKind::Image => Err(format!(
                "videoId: {} is a picture; exports are made of videos",
                self.id
            )),
            MediaKind::Video | MediaKind::Audio => Ok(()),
        }
    }
}

fn read(id: Uuid, record: &[u8]) -> store::Result<Video> {
    serde_json::from_slice(record).map_err(|error| store::Error::Refused {
        object: record_key(id).to_string(),
        reason: format!("it is no record of a video ({error}); remove or mend it"),
    })
}

fn record_key(id: Uuid) -> Key {
    key(&format!("{PREFIX}/{id}/video.json"))
}

/// A key that this file has put together.
#[allow(clippy::expect_used)] // of ids and checked extensions
fn key(text: &str) -> Key {
    text.parse().expect("ids and letters make a key")
}
