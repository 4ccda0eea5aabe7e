//! An input read into memory at once, up to a limit.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use super::{EMPTY, Input, Kind, Pump};
use crate::context::Context;
use crate::{Error, Result};

/// All bytes of an input.
pub(crate) enum Whole {
    Shared(Arc<[u8]>),
    Own(Vec<u8>),
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Own(bytes) => bytes,
        }
    }
}

impl Input {
    /// All of it, at most `limit` bytes. Of a file that is larger nothing is
    /// read.
    pub(crate) fn read_whole(&mut self, limit: u64, context: &Context) -> Result<Whole> {
        let name = &self.name;
        let gone = || Error::unsupported(name, "this stream was read already; open it again");
        let io = |source| Error::io(name, source);
        let whole = match &mut self.kind {
            Kind::Path(path) => Whole::Own(read_path(path, name, limit, context)?),
            Kind::Bytes(bytes) => {
                check(u64::try_from(bytes.len()).unwrap_or(u64::MAX), limit, name)?;
                Whole::Shared(Arc::clone(bytes))
            }
            Kind::Reopening(open) => {
                Whole::Own(read(open().map_err(io)?, 0, name, limit, context)?)
            }
            Kind::Seekable(stream) => {
                let mut stream = stream.take().ok_or_else(gone)?;
                stream.seek(SeekFrom::Start(0)).map_err(io)?;
                Whole::Own(read(stream, 0, name, limit, context)?)
            }
            Kind::Live(stream) => {
                let stream = stream.take().ok_or_else(gone)?;
                let pump = Pump::start(stream, context.cancel().clone());
                Whole::Own(read(pump, 0, name, limit, context)?)
            }
        };
        if whole.is_empty() {
            return Err(Error::malformed(name, EMPTY));
        }
        Ok(whole)
    }
}

fn read_path(path: &Path, name: &str, limit: u64, context: &Context) -> Result<Vec<u8>> {
    let io = |source| Error::io(name, source);
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(io(io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        let pump = Pump::start(Box::new(file), context.cancel().clone());
        return read(pump, 0, name, limit, context);
    }
    check(metadata.len(), limit, name)?;
    read(file, metadata.len(), name, limit, context)
}

fn read(
    stream: impl Read,
    expected: u64,
    name: &str,
    limit: u64,
    context: &Context,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    let read = stream.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    context.check()?;
    read.map_err(|source| Error::io(name, source))?;
    check(u64::try_from(bytes.len()).unwrap_or(u64::MAX), limit, name)?;
    Ok(bytes)
}

fn check(bytes: u64, limit: u64, name: &str) -> Result<()> {
    if bytes > limit {
        return Err(Error::limit(
            name,
            format!("more bytes than the limit of {limit}"),
        ));
    }
    Ok(())
}
