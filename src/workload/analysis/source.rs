//! Where a video is: an address, a bucket, a folder, or the catalogue; and how the
//! engine gets it.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use flatbed_media::Input;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use url::Url;
use uuid::Uuid;

use super::config;
use super::failure::Failure;
use crate::archive::postgres::Requests;
use crate::catalogue::Catalogue;
use crate::fetch::{Fetcher, Request};
use crate::runner::JobContext;
use crate::store::scratch::check_room;
use crate::store::{self, Key, Store};

/// Finds videos.
pub struct Sources {
    fetcher: Fetcher,
    catalogue: Option<Catalogue>,
    /// What the catalogue's videos lie in.
    own: Option<Store>,
    /// Where producers that speak SQL put down where videos are.
    rows: Option<Requests>,
    /// Buckets that may be read, by their names.
    buckets: HashMap<String, Store>,
    config: config::Sources,
}

/// A video that was found, and not read yet.
#[derive(Debug)]
pub struct Source {
    place: Place,
    /// As people may see it.
    pub shown: String,
    /// Changes with the content, as far as can be told without reading it.
    pub version: String,
}

#[derive(Debug)]
enum Place {
    Address(String),
    Object(Store, Key),
    File(PathBuf),
}

impl Sources {
    /// Videos of the catalogue in `own`, of `buckets`, and of elsewhere as `config`
    /// allows; `rows` may say where one is.
    pub fn new(
        fetcher: Fetcher,
        own: Option<Store>,
        rows: Option<Requests>,
        buckets: HashMap<String, Store>,
        config: config::Sources,
    ) -> Self {
        Self {
            fetcher,
            catalogue: own.clone().map(Catalogue::new),
            own,
            rows,
            buckets,
            config,
        }
    }

    /// Looks where a video is; `url` is what the job or the archive said.
    pub async fn find(&self, video: Uuid, url: Option<&str>) -> Result<Source, Failure> {
        if let Some(url) = url {
            return self.named(url).await;
        }
        let put_down = match &self.rows {
            Some(rows) => rows.source(video).await?,
            None => None,
        };
        match put_down {
            Some(url) => self.named(&url).await,
            None => self.catalogued(video).await,
        }
    }

    async fn named(&self, text: &str) -> Result<Source, Failure> {
        if text.starts_with('/') {
            return self.file(Path::new(text)).await;
        }
        let refuse = |why: &str| Failure::Source(format!("source_url: {why}"));
        let url = Url::parse(text).map_err(|error| refuse(&format!("no address: {error}")))?;
        match url.scheme() {
            "http" | "https" => Ok(address(&url)),
            "s3" => self.object(&url).await,
            "file" => match url.to_file_path() {
                Ok(path) => self.file(&path).await,
                Err(()) => Err(refuse("a file's address is as file:///folder/video.mp4")),
            },
            scheme => Err(refuse(&format!(
                "{scheme}: is not understood; expected https, http, s3 or file"
            ))),
        }
    }

    async fn object(&self, url: &Url) -> Result<Source, Failure> {
        let bucket = url.host_str().unwrap_or_default();
        let Some(store) = self.buckets.get(bucket) else {
            return Err(Failure::Source(format!(
                "source_url: bucket {bucket:?} may not be read; name it in ANALYSIS_SOURCE_BUCKETS"
            )));
        };
        let path = percent_decoded(url.path().trim_start_matches('/'));
        let key: Key = path
            .parse()
            .map_err(|error| Failure::Source(format!("source_url: {error}")))?;
        stored(store, key).await
    }

    /// Links are followed first, so that none leads out of the allowed folders.
    async fn file(&self, path: &Path) -> Result<Source, Failure> {
        let shown = path.display().to_string();
        let refuse = |why: String| Failure::Source(format!("source_url: {shown}: {why}"));
        let climbs = path.components().any(|part| part == Component::ParentDir);
        let forbidden =
            || refuse("files are read of the folders in ANALYSIS_SOURCE_DIRS alone".to_owned());
        if self.config.folders.is_empty() || climbs {
            return Err(forbidden());
        }
        // What lies elsewhere is not told to be there or not.
        let found = fs::canonicalize(path).await;
        let mut allowed = false;
        for folder in &self.config.folders {
            let Ok(folder) = fs::canonicalize(folder).await else {
                continue;
            };
            allowed |= match &found {
                Ok(found) => found.starts_with(&folder),
                Err(_) => path.starts_with(&folder),
            };
        }
        if !allowed {
            return Err(forbidden());
        }
        let found = found.map_err(|error| refuse(error.to_string()))?;
        let about = fs::metadata(&found).await?;
        if !about.is_file() {
            return Err(refuse("it is no file".to_owned()));
        }
        let modified = about.modified()?.duration_since(UNIX_EPOCH);
        let modified = modified.unwrap_or_default().as_nanos();
        Ok(Source {
            version: format!("file {modified} {}", about.len()),
            place: Place::File(found),
            shown,
        })
    }

