//! Where objects are kept: a folder, or a bucket of S3, GCS or R2.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | which store, read from variables |
//! | `key.rs` | the name of an object, checked |
//! | `error.rs` | why a call failed, split by whose fault it is |
//! | `folder.rs` | a folder of this host |
//! | `cloud.rs` | a bucket |
//! | `reader.rs` | reads a bucket's object in ranges, ahead of the engine |
//! | `upload.rs`, `parts.rs` | an object on its way into a store |
//! | [`engine`] | the engine's inputs and outputs in a store |
//! | [`scratch`] | temporary folders, gone on each way out |
//! | [`link`] | signed links |
//! | `media_type.rs` | what a name says about the content |
//!
//! # What each store guarantees
//!
//! Each sentence has a test in `tests/store`, which the folder and a real S3
//! server pass.
//!
//! 1. **Complete or absent.** An object becomes visible under its key in one moment,
//!    when it is finished, and replaces what was there. Until then, and after an
//!    error, an abort or a crash, readers see what was there before.
//! 2. **One version.** Who opened an object reads that one to its end, or is told
//!    [`Error::Changed`].
//! 3. **Bounded.** An upload takes 32 MiB of memory and a reader 24 MiB, whatever the
//!    object's size. Requests that fail by the service's fault are tried again for a
//!    minute.
//! 4. **Deleting what is not there is no error**, so that it can be repeated.
//! 5. **Listing** has no order, and no snapshot: what comes or goes meanwhile may or
//!    may not be in it.

mod cloud;
pub mod config;
pub mod engine;
mod error;
mod folder;
mod key;
pub mod link;
mod media_type;
mod parts;
mod reader;
pub mod scratch;
mod upload;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flatbed_media::Cancel;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::task::spawn_blocking;
use uuid::Uuid;

pub use config::Config;
pub use error::{Error, Result};
pub use key::{InvalidKey, Key};
pub use link::{BadLink, Link, Signed};
pub use media_type::{attachment, media_type};
pub use reader::Reader;
pub use upload::{Body, Upload, Writer};

use cloud::Cloud;
use config::Place;
use folder::Folder;
use parts::Parts;

/// A store of objects. Clones are the same store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: String,
    place: Kept,
    public: Option<String>,
    temp_dir: PathBuf,
}

#[derive(Debug)]
enum Kept {
    Folder(Folder),
    Cloud(Cloud),
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub key: Key,
    /// Its size.
    pub bytes: u64,
    /// When it became visible, by the store's clock.
    pub modified: SystemTime,
    /// Changes with the content: an `ETag` as a rule.
    pub version: Option<String>,
}

/// How an object is served. What is left out follows from its key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Describe {
    /// The media type.
    pub media_type: Option<String>,
    /// The name under which browsers save it, instead of showing it.
    pub file_name: Option<String>,
    /// How long whoever fetches it may keep it, as HTTP's `Cache-Control` has it. A
    /// folder has no place for it.
    pub cache_control: Option<String>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many objects.
    pub objects: u64,
    /// Their sizes, summed.
    pub bytes: u64,
}

/// An opened object, for engine threads.
#[derive(Debug)]
pub enum Content {
    /// Of a folder. It stays the same file even when its name gets another.
    File(File),
    /// Of a bucket.
    Ranges(Reader),
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Ranges(reader) => reader.read(buffer),
        }
    }
}

impl Seek for Content {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Ranges(reader) => reader.seek(to),
        }
    }
}

impl Store {
    /// Opens a store. A folder is made where it is not there; a bucket is not
    /// asked yet, [`Store::check`] does that. What killed processes left in the
    /// temporary folder is removed.
    pub fn open(config: &Config) -> Result<Self> {
        let place = match &config.place {
            Place::Folder(root) => Kept::Folder(Folder::open(root)?),
            Place::Bucket(bucket) => {
                scratch::sweep(&config.temp_dir);
                Kept::Cloud(Cloud::open(bucket)?)
            }
        };
        Ok(Self(Arc::new(Shared {
            name: config.place.to_string(),
            place,
            public: config.public.clone(),
            temp_dir: config.temp_dir.clone(),
        })))
    }

