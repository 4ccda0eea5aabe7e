//! A store of either kind, for one test.

use std::fs;
use std::path::{Path, PathBuf};

use flatbed::config::Variables;
use flatbed::store::config::Place;
use flatbed::store::{Config, Describe, Key, Store};
use futures_util::TryStreamExt;
use tempfile::TempDir;

use crate::support::s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};

pub const BUCKET: &str = "videos";

/// A store with nothing in it.
pub struct Bench {
    pub store: Store,
    /// Where there is one.
    pub server: Option<S3Server>,
    folder: TempDir,
}

impl Bench {
    pub fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::folder(folder.path().join("objects"));
        Self {
            store: Store::open(&config).unwrap(),
            server: None,
            folder,
        }
    }

    pub async fn s3() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("s3");
        fs::create_dir_all(root.join(BUCKET)).unwrap();
        let server = S3Server::start(&root, 0).await.unwrap();
        let config = config(&server.url(), SECRET_KEY, BUCKET, folder.path());
        Self {
            store: Store::open(&config).unwrap(),
            server: Some(server),
            folder,
        }
    }

    pub fn server(&self) -> &S3Server {
        self.server.as_ref().expect("an S3 server")
    }

    /// The same bucket with another secret.
    pub fn with_secret(&self, secret: &str) -> Store {
        let url = self.server().url();
        Store::open(&config(&url, secret, BUCKET, self.folder.path())).unwrap()
    }

    /// The same server with another bucket, or with settings of choice.
    pub fn with(&self, change: impl FnOnce(&mut Config)) -> Store {
        let url = self.server().url();
        let mut config = config(&url, SECRET_KEY, BUCKET, self.folder.path());
        change(&mut config);
        Store::open(&config).unwrap()
    }

    pub fn temp_dir(&self) -> PathBuf {
        self.folder.path().join("temp")
    }

    /// A file beside the store.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// All files that the store and its server have on the disk: objects, parts,
    /// metadata, temporary files. But for the key that signs links, and for what
    /// s3s-fs keeps of a request that was broken off: it is no part yet, and goes
    /// when the server starts again.
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(self.folder.path(), &mut found);
        found.retain(|path| !path.ends_with("url-key") && !path.ends_with(".internal.part"));
        found.sort();
        found
    }

    pub async fn keys(&self, folder: Option<&Key>) -> Vec<String> {
        let objects = self.store.list(folder).unwrap();
        let mut keys: Vec<String> = objects
            .map_ok(|object| object.key.as_str().to_owned())
            .try_collect()
            .await
            .unwrap();
        keys.sort();
        keys
    }

    pub async fn put(&self, key: &str, bytes: &[u8]) -> Key {
        let key = self::key(key);
        let put = self.store.put(&key, bytes.to_vec(), Describe::default());
        put.await.unwrap();
        key
    }
}

fn config(url: &str, secret: &str, bucket: &str, folder: &Path) -> Config {
    let temp_dir = folder.join("temp");
    let mut variables = Variables::of([
        ("S3_BUCKET", bucket),
        ("S3_ENDPOINT", url),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("VIDEO_TEMP_DIR", temp_dir.to_str().unwrap()),
    ]);
    Config::s3(&mut variables).unwrap()
}

/// The bucket's settings.
pub fn bucket(config: &mut Config) -> &mut flatbed::store::config::Bucket {
    match &mut config.place {
        Place::Bucket(bucket) => bucket,
        Place::Folder(root) => panic!("{} is a folder", root.display()),
    }
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path.display().to_string());
        }
    }
}

pub fn key(text: &str) -> Key {
    text.parse().unwrap()
}

/// Bytes of which no two places are alike.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
