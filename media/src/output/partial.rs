//! A file that gets its name only when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::Target;
use crate::{Error, Result};

/// A file beside its destination, removed unless it is kept.
#[derive(Debug)]
pub(crate) struct PartialFile {
    partial: PathBuf,
    path: PathBuf,
    kept: bool,
}

/// A target for `path`: a file under a name of its own, or the pipe or device
/// that stands there.
pub(super) fn open(path: &Path, name: &str) -> Result<Target> {
    let io = |source| Error::io(name, source);
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(io(io::ErrorKind::IsADirectory.into())),
        Ok(there) if !there.is_file() => {
            let stream = OpenOptions::new().write(true).open(path).map_err(io)?;
            Ok(Target::Live(Box::new(stream)))
        }
        _ => PartialFile::create(path).map(Target::File).map_err(io),
    }
}

impl PartialFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // A link is followed, so that the file it names is the one replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        loop {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            hidden.push(format!(".{}-{number}.part", std::process::id()));
            let partial = path.with_file_name(hidden);
            match File::create_new(&partial) {
                Ok(_) => {
                    return Ok(Self {
                        partial,
                        path,
                        kept: false,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A file with this content, to be called `path`.
    pub(crate) fn written(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let file = Self::create(path)?;
        fs::write(file.place(), bytes)?;
        Ok(file)
    }

    /// Where to write.
    pub(crate) fn place(&self) -> &Path {
        &self.partial
    }

    /// Gives the file its name, and tells its size in bytes.
    pub(crate) fn keep(mut self) -> io::Result<u64> {
        let size = fs::metadata(&self.partial)?.len();
        self.rename()?;
        Ok(size)
    }

    /// The same for one of several files: it loses its name again, and what it
    /// replaced comes back, unless [`Named::settle`] is called when all the
    /// others have theirs.
    pub(crate) fn name(mut self) -> io::Result<Named> {
        let mut before = Before::Nothing;
        if fs::symlink_metadata(&self.path).is_ok_and(|there| there.is_file()) {
            let aside = self.partial.with_extension("before");
            // A second name, so that the first one is never without a file. Where
            // the file system has no hard links, what is replaced stays so: the
            // new file is whole, and nothing at all would be worse.
            before = match fs::hard_link(&self.path, &aside) {
                Ok(()) => Before::Aside(aside),
                Err(_) => Before::Lost,
            };
        }
        let mut named = Named {
            path: self.path.clone(),
            before,
        };
        if let Err(error) = self.rename() {
            // The file that is there is still the one before.
            named.settle();
            return Err(error);
        }
        Ok(named)
    }

    fn rename(&mut self) -> io::Result<()> {
        // What is replaced keeps who may read it.
        if let Ok(replaced) = fs::metadata(&self.path) {
            fs::set_permissions(&self.partial, replaced.permissions())?;
        }
        fs::rename(&self.partial, &self.path)?;
        self.kept = true;
        Ok(())
    }
}

/// One of several files that has its name already. Dropped, it loses it.
#[derive(Debug)]
#[must_use]
pub(crate) struct Named {
    path: PathBuf,
    before: Before,
}

/// What had the name before.
#[derive(Debug)]
enum Before {
    Nothing,
    /// A file, which has this name now.
    Aside(PathBuf),
    /// A file that could get no other name.
    Lost,
    /// No matter: all files have their names.
    Settled,
}

impl Named {
    /// All files have their names: this one keeps its own.
    pub(crate) fn settle(&mut self) {
        if let Before::Aside(aside) = std::mem::replace(&mut self.before, Before::Settled) {
            // A hidden file too many is no reason to fail.
            let _ = fs::remove_file(aside);
        }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        // The error that led here is the one to report.
        let _ = match &self.before {
            Before::Nothing => fs::remove_file(&self.path),
            Before::Aside(aside) => fs::rename(aside, &self.path),
            Before::Lost | Before::Settled => Ok(()),
        };
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing can be done about a failure here, and the error that led
            // here is the one to report.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_unless_it_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("clip.mp4");
        drop(PartialFile::create(&path).expect("create"));
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 0);
        let file = PartialFile::create(&path).expect("create");
        fs::write(file.place(), b"whole").expect("write");
        assert_eq!(file.keep().expect("keep"), 5);
        assert_eq!(fs::read(&path).expect("read"), b"whole");
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1);
    }

    #[test]
    fn a_name_is_given_back_with_what_it_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let list = || {
            let names = fs::read_dir(folder.path()).expect("list");
            let mut names: Vec<_> = names
                .map(|entry| entry.expect("entry").file_name())
                .collect();
            names.sort();
            names
        };
        let file = |name: &str| PartialFile::written(&folder.path().join(name), b"new");
        fs::write(folder.path().join("there"), b"old").expect("write");
        let first = file("fresh").and_then(PartialFile::name).expect("named");
        let second = file("there").and_then(PartialFile::name).expect("named");
        assert_eq!(fs::read(folder.path().join("there")).expect("read"), b"new");
        drop((first, second));
        assert_eq!(fs::read(folder.path().join("there")).expect("read"), b"old");
        assert_eq!(list(), ["there"]);

        let mut named = file("there").and_then(PartialFile::name).expect("named");
        named.settle();
        drop(named);
        assert_eq!(fs::read(folder.path().join("there")).expect("read"), b"new");
        assert_eq!(list(), ["there"]);
    }
}
