//! An object of a bucket as a file that the engine reads and seeks in: ranges,
//! fetched ahead, all of one version.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flatbed_media::Cancel;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::cloud::Cloud;
use super::{Error, Key, Result};

/// Bytes of the first request after a seek. Enough for most headers.
const FIRST: u64 = 256 << 10;

/// Requests double up to so many bytes while reading goes straight on.
const LARGEST: u64 = 4 << 20;

/// So many ranges are kept: the front and the index of an MP4, and the places of
/// a picture and a sound track that lie far apart. With the range on its way a
/// reader holds 24 MiB at most.
const KEPT: usize = 5;

/// How often a read that waits looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// What is read, and which version of it.
#[derive(Debug)]
struct Source {
    client: Arc<AmazonS3>,
    path: Path,
    name: String,
    bytes: u64,
    version: Option<String>,
    modified: SystemTime,
}

/// Reads an object. For engine threads: a read blocks, and panics on a thread
/// that drives the runtime.
#[derive(Debug)]
pub struct Reader {
    source: Arc<Source>,
    runtime: Handle,
    cancel: Cancel,
    position: u64,
    /// The last used in front.
    kept: VecDeque<Run>,
    coming: Option<Coming>,
}

/// Bytes that are there.
#[derive(Debug)]
struct Run {
    range: Range<u64>,
    bytes: Bytes,
}

/// Bytes that are on their way.
#[derive(Debug)]
struct Coming {
    range: Range<u64>,
    answer: JoinHandle<Result<Bytes>>,
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

impl Reader {
    pub(super) async fn open(cloud: &Cloud, key: &Key, cancel: Cancel) -> Result<Self> {
        let object = cloud.head(key).await?;
        let source = Source {
            client: Arc::clone(cloud.client()),
            path: cloud.path(key)?,
            name: cloud.name_of(key),
            bytes: object.bytes,
            version: object.version,
            modified: object.modified,
        };
        Ok(Self {
            source: Arc::new(source),
            runtime: Handle::current(),
            cancel,
            position: 0,
            kept: VecDeque::with_capacity(KEPT + 1),
            coming: None,
        })
    }

    /// The same version of the object, from its beginning. What is at hand is
    /// shared.
    #[must_use]
    pub fn again(&self) -> Self {
        let run = |run: &Run| Run {
            range: run.range.clone(),
            bytes: run.bytes.clone(),
        };
        Self {
            source: Arc::clone(&self.source),
            runtime: self.runtime.clone(),
            cancel: self.cancel.clone(),
            position: 0,
            kept: self.kept.iter().map(run).collect(),
            coming: None,
        }
    }

    /// The object's size in bytes.
    pub fn bytes(&self) -> u64 {
        self.source.bytes
    }

    /// The range at hand that has the byte at `position`, made the last used.
    fn at_hand(&mut self, position: u64) -> Option<(Range<u64>, Bytes)> {
        let index = self
            .kept
            .iter()
            .position(|run| run.range.contains(&position))?;
        if index > 0 {
            let run = self.kept.remove(index)?;
            self.kept.push_front(run);
        }
        let run = self.kept.front()?;
        Some((run.range.clone(), run.bytes.clone()))
    }

    fn keep(&mut self, range: Range<u64>, bytes: Bytes) {
        self.kept.push_front(Run { range, bytes });
        self.kept.truncate(KEPT);
    }

    /// What comes after a range: twice as much, up to what is at hand already.
    fn after(&self, range: &Range<u64>) -> Range<u64> {
        let length = (2 * (range.end - range.start)).clamp(FIRST, LARGEST);
        self.from(range.end, length)
    }

    fn from(&self, start: u64, length: u64) -> Range<u64> {
        let end = start.saturating_add(length).min(self.source.bytes);
        let next = self.kept.iter().map(|run| run.range.start);
        let end = next.filter(|&next| next > start).fold(end, u64::min);
        start..end
    }

    fn send_for(&mut self, range: Range<u64>) {
        let fetch = fetch(Arc::clone(&self.source), range.clone());
        self.coming = Some(Coming {
            range,
            answer: self.runtime.spawn(fetch),
        });
    }

    /// Sends for what comes next once half of what is at hand is read.
    fn read_ahead(&mut self, range: &Range<u64>) {
        let halfway = range.start + (range.end - range.start) / 2;
        let known = self.kept.iter().any(|run| run.range.contains(&range.end));
        if self.coming.is_none()
            && self.position >= halfway
            && range.end < self.source.bytes
            && !known
        {
            self.send_for(self.after(range));
        }
    }

    /// Waits for what is on its way.
    fn arrive(&mut self, mut coming: Coming) -> Result<()> {
        let name = &self.source.name;
        loop {
            if self.cancel.is_cancelled() {
                return Err(Error::Cancelled {
                    object: name.clone(),
                });
            }
            let answer = self
                .runtime
                .block_on(async { timeout(LOOK, &mut coming.answer).await });
            match answer {
                Err(_) => {}
                Ok(Ok(bytes)) => {
                    let bytes = bytes?;
                    self.keep(coming.range.clone(), bytes);
                    return Ok(());
                }
                Ok(Err(_)) => return Err(Error::away(name, "this process is ending")),
            }
        }
    }

    /// Sees to it that the byte at the position is at hand.
    fn obtain(&mut self) -> Result<()> {
        if let Some(coming) = self.coming.take() {
            // What was asked for in vain is kept if it has come, else called off.
            if coming.range.contains(&self.position) || coming.answer.is_finished() {
                self.arrive(coming)?;
                return Ok(());
            }
        }
        let before = self
            .kept
            .iter()
            .find(|run| run.range.end == self.position)
            .map(|run| run.range.clone());
        let range = match before {
            Some(range) => self.after(&range),
            None => self.from(self.position, FIRST),
        };
        self.send_for(range);
        Ok(())
    }
}

async fn fetch(source: Arc<Source>, range: Range<u64>) -> Result<Bytes> {
    let failed = |error| Error::of_cloud(&source.name, &error);
    // `If-Match` takes strong tags alone (RFC 9110, 13.1.1).
    let strong = |tag: &&String| !tag.starts_with("W/");
    let options = GetOptions {
        range: Some(GetRange::Bounded(range.clone())),
        if_match: source.version.as_ref().filter(strong).cloned(),
        ..GetOptions::default()
    };
    let answer = match source.client.get_opts(&source.path, options).await {
        // What was there when it was opened.
        Err(object_store::Error::NotFound { .. }) => return Err(Error::changed(&source.name)),
        answer => answer.map_err(failed)?,
    };
    let meta = &answer.meta;
    let same = meta.size == source.bytes
        && meta.e_tag == source.version
        && (meta.e_tag.is_some() || source.modified == SystemTime::from(meta.last_modified));
    if !same {
        return Err(Error::changed(&source.name));
    }
    let bytes = answer.bytes().await.map_err(failed)?;
    if u64::try_from(bytes.len()) == Ok(range.end - range.start) {
        Ok(bytes)
    } else {
        Err(Error::away(
            &source.name,
            "it sent less than it was asked for",
        ))
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.position >= self.source.bytes {
            return Ok(0);
        }
        let (range, bytes) = loop {
            match self.at_hand(self.position) {
                Some(found) => break found,
                None => self.obtain()?,
            }
        };
        let offset = usize::try_from(self.position - range.start).unwrap_or(usize::MAX);
        let rest = bytes.get(offset..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += u64::try_from(count).unwrap_or_default();
        self.read_ahead(&range);
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.source.bytes.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
