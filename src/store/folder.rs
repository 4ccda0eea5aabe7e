//! The store of the embedded default: a folder, in which an object is a file.
//!
//! What is not whole yet and the key that signs links lie in `.flatbed` below it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::link::SigningKey;
use super::scratch::{Scratch, sweep};
use super::{Error, Key, Object, Result};

/// Ours, below the root; no key begins with it.
const OWN: &str = ".flatbed";

/// A folder that another call removes, because it is empty, is made again so often.
const TRIES: usize = 8;

/// A folder of objects. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: Arc<Path>,
    signing: Arc<SigningKey>,
}

impl Folder {
    /// Makes the folder, where it is not there, and removes what killed processes
    /// left in it.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let name = root.display().to_string();
        let disk = |error: io::Error| Error::of_disk(&name, &error);
        fs::create_dir_all(root.join(OWN)).map_err(disk)?;
        let root = fs::canonicalize(root).map_err(disk)?;
        let signing = signing_key(&root.join(OWN)).map_err(disk)?;
        let folder = Self {
            root: root.into(),
            signing: Arc::new(signing),
        };
        sweep(&folder.unfinished());
        Ok(folder)
    }

    pub(super) fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// On the same disk as the objects, so that renaming is all it takes.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.root.join(OWN).join("unfinished")
    }

    pub(super) fn name_of(&self, key: &Key) -> String {
        format!("{}/{key}", self.root.display())
    }

    /// The file of an object.
    pub(super) fn path(&self, key: &Key) -> Result<PathBuf> {
        if key.segments().next() == Some(OWN) {
            let reason = "keys that begin with .flatbed are the store's own";
            return Err(Error::refused(&self.name_of(key), reason));
        }
        let mut path = self.root.to_path_buf();
        path.extend(key.segments());
        Ok(path)
    }

    async fn call<T: Send + 'static>(
        &self,
        key: &Key,
        call: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = self.path(key)?;
        let done = spawn_blocking(move || call(&path)).await;
        let name = self.name_of(key);
        match done {
            Ok(done) => done.map_err(|error| Error::of_disk(&name, &error)),
            Err(_) => Err(Error::away(&name, "this process is ending")),
        }
    }

    pub(super) async fn head(&self, key: &Key) -> Result<Object> {
        let name = key.clone();
        self.call(key, move |path| {
            object(name, &fs::metadata(path).map_err(no_folder)?)
        })
        .await
    }

    pub(super) async fn open_object(&self, key: &Key) -> Result<File> {
        self.call(key, |path| {
            let file = File::open(path).map_err(no_folder)?;
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(io::ErrorKind::NotFound.into())
            }
        })
        .await
    }

    pub(super) async fn get(&self, key: &Key) -> Result<Bytes> {
        self.call(key, |path| {
            if path.is_dir() {
                return Err(io::ErrorKind::NotFound.into());
            }
            fs::read(path).map(Bytes::from).map_err(no_folder)
        })
        .await
    }

    pub(super) async fn put(&self, key: &Key, bytes: Bytes) -> Result<Object> {
        let unfinished = self.unfinished();
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let scratch = spawn_blocking(move || Scratch::create(&unfinished, length)).await;
        let name = self.name_of(key);
        let scratch = scratch.map_err(|_| Error::away(&name, "this process is ending"))??;
        let file = scratch.path("object");
        let written = file.clone();
        self.call(key, move |_| fs::write(&written, &bytes)).await?;
        self.keep(key, &file).await
    }

    /// Gives a finished file of the same disk its name. Once this returns it is
    /// there even after a power failure.
    pub(super) async fn keep(&self, key: &Key, file: &Path) -> Result<Object> {
        let (root, name) = (Arc::clone(&self.root), key.clone());
        let file = file.to_owned();
        self.call(key, move |path| {
            let whole = File::open(&file)?;
            whole.sync_all()?;
            let metadata = whole.metadata()?;
            let folder = path.parent().unwrap_or(&root);
            let mut tries = 0;
            loop {
                fs::create_dir_all(folder)?;
                match fs::rename(&file, path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => {
                        tries += 1;
                    }
                    renamed => break renamed?,
                }
            }
            File::open(folder)?.sync_all()?;
            object(name, &metadata)
        })
        .await
    }

    pub(super) async fn delete(&self, key: &Key) -> Result<()> {
        let root = Arc::clone(&self.root);
        let deleted = self.call(key, move |path| remove(path, &root)).await;
        match deleted {
            Err(Error::Absent { .. }) => Ok(()),
            done => done,
        }
    }

    pub(super) async fn delete_all(&self, folder: &Key) -> Result<u64> {
        let mut deleted = 0;
        let mut found = self.list(Some(folder))?;
        while let Some(object) = found.next().await {
            self.delete(&object?.key).await?;
            deleted += 1;
        }
        Ok(deleted)
    }

    pub(super) fn list(&self, folder: Option<&Key>) -> Result<BoxStream<'static, Result<Object>>> {
        let start = match folder {
            Some(folder) => self.path(folder)?,
            None => self.root.to_path_buf(),
        };
        let (give, taken) = mpsc::channel(64);
        let root = Arc::clone(&self.root);
        spawn_blocking(move || {
            if let Err(error) = walk(&root, &start, &give) {
                let error = Error::of_disk(&start.display().to_string(), &error);
                let _ = give.blocking_send(Err(error));
            }
        });
        let objects = stream::unfold(taken, |mut taken| async move {
            let object = taken.recv().await?;
            Some((object, taken))
        });
        Ok(objects.boxed())
    }

    /// Whether the folder is there and can be written to.
    pub(super) async fn check(&self) -> Result<()> {
        let unfinished = self.unfinished();
        let name = self.root.display().to_string();
        let (own, gone) = (self.root.join(OWN), name.clone());
        spawn_blocking(move || {
            // An unmounted disk: making the folder anew would hide that.
            if !own.is_dir() {
                return Err(Error::away(
                    &gone,
                    "the folder is gone; is its disk mounted?",
                ));
            }
            Scratch::create(&unfinished, 0).map(drop)
        })
        .await
        .map_err(|_| Error::away(&name, "this process is ending"))?
    }
}

