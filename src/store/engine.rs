//! What the engine reads from a store and writes into it.

use std::path::{Path, PathBuf};

use flatbed_media::{Cancel, Container, Input, Output};
use tokio::task::spawn_blocking;

use super::scratch::Scratch;
use super::{Describe, Error, Key, Object, Reader, Result, Store, Upload};

/// How a result gets into a bucket. In a folder it is a file either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It is sent while it is made, and never lies on a disk: MP4 and MOV become
    /// fragmented, Matroska has no index.
    Streamed,
    /// It is made as a file in the temporary folder, with its index in front,
    /// and sent when it is whole. `bytes` is how large it may become; that much
    /// room must be there.
    Whole {
        /// An estimate, rather too high.
        bytes: u64,
    },
}

/// A result in the making: dropped, nothing of it is left.
#[derive(Debug)]
#[must_use = "a result that is not finished is thrown away"]
pub struct Pending(Way);

#[derive(Debug)]
enum Way {
    Streamed(Upload),
    Whole {
        store: Store,
        key: Key,
        describe: Describe,
        file: PathBuf,
        scratch: Scratch,
    },
}

impl Store {
    /// An object as the engine's input, named by its key. It can be opened more
    /// than once, and each time it is the same version.
    ///
    /// `cancel` ends a read that waits for the store.
    pub async fn input(&self, key: &Key, cancel: &Cancel) -> Result<Input> {
        if let Some(path) = self.file(key)? {
            self.head(key).await?;
            return Ok(Input::path(path));
        }
        let reader = self.open_object(key, cancel).await?;
        match reader {
            super::Content::Ranges(reader) => Ok(ranges(key, reader)),
            super::Content::File(file) => Ok(Input::seekable(key.as_str(), file)),
        }
    }

    /// A place for the engine's result, which becomes visible under `key` when
    /// [`Pending::finish`] says so.
    pub async fn output(
        &self,
        key: &Key,
        container: Container,
        shape: Shape,
        describe: Describe,
        cancel: &Cancel,
    ) -> Result<(Output, Pending)> {
        let bytes = match (shape, self.is_folder()) {
            (Shape::Streamed, false) => {
                let (upload, body) = self.create(key, describe, None).await?;
                let writer = body.into_writer(cancel.clone());
                let output = Output::live(key.as_str(), container, writer);
                return Ok((output, Pending(Way::Streamed(upload))));
            }
            (Shape::Streamed, true) => 0,
            (Shape::Whole { bytes }, _) => bytes,
        };
        let scratch = self.scratch(bytes).await?;
        let file = scratch.path(&format!("result.{}", container.extension()));
        let output = Output::path_as(&file, container);
        let pending = Way::Whole {
            store: self.clone(),
            key: key.clone(),
            describe,
            file,
            scratch,
        };
        Ok((output, Pending(pending)))
    }

    /// A folder for results that are files before they are objects, on a disk with
    /// room for `bytes`. What is in it goes into the store by [`Store::put_file`].
    pub async fn scratch(&self, bytes: u64) -> Result<Scratch> {
        let parent = self.workshop();
        spawn_blocking(move || Scratch::create(&parent, bytes))
            .await
            .map_err(|_| Error::away("temporary folder", "this process is ending"))?
    }
}

fn ranges(key: &Key, reader: Reader) -> Input {
    Input::reopening(key.as_str(), move || Ok(reader.again()))
}

impl Pending {
    /// Makes the result visible. The engine must have returned without an error.
    pub async fn finish(self) -> Result<Object> {
        match self.0 {
            Way::Streamed(upload) => upload.finish().await,
            Way::Whole {
                store,
                key,
                describe,
                file,
                scratch,
            } => {
                let put = store.put_file(&key, &file, describe).await;
                drop(scratch);
                put
            }
        }
    }

    /// Leaves nothing of it, and waits until that is so.
    pub async fn abort(self) {
        match self.0 {
            Way::Streamed(upload) => upload.abort().await,
            Way::Whole { scratch, .. } => drop(scratch),
        }
    }

    /// The result's file, where it is one, to be looked at before it is finished.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Way::Streamed(_) => None,
            Way::Whole { file, .. } => Some(file),
        }
    }
}
