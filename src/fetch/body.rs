//! What comes from a download: bounded in bytes and in time, for a task or for an
//! engine's thread.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use reqwest::Response;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::{Error, Result};

/// So many pieces, of some 16 KiB as a rule, wait for a [`Reader`].
const WAITING: usize = 16;

/// A download that has begun. Dropped, it is broken off.
#[derive(Debug)]
pub struct Download {
    /// Where it came from in the end, without its query.
    pub url: String,
    /// How many bytes the host promised.
    pub length: Option<u64>,
    /// What the host says that it is, which need not be true.
    pub media_type: Option<String>,
    response: Response,
    left: u64,
    most: u64,
    deadline: Instant,
}

impl Download {
    pub(super) fn new(
        url: String,
        length: Option<u64>,
        media_type: Option<String>,
        response: Response,
        most: u64,
        deadline: Instant,
    ) -> Self {
        Self {
            url,
            length,
            media_type,
            response,
            left: most,
            most,
            deadline,
        }
    }

    /// The next piece; `None` when all has come. A transfer that breaks off is an
    /// error and never an end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let next = match timeout_at(self.deadline, self.response.chunk()).await {
            Ok(next) => next.map_err(|error| Error::of_client(&self.url, &error))?,
            Err(_) => return Err(Error::away(&self.url, "it took too long in all")),
        };
        let Some(bytes) = next else {
            return Ok(None);
        };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match self.left.checked_sub(length) {
            Some(left) => self.left = left,
            None => {
                return Err(Error::TooLarge {
                    url: self.url.clone(),
                    most: self.most,
                });
            }
        }
        Ok(Some(bytes))
    }

    /// All of it, in memory.
    pub async fn bytes(mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(bytes) = self.chunk().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// For an engine's thread, which reads it as a live stream. It is fetched a
    /// little ahead, and broken off when the reader is dropped.
    pub fn into_reader(mut self) -> Reader {
        let (give, coming) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            loop {
                let next = tokio::select! {
                    next = self.chunk() => next.transpose(),
                    () = give.closed() => None,
                };
                let Some(next) = next else { break };
                let failed = next.is_err();
                if give.send(Some(next)).await.is_err() || failed {
                    return;
                }
            }
            // Said, so that a task that is lost is not taken for the end.
            let _ = give.send(None).await;
        });
        Reader {
            coming,
            piece: Bytes::new(),
            ended: false,
        }
    }
}

/// Reads a download. A read blocks, and panics on a thread that drives the
/// runtime.
#[derive(Debug)]
pub struct Reader {
    coming: mpsc::Receiver<Option<Result<Bytes>>>,
    piece: Bytes,
    ended: bool,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.ended && !buffer.is_empty() {
            match self.coming.blocking_recv() {
                Some(Some(next)) => self.piece = next?,
                Some(None) => self.ended = true,
                None => {
                    let lost = "the download was given up";
                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, lost));
                }
            }
        }
        let count = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
