//! A folder for files that are not whole yet: it is gone on each way out.
//!
//! A folder whose process was killed is found by its lock, which died with the
//! process, and is removed by the next one that starts, or that needs room beside it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock, statvfs};
use uuid::Uuid;

use super::{Error, Result};

/// Beside what a file takes, so much stays free for others.
const SPARE: u64 = 64 << 20;

/// How all these folders are called.
const NAME: &str = "flatbed-";

/// An unlocked folder that is younger may be about to be locked.
const YOUNG: Duration = Duration::from_secs(60);

/// A folder of its own, removed with all that is in it when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// Held as long as the process lives, and no longer.
    _lock: File,
}

impl Scratch {
    /// A new folder below `parent`, on a disk with room for `bytes` more.
    pub fn create(parent: &Path, bytes: u64) -> Result<Self> {
        let name = parent.display().to_string();
        let disk = |error: &io::Error| match error.kind() {
            io::ErrorKind::NotFound => Error::refused(&name, "the folder was removed"),
            _ => Error::of_disk(&name, error),
        };
        fs::create_dir_all(parent).map_err(|error| disk(&error))?;
        // Whoever is started again at once has found them too young.
        sweep(parent);
        check_room(parent, bytes)?;
        let folder = parent.join(format!("{NAME}{}", Uuid::now_v7()));
        fs::create_dir(&folder).map_err(|error| disk(&error))?;
        let lock = File::open(&folder).map_err(|error| disk(&error))?;
        // Where a file system knows no locks, `sweep` finds none free either.
        let _ = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// The place of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "temporary files are left");
        }
    }
}

/// Removes the folders below `parent` whose processes were killed.
pub fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let named = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix(NAME)?.parse::<Uuid>().ok());
        let path = entry.path();
        if named.is_some() && is_left(&path).unwrap_or(false) {
            tracing::info!(folder = %path.display(), "removing what a killed process left");
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_left(folder: &Path) -> io::Result<bool> {
    let folder = File::open(folder)?;
    let metadata = folder.metadata()?;
    let age = metadata.modified()?.elapsed().unwrap_or_default();
    Ok(metadata.is_dir()
        && age >= YOUNG
        && flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok())
}

/// Whether the disk of `folder` has room for `bytes` and a little more.
pub fn check_room(folder: &Path, bytes: u64) -> Result<()> {
    let name = folder.display().to_string();
    let free = free_bytes(folder).map_err(|error| Error::of_disk(&name, &error))?;
    let needed = bytes.saturating_add(SPARE);
    if free < needed {
        let mib = |bytes: u64| bytes >> 20;
        return Err(Error::full(
            &name,
            format!(
                "{} MiB are needed and {} MiB are free; make room or name another folder",
                mib(needed),
                mib(free)
            ),
        ));
    }
    Ok(())
}

/// The bytes that this process may still write to the disk of `folder`.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;
    use std::time::SystemTime;

    use super::*;

    fn age(folder: &Path) {
        let past = SystemTime::now() - 2 * YOUNG;
        let times = FileTimes::new().set_modified(past);
        File::open(folder).unwrap().set_times(times).unwrap();
    }

    #[test]
    fn only_what_a_killed_process_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let held = Scratch::create(parent.path(), 0).unwrap();
        fs::write(held.path("a"), b"a").unwrap();
        let left = parent.path().join(format!("{NAME}{}", Uuid::now_v7()));
        let young = parent.path().join(format!("{NAME}{}", Uuid::now_v7()));
        let foreign = parent.path().join("flatbed-data");
        for folder in [&left, &young, &foreign] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(left.join("b"), b"b").unwrap();
        for folder in [held.folder(), &left, &foreign] {
            age(folder);
        }
        sweep(parent.path());
        assert!(!left.exists());
        assert!(young.exists() && foreign.exists() && held.path("a").exists());
        // So does whoever needs room.
        age(&young);
        drop(Scratch::create(parent.path(), 0).unwrap());
        assert!(!young.exists() && held.path("a").exists());
        let folder = held.folder().to_owned();
        drop(held);
        assert!(!folder.exists());
    }

    #[test]
    fn room_is_looked_at_before_anything_is_written() {
        let parent = tempfile::tempdir().unwrap();
        let error = Scratch::create(parent.path(), u64::MAX / 2).unwrap_err();
        assert!(matches!(error, Error::Full { .. }), "{error}");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
