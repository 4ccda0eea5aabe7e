//! The files of one run: all of them get their names at the end, or none.

use std::fs;
use std::path::{Path, PathBuf};

use crate::output::PartialFile;
use crate::{Error, Result};

/// Files that are written but have no name yet.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    files: Vec<(PathBuf, PartialFile)>,
    /// A folder that was made for them, removed again if it stays empty.
    made: Option<PathBuf>,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Makes sure that there is a folder at `path`.
    pub(crate) fn folder(&mut self, path: &Path) -> Result<()> {
        match fs::create_dir(path) {
            Ok(()) => self.made = Some(path.to_owned()),
            Err(_) if path.is_dir() => {}
            Err(source) => return Err(Error::io(path.display().to_string(), source)),
        }
        Ok(())
    }

    /// Writes a file that is going to be called `path`.
    pub(crate) fn add(&mut self, path: PathBuf, bytes: &[u8]) -> Result<()> {
        let file = PartialFile::written(&path, bytes)
            .map_err(|source| Error::io(path.display().to_string(), source))?;
        self.files.push((path, file));
        Ok(())
    }

    /// Takes over the files of another batch.
    pub(crate) fn join(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        if self.made.is_none() {
            self.made = other.made.take();
        }
        other.made = None;
    }

    /// Gives all files their names.
    pub(crate) fn keep(mut self) -> Result<()> {
        // Dropped on an error, each gives its name back.
        let mut all = Vec::new();
        for (path, file) in self.files.drain(..) {
            let named = file.name();
            all.push(named.map_err(|source| Error::io(path.display().to_string(), source))?);
        }
        for named in &mut all {
            named.settle();
        }
        self.made = None;
        Ok(())
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.files.clear();
        if let Some(made) = &self.made {
            // It stays where something else is in it by now.
            let _ = fs::remove_dir(made);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_or_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        let mut batch = Batch::new();
        batch.folder(&out).expect("a folder");
        batch.add(out.join("a.jpg"), b"a").expect("written");
        drop(batch);
        assert!(!out.exists());

        let mut batch = Batch::new();
        batch.folder(&out).expect("a folder");
        batch.add(out.join("a.jpg"), b"a").expect("written");
        batch.add(out.join("b.jpg"), b"b").expect("written");
        // The second one's place is taken in the meantime.
        fs::create_dir(out.join("b.jpg")).expect("a folder");
        // And the first one replaces another.
        fs::write(out.join("a.jpg"), b"before").expect("written");
        assert!(matches!(batch.keep(), Err(Error::Io { .. })));
        let names: Vec<_> = fs::read_dir(&out).expect("list").collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(fs::read(out.join("a.jpg")).expect("read"), b"before");
    }
}