    /// What it is, for people: a path, or `s3://bucket`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it is a folder of this host.
    pub fn is_folder(&self) -> bool {
        matches!(self.0.place, Kept::Folder(_))
    }

    /// The file of an object, where the store is a folder. It may not be there.
    pub fn file(&self, key: &Key) -> Result<Option<PathBuf>> {
        match &self.0.place {
            Kept::Folder(folder) => folder.path(key).map(Some),
            Kept::Cloud(_) => Ok(None),
        }
    }

    /// Opens an object for an engine's thread, which reads it wherever it likes.
    /// `cancel` ends a read that waits.
    pub async fn open_object(&self, key: &Key, cancel: &Cancel) -> Result<Content> {
        match &self.0.place {
            Kept::Folder(folder) => folder.open_object(key).await.map(Content::File),
            Kept::Cloud(cloud) => {
                let reader = Reader::open(cloud, key, cancel.clone()).await?;
                Ok(Content::Ranges(reader))
            }
        }
    }

    /// What is known of an object.
    pub async fn head(&self, key: &Key) -> Result<Object> {
        match &self.0.place {
            Kept::Folder(folder) => folder.head(key).await,
            Kept::Cloud(cloud) => cloud.head(key).await,
        }
    }

    /// All of a small object.
    pub async fn get(&self, key: &Key) -> Result<Bytes> {
        match &self.0.place {
            Kept::Folder(folder) => folder.get(key).await,
            Kept::Cloud(cloud) => cloud.get(key).await,
        }
    }

    /// All of an object that has no more than `most` bytes; `None` if it has more.
    pub async fn get_within(&self, key: &Key, most: u64) -> Result<Option<Bytes>> {
        match &self.0.place {
            Kept::Folder(folder) => {
                if folder.head(key).await?.bytes > most {
                    return Ok(None);
                }
                folder.get(key).await.map(Some)
            }
            Kept::Cloud(cloud) => cloud.get_within(key, most).await,
        }
    }

    /// Keeps a small object.
    pub async fn put(
        &self,
        key: &Key,
        bytes: impl Into<Bytes>,
        describe: Describe,
    ) -> Result<Object> {
        match &self.0.place {
            Kept::Folder(folder) => folder.put(key, bytes.into()).await,
            Kept::Cloud(cloud) => cloud.put(key, bytes.into(), &describe).await,
        }
    }

    /// Begins an object that comes piece by piece; `expected` is its size in
    /// bytes where that is known.
    pub async fn create(
        &self,
        key: &Key,
        describe: Describe,
        expected: Option<u64>,
    ) -> Result<(Upload, Body)> {
        match &self.0.place {
            Kept::Folder(folder) => {
                // Refused before anything comes.
                folder.path(key)?;
                let scratch = self.scratch(expected.unwrap_or(0)).await?;
                Upload::into_file(folder.clone(), key.clone(), scratch)
            }
            Kept::Cloud(cloud) => {
                cloud.path(key)?;
                let parts = Parts::new(cloud.clone(), key.clone(), describe, expected);
                Ok(Upload::in_parts(parts))
            }
        }
    }

