//! An upload as it comes: in memory while it is small and there is room, else on its
//! way into the store.

use std::fmt::Write as _;
use std::sync::Arc;

use flatbed_media::image::Format;
use ring::digest;
use tokio::sync::OwnedSemaphorePermit;

use super::Images;
use super::desk::{Held, body};
use super::form::{Image, Ticket};
use crate::http::failure::Failure;
use crate::http::multipart::Part;
use crate::store::{self, Describe, Upload};
use crate::workload::image_api::source;

/// How much of a file that is refused is read, so that who sends it gets the answer.
const PASSED_OVER: u64 = 16 << 20;

/// What tells a format.
const HEAD: usize = 32;

/// The form's file.
pub(super) async fn file(
    api: &Images,
    job: &Ticket,
    mut field: Part<'_>,
    name: &str,
) -> Result<Image, Failure> {
    let mut coming = Coming::new(api, job);
    loop {
        let chunk = match field.next().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return coming.end(name).await,
            Err(failure) => {
                coming.abort().await;
                return Err(failure);
            }
        };
        if let Err(failure) = coming.push(&chunk, name).await {
            coming.abort().await;
            pass_over(&mut field).await;
            return Err(failure);
        }
    }
}

async fn pass_over(field: &mut Part<'_>) {
    let mut passed = 0;
    while let Ok(Some(chunk)) = field.next().await {
        passed += chunk.len() as u64;
        if passed > PASSED_OVER {
            break;
        }
    }
}

/// An upload, as it comes.
struct Coming<'a> {
    api: &'a Images,
    job: &'a Ticket,
    bytes: u64,
    /// Its first ones.
    head: Vec<u8>,
    place: Place,
    /// Where the job may be known: is it the same image?
    checksum: Option<digest::Context>,
}

enum Place {
    Memory(Held),
    Store {
        upload: Upload,
        body: store::Body,
        _turn: OwnedSemaphorePermit,
    },
    /// The job is known, and has its image.
    Nowhere,
}

impl<'a> Coming<'a> {
    fn new(api: &'a Images, job: &'a Ticket) -> Self {
        Self {
            api,
            job,
            bytes: 0,
            head: Vec::new(),
            place: Place::Memory(api.desk().held()),
            checksum: job.is_named.then(|| digest::Context::new(&digest::SHA256)),
        }
    }

    async fn push(&mut self, chunk: &[u8], name: &str) -> Result<(), Failure> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.api.largest() {
            return Err(too_large(self.api));
        }
        let missing = HEAD.saturating_sub(self.head.len()).min(chunk.len());
        if missing > 0 {
            self.head
                .extend_from_slice(chunk.get(..missing).unwrap_or_default());
            if self.head.len() == HEAD {
                Format::of(&self.head, name).map_err(|error| unfit(&error))?;
            }
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.update(chunk);
        }
        if let Place::Memory(held) = &mut self.place {
            if held.push(chunk) {
                return Ok(());
            }
            self.place = self.spill().await?;
        }
        if let Place::Store { body, .. } = &mut self.place {
            body.write(chunk).await?;
        }
        Ok(())
    }

    /// What is held goes into the store, and what comes follows it.
    async fn spill(&mut self) -> Result<Place, Failure> {
        if self.api.knows(self.job).await? {
            return Ok(Place::Nowhere);
        }
        let turn = self.api.desk().storing().await?;
        let key = source(&self.job.id).map_err(|error| Failure::internal(&error))?;
        let store = self.api.store();
        let (upload, mut body) = store.create(&key, Describe::default(), None).await?;
        if let Place::Memory(held) = &self.place {
            body.write(held.bytes()).await?;
        }
        Ok(Place::Store {
            upload,
            body,
            _turn: turn,
        })
    }

    async fn end(self, name: &str) -> Result<Image, Failure> {
        if self.bytes == 0 {
            return Err(Failure::bad_request("file: it is empty"));
        }
        if self.head.len() < HEAD {
            Format::of(&self.head, name).map_err(|error| unfit(&error))?;
        }
        let checksum = self
            .checksum
            .map(|checksum| hex(checksum.finish().as_ref()));
        match self.place {
            Place::Memory(held) => Ok(Image::Held(held)),
            Place::Store { upload, body, .. } => {
                drop(body);
                upload.finish().await?;
                Ok(Image::Stored(checksum))
            }
            Place::Nowhere => Ok(Image::Stored(checksum)),
        }
    }

    async fn abort(self) {
        if let Place::Store { upload, body, .. } = self.place {
            drop(body);
            upload.abort().await;
        }
    }
}

/// Keeps what is held as the source of a job; its checksum, where one is needed.
pub(super) async fn store(
    api: &Images,
    job: &Ticket,
    image: &Arc<[u8]>,
) -> Result<Option<String>, Failure> {
    if !api.knows(job).await? {
        let key = source(&job.id).map_err(|error| Failure::internal(&error))?;
        let image = body(Arc::clone(image));
        api.store().put(&key, image, Describe::default()).await?;
    }
    let checksum = || hex(digest::digest(&digest::SHA256, image).as_ref());
    Ok(job.is_named.then(checksum))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(super) fn too_large(api: &Images) -> Failure {
    let largest = api.largest();
    Failure::too_large(format!(
        "file: it is larger than {largest} bytes, which IMAGE_MAX_BYTES allows"
    ))
}

/// What the engine says against an image.
pub(super) fn unfit(error: &flatbed_media::Error) -> Failure {
    Failure::unfit(error.to_string())
}
