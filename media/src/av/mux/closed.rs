//! A written output that is not yet under its name.

use crate::output::{Named, PartialFile};
use crate::{Error, Result};

/// An output that is whole. A file is removed again unless it is kept.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(super) file: Option<PartialFile>,
    pub(super) bytes: u64,
    pub(super) name: String,
}

impl Closed {
    /// The size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives a file, which is one of several, its name, unless the others get none
    /// ([`PartialFile::name`]).
    pub(crate) fn name(self) -> Result<Option<Named>> {
        let named = self.file.map(PartialFile::name).transpose();
        named.map_err(|source| Error::io(self.name, source))
    }

    /// Gives a file its name, and tells its size in bytes.
    pub(crate) fn keep(self) -> Result<u64> {
        match self.file {
            Some(file) => file.keep().map_err(|source| Error::io(self.name, source)),
            None => Ok(self.bytes),
        }
    }
}
