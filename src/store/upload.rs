//! An object on its way into a store: all of it becomes visible at once, or
//! nothing does.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flatbed_media::Cancel;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::folder::Folder;
use super::parts::{self, Failure, Part};
use super::scratch::Scratch;
use super::{Error, Key, Object, Result};

/// How often a write that waits looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// The one who decides what becomes of the object. Dropped without a decision,
/// the upload is aborted in the background.
#[derive(Debug)]
#[must_use = "an upload that is not finished is aborted"]
pub struct Upload(Way);

#[derive(Debug)]
enum Way {
    File {
        folder: Folder,
        key: Key,
        file: PathBuf,
        /// Removed with the file in it when this is dropped.
        scratch: Scratch,
    },
    Parts {
        decide: oneshot::Sender<()>,
        task: JoinHandle<Result<Object>>,
        name: String,
    },
}

impl Upload {
    /// Makes the object visible, once all that its [`Body`] or [`Writer`] was
    /// given is in the store; that one must be dropped before.
    pub async fn finish(self) -> Result<Object> {
        match self.0 {
            Way::File {
                folder,
                key,
                file,
                scratch,
            } => {
                let kept = folder.keep(&key, &file).await;
                drop(scratch);
                kept
            }
            Way::Parts { decide, task, name } => {
                // Where the task has failed already, its answer says why.
                let _ = decide.send(());
                ended(task.await, &name)
            }
        }
    }

    /// Leaves nothing of it in the store, and waits until that is so.
    pub async fn abort(self) {
        match self.0 {
            Way::File { scratch, .. } => drop(scratch),
            Way::Parts { decide, task, .. } => {
                drop(decide);
                let _ = task.await;
            }
        }
    }

    pub(super) fn into_file(folder: Folder, key: Key, scratch: Scratch) -> Result<(Self, Body)> {
        let path = scratch.path("object");
        let created = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = created.map_err(|error| Error::of_disk(&folder.name_of(&key), &error))?;
        let body = Body {
            name: folder.name_of(&key),
            sink: Sink::File(file),
        };
        let upload = Self(Way::File {
            folder,
            key,
            file: path,
            scratch,
        });
        Ok((upload, body))
    }

    pub(super) fn in_parts(parts: parts::Parts) -> (Self, Body) {
        let (give, taken) = mpsc::channel(1);
        let (rest, last) = oneshot::channel();
        let (decide, decision) = oneshot::channel();
        let failure = Failure::default();
        let size = parts.size;
        let name = parts.name.clone();
        let task = parts.run(taken, last, decision, Arc::clone(&failure));
        let body = Body {
            name: name.clone(),
            sink: Sink::Parts {
                filling: Vec::new(),
                size,
                give,
                rest: Some(rest),
                failure,
            },
        };
        let task = tokio::spawn(task);
        (Self(Way::Parts { decide, task, name }), body)
    }
}

fn ended(
    joined: std::result::Result<Result<Object>, tokio::task::JoinError>,
    name: &str,
) -> Result<Object> {
    joined.unwrap_or_else(|_| Err(Error::away(name, "this process is ending")))
}

/// What the object is made of, as it comes. It holds one part at most; with those
/// on their way an upload takes four parts of memory.
#[derive(Debug)]
pub struct Body {
    name: String,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    File(File),
    Parts {
        filling: Vec<u8>,
        size: usize,
        give: mpsc::Sender<Part>,
        /// The last part goes this way, so that dropping needs no waiting.
        rest: Option<oneshot::Sender<Part>>,
        failure: Arc<Mutex<Option<Error>>>,
    },
}

impl Body {
    /// Appends `bytes`. Waits while the store is slower.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        if let Sink::File(file) = &self.sink {
            let failed = |error: &io::Error| Error::of_disk(&self.name, error);
            let mut file = file.try_clone().map_err(|error| failed(&error))?;
            let bytes = bytes.to_vec();
            let written = spawn_blocking(move || file.write_all(&bytes)).await;
            return match written {
                Ok(written) => written.map_err(|error| failed(&error)),
                Err(_) => Err(Error::away(&self.name, "this process is ending")),
            };
        }
        while !bytes.is_empty() {
            bytes = self.fill(bytes);
            if let Some((give, part)) = self.full()
                && give.send(part).await.is_err()
            {
                return Err(self.failed());
            }
        }
        Ok(())
    }

    /// For an engine's thread: a write blocks, and panics on a thread that drives
    /// the runtime.
    pub fn into_writer(self, cancel: Cancel) -> Writer {
        Writer {
            body: self,
            runtime: Handle::current(),
            cancel,
        }
    }

    /// Takes what goes into the part that is being filled; gives back the rest.
    fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Sink::Parts { filling, size, .. } = &mut self.sink else {
            return bytes;
        };
        let room = size.saturating_sub(filling.len());
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        filling.extend_from_slice(now);
        later
    }

    /// The part that was being filled, once it is full.
    fn full(&mut self) -> Option<(mpsc::Sender<Part>, Part)> {
        match &mut self.sink {
            Sink::Parts {
                filling,
                size,
                give,
                ..
            } if filling.len() >= *size => Some((give.clone(), std::mem::take(filling).into())),
            _ => None,
        }
    }

    /// Why the upload has ended.
    fn failed(&self) -> Error {
        let known = match &self.sink {
            Sink::Parts { failure, .. } => failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            Sink::File(_) => None,
        };
        known.unwrap_or_else(|| Error::away(&self.name, "the upload was given up"))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Sink::Parts { filling, rest, .. } = &mut self.sink
            && let Some(rest) = rest.take()
        {
            let _ = rest.send(std::mem::take(filling).into());
        }
    }
}

/// A [`Body`] for an engine's thread.
#[derive(Debug)]
pub struct Writer {
    body: Body,
    runtime: Handle,
    cancel: Cancel,
}

impl Writer {
    fn give(&self, give: &mpsc::Sender<Part>, part: Part) -> Result<()> {
        loop {
            if self.cancel.is_cancelled() {
                return Err(Error::Cancelled {
                    object: self.body.name.clone(),
                });
            }
            let room = self
                .runtime
                .block_on(async { timeout(LOOK, give.reserve()).await });
            match room {
                Err(_) => {}
                Ok(Ok(permit)) => {
                    permit.send(part);
                    return Ok(());
                }
                Ok(Err(_)) => return Err(self.body.failed()),
            }
        }
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Sink::File(file) = &mut self.body.sink {
            return file.write(bytes);
        }
        let later = self.body.fill(bytes).len();
        if let Some((give, part)) = self.body.full() {
            self.give(&give, part)?;
        }
        Ok(bytes.len() - later)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies a file into a body.
pub(super) async fn copy(file: File, mut body: Body, name: &str) -> Result<()> {
    const CHUNK: usize = 1 << 20;
    let mut reading = (file, vec![0; CHUNK]);
    loop {
        let read = spawn_blocking(move || {
            let (mut file, mut chunk) = reading;
            let count = file.read(&mut chunk)?;
            Ok::<_, io::Error>((file, chunk, count))
        });
        let (file, chunk, count) = read
            .await
            .map_err(|_| Error::away(name, "this process is ending"))?
            .map_err(|error| Error::of_disk(name, &error))?;
        match chunk.get(..count) {
            Some(bytes) if !bytes.is_empty() => body.write(bytes).await?,
            _ => return Ok(()),
        }
        reading = (file, chunk);
    }
}
