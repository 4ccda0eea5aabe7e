//! A multipart upload: parts of one size, a few at a time, completed or aborted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStore, PutMultipartOptions};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::cloud::{Cloud, attributes};
use super::{Describe, Error, Key, Object, Result};

/// The least size of a part; S3 allows no less than 5 MiB.
const SIZE: u64 = 8 << 20;

/// S3 allows so many parts.
const MOST: u64 = 10_000;

/// Parts that are sent at a time.
const AT_ONCE: usize = 2;

/// How long an abort waits for them.
const ARRIVING: Duration = Duration::from_secs(2);

/// A part's bytes.
pub(super) type Part = Bytes;

/// Why an upload failed, for the one who still writes to it.
pub(super) type Failure = Arc<Mutex<Option<Error>>>;

/// An upload that has not begun.
pub(super) struct Parts {
    cloud: Cloud,
    key: Key,
    describe: Describe,
    /// `s3://bucket/key`.
    pub(super) name: String,
    /// Of each part but the last; R2 wants them equal.
    pub(super) size: usize,
}

impl Parts {
    /// `expected` bytes are to come, where that is known; with 8 MiB a part there
    /// is room for 78 GiB.
    pub(super) fn new(cloud: Cloud, key: Key, describe: Describe, expected: Option<u64>) -> Self {
        // Some room for what was expected too low.
        let size = expected.map_or(0, |bytes| bytes.div_ceil(MOST * 9 / 10));
        let size = size.max(SIZE).next_multiple_of(1 << 20);
        Self {
            name: cloud.name_of(&key),
            size: usize::try_from(size).unwrap_or(usize::MAX),
            cloud,
            key,
            describe,
        }
    }

    /// Sends what comes through `taken` and then `last`, and completes it once
    /// `decision` says so; aborts it when that is dropped, or after an error.
    pub(super) async fn run(
        self,
        taken: mpsc::Receiver<Part>,
        last: oneshot::Receiver<Part>,
        decision: oneshot::Receiver<()>,
        failure: Failure,
    ) -> Result<Object> {
        let mut going = Going {
            upload: None,
            sending: JoinSet::new(),
            bytes: 0,
            count: 0,
            parts: &self,
        };
        // The channel closes at the end of this function, when the reason is there.
        let mut taken = taken;
        let done = going.all(&mut taken, last, decision).await;
        if let Err(error) = &done {
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
            drop(taken);
            going.abort().await;
        }
        done
    }
}

struct Going<'a> {
    upload: Option<Box<dyn MultipartUpload>>,
    sending: JoinSet<object_store::Result<()>>,
    bytes: u64,
    count: u64,
    parts: &'a Parts,
}

impl Going<'_> {
    async fn all(
        &mut self,
        taken: &mut mpsc::Receiver<Part>,
        last: oneshot::Receiver<Part>,
        mut decision: oneshot::Receiver<()>,
    ) -> Result<Object> {
        let given_up = Error::Cancelled {
            object: self.parts.name.clone(),
        };
        let mut decided = false;
        let mut coming = true;
        while coming || !self.sending.is_empty() {
            tokio::select! {
                decision = &mut decision, if !decided => match decision {
                    Ok(()) => decided = true,
                    Err(_) => return Err(given_up),
                },
                Some(sent) = self.sending.join_next() => self.sent(sent)?,
                part = taken.recv(), if coming && self.sending.len() < AT_ONCE => match part {
                    Some(part) => self.send(part).await?,
                    None => coming = false,
                },
            }
        }
        // The writer is gone, and has left what fills no part.
        let last = last.await.unwrap_or_default();
        let alone = self.upload.is_none();
        if !alone && !last.is_empty() {
            self.send(last.clone()).await?;
            while let Some(sent) = self.sending.join_next().await {
                self.sent(sent)?;
            }
        }
        if !decided && decision.await.is_err() {
            return Err(given_up);
        }
        if alone {
            let Parts { cloud, key, .. } = self.parts;
            cloud.put(key, last, &self.parts.describe).await
        } else {
            self.complete().await
        }
    }

    async fn send(&mut self, part: Part) -> Result<()> {
        let Parts { cloud, key, .. } = self.parts;
        if self.count >= MOST {
            let size = self.parts.size >> 20;
            return Err(Error::refused(
                &self.parts.name,
                format!("{MOST} parts of {size} MiB are full; tell its size beforehand"),
            ));
        }
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => {
                let options = PutMultipartOptions {
                    attributes: attributes(key, &self.parts.describe),
                    ..PutMultipartOptions::default()
                };
                let begun = cloud
                    .client()
                    .put_multipart_opts(&cloud.path(key)?, options)
                    .await;
                none.insert(begun.map_err(|error| self.parts.failed(&error))?)
            }
        };
        self.count += 1;
        self.bytes += u64::try_from(part.len()).unwrap_or_default();
        self.sending.spawn(upload.put_part(part.into()));
        Ok(())
    }

    fn sent(
        &self,
        sent: std::result::Result<object_store::Result<()>, tokio::task::JoinError>,
    ) -> Result<()> {
        match sent {
            Ok(sent) => sent.map_err(|error| self.parts.failed(&error)),
            Err(_) => Err(Error::away(&self.parts.name, "this process is ending")),
        }
    }

    async fn complete(&mut self) -> Result<Object> {
        let Some(upload) = &mut self.upload else {
            return Err(Error::away(&self.parts.name, "nothing was begun"));
        };
        let put = upload
            .complete()
            .await
            .map_err(|error| self.parts.failed(&error))?;
        self.upload = None;
        Ok(Object {
            key: self.parts.key.clone(),
            bytes: self.bytes,
            modified: SystemTime::now(),
            version: put.e_tag,
        })
    }

    /// What was sent is removed; parts that are left would be paid for.
    async fn abort(&mut self) {
        // A part that is complete after the abort would stay: those that have
        // nearly arrived may do so, the others are broken off.
        let arrived = async { while self.sending.join_next().await.is_some() {} };
        let _ = timeout(ARRIVING, arrived).await;
        self.sending.shutdown().await;
        let Some(mut upload) = self.upload.take() else {
            return;
        };
        if let Err(error) = upload.abort().await {
            let error = self.parts.failed(&error);
            tracing::warn!(%error, "parts of an upload are left; a lifecycle rule removes them");
        }
    }
}

impl Parts {
    fn failed(&self, error: &object_store::Error) -> Error {
        match Error::of_cloud(&self.name, error) {
            Error::Absent { object } => Error::Away {
                object,
                reason: "the upload was removed in the meantime".to_owned(),
            },
            error => error,
        }
    }
}
