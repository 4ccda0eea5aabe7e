//! Frames and proxies as objects of a store, whoever keeps what is known of them.

use std::path::Path;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use uuid::Uuid;

use super::model::Frame;
use super::{Error, NewFrame, Result};
use crate::store::{self, Describe, Key, Store};

/// All that an archive has in a store is below it.
pub(super) const ROOT: &str = "analysis";

/// How many objects are on their way at once.
pub(super) const AT_ONCE: usize = 4;

/// The pictures in a store.
#[derive(Debug, Clone)]
pub(super) struct Pictures {
    pub(super) store: Store,
}

impl Pictures {
    /// Keeps the frames' files; the frames with their keys.
    pub(super) async fn keep(&self, video: Uuid, frames: &[NewFrame]) -> Result<Vec<Frame>> {
        let keeping = frames.iter().map(|new| async move {
            let key = key(video, &picture(new.frame.index))?;
            let describe = Describe::default();
            self.store.put_file(&key, &new.file, describe).await?;
            Ok::<_, Error>(Frame {
                key: Some(key),
                ..new.frame.clone()
            })
        });
        // Boxed, or the compiler does not see that it can be sent.
        let keeping: Vec<_> = keeping.map(futures_util::FutureExt::boxed).collect();
        stream::iter(keeping).buffered(AT_ONCE).try_collect().await
    }

    /// Deletes the pictures of frames that there are no more.
    pub(super) async fn forget_others(&self, video: Uuid, frames: &[Frame]) -> Result<()> {
        let mut found = self.store.list(Some(&key(video, "frames")?))?;
        while let Some(object) = found.try_next().await? {
            let is_kept = |frame: &Frame| frame.key.as_ref() == Some(&object.key);
            if !frames.iter().any(is_kept) {
                self.store.delete(&object.key).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn keep_proxy(&self, video: Uuid, file: &Path) -> Result<Key> {
        let key = key(video, "proxy.mp4")?;
        self.store.put_file(&key, file, Describe::default()).await?;
        Ok(key)
    }

    pub(super) async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        absent_is_none(self.store.get(key).await)
    }

    /// Deletes pictures and proxy.
    pub(super) async fn forget(&self, video: Uuid) -> Result<()> {
        self.store.delete_all(&key(video, "frames")?).await?;
        self.store.delete(&key(video, "proxy.mp4")?).await?;
        Ok(())
    }
}

/// Of the frame of that index; people count from 1.
pub(super) fn picture(index: u32) -> String {
    format!("frames/{:04}.jpg", index.saturating_add(1))
}

/// The key of `name` of a video.
pub(super) fn key(video: Uuid, name: &str) -> Result<Key> {
    parsed(&format!("{ROOT}/{video}/{name}"))
}

pub(super) fn parsed(text: &str) -> Result<Key> {
    text.parse()
        .map_err(|error: store::InvalidKey| Error::Unreadable {
            what: text.to_owned(),
            reason: error.to_string(),
        })
}

pub(super) fn absent_is_none<T>(answer: store::Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(there) => Ok(Some(there)),
        Err(store::Error::Absent { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