    async fn catalogued(&self, video: Uuid) -> Result<Source, Failure> {
        let known = match &self.catalogue {
            Some(catalogue) => catalogue.find(&video.to_string()).await?,
            None => None,
        };
        match (known, &self.own) {
            (Some(known), Some(store)) => Ok(Source {
                // An answer needs not tell where on this host.
                shown: known.key.to_string(),
                ..stored(store, known.key).await?
            }),
            _ => Err(Failure::Source(format!(
                "source_url: there is none, and no video {video} in the catalogue"
            ))),
        }
    }
}

fn address(url: &Url) -> Source {
    let mut named = url.clone();
    named.set_fragment(None);
    let _ = named.set_username("");
    let _ = named.set_password(None);
    // A signature is new each time, and means the same video.
    let kept: Vec<_> = url
        .query_pairs()
        .filter(|(name, _)| !is_signature(name))
        .collect();
    named.set_query(None);
    let identity = format!("{named} {kept:?}");
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_URL, identity.as_bytes());
    Source {
        version: format!("address {hash}"),
        shown: named.into(),
        place: Place::Address(url.as_str().to_owned()),
    }
}

/// Parameters by which S3, GCS, Azure and `CloudFront` sign addresses.
fn is_signature(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let signed = [
        "signature",
        "expires",
        "awsaccesskeyid",
        "googleaccessid",
        "key-pair-id",
        "policy",
        "sig",
        "se",
        "st",
        "sp",
        "sv",
        "sr",
        "spr",
        "skoid",
        "sktid",
        "skt",
        "ske",
        "sks",
        "skv",
        "token",
    ];
    name.starts_with("x-amz-") || name.starts_with("x-goog-") || signed.contains(&&*name)
}

async fn stored(store: &Store, key: Key) -> Result<Source, Failure> {
    let object = store.head(&key).await?;
    let version = object.version.unwrap_or_default();
    Ok(Source {
        shown: store.name_of(&key),
        version: format!("object {version} {}", object.bytes),
        place: Place::Object(store.clone(), key),
    })
}

/// A key as a URL has it.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let code = tail
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

impl Source {
    /// The video for the engine: as it lies there, or downloaded into `folder`, since an
    /// index may be at the end.
    pub async fn open(
        &self,
        sources: &Sources,
        folder: &Path,
        context: &JobContext,
    ) -> Result<Input, Failure> {
        match &self.place {
            Place::File(path) => {
                context.metrics().bytes_in(fs::metadata(path).await?.len());
                Ok(Input::path(path.clone()))
            }
            Place::Object(store, key) => {
                context.metrics().bytes_in(store.head(key).await?.bytes);
                Ok(store.input(key, context.cancel()).await?)
            }
            Place::Address(url) => {
                let path = folder.join("source");
                let bytes = download(sources, url, &path).await?;
                context.metrics().bytes_in(bytes);
                Ok(Input::path(path))
            }
        }
    }
}

/// So often it is looked whether the disk still has room for a download whose size
/// nobody told.
const LOOK_EVERY: u64 = 256 << 20;

async fn download(sources: &Sources, url: &str, path: &Path) -> Result<u64, Failure> {
    let request = Request::new(url, sources.config.most_bytes);
    let mut download = sources.fetcher.get(&request).await?;
    let folder: Arc<Path> = path.parent().unwrap_or(path).into();
    room(&folder, download.length.unwrap_or(LOOK_EVERY)).await?;
    let mut file = File::create(path).await?;
    let (mut bytes, mut looked) = (0, 0);
    while let Some(piece) = download.chunk().await? {
        bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if download.length.is_none() && bytes - looked >= LOOK_EVERY {
            looked = bytes;
            room(&folder, LOOK_EVERY).await?;
        }
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    Ok(bytes)
}

async fn room(folder: &Arc<Path>, bytes: u64) -> Result<(), Failure> {
    let folder = Arc::clone(folder);
    let looked = tokio::task::spawn_blocking(move || check_room(&folder, bytes)).await;
    match looked {
        Ok(room) => Ok(room?),
        // The process ends.
        Err(_) => Err(Failure::Store(store::Error::away(
            "temporary folder",
            "this process is ending",
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets_and_known_without_its_signature() {
        let url = |text: &str| address(&Url::parse(text).unwrap());
        let one = url("https://user:pass@host/a.mp4?X-Amz-Signature=1");
        let other = url("https://host/a.mp4?X-Amz-Signature=2#t");
        assert_eq!(one.shown, "https://host/a.mp4");
        assert_eq!(one.version, other.version);
        assert_ne!(one.version, url("https://host/b.mp4").version);
        let of = |id: u32| url(&format!("https://host/get?id={id}&Expires=7")).version;
        assert_ne!(of(1), of(2), "another video at the same path");
    }

    #[test]
    fn keys_are_decoded_once() {
        for (text, key) in [
            ("a%20b.mp4", "a b.mp4"),
            ("100%25.mp4", "100%.mp4"),
            ("%2525", "%25"),
            ("50%", "50%"),
            ("%ff", "%ff"),
        ] {
            assert_eq!(percent_decoded(text), key);
        }
    }
}
