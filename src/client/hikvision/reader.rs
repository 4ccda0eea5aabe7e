//! Reads a download on an engine's thread.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};
use flatbed_media::Cancel;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use super::download::{Download, Received};
use super::error::Result;

/// How often a read that waits looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// A download as a stream of bytes. A read blocks, and panics on a thread that
/// drives the runtime. Dropped, it breaks the download off.
#[derive(Debug)]
pub struct Reader {
    download: Option<Download>,
    received: Received,
    runtime: Handle,
    cancel: Cancel,
    piece: Bytes,
}

impl Reader {
    pub(super) fn new(download: Download, cancel: Cancel) -> Self {
        Self {
            received: download.received(),
            download: Some(download),
            runtime: Handle::current(),
            cancel,
            piece: Bytes::new(),
        }
    }

    /// Counts what has come.
    pub fn received(&self) -> Received {
        self.received.clone()
    }

    /// The next piece; an empty one at the end.
    fn next(&mut self) -> Result<Bytes> {
        let Some(download) = &mut self.download else {
            return Ok(Bytes::new());
        };
        let by = Instant::now() + download.idle();
        loop {
            if self.cancel.is_cancelled() {
                return Err(download.cancelled());
            }
            let looked = self
                .runtime
                .block_on(async { timeout(LOOK, download.chunk_by(by)).await });
            if let Ok(next) = looked {
                return Ok(next?.unwrap_or_default());
            }
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && self.download.is_some() && !buffer.is_empty() {
            match self.next() {
                Ok(piece) => self.piece = piece,
                Err(error) => {
                    self.download = None;
                    return Err(error.into());
                }
            }
            if self.piece.is_empty() {
                // The device need not wait for who is done with it.
                self.download = None;
            }
        }
        let count = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