    /// Keeps a finished file; a file of a
    /// [`Scratch`](scratch::Scratch) is moved where that will do.
    pub async fn put_file(&self, key: &Key, file: &Path, describe: Describe) -> Result<Object> {
        if let Kept::Folder(folder) = &self.0.place
            && file.starts_with(folder.unfinished())
        {
            return folder.keep(key, file).await;
        }
        let name = file.display().to_string();
        let path = file.to_owned();
        let (file, bytes) = spawn_blocking(move || {
            let file = File::open(path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        })
        .await
        .map_err(|_| Error::away(&name, "this process is ending"))?
        .map_err(|error: io::Error| Error::of_disk(&name, &error))?;
        let (upload, body) = self.create(key, describe, Some(bytes)).await?;
        match upload::copy(file, body, &name).await {
            Ok(()) => upload.finish().await,
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    /// Deletes an object, if it is there.
    pub async fn delete(&self, key: &Key) -> Result<()> {
        match &self.0.place {
            Kept::Folder(folder) => folder.delete(key).await,
            Kept::Cloud(cloud) => cloud.delete(key).await,
        }
    }

    /// Deletes all objects below `folder`, and tells how many.
    pub async fn delete_all(&self, folder: &Key) -> Result<u64> {
        match &self.0.place {
            Kept::Folder(place) => place.delete_all(folder).await,
            Kept::Cloud(cloud) => cloud.delete_all(folder).await,
        }
    }

    /// The objects below `folder`, or all.
    pub fn list(&self, folder: Option<&Key>) -> Result<BoxStream<'static, Result<Object>>> {
        match &self.0.place {
            Kept::Folder(place) => place.list(folder),
            Kept::Cloud(cloud) => cloud.list(folder),
        }
    }

    /// How much there is below `folder`, or in all.
    pub async fn usage(&self, folder: Option<&Key>) -> Result<Usage> {
        let mut usage = Usage::default();
        let mut objects = self.list(folder)?;
        while let Some(object) = objects.next().await {
            usage.objects += 1;
            usage.bytes = usage.bytes.saturating_add(object?.bytes);
        }
        Ok(usage)
    }

    /// Where anybody can download the object for so long; whether it is there is
    /// not looked at. A browser saves it as `file_name`, where that is given and
    /// the address is not public.
    pub async fn link(&self, key: &Key, holds: Duration, file_name: Option<&str>) -> Result<Link> {
        let now = SystemTime::now();
        match (&self.0.place, &self.0.public) {
            (Kept::Cloud(cloud), Some(public)) => Ok(Link {
                url: format!("{public}/{}", cloud.public_path(key)?),
                expires: None,
            }),
            (Kept::Cloud(cloud), None) => Ok(Link {
                url: cloud.link(key, holds, file_name).await?,
                expires: now.checked_add(holds.min(cloud::LONGEST_LINK)),
            }),
            (Kept::Folder(folder), _) => {
                folder.path(key)?;
                Ok(folder.signing().sign(key, holds, file_name, now))
            }
        }
    }

    /// Whether a link of this folder was signed here and holds. A bucket's links
    /// never come here.
    pub fn verify(&self, key: &Key, signed: &Signed) -> std::result::Result<(), BadLink> {
        match &self.0.place {
            Kept::Folder(folder) => folder.signing().verify(key, signed, SystemTime::now()),
            Kept::Cloud(_) => Err(BadLink::Forged),
        }
    }

    /// Whether the store answers: one request, for `/health`.
    pub async fn check(&self) -> Result<()> {
        match &self.0.place {
            Kept::Folder(folder) => folder.check().await,
            Kept::Cloud(cloud) => cloud.check().await,
        }
    }

    /// Whether it can be written, read and deleted from, for `flatbed doctor`.
    pub async fn rehearse(&self) -> Result<()> {
        self.check().await?;
        let name = format!("flatbed-doctor-{}", Uuid::now_v7());
        let key: Key = name
            .parse()
            .map_err(|error: InvalidKey| Error::refused(self.name(), error.to_string()))?;
        self.put(&key, name.clone(), Describe::default()).await?;
        let read = self.get(&key).await;
        self.delete(&key).await?;
        if read? == name {
            Ok(())
        } else {
            Err(Error::refused(
                self.name(),
                "it gives back other bytes than it was given",
            ))
        }
    }

    /// Where files lie that are not whole yet.
    fn workshop(&self) -> PathBuf {
        match &self.0.place {
            Kept::Folder(folder) => folder.unfinished(),
            Kept::Cloud(_) => self.0.temp_dir.clone(),
        }
    }

    /// For messages: `s3://bucket/key`.
    pub fn name_of(&self, key: &Key) -> String {
        match &self.0.place {
            Kept::Folder(folder) => folder.name_of(key),
            Kept::Cloud(cloud) => cloud.name_of(key),
        }
    }
}
