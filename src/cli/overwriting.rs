//! What must not be overwritten: the inputs, and files that somebody may miss.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::failure::Failure;

/// Whether files may be replaced.
#[derive(Debug, clap::Args)]
pub(super) struct Overwriting {
    /// Replace files that exist
    #[arg(short, long)]
    force: bool,
}

impl Overwriting {
    /// Refuses to write to `path` where that is one of `inputs`, no file, or a
    /// file that may not be replaced.
    pub(super) fn check<P: AsRef<Path>>(&self, path: &Path, inputs: &[P]) -> Result<(), Failure> {
        let Ok(there) = fs::metadata(path) else {
            return Ok(());
        };
        let refuse = |reason: &str| Err(Failure::usage(format!("{}: {reason}", path.display())));
        if there.is_dir() {
            return refuse("is a directory; name the file in it");
        }
        if there.is_file() && inputs.iter().any(|input| is_same(input.as_ref(), &there)) {
            return refuse("is one of the inputs; write to another file");
        }
        if there.is_file() && !self.force {
            return refuse("exists already; --force replaces it");
        }
        Ok(())
    }
}

fn is_same(path: &Path, file: &Metadata) -> bool {
    fs::metadata(path).is_ok_and(|other| (other.dev(), other.ino()) == (file.dev(), file.ino()))
}