/// A file where a folder should be: then there is nothing below it.
fn no_folder(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotADirectory => io::ErrorKind::NotFound.into(),
        _ => error,
    }
}

fn object(key: Key, metadata: &Metadata) -> io::Result<Object> {
    if !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(Object {
        key,
        bytes: metadata.len(),
        modified: metadata.modified()?,
        version: Some(format!(
            "{:x}-{:x}-{:x}",
            metadata.ino(),
            metadata.mtime_nsec() + metadata.mtime() * 1_000_000_000,
            metadata.len()
        )),
    })
}

/// Removes a file, and the folders that are empty without it.
fn remove(path: &Path, root: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::NotFound.into());
    }
    fs::remove_file(path).map_err(no_folder)?;
    for folder in path.ancestors().skip(1) {
        if folder == root || fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Sends each file below `folder`. What vanishes meanwhile is passed over.
fn walk(root: &Path, folder: &Path, give: &mpsc::Sender<Result<Object>>) -> io::Result<()> {
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                continue;
            }
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            let kind = entry.file_type()?;
            let key = path
                .strip_prefix(root)
                .ok()
                .and_then(Path::to_str)
                .and_then(|key| key.parse::<Key>().ok());
            let Some(key) = key.filter(|key| key.segments().next() != Some(OWN)) else {
                continue;
            };
            if kind.is_dir() {
                waiting.push(path);
            } else if let Ok(object) = fs::metadata(&path).and_then(|data| object(key, &data))
                && give.blocking_send(Ok(object)).is_err()
            {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The key that signs links, made by whoever comes first. All processes that
/// have the folder share it, and links outlive them.
fn signing_key(own: &Path) -> io::Result<SigningKey> {
    let path = own.join("url-key");
    if let Some(key) = SigningKey::read(&path)? {
        return Ok(key);
    }
    let draft = own.join(format!("url-key.{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(&SigningKey::random()?)?;
    file.sync_all()?;
    // A link does not replace what another process made meanwhile.
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    SigningKey::read(&path)?.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
