//! Where pictures wait on the disk until it is known which of them are wanted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Error, Result};

/// Numbers the files of this process.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A file without a name: it is gone when it is closed, also by the end of the
/// process.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    folder: String,
    length: u64,
}

/// Where a piece lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    at: u64,
    pub(super) bytes: u64,
}

impl Spool {
    /// In `folder`.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let name = folder.display().to_string();
        let file = open(folder).map_err(|source| Error::io(&name, source))?;
        Ok(Self {
            file,
            folder: name,
            length: 0,
        })
    }

    /// Appends a piece.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<Piece> {
        let piece = Piece {
            at: self.length,
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        self.file
            .write_all_at(bytes, piece.at)
            .map_err(|source| Error::io(&self.folder, told(source)))?;
        self.length += piece.bytes;
        Ok(piece)
    }

    /// A piece that was put in.
    pub(super) fn get(&self, piece: Piece) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(piece.bytes).unwrap_or(0)];
        self.file
            .read_exact_at(&mut bytes, piece.at)
            .map_err(|source| Error::io(&self.folder, source))?;
        Ok(bytes)
    }
}

/// A disk that is full, with what can be done about it.
fn told(error: io::Error) -> io::Error {
    let full = [
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::FileTooLarge,
    ];
    if !full.contains(&error.kind()) {
        return error;
    }
    let remedy = "pictures wait there until their scenes are known: make room, have fewer scenes, \
                  or choose another folder for temporary files (TEMP_DIR; of analyses \
                  VIDEO_TEMP_DIR)";
    io::Error::new(error.kind(), format!("{error}; {remedy}"))
}

fn open(folder: &Path) -> io::Result<File> {
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("flatbed-{}-{number}.spool", std::process::id()));
        let mut options = OpenOptions::new();
        match options.read(true).write(true).create_new(true).open(&path) {
            Ok(file) => {
                fs::remove_file(&path)?;
                return Ok(file);
            }
            // Of a process that had the same number and was killed in between.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_and_nothing_is_seen_in_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::new(folder.path()).expect("a spool");
        let pieces: Vec<_> = [&b"one"[..], b"", b"three"]
            .into_iter()
            .map(|bytes| spool.put(bytes).expect("written"))
            .collect();
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 0);
        let get = |place: usize| spool.get(pieces[place]).expect("read");
        assert_eq!(
            (get(2), get(1), get(0)),
            (b"three".into(), vec![], b"one".into())
        );
    }

    #[test]
    fn a_full_disk_is_told_with_the_folder_and_what_to_do() {
        let full = OpenOptions::new().read(true).write(true).open("/dev/full");
        let mut spool = Spool {
            file: full.expect("a device that is always full"),
            folder: "/scratch".to_owned(),
            length: 0,
        };
        let error = spool.put(b"a picture").expect_err("no room");
        let Error::Io { source, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(source.kind(), ErrorKind::StorageFull);
        let told = error.to_string();
        assert!(
            told.starts_with("/scratch: No space left on device"),
            "{told}"
        );
        assert!(
            told.contains("TEMP_DIR") && told.lines().count() == 1,
            "{told}"
        );
        assert_eq!(spool.length, 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = Spool::new(Path::new("/no/such/folder")).expect_err("none");
        assert!(
            error.to_string().starts_with("/no/such/folder: "),
            "{error}"
        );
    }
}
