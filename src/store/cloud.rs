//! A bucket of S3, GCS or R2: `object_store` with our errors, keys and limits.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer};
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutOptions, RetryConfig,
};

use super::config::{Bucket, Service};
use super::{Describe, Error, Key, Object, Result, media_type};
use crate::aws;

/// A request is tried again after a 5xx or a broken connection, but not for longer.
const TRIES: usize = 6;
const TRYING: Duration = Duration::from_secs(60);

/// One request with its body: a part of an upload over a slow line.
const REQUEST: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(10);
/// The longest silence in mid-answer.
const SILENCE: Duration = Duration::from_secs(30);

/// The longest that a signature of AWS's fourth version may hold.
pub(super) const LONGEST_LINK: Duration = Duration::from_secs(7 * 24 * 3600);

/// A bucket. Clones share its connections.
#[derive(Debug, Clone)]
pub(super) struct Cloud {
    client: Arc<AmazonS3>,
    prefix: Option<Key>,
    /// `s3://bucket`.
    name: Arc<str>,
}

impl Cloud {
    pub(super) fn open(bucket: &Bucket) -> Result<Self> {
        let name = format!("{}://{}", bucket.service.scheme(), bucket.name);
        // The first provider that is installed stays; all are ring here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = builder(bucket)
            .build()
            .map_err(|error| Error::of_cloud(&name, &error))?;
        Ok(Self {
            client: Arc::new(client),
            prefix: bucket.prefix.clone(),
            name: name.into(),
        })
    }

    pub(super) fn client(&self) -> &Arc<AmazonS3> {
        &self.client
    }

    /// `s3://bucket/key`, for messages.
    pub(super) fn name_of(&self, key: &Key) -> String {
        match &self.prefix {
            Some(prefix) => format!("{}/{prefix}/{key}", self.name),
            None => format!("{}/{key}", self.name),
        }
    }

    /// The key as the bucket has it.
    pub(super) fn path(&self, key: &Key) -> Result<Path> {
        let whole = match &self.prefix {
            Some(prefix) => prefix.join(key.as_str()),
            None => Ok(key.clone()),
        };
        whole
            .map_err(|error| Error::refused(&self.name_of(key), error.to_string()))?
            .path()
            .map_err(|error| Error::refused(&self.name_of(key), error.to_string()))
    }

    /// The key below the prefix, as it stands in a public URL.
    pub(super) fn public_path(&self, key: &Key) -> Result<String> {
        let path = self.path(key)?;
        let whole: Key = path
            .as_ref()
            .parse()
            .map_err(|error: super::InvalidKey| Error::refused(&self.name, error.to_string()))?;
        Ok(whole.escaped())
    }

    pub(super) async fn head(&self, key: &Key) -> Result<Object> {
        let meta = self
            .client
            .head(&self.path(key)?)
            .await
            .map_err(|error| Error::of_cloud(&self.name_of(key), &error))?;
        Ok(object(key.clone(), meta))
    }

    pub(super) async fn get(&self, key: &Key) -> Result<Bytes> {
        let failed = |error| Error::of_cloud(&self.name_of(key), &error);
        let answer = self.client.get(&self.path(key)?).await.map_err(failed)?;
        answer.bytes().await.map_err(failed)
    }

    /// In one request; the answer is broken off where there is more.
    pub(super) async fn get_within(&self, key: &Key, most: u64) -> Result<Option<Bytes>> {
        let failed = |error| Error::of_cloud(&self.name_of(key), &error);
        let answer = self.client.get(&self.path(key)?).await.map_err(failed)?;
        if answer.meta.size > most {
            return Ok(None);
        }
        answer.bytes().await.map(Some).map_err(failed)
    }

    pub(super) async fn put(&self, key: &Key, bytes: Bytes, describe: &Describe) -> Result<Object> {
        let length = bytes.len();
        let options = PutOptions {
            attributes: attributes(key, describe),
            ..PutOptions::default()
        };
        let put = self
            .client
            .put_opts(&self.path(key)?, bytes.into(), options)
            .await
            .map_err(|error| Error::of_cloud(&self.name_of(key), &error))?;
        Ok(Object {
            key: key.clone(),
            bytes: u64::try_from(length).unwrap_or(u64::MAX),
            modified: SystemTime::now(),
            version: put.e_tag,
        })
    }

