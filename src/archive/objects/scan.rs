//! The search through the vectors of all videos, and what there is in all.

use std::collections::HashMap;
use std::sync::PoisonError;

use futures_util::FutureExt;
use futures_util::future::ready;
use futures_util::stream::{StreamExt, TryStreamExt};
use uuid::Uuid;

use super::documents::{Kept, Main, Vectors};
use super::{ANALYSIS, EMBEDDINGS, Shared, TRANSCRIPT};
use crate::archive::nearest::{Compass, Nearest};
use crate::archive::pictures::{AT_ONCE, ROOT, key, parsed};
use crate::archive::{Error, Hit, Query, Result, Usage};
use crate::store::{Key, Object};

/// What was counted of a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    /// Of its `analysis.json`.
    state: Object,
    kept: Kept,
}

impl Shared {
    pub(super) async fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        let compass = Compass::new(&query.vector);
        let mut nearest = Nearest::new(query.limit);
        if let Some(video) = query.video {
            let vectors = self.read(video, EMBEDDINGS).await?;
            return match compare(vectors, video, query, &compass, &mut nearest) {
                Ok(()) => Ok(nearest.hits()),
                Err(reason) => Err(self.unreadable(&key(video, EMBEDDINGS)?, reason)),
            };
        }
        let all = self.store.list(Some(&parsed(ROOT)?))?;
        let all = all.filter_map(|object| {
            ready(match object {
                Ok(Object { key, .. }) => named(&key, EMBEDDINGS).map(|video| Ok((video, key))),
                Err(error) => Some(Err(error)),
            })
        });
        let mut all = all
            .map(|found| {
                async move {
                    let (video, key) = found?;
                    Ok::<_, Error>((video, self.read_key::<Vectors>(&key).await, key))
                }
                .boxed()
            })
            .buffer_unordered(AT_ONCE);
        while let Some(found) = all.next().await {
            let (video, read, key) = found?;
            let compared = match read {
                Ok(vectors) => compare(vectors, video, query, &compass, &mut nearest)
                    .map_err(|reason| self.unreadable(&key, reason)),
                Err(error) => Err(error),
            };
            match compared {
                // What one video has lost is no reason to find nothing of the others.
                Err(error @ Error::Unreadable { .. }) => {
                    tracing::warn!(%video, %error, "a video's vectors were passed over");
                }
                compared => compared?,
            }
        }
        Ok(nearest.hits())
    }

    fn unreadable(&self, key: &Key, reason: String) -> Error {
        Error::Unreadable {
            what: self.store.name_of(key),
            reason,
        }
    }

    pub(super) async fn usage(&self) -> Result<Usage> {
        let mut usage = Usage::default();
        let mut states: HashMap<Uuid, Object> = HashMap::new();
        let mut all = self.store.list(Some(&parsed(ROOT)?))?;
        while let Some(object) = all.try_next().await? {
            if let Some(video) = named(&object.key, ANALYSIS) {
                usage.videos += 1;
                states.insert(video, object);
            } else if named(&object.key, TRANSCRIPT).is_some() {
                usage.transcripts += 1;
            } else if is_picture(&object.key) {
                usage.frames += 1;
                usage.frame_bytes = usage.frame_bytes.saturating_add(object.bytes);
            }
        }
        let mut counted = std::mem::take(&mut *self.counted());
        counted.retain(|video, counted| states.get(video) == Some(&counted.state));
        let missing = states
            .into_iter()
            .filter(|(video, _)| !counted.contains_key(video));
        let missing: Vec<_> = missing.collect();
        let mut reading = futures_util::stream::iter(missing)
            .map(|(video, state)| {
                async move {
                    // One that cannot be read counts as a video, and that is all.
                    let main = self.read_key::<Main>(&state.key).await;
                    let kept = match main {
                        Ok(Some(main)) => main.kept,
                        Ok(None) | Err(Error::Unreadable { .. }) => Kept::default(),
                        Err(error) => return Err(error),
                    };
                    Ok((video, Counted { state, kept }))
                }
                .boxed()
            })
            .buffer_unordered(4 * AT_ONCE);
        while let Some((video, one)) = reading.try_next().await? {
            counted.insert(video, one);
        }
        for one in counted.values() {
            usage.scenes += one.kept.scenes;
            usage.embeddings += one.kept.embeddings;
        }
        *self.counted() = counted;
        Ok(usage)
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Counted>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compares a video's vectors, if they are of the query's model.
fn compare(
    vectors: Option<Vectors>,
    video_id: Uuid,
    query: &Query,
    compass: &Compass<'_>,
    nearest: &mut Nearest,
) -> Result<(), String> {
    let Some(vectors) = vectors.filter(|vectors| vectors.model == query.model) else {
        return Ok(());
    };
    for embedding in vectors.unpack() {
        let embedding = embedding?;
        if let Some(score) = compass.cosine(&embedding.vector) {
            nearest.offer(score, || Hit {
                video_id,
                passage: embedding.passage,
                score,
            });
        }
    }
    Ok(())
}

/// Whose object of that name it is.
fn named(key: &Key, name: &str) -> Option<Uuid> {
    let rest = key.as_str().strip_prefix(ROOT)?.strip_prefix('/')?;
    let (video, file) = rest.split_once('/')?;
    (file == name).then(|| video.parse().ok())?
}

fn is_picture(key: &Key) -> bool {
    let mut segments = key.segments().skip(2);
    segments.next() == Some("frames") && key.as_str().to_ascii_lowercase().ends_with(".jpg")
}
