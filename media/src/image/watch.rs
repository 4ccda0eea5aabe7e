//! Whether to go on: cancel and the time that one image may take.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::time::Instant;

use crate::{Context, Error, Result};

/// Watches one image.
pub(super) struct Watch<'a> {
    context: &'a Context,
    name: &'a str,
    until: Option<Instant>,
}

impl<'a> Watch<'a> {
    /// From now on.
    pub(super) fn new(context: &'a Context, name: &'a str) -> Self {
        Self {
            context,
            name,
            until: Instant::now().checked_add(context.limits().image.max_time),
        }
    }

    /// The error, where it is to stop.
    pub(super) fn check(&self) -> Result<()> {
        self.context.check()?;
        if self.is_late() {
            let limit = self.context.limits().image.max_time;
            return Err(Error::limit(
                self.name,
                format!("not done within {} s", limit.as_secs_f64()),
            ));
        }
        Ok(())
    }

    /// Whether it is to stop.
    pub(super) fn is_over(&self) -> bool {
        self.context.cancel().is_cancelled() || self.is_late()
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() > until)
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    pub(super) fn context(&self) -> &'a Context {
        self.context
    }
}

/// So many bytes are handed out between two looks at the watch.
const CHUNK: usize = 1 << 16;

/// A file in memory, read by a decoder for as long as the watch lets it.
pub(super) struct Watched<'a> {
    bytes: &'a [u8],
    at: usize,
    watch: &'a Watch<'a>,
}

impl<'a> Watched<'a> {
    pub(super) fn new(bytes: &'a [u8], watch: &'a Watch<'a>) -> Self {
        Self {
            bytes,
            at: 0,
            watch,
        }
    }

    fn rest(&self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.get(..CHUNK).unwrap_or(rest)
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.watch.is_over() {
            return Err(io::Error::other("stopped"));
        }
        let mut rest = self.rest();
        let read = rest.read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

impl BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.watch.is_over() {
            return Err(io::Error::other("stopped"));
        }
        Ok(self.rest())
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount).min(self.bytes.len());
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let long = |length: usize| i128::try_from(length).unwrap_or(i128::MAX);
        let to = match to {
            SeekFrom::Start(at) => i128::from(at),
            SeekFrom::End(by) => long(self.bytes.len()) + i128::from(by),
            SeekFrom::Current(by) => long(self.at) + i128::from(by),
        };
        self.at = usize::try_from(to).map_err(|_| io::ErrorKind::InvalidInput)?;
        u64::try_from(to).map_err(|_| io::ErrorKind::InvalidInput.into())
    }
}