    pub(super) async fn delete(&self, key: &Key) -> Result<()> {
        match self.client.delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::of_cloud(&self.name_of(key), &error)),
        }
    }

    /// Deletes all below `folder`, a thousand at a time where the service can.
    pub(super) async fn delete_all(&self, folder: &Key) -> Result<u64> {
        let failed = |error| Error::of_cloud(&self.name_of(folder), &error);
        let path = self.path(folder)?;
        let found = self.client.list(Some(&path));
        let paths = found.map(|meta| meta.map(|meta| meta.location)).boxed();
        let mut deleted = 0;
        let mut gone = self.client.delete_stream(paths);
        while let Some(one) = gone.next().await {
            match one {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => deleted += 1,
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(deleted)
    }

    pub(super) fn list(&self, folder: Option<&Key>) -> Result<BoxStream<'static, Result<Object>>> {
        let own = self.prefix.as_ref().map(Key::path).transpose();
        let path = match folder {
            Some(folder) => Some(self.path(folder)?),
            None => own.map_err(|error| Error::refused(&self.name, error.to_string()))?,
        };
        let cloud = self.clone();
        let objects = self.client.list(path.as_ref()).filter_map(move |meta| {
            let found = match meta {
                Ok(meta) => cloud.key(&meta.location).map(|key| Ok(object(key, meta))),
                Err(error) => Some(Err(Error::of_cloud(&cloud.name, &error))),
            };
            std::future::ready(found)
        });
        Ok(objects.boxed())
    }

    /// The key of what the bucket calls `path`; `None` for what is no key of ours.
    fn key(&self, path: &Path) -> Option<Key> {
        let text = path.as_ref();
        let below = match &self.prefix {
            Some(prefix) => text.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
            None => text,
        };
        below.parse().ok()
    }

    /// A URL that anybody may GET until it expires.
    pub(super) async fn link(
        &self,
        key: &Key,
        holds: Duration,
        file_name: Option<&str>,
    ) -> Result<String> {
        let mut options = SignedUrlOptions::new();
        if let Some(file_name) = file_name {
            let header = media_type::attachment(file_name);
            options = options.with_query([("response-content-disposition", header)]);
        }
        let url = self
            .client
            .signed_url_opts(
                Method::GET,
                &self.path(key)?,
                holds.min(LONGEST_LINK),
                &options,
            )
            .await
            .map_err(|error| Error::of_cloud(&self.name_of(key), &error))?;
        Ok(url.into())
    }

    /// Whether the bucket answers and lets itself be listed.
    pub(super) async fn check(&self) -> Result<()> {
        let prefix = self.prefix.as_ref().map(|prefix| format!("{prefix}/"));
        let options = PaginatedListOptions {
            max_keys: Some(1),
            ..PaginatedListOptions::default()
        };
        let listed = self.client.list_paginated(prefix.as_deref(), options).await;
        match listed.map_err(|error| Error::of_cloud(&self.name, &error)) {
            Ok(_) => Ok(()),
            Err(Error::Absent { object }) => Err(Error::Refused {
                object,
                reason: "the bucket does not exist; create it or correct its name".to_owned(),
            }),
            Err(error) => Err(error),
        }
    }
}

fn builder(bucket: &Bucket) -> AmazonS3Builder {
    let plain = bucket
        .endpoint
        .as_deref()
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    let client = ClientOptions::new()
        .with_allow_http(plain)
        .with_timeout(REQUEST)
        .with_connect_timeout(CONNECT)
        .with_read_timeout(SILENCE);
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            base: 2.0,
        },
        max_retries: TRIES,
        retry_timeout: TRYING,
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_client_options(client)
        .with_retry(retry)
        .with_virtual_hosted_style_request(false)
        // Google's does not know it.
        .with_disable_bulk_delete(bucket.service == Service::Gcs);
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    aws::sign_in(builder, bucket.keys.as_ref(), &bucket.identity)
}

/// The headers that the object is served with.
pub(super) fn attributes(key: &Key, describe: &Describe) -> Attributes {
    let name = describe.file_name.as_deref().unwrap_or(key.file_name());
    let kind = describe.media_type.clone();
    let kind = kind.unwrap_or_else(|| media_type::media_type(name).to_owned());
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, kind.into());
    if let Some(name) = &describe.file_name {
        let header = media_type::attachment(name);
        attributes.insert(Attribute::ContentDisposition, header.into());
    }
    if let Some(rule) = &describe.cache_control {
        attributes.insert(Attribute::CacheControl, rule.clone().into());
    }
    attributes
}

fn object(key: Key, meta: ObjectMeta) -> Object {
    Object {
        key,
        bytes: meta.size,
        modified: meta.last_modified.into(),
        version: meta.e_tag,
    }
}
